"""Irradiated heads with known truth: a resection cavity, the dose around it, and at the event new enhancement.

Recurrence is a solid bright nodule, RICE a faint mottled cloud that follows the dose; where the dose decides, patients
with RICE have had a boost. What does not decide is drawn without regard to the outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...io.csv_files import write_rows
from ..phantom.anatomy import CSF, MENINGES_MM, Head
from ..phantom.random_fields import Grid, Waves, random_rotation, soft
from .recipe import BOTH, DOSE, IMAGE, RiceCohort
from .task import EVENT, NAME, POSTOP, RECURRENCE, RICE, RTDOSE

TABLE, RECIPE = "cohort.csv", "recipe.json"

PRESCRIBED_GY, BOOST_GY = 60.0, 25.0
"""Dose around the cavity, and what a boost adds in its middle."""

FIELD_MM, FALL_MM = 24.0, 9.0
"""How far beyond the cavity the prescribed dose reaches, and over which distance it falls."""

NOISE, BIAS = 0.02, 0.08
"""Standard deviation of the noise and amplitude of the coil's logarithmic sensitivity; white matter is 0.64."""

NODULE, CLOUD = "nodule", "cloud"
_LOOKS = {NODULE: (1.4, 0.0), CLOUD: (0.80, 0.25)}
"""Of enhancement: brightness, and amplitude of its mottle."""


@dataclass(frozen=True)
class Patient:
    """One patient, in the head's millimetres.

    Attributes:
        name: in the table.
        outcome: class.
        head: the healthy head.
        cavity, cavity_mm: middle of the resection cavity and its radius.
        new, new_mm: middle of the new enhancement and its radius.
        look: of the enhancement.
        boost: middle of the place where a boost goes, or would.
        boosted: whether one was given.
        outline, mottle: how surfaces depart from balls, and the texture of a cloud.
        pose: 4x4, world millimetres (LPS) of the event MRI to the head's; those of the other images are the head's own.
    """

    name: str
    outcome: str
    head: Head
    cavity: np.ndarray
    cavity_mm: float
    new: np.ndarray
    new_mm: float
    look: str
    boost: np.ndarray
    boosted: bool
    outline: Waves
    mottle: Waves
    pose: np.ndarray


def make_cohort(folder: Path, recipe: RiceCohort, tell: Callable[[float, str], None]) -> None:
    """Fill an empty folder; see :meth:`..contract.System.make_synthetic`."""
    columns = ["patient", EVENT, POSTOP, RTDOSE, "outcome", "truth_planted_map", "truth_boost_map", "truth_look"]
    columns += ["truth_boosted", "note_decides"]
    rows: list[dict[str, object]] = []
    for index in range(recipe.patients):
        patient = draw_patient(recipe, index)
        files = _write(folder, patient, recipe, index)
        about = {"outcome": patient.outcome, "truth_look": patient.look, "truth_boosted": int(patient.boosted)}
        rows.append({"patient": patient.name, **files, **about, "note_decides": recipe.decides})
        tell((index + 1) / recipe.patients, f"patient {index + 1} of {recipe.patients}")
    write_rows(folder / TABLE, columns, rows)
    about = {"synthetic": True, "system": NAME, **asdict(recipe)}
    (folder / RECIPE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def draw_patient(recipe: RiceCohort, index: int) -> Patient:
    """Patient ``index`` of a cohort; does not depend on how many there are."""
    rng = np.random.default_rng([recipe.seed, index, 9101])
    head = Head.draw(rng)
    outcome = (RICE, RECURRENCE)[index % 2]
    coins = rng.random(2) < 0.5
    solid = outcome == RECURRENCE if recipe.decides in (IMAGE, BOTH) else bool(coins[0])
    boosted = outcome == RICE if recipe.decides in (DOSE, BOTH) else bool(coins[1]) and recipe.decides != IMAGE
    cavity_mm = float(rng.uniform(9.0, 14.0))
    room = head.radii - MENINGES_MM - 22
    cavity = rng.uniform(-1, 1, 3)
    cavity = room * cavity / max(1.0, float(np.linalg.norm(cavity)))
    new_mm = float(rng.uniform(13.0, 17.0))
    aside = rng.normal(size=3)
    aside /= np.linalg.norm(aside) * (-1 if aside @ cavity > 0 else 1)  # towards the middle, well inside the brain
    new = cavity + aside * (cavity_mm + 0.7 * new_mm)
    return Patient(
        name=f"synthetic-{recipe.seed}-{index:04d}",
        outcome=outcome,
        head=head,
        cavity=cavity,
        cavity_mm=cavity_mm,
        new=new,
        new_mm=new_mm,
        look=NODULE if solid else CLOUD,
        boost=cavity,
        boosted=boosted,
        outline=Waves.draw(rng, (14, 30), 12),
        mottle=Waves.draw(rng, (9, 13), 24),
        pose=_pose(rng, recipe.misregistration),
    )


def images_of(patient: Patient, recipe: RiceCohort, index: int) -> dict[str, tuple[np.ndarray, VolumeGeometry]]:
    """Images by column, each with its place: both MRIs int16, zero outside of the brain; the dose float32 in Gy.

    The truth: ``truth_planted_map``, the new enhancement on the event MRI's grid, and ``truth_boost_map``, where the
    boost goes or would, on the dose's, both uint8.
    """
    rng = np.random.default_rng([recipe.seed, index, 9102])
    n, step = recipe.voxels, recipe.spacing_mm
    grid_of_mri = VolumeGeometry((n, n, n), (step,) * 3, (-step * (n - 1) / 2,) * 3)
    coarse = max(4, -(-2 * n // 3))
    spacing = step * n / coarse
    grid_of_dose = VolumeGeometry((coarse,) * 3, (spacing,) * 3, (-spacing * (coarse - 1) / 2,) * 3)
    later = Grid(patient.pose @ grid_of_mri.ijk_to_lps, grid_of_mri.shape)
    event, planted = _mri(patient, later, rng, step, with_new=True)
    postop, _ = _mri(patient, Grid(grid_of_mri.ijk_to_lps, grid_of_mri.shape), rng, step, with_new=False)
    gray, boost = _dose(patient, Grid(grid_of_dose.ijk_to_lps, grid_of_dose.shape), rng)
    return {
        EVENT: (event, grid_of_mri),
        POSTOP: (postop, grid_of_mri),
        RTDOSE: (gray, grid_of_dose),
        "truth_planted_map": (planted, grid_of_mri),
        "truth_boost_map": (boost, grid_of_dose),
    }


def _mri(
    patient: Patient, grid: Grid, rng: np.random.Generator, step: float, *, with_new: bool
) -> tuple[np.ndarray, np.ndarray]:
    """An MRI and the mask of new enhancement."""
    points, value = grid.points(), patient.head.tissue(grid)
    brain = patient.head.depth(grid, points) > MENINGES_MM
    wave = patient.outline.on(grid)
    hollow = soft(patient.cavity_mm - _distance(points, patient.cavity) + wave, step / 2)
    planted = np.zeros(grid.shape, bool)
    if with_new:
        level = patient.new_mm - _distance(points, patient.new) + wave
        level = np.minimum(level, _distance(points, patient.cavity) - patient.cavity_mm)  # beside it, not in it
        brightness, mottle = _LOOKS[patient.look]
        tissue = np.clip(brightness + mottle * patient.mottle.on(grid), 0.3, None)
        value = value + soft(level, step / 2) * (tissue - value)
        planted = (level > 0) & brain
    value = value + hollow * (np.float32(CSF) - value)
    value = value * np.exp(np.float32(BIAS) * Waves.draw(rng, (150, 300), 6).on(grid))
    value = value + rng.normal(0, NOISE, value.shape)
    scale = np.exp(rng.uniform(np.log(300), np.log(1500)))
    image = np.where(brain, np.maximum(np.rint(value * scale), 1), 0).astype(np.int16)
    return image, planted.astype(np.uint8)


def _dose(patient: Patient, grid: Grid, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gy, and the mask of the place where a boost goes."""
    points = grid.points()
    distance = _distance(points, patient.cavity) - patient.cavity_mm
    prescribed = PRESCRIBED_GY * float(rng.uniform(0.97, 1.03))
    gray = prescribed * soft(FIELD_MM - distance, FALL_MM)
    level = patient.cavity_mm + 10.0 - _distance(points, patient.boost)
    if patient.boosted:
        gray = gray + BOOST_GY * soft(level, 6.0)
    gray = gray + 1.0 * Waves.draw(rng, (40, 80), 8).on(grid) * (gray > 5)
    return np.maximum(gray, 0).astype(np.float32), (level > 0).astype(np.uint8)


def _distance(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.sqrt(((points - centre.astype(np.float32)[:, None, None, None]) ** 2).sum(0))
    return found


def _pose(rng: np.random.Generator, far: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = random_rotation(rng, 4.0 * far) if far else np.eye(3)
    pose[:3, 3] = rng.uniform(-3, 3, 3) * far
    return pose


def _write(folder: Path, patient: Patient, recipe: RiceCohort, index: int) -> dict[str, str]:
    """Write the images of one patient; names of the files by column."""
    import SimpleITK as sitk

    (folder / patient.name).mkdir()
    files = {}
    for column, (voxels, geometry) in images_of(patient, recipe, index).items():
        files[column] = f"{patient.name}/{column.removeprefix('truth_').replace('_', '-')}.nrrd"
        sitk.WriteImage(geometry.to_sitk(voxels), str(folder / files[column]), True)
    return files
