"""Synthetic patients with known truth: scans, lesions, planted resistant tissue and computed response.

Images show brain metastases in contrast-enhanced T1-weighted MRI. In every lesion that is "resistant", a part of the
tissue carries a fine texture; this tissue grows until follow-up while the rest shrinks, and the response is computed
from the two volumes. Brightness, size, position, necrosis, haemorrhage and vessels are independent of the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...core.geometry import VolumeGeometry
from ...systems.phantom.anatomy import MENINGES_MM, Head
from ...systems.phantom.random_fields import soft
from ..response import responds
from .lesions import Tumour, draw_tumour
from .scanner import Scanner
from .settings import TIME_POINTS, CohortSettings

OEDEMA = 0.46
"""Brightness of oedema around a lesion."""

HIGHEST_CENTRE_MM = 26.0
"""Lesions lie at most this far above or below the middle of the imaged slab."""


@dataclass(frozen=True)
class SyntheticScan:
    """One MRI and what is known about it.

    Attributes:
        time_point: "baseline", "second" or "followup".
        image: int16 ``[k, j, i]``; None where only the masks were asked for.
        geometry: its place.
        lesions: label of the lesion in every voxel, 1, 2, ... in the order of the patient's lesions; uint8.
        planted: the same labels where the tissue is resistant; uint8.
        confounders: 1 + index in :data:`~PulsarCAMLib.cohort.synthetic.lesions.CONFOUNDERS`, inside lesions only; where
            resistant tissue is, there is none; uint8.
        scanner: the acquisition.
    """

    time_point: str
    image: np.ndarray | None
    geometry: VolumeGeometry
    lesions: np.ndarray
    planted: np.ndarray
    confounders: np.ndarray
    scanner: Scanner

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
        planted: whether it holds resistant tissue at all.
        resistant: whether that tissue was meant to be large.
        planted_share: resistant share of the baseline volume.
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


def generate_patient(settings: CohortSettings, index: int, images: tuple[str, ...] = TIME_POINTS) -> SyntheticPatient:
    """Patient ``index`` of a cohort; does not depend on how many patients the cohort has.

    Args:
        settings: the cohort's recipe.
        index: from 0.
        images: time points whose image is made; the others have masks only, which saves half of the time where the
            follow-up serves for the response alone.
    """
    seeds = np.random.SeedSequence(entropy=settings.seed, spawn_key=(index,)).spawn(4)
    anatomy = np.random.default_rng(seeds[0])
    head = Head.draw(anatomy)
    tumours = _draw_tumours(anatomy, head, settings)
    scans = {}
    for time, seed in zip(TIME_POINTS, seeds[1:], strict=True):
        if time in settings.time_points:
            rng = np.random.default_rng(seed)
            scanner = Scanner.draw(rng, head.radii, settings.numbers.noise)
            scans[time] = _scan(head, tumours, time, scanner, rng if time in images else None)
    lesions = tuple(_lesion(label, tumours[label - 1], scans, settings) for label in range(1, len(tumours) + 1))
    return SyntheticPatient(f"synthetic-{settings.seed}-{index:04d}", lesions, scans)


def _draw_tumours(rng: np.random.Generator, head: Head, settings: CohortSettings) -> list[Tumour]:
    """Tumours that lie in the brain, within the slab and apart from each other."""
    tumours: list[Tumour] = []
    count = rng.integers(settings.lesions[0], settings.lesions[1] + 1)
    for _ in range(200):
        radius = rng.uniform(*settings.diameter_mm) / 2
        room = head.radii - MENINGES_MM - radius
        centre = rng.uniform(-1, 1, 3) * room
        centre[2] = rng.uniform(-HIGHEST_CENTRE_MM, HIGHEST_CENTRE_MM)
        apart = all(np.linalg.norm(centre - t.centre) > 1.35 * (radius + t.radius) + 6 for t in tumours)
        if apart and np.linalg.norm(centre / room) < 1:
            tumours.append(draw_tumour(rng, centre, radius, settings))
        if len(tumours) == count:
            break
    return tumours


def _scan(
    head: Head, tumours: list[Tumour], time: str, scanner: Scanner, rng: np.random.Generator | None
) -> SyntheticScan:
    """One acquisition of the head with its tumours at a time point; without ``rng`` the masks only."""
    grid = scanner.grid
    tissue = head.tissue(grid) if rng else None
    labels, planted, confounders = (np.zeros(grid.shape, np.uint8) for _ in range(3))
    for label, tumour in enumerate(tumours, start=1):
        box = tumour.box(grid)
        part = grid.part(box)
        points = part.points()
        whole, nest = tumour.levels(part, points, time)
        if rng:
            _paint(tissue[box], whole, tumour.inside(part, points, nest))
        free = labels[box] == 0
        labels[box][(whole > 0) & free] = label
        planted[box][(nest > 0) & free] = label
        seen = (whole > 0) & (nest <= 0) & free
        confounders[box][seen] = tumour.confounders(points)[seen]
    image = scanner.acquire(tissue, rng) if rng else None
    return SyntheticScan(time, image, scanner.geometry, labels, planted, confounders, scanner)


def _paint(tissue: np.ndarray, level: np.ndarray, inside: np.ndarray) -> None:
    """Put a tumour and its oedema into the tissue, in place."""
    tissue += 0.8 * soft(level + 4, 8.0) * (OEDEMA - tissue) * (tissue > 0.3)
    tissue += soft(level, 1.2) * (inside - tissue)


def _lesion(label: int, tumour: Tumour, scans: dict[str, SyntheticScan], settings: CohortSettings) -> SyntheticLesion:
    first, last = scans["baseline"].volume_cm3(label), scans["followup"].volume_cm3(label)
    planted = np.count_nonzero(scans["baseline"].planted == label)
    return SyntheticLesion(
        name=f"Lesion {label}",
        label=label,
        volume_cm3=first,
        followup_volume_cm3=last,
        response=response_from_volumes(first, last, settings.shrinkage_threshold),
        planted=bool(planted),
        resistant=tumour.resistant,
        planted_share=float(planted / np.count_nonzero(scans["baseline"].lesions == label)),
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
