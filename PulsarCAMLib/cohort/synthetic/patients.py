"""Synthetic patients with known truth: scans, lesions, planted resistant tissue and computed response.

Images show brain metastases in contrast-enhanced T1-weighted MRI. In every lesion that is "resistant", a part of the
tissue carries a fine texture; this tissue grows until follow-up while the rest shrinks, and the response is computed
from the two volumes. Brightness, size, position, necrosis, haemorrhage and vessels are independent of the outcome.
That is the first of the rules; under another (:mod:`.rules`) its marks decide, and the lesion shrinks as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...systems.phantom.anatomy import MENINGES_MM, OEDEMA, Head
from ...systems.phantom.random_fields import Grid, soft
from ..labels.response import responds
from .background import Background, OwnScanner
from .lesions import Tumour, draw_tumour
from .rules import Plan
from .rules.mark import EDGE_MM
from .scanner import Scanner
from .settings import TIME_POINTS, CohortSettings

HIGHEST_CENTRE_MM = 26.0
"""Lesions lie at most this far above or below the middle of the imaged slab."""

DrawCentre = Callable[[np.random.Generator, float], np.ndarray | None]
"""Draws the centre of a tumour of a given radius (mm); None: that one does not fit."""


@dataclass(frozen=True)
class SyntheticScan:
    """One MRI and what is known about it.

    Attributes:
        time_point: "baseline", "second" or "followup".
        image: int16 (of a background that was given: its type) ``[k, j, i]``; None where only the masks were asked for.
        geometry: its place.
        lesions: label of the lesion in every voxel, 1, 2, ... in the order of the patient's lesions; uint8.
        planted: the same labels where the tissue is that decides against a response: under most rules inside the
            lesion, under the rule "outside" beyond its contour; uint8.
        confounders: 1 + index in :data:`~PulsarCAMLib.cohort.synthetic.lesions.CONFOUNDERS`, inside lesions only; where
            planted tissue is, there is none; uint8.
        scanner: the acquisition.
    """

    time_point: str
    image: np.ndarray | None
    geometry: VolumeGeometry
    lesions: np.ndarray
    planted: np.ndarray
    confounders: np.ndarray
    scanner: Scanner | OwnScanner

    def mask(self, label: int) -> np.ndarray:
        """Mask of one lesion, bool ``[k, j, i]``."""
        return self.lesions == label

    def volume_cm3(self, label: int) -> float:
        """Volume of one lesion by counting voxels."""
        return float(np.count_nonzero(self.lesions == label)) * self.geometry.voxel_volume_mm3 / 1000


@dataclass(frozen=True)
class SyntheticLesion:
    """One lesion of a patient.

    Attributes:
        name, label: its name and its value in the scans' label maps.
        volume_cm3: at baseline.
        followup_volume_cm3: at follow-up.
        response: 1 when the follow-up volume is strictly below the threshold's share of the first, else 0.
        planted: whether it has planted tissue at all.
        resistant: whether that tissue was meant to be large; under another rule than the first: whether it speaks
            against a response.
        planted_share: share of the baseline volume that is planted.
    """

    name: str
    label: int
    volume_cm3: float
    followup_volume_cm3: float
    response: int
    planted: bool
    resistant: bool
    planted_share: float


@dataclass(frozen=True)
class SyntheticPatient:
    """A patient: lesions, and scans by time point."""

    name: str
    lesions: tuple[SyntheticLesion, ...]
    scans: dict[str, SyntheticScan]


def response_from_volumes(first_cm3: float, followup_cm3: float, threshold: float = 0.8) -> int:
    """1 (response) when the follow-up volume is strictly below ``threshold`` times the first volume, else 0."""
    return responds(first_cm3, followup_cm3, 1 - threshold)


def generate_cohort(settings: CohortSettings, images: tuple[str, ...] = TIME_POINTS) -> Iterator[SyntheticPatient]:
    """The cohort's patients, one at a time; see :func:`generate_patient`."""
    for index in range(settings.patients):
        yield generate_patient(settings, index, images)


def generate_patient(
    settings: CohortSettings,
    index: int,
    images: tuple[str, ...] = TIME_POINTS,
    background: Background | None = None,
) -> SyntheticPatient:
    """Patient ``index`` of a cohort; does not depend on how many patients the cohort has.

    Args:
        settings: the cohort's recipe.
        index: from 0.
        images: time points whose image is made; the others have masks only, which saves half of the time where the
            follow-up serves for the response alone.
        background: an MRI to put the lesions into, instead of a head made up.

    Raises:
        InputError: the background has no room for a lesion of the sizes that are wanted.
    """
    seeds = np.random.SeedSequence(entropy=settings.seed, spawn_key=(index,)).spawn(4)
    anatomy = np.random.default_rng(seeds[0])
    head = Head.draw(anatomy)
    plan = Plan(settings, index)
    tumours = _draw_tumours(anatomy, _in_head(head) if background is None else background.draw_centre, settings, plan)
    if not tumours:
        raise InputError(
            "The background has no room for a lesion of "
            f"{settings.diameter_mm[0]:g} to {settings.diameter_mm[1]:g} mm; give an MRI of a whole head."
        )
    scans = {}
    for time, seed in zip(TIME_POINTS, seeds[1:], strict=True):
        if time in settings.time_points:
            rng = np.random.default_rng(seed)
            scanner: Scanner | OwnScanner
            if background is None:
                scanner = Scanner.draw(rng, head.radii, settings.numbers.noise)
            else:
                scanner = OwnScanner(background, rng.uniform(*settings.numbers.noise))
            scans[time] = _scan(background or head, tumours, time, scanner, rng if time in images else None)
    lesions = tuple(_lesion(label, tumours[label - 1], scans, settings) for label in range(1, len(tumours) + 1))
    return SyntheticPatient(f"synthetic-{settings.seed}-{index:04d}", lesions, scans)


def _in_head(head: Head) -> DrawCentre:
    """Places in the brain of a head and within its slab."""

    def draw(rng: np.random.Generator, radius: float) -> np.ndarray | None:
        room = head.radii - MENINGES_MM - radius
        centre = rng.uniform(-1, 1, 3) * room
        centre[2] = rng.uniform(-HIGHEST_CENTRE_MM, HIGHEST_CENTRE_MM)
        return centre if np.linalg.norm(centre / room) < 1 else None

    return draw


def _draw_tumours(
    rng: np.random.Generator, draw_centre: DrawCentre, settings: CohortSettings, plan: Plan
) -> list[Tumour]:
    """Tumours that lie where there is room for them, and apart from each other."""
    tumours: list[Tumour] = []
    count = rng.integers(settings.lesions[0], settings.lesions[1] + 1)
    for _ in range(200):
        number = len(tumours) + 1
        radius = plan.diameter_mm(number, rng.uniform(*settings.diameter_mm)) / 2
        centre = draw_centre(rng, radius)
        if centre is not None and all(
            np.linalg.norm(centre - t.centre) > 1.35 * (radius + t.radius) + 6 for t in tumours
        ):
            tumours.append(plan.finished(number, draw_tumour(rng, centre, radius, settings, plan.against(number))))
        if len(tumours) == count:
            break
    return tumours


def _scan(
    head: Head | Background,
    tumours: list[Tumour],
    time: str,
    scanner: Scanner | OwnScanner,
    rng: np.random.Generator | None,
) -> SyntheticScan:
    """One acquisition of the head with its tumours at a time point; without ``rng`` the masks only."""
    grid = scanner.grid
    surrounded = any(mark.surrounds for tumour in tumours for mark in tumour.marks)
    tissue = head.tissue(grid) if rng or surrounded else None
    labels, planted, confounders = (np.zeros(grid.shape, np.uint8) for _ in range(3))
    if tissue is not None and surrounded:  # all that lies around lesions first, for it may reach their neighbours
        for label, tumour in enumerate(tumours, start=1):
            _surround(tissue, planted, label, tumour, grid, time)
    for label, tumour in enumerate(tumours, start=1):
        box = tumour.box(grid)
        part = grid.part(box)
        points = part.points()
        whole, nest = tumour.levels(part, points, time)
        if rng and tissue is not None:
            if not surrounded:
                _paint_oedema(tissue[box], whole)
            brightness = tumour.inside(part, points, whole, nest)
            tissue[box] += soft(whole, _edge(tumour, part, points, whole)) * (brightness - tissue[box])
        own = (whole > 0) & (labels[box] == 0)
        decides = nest > 0
        for mark in tumour.marks:
            decides |= mark.planted(tumour.site(part, points, whole))
        labels[box][own] = label
        planted[box][own] = np.where(decides, label, 0)[own]
        seen = own & ~decides
        confounders[box][seen] = tumour.confounders(points)[seen]
    image = scanner.acquire(tissue, rng) if rng and tissue is not None else None
    return SyntheticScan(time, image, scanner.geometry, labels, planted, confounders, scanner)


def _surround(tissue: np.ndarray, planted: np.ndarray, label: int, tumour: Tumour, grid: Grid, time: str) -> None:
    """Put the tumour's oedema, and what its marks have outside of it, into the tissue and the truth, in place."""
    box = tumour.box(grid)
    part = grid.part(box)
    points = part.points()
    site = tumour.site(part, points, tumour.levels(part, points, time)[0])
    _paint_oedema(tissue[box], site.level)
    for mark in tumour.marks:
        if (found := mark.around(site)) is not None:
            share, brightness = found
            brain = tissue[box] > 0.3
            tissue[box] += share * (brightness - tissue[box]) * brain
            planted[box][mark.planted(site) & (site.level <= 0) & brain] = label


def _edge(tumour: Tumour, part: Grid, points: np.ndarray, whole: np.ndarray) -> np.ndarray | float:
    """Width of the ramp at the tumour's surface in mm."""
    for mark in tumour.marks:
        if (width := mark.edge_mm(tumour.site(part, points, whole))) is not None:
            return width
    return EDGE_MM


def _paint_oedema(tissue: np.ndarray, level: np.ndarray) -> None:
    """Put a tumour's oedema into the tissue, in place."""
    tissue += 0.8 * soft(level + 4, 8.0) * (OEDEMA - tissue) * (tissue > 0.3)


def _lesion(label: int, tumour: Tumour, scans: dict[str, SyntheticScan], settings: CohortSettings) -> SyntheticLesion:
    first, last = scans["baseline"].volume_cm3(label), scans["followup"].volume_cm3(label)
    of_it = scans["baseline"].planted == label
    inside = scans["baseline"].lesions == label
    return SyntheticLesion(
        name=f"Lesion {label}",
        label=label,
        volume_cm3=first,
        followup_volume_cm3=last,
        response=response_from_volumes(first, last, settings.shrinkage_threshold),
        planted=bool(of_it.any()),
        resistant=tumour.resistant,
        planted_share=float(np.count_nonzero(of_it & inside) / np.count_nonzero(inside)),
    )


__all__ = [
    "CohortSettings",
    "SyntheticLesion",
    "SyntheticPatient",
    "SyntheticScan",
    "generate_cohort",
    "generate_patient",
    "response_from_volumes",
]
