"""Whether the images of a case lie on each other as their headers, or the transforms that it brings, place them.

Nothing is moved here: a model that registers nothing, and the check of a cohort table, have no other sign that an image
is of another patient, or of another place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import moved
from ...core.inputs import DOSE, MRI, InputRole
from .quality import OVERLAP_LIMIT, SAME_LIMIT, foreground, likeness
from .space import chained, inverse

if TYPE_CHECKING:
    from ...core.case import Image

UNLIKE_INFORMATION = 1.08
"""Two time points that nothing has registered are doubtful below :data:`.quality.SAME_LIMIT` and this mutual
information. Seen in synthetic heads: 1.125 to 1.33 in one patient, aligned; 1.019 to 1.042 between two patients.
"""

HIGH_DOSE = 0.5
"""Of its maximum: that much of a dose and more is where it was meant to be, in the head."""

IN_HEAD = 0.5
"""Less of the high dose in the head is doubtful. Seen in synthetic heads: 0.79 to 1.0, and 0.25 and 0.42 when shifted
by 40 mm along each axis.
"""

MOST_POINTS = 200_000
"""So many voxels tell a share well enough."""

Ways = Mapping[str, "np.ndarray | None"]


def misfits(
    roles: Mapping[str, InputRole], images: Mapping[str, Image], leads: Mapping[str, str], ways: Ways, moves: bool
) -> Iterator[str]:
    """Sentences on images that can hardly belong together.

    Args:
        roles: of the images that are there, by name.
        images: by role.
        leads: time point to its first MRI.
        ways: role to 4x4, LPS millimetres of the common space to the image's own; None or absent: they are the same.
        moves: whether the model registers the MRIs, so that their headers decide nothing.

    Raises:
        InputError: an image reaches nowhere near the one with which it is looked at.
    """
    first = next(iter(leads.values()), "")
    for name, role in roles.items():
        lead = leads.get(role.time_point, first)
        other = lead if name != lead else first
        if role.kind not in (MRI, DOSE) or name == other or not other:
            continue
        way = chained(ways.get(name), inverse(ways.get(other)))
        apart = apart_mm(images[other], images[name], way)
        title, of = role.title, roles[other].title
        if apart > 0 and (role.kind == DOSE or not moves):
            raise InputError(
                f"The {title} does not reach the place that is looked at: it lies {apart:.0f} mm beside the {of}; was "
                "another patient's chosen?"
            )
        if apart > 0:
            yield (
                f"The {title} lies {apart:.0f} mm beside the {of} by their headers; look whether the registration has "
                "brought them together, and whether both are of one patient."
            )
        elif role.kind == DOSE:
            yield from _dose_misfits(title, images[name], of, images[other], way)
        elif not moves:
            yield from _unlike(role, images[name], roles[other], images[other], way)


def uncovered(roles: Mapping[str, InputRole], images: Mapping[str, Image], leads: Mapping[str, str]) -> Iterator[str]:
    """MRIs that leave out a part of the head that the first one of their time point shows."""
    heads: dict[str, np.ndarray] = {}
    for name, role in roles.items():
        lead = leads.get(role.time_point, "")
        if role.kind == MRI and lead and name != lead:
            if lead not in heads:
                heads[lead] = foreground(images[lead].voxels)
            share = covered(images[lead], heads[lead], images[name], None)
            if share < 1:
                yield (
                    f"The {role.title} does not cover {max(1 - share, 0.01):.0%} of the head on the "
                    f"{roles[lead].title}; beyond its edge it goes on as it ends there."
                )


def apart_mm(fixed: Image, moving: Image, way: np.ndarray | None) -> float:
    """Length of the gap between the boxes around two images in millimetres; 0 where they meet."""
    ends = [fixed.geometry.corners_lps(), moved(moving.geometry.corners_lps(), inverse(way))]
    (low, high), (low_too, high_too) = ((each.min(axis=0), each.max(axis=0)) for each in ends)
    return float(np.linalg.norm(np.maximum(0, np.maximum(low - high_too, low_too - high))))


def covered(fixed: Image, head: np.ndarray, moving: Image, way: np.ndarray | None) -> float:
    """Share of the head on one image, of which ``head`` is the mask, that the other reaches."""
    return float(_within(moving, _points(fixed, head), way)[1].mean())


def _points(image: Image, where: np.ndarray) -> np.ndarray:
    """LPS millimetres ``[n, 3]`` of voxels, in the image's own space; of many every so manieth."""
    at = np.flatnonzero(where)
    at = at[:: max(1, len(at) // MOST_POINTS)]
    return image.geometry.to_lps(np.stack(np.unravel_index(at, where.shape), axis=1)[:, ::-1])


def _within(image: Image, points: np.ndarray, way: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Voxels ``[n, 3]`` (i, j, k) of an image that hold points of another's space, and which of them there are."""
    at = image.geometry.to_ijk(moved(points, way))
    inside = (at >= -0.5) & (at < np.array(image.geometry.shape)[::-1] - 0.5)
    return np.rint(at).astype(int), np.asarray(inside.all(axis=1))


def _dose_misfits(title: str, dose: Image, of: str, mri: Image, way: np.ndarray | None) -> Iterator[str]:
    head = foreground(mri.voxels)
    if not head.any():
        return
    share = covered(mri, head, dose, way)
    if share < OVERLAP_LIMIT:
        yield (
            f"The {title} covers {share:.0%} of the head on the {of} only, and counts as 0 Gy beyond; is it of this "
            "patient, and in the space of this MRI?"
        )
    values = np.nan_to_num(dose.voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if values.max() <= 0:
        yield f"The {title} is 0 Gy everywhere; was the right file chosen?"
        return
    at, there = _within(mri, _points(dose, values >= HIGH_DOSE * values.max()), inverse(way))
    i, j, k = at[there].T
    inside = float(head[k, j, i].sum() / len(at))
    if inside < IN_HEAD:
        yield (
            f"Only {inside:.0%} of the high dose of the {title} lies in the head on the {of}; is it of this patient, "
            "and in the space of this MRI?"
        )


def _unlike(role: InputRole, image: Image, other: InputRole, fixed: Image, way: np.ndarray | None) -> Iterator[str]:
    found = likeness(fixed, image, way)
    alike = f"correlation {found.correlation:.2f}, mutual information {found.information:.3f}"
    # two modalities of one visit do not tell: 1.028 in an aligned head of BraTS, 1.027 to 1.035 between two patients
    between_visits = role.time_point != other.time_point
    wrong = between_visits and found.correlation < SAME_LIMIT and found.information < UNLIKE_INFORMATION
    if found.overlap < OVERLAP_LIMIT:
        yield f"Only {found.overlap:.0%} of the head on the {other.title} is on the {role.title}, too; look at both."
    elif wrong:
        yield (
            f"The {role.title} hardly lies on the {other.title} ({alike}), and this model registers nothing: they may "
            "be of two patients, or not aligned; look at both."
        )
