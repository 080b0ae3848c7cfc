"""Glioblastoma follow-ups with known truth: growth, shrinkage, new and vanished tumour, heads that lie otherwise.

A tumour is a warped ball of enhancing tissue in a larger ball of oedema, described in millimetres of the head, so that
every visit shows the same head wherever it lies. Its radius at a visit follows from an event that is drawn first; the
category follows from the radii by construction, and from the written masks by the criteria: both must agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...io.csv_files import write_rows
from ..phantom.anatomy import MENINGES_MM, Head
from ..phantom.random_fields import Grid, Waves, random_rotation, soft
from .recipe import RanoCohort
from .task import MODALITIES, OPTIONAL

TABLE, RECIPE, POSES = "cohort.csv", "recipe.json", "poses.json"

GROWTH, NEW, SHRINKAGE, VANISHED, STABLE = "growth", "new lesion", "shrinkage", "vanished", "stable"
EVENTS = {VANISHED: "cr", SHRINKAGE: "pr", STABLE: "sd", GROWTH: "pd", NEW: "pd"}
"""Event to the category that it makes; progression is one time growth and one time something new."""

LIKELY = (VANISHED, VANISHED, SHRINKAGE, SHRINKAGE, STABLE, STABLE, GROWTH, NEW)
"""What events are drawn from, so that the four categories are alike in number."""

OEDEMA_MM = 7.0
"""How far oedema reaches beyond the enhancing tumour; what has vanished leaves a scar without any."""

NOISE, BIAS = 0.02, 0.08
"""Standard deviation of the noise and amplitude of the coil's logarithmic sensitivity; white matter is 0.64 on T1."""

_CURVES = {
    "t1": ((0.02, 0.10, 0.24, 0.50, 0.64, 0.92, 1.05), (0.02, 0.05, 0.20, 0.50, 0.66, 0.75, 0.55), 0.42, 0.44),
    "t2": ((0.02, 0.10, 0.24, 0.50, 0.64, 0.92, 1.05), (0.02, 0.05, 1.00, 0.62, 0.46, 0.60, 0.15), 0.85, 0.88),
    "flair": ((0.02, 0.10, 0.24, 0.50, 0.64, 0.92, 1.05), (0.02, 0.05, 0.12, 0.58, 0.46, 0.60, 0.20), 0.80, 0.95),
    "t1c": ((0.02, 0.10, 0.24, 0.50, 0.64, 0.92, 1.05), (0.02, 0.05, 0.20, 0.50, 0.66, 0.75, 1.05), 1.15, 0.44),
}
"""Of each modality: contrast of healthy tissue (brightness there, brightness here), of tumour, and of oedema."""


@dataclass(frozen=True)
class Focus:
    """One focus of tumour in the head's millimetres.

    Attributes:
        centre: its middle.
        outline: how its surface departs from a ball's.
        radii: at each visit, 0 where it is not there.
    """

    centre: np.ndarray
    outline: Waves
    radii: tuple[float, ...]

    def level(self, grid: Grid, points: np.ndarray, visit: int) -> np.ndarray:
        """Millimetres inside its surface, float32 ``[k, j, i]``."""
        radius = self.radii[visit]
        distance = np.sqrt(((points - self.centre.astype(np.float32)[:, None, None, None]) ** 2).sum(0))
        return np.float32(radius) - distance + np.float32(0.06 * radius) * self.outline.on(grid)


@dataclass(frozen=True)
class Patient:
    """One patient.

    Attributes:
        name: in the table.
        head: the healthy head.
        foci: of tumour.
        events: of each visit but the first.
        poses: of each visit: 4x4, world millimetres (LPS) to the head's.
    """

    name: str
    head: Head
    foci: tuple[Focus, ...]
    events: tuple[str, ...]
    poses: tuple[np.ndarray, ...]


def make_cohort(folder: Path, recipe: RanoCohort, tell: Callable[[float, str], None]) -> None:
    """Fill an empty folder; see :meth:`..contract.System.make_synthetic`."""
    names = [name for name in MODALITIES if recipe.contrast or name not in OPTIONAL]
    columns = ["patient", "visit", *names, "tumour", "new_lesion", "t2_flair", "steroids_mg", "neurological_status"]
    columns += ["truth_event", "truth_category"]
    poses: dict[str, list] = {}
    rows: list[dict[str, object]] = []
    for index in range(recipe.patients):
        patient = draw_patient(recipe, index)
        (folder / patient.name).mkdir()
        for visit in range(recipe.visits):
            files = _write_visit(folder, patient, recipe, index, visit, names)
            rows.append(_row(patient, visit) | files)
        poses[patient.name] = [pose.round(6).tolist() for pose in patient.poses]
        tell((index + 1) / recipe.patients, f"patient {index + 1} of {recipe.patients}")
    write_rows(folder / TABLE, columns, rows)
    (folder / POSES).write_text(json.dumps(poses) + "\n", encoding="utf-8")
    about = {"synthetic": True, "system": "rano", **asdict(recipe)}
    (folder / RECIPE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def draw_patient(recipe: RanoCohort, index: int) -> Patient:
    """Patient ``index`` of a cohort; does not depend on how many there are."""
    rng = np.random.default_rng([recipe.seed, index, 8101])
    head = Head.draw(rng)
    events = tuple(_possible([str(rng.choice(LIKELY)) for _ in range(recipe.visits - 1)]))
    foci = [Focus(_place(rng, head, ()), _outline(rng), _radii(rng, events))]
    for visit, event in enumerate(events, start=1):
        if event == NEW:
            radius = float(rng.uniform(8.0, 10.0))
            ends = (n for n, later in enumerate(events, start=1) if n > visit and later in (VANISHED, SHRINKAGE))
            until = next(ends, recipe.visits)
            radii = tuple(radius if visit <= n < until else 0.0 for n in range(recipe.visits))
            foci.append(Focus(_place(rng, head, [f.centre for f in foci]), _outline(rng), radii))
    poses = tuple(_pose(rng, recipe.misregistration) for _ in range(recipe.visits))
    return Patient(f"synthetic-{recipe.seed}-{index:04d}", head, tuple(foci), events, poses)


def images_of(
    patient: Patient, recipe: RanoCohort, index: int, visit: int, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], np.ndarray, VolumeGeometry]:
    """Images by modality (int16, zero outside of the brain), the mask of enhancing tumour (uint8), and their place."""
    rng = np.random.default_rng([recipe.seed, index, visit, 8102])
    geometry = _geometry(recipe)
    grid = Grid(patient.poses[visit] @ geometry.ijk_to_lps, geometry.shape)
    points, tissue = grid.points(), patient.head.tissue(grid)
    brain = patient.head.depth(grid, points) > MENINGES_MM
    tumour, oedema = np.zeros(geometry.shape, np.float32), np.zeros(geometry.shape, np.float32)
    for focus in () if recipe.no_signal else patient.foci:
        if focus.radii[visit] > 0:
            level = focus.level(grid, points, visit)
            tumour = np.maximum(tumour, soft(level, recipe.spacing_mm / 2))
            oedema = np.maximum(oedema, soft(level + OEDEMA_MM, 4.0))
    truth = np.zeros(geometry.shape, bool)
    for focus in patient.foci:
        if focus.radii[visit] > 0:
            truth |= focus.level(grid, points, visit) > 0
    images = {}
    for name in names:
        there, here, in_tumour, in_oedema = _CURVES[name]
        value = np.interp(tissue, there, here).astype(np.float32)
        value += oedema * (np.float32(in_oedema) - value)
        value += tumour * (np.float32(in_tumour) - value)
        value *= np.exp(np.float32(BIAS) * Waves.draw(rng, (150, 300), 6).on(grid))
        value += rng.normal(0, NOISE, value.shape).astype(np.float32)
        scale = np.exp(rng.uniform(np.log(300), np.log(1500)))
        images[name] = np.where(brain, np.maximum(np.rint(value * scale), 1), 0).astype(np.int16)
    return images, (truth & brain).astype(np.uint8), geometry


def _possible(events: Sequence[str]) -> list[str]:
    """Events that can follow each other: what has vanished stays so or comes back."""
    found: list[str] = []
    for event in events:
        gone = bool(found) and found[-1] == VANISHED
        found.append(VANISHED if gone and event not in (GROWTH, NEW) else GROWTH if gone else event)
    return found


def _radii(rng: np.random.Generator, events: Sequence[str]) -> tuple[float, ...]:
    """Radius of the first focus at every visit, mm."""
    first = float(rng.uniform(11.0, 16.0))
    radii = [first]
    for event in events:
        now = radii[-1]
        if event == VANISHED:
            now = 0.0
        elif event == SHRINKAGE:
            now = min(now, first) * float(rng.uniform(0.52, 0.62))
        elif event == GROWTH:
            now = now * float(rng.uniform(1.28, 1.5)) if now else float(rng.uniform(8.0, 11.0))
        elif now:
            now *= float(rng.uniform(0.97, 1.03))
        radii.append(min(now, 26.0))
    return tuple(radii)


def _place(rng: np.random.Generator, head: Head, others: Sequence[np.ndarray]) -> np.ndarray:
    """A place well inside the brain, away from other foci."""
    room = head.radii - MENINGES_MM - 20
    found = np.zeros(3)
    for _ in range(100):
        found = rng.uniform(-1, 1, 3) * room
        apart = all(np.linalg.norm(found - other) > 45 for other in others)
        if np.linalg.norm(found / room) < 1 and apart:
            break
    return found


def _outline(rng: np.random.Generator) -> Waves:
    return Waves.draw(rng, (14, 30), 12)


def _pose(rng: np.random.Generator, far: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = random_rotation(rng, 4.0 * far) if far else np.eye(3)
    pose[:3, 3] = rng.uniform(-3, 3, 3) * far
    return pose


def _geometry(recipe: RanoCohort) -> VolumeGeometry:
    """An axial grid with the head's middle in its middle, up to its pose."""
    n, step = recipe.voxels, recipe.spacing_mm
    return VolumeGeometry((n, n, n), (step,) * 3, (-step * (n - 1) / 2,) * 3)


def _write_visit(
    folder: Path, patient: Patient, recipe: RanoCohort, index: int, visit: int, names: Sequence[str]
) -> dict[str, str]:
    """Write one visit; names of its files by column."""
    import SimpleITK as sitk

    images, tumour, geometry = images_of(patient, recipe, index, visit, names)
    files = {}
    for name, array in {**images, "tumour": tumour}.items():
        files[name] = f"{patient.name}/visit{visit + 1}-{name}.nrrd"
        sitk.WriteImage(geometry.to_sitk(array), str(folder / files[name]), True)
    return files


def _row(patient: Patient, visit: int) -> dict[str, object]:
    event = patient.events[visit - 1] if visit else ""
    new = any(each == NEW for each in patient.events[:visit])
    return {
        "patient": patient.name,
        "visit": f"visit {visit + 1}",
        "new_lesion": "yes" if event == NEW else "no" if not new else "",
        "t2_flair": "stable",
        "steroids_mg": 0,
        "neurological_status": "stable",
        "truth_event": event,
        "truth_category": EVENTS.get(event, ""),
    }
