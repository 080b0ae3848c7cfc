"""Lesions from a structure set (RTSTRUCT), on the MRI's grid: which structures are meant, and their masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.errors import Cure, GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry, moved
from ..core.lesion import Lesion
from ..core.visible import visible
from ..io.dicom.structures import Structure, StructureSet, read_structures
from .contours import TILT_DEGREES, Drawn, drawn, plane_heights
from .doubts import LESIONS_BY_SEGMENT, MOST_LESIONS, quoted
from .from_labels import lesions_from_masks
from .on_grid import placed_on_grid

BY_NAME = Cure(
    "choose",
    'by --segments "NAME,NAME"',
    panel="choose them by name in the list of lesions",
    column="write one of them into the column segment",
)
BY_SEGMENT = Cure(
    "choose them",
    "by --segments",
    panel="choose them by name in the list of lesions",
    column="write one of them into the column segment",
)
BY_FOLDER = Cure(
    "give the folder that holds the registration (REG), too",
    panel="load it with its registration",
    column="name a segmentation that was drawn on this MRI",
)
UNKNOWN_FRAME = (
    "The MRI does not say its frame of reference, as a DICOM series does; what was drawn is taken to lie in it as it "
    "is."
)
REMEDY = "were they drawn on another image?"
SPIKE_MM, SPIKE_WIDTH = 10.0, 0.15
"""A single point farther than this from both its neighbours, which are nearer each other than this share of it."""


def lesions_from_structures(
    path: str | Path,
    geometry: VolumeGeometry,
    parts: str = "auto",
    wanted: Sequence[str] | None = None,
    asks: bool = True,
    frame: str = "",
    registration: np.ndarray | None = None,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a structure set, on the MRI's grid.

    Args:
        path: of the RTSTRUCT.
        geometry: of the MRI.
        parts: "separate": each connected part is a lesion; else a structure is one.
        wanted: only these structures, by name or number; None: all that are said to be a GTV, see :func:`chosen`.
        asks: whether hundreds of them are refused with the question what they are.
        frame: UID of the MRI's frame of reference; empty: not known.
        registration: 4x4, rigid, LPS millimetres of the contours' frame to those of the MRI's; None: they are one.

    Returns:
        The lesions and warnings for the user, which name no structure that was left out.

    Raises:
        InputError: damaged, a structure that is not there or encloses nothing, or none that is a GTV.
        GeometryError: contours in another frame of reference, on planes that are not parallel to the slices, or far
            from the MRI.
    """
    name = f"The structure set {visible(Path(path).name)}"
    found = read_structures(path)
    taken, others = chosen(name, found.structures, wanted)
    if asks and wanted is None and len(taken) >= MOST_LESIONS:
        raise InputError(f"{name} has {len(taken)} structures, which are hardly all lesions", LESIONS_BY_SEGMENT)
    warnings = list(found.warnings)
    if others:
        some = f"{len(others)} others are" if len(others) > 1 else "one other is"
        own = sum(each.result for each in others)
        which = f", {own} of them PulsarCAM's own results, which are no lesions" if own else ""
        warnings.append(f"Taken are the structures whose name or type says GTV; {some} left out{which}.")
    taken, more = _with_contours(name, taken, wanted is not None)
    more += check_frames(name, {s.name: s.frame for s in taken}, frame, registration)
    placed: list[tuple[Lesion, VolumeGeometry]] = []
    few = any(len(structure.contours) < 3 for structure in taken)
    usual_mm = _usual_mm(found, geometry) if few and registration is None else None
    for structure in taken:
        each = _drawn(structure, geometry, usual_mm, registration)
        more += [*each.told, *_left_out(structure), *_beyond(structure, geometry, registration)]
        placed += [(lesion, each.own) for lesion in _parts(each, parts)]
    lesions, told = placed_on_grid(name, placed, geometry, wanted is not None, remedy=REMEDY)
    return lesions, warnings + more + told


def chosen(
    name: str, structures: Sequence[Structure], wanted: Sequence[str] | None
) -> tuple[list[Structure], list[Structure]]:
    """The structures that are meant, and those that are left out without having been asked for.

    Where nobody names any: those whose ROI Name holds "GTV" in any spelling, or whose RT ROI Interpreted Type is GTV
    (DICOM PS3.3 C.8.8.8.1). No more is guessed, and a sub-region or boost that PulsarCAM drew is none.

    Args:
        name: of the structure set, for sentences.
        structures: all.
        wanted: names or numbers; a name goes before a number, and two of one name are both meant.

    Raises:
        InputError: one that is not there, or no GTV; with the names that there are.
    """
    known = quoted(s.name for s in structures)
    if wanted is None:
        drawn = [s for s in structures if not s.result]
        taken = [s for s in drawn if s.kind == "GTV" or "gtv" in s.own_name.casefold()]
        if not taken:
            but = "" if len(drawn) == len(structures) else " and is no result of PulsarCAM's"
            raise InputError(f"{name} has no structure whose name or type says GTV{but}; it has {known}", BY_NAME)
        return taken, [s for s in structures if s not in taken]
    found: list[Structure] = []
    unknown = []
    for text in wanted:
        ways: Iterable[list[Structure]] = (
            [s for s in structures if getattr(s, which).strip() == text.strip()]
            for which in ("own_name", "name", "number")
        )
        matching = next(filter(None, ways), [])
        found += matching
        unknown += [] if matching else [text]
    if unknown:
        raise InputError(f"{name} has no structure {quoted(unknown)}; it has {known}.")
    return [s for s in structures if s in found], []


def _with_contours(name: str, taken: list[Structure], must: bool) -> tuple[list[Structure], list[str]]:
    """Structures that enclose something, and what is said of the others."""
    empty = [s for s in taken if not s.contours]
    if not empty:
        return taken, []
    why = "; ".join(f"“{s.name}” {_why_empty(s)}" for s in empty)
    if must or len(empty) == len(taken):
        raise InputError(f"{name} cannot be used: {why}; leave it out or contour it.")
    return [s for s in taken if s.contours], [f"Left out of the structure set: {why}."]


def _why_empty(structure: Structure) -> str:
    if structure.problem:
        return f"cannot be read ({structure.problem})"
    if structure.left_out:
        return f"has only contours that enclose nothing ({_counted(structure)})"
    return "has no contours"


def _counted(structure: Structure) -> str:
    return ", ".join(f"{count} {visible(kind)}" for kind, count in structure.left_out.items())


def _left_out(structure: Structure) -> list[str]:
    if not structure.left_out:
        return []
    return [f"Left out of “{structure.name}” are contours that enclose nothing: {_counted(structure)}."]


def check_frames(name: str, frames: Mapping[str, str], frame: str, registration: np.ndarray | None) -> list[str]:
    """Refuse what was drawn in another frame of reference, unless it is known how the two lie (PS3.3 C.7.4.1.1.1).

    Args:
        name: of the object, for sentences.
        frames: structure or segment to the UID of its frame; empty: not known.
        frame, registration: see :func:`lesions_from_structures`.

    Returns:
        A warning, where the MRI does not say its own.

    Raises:
        GeometryError: one of them was.
    """
    others = [each for each, own in frames.items() if frame and own and own != frame]
    if others and registration is None:
        raise GeometryError(
            f"{name} was drawn in another frame of reference than the MRI ({quoted(others[:5])}), so it is not known "
            "where it lies on it",
            BY_FOLDER,
        )
    return [] if frame or registration is not None else [UNKNOWN_FRAME]


def _usual_mm(found: StructureSet, geometry: VolumeGeometry) -> float | None:
    """The least distance of planes in a structure of at least three, for those that have fewer."""
    least: list[float] = []
    for structure in found.structures:
        heights = plane_heights(structure.contours, geometry) if len(structure.contours) > 2 else np.zeros(0)
        if len(heights) > 2:
            least.append(float(np.diff(heights).min()))
    return min(least) if least else None


def _drawn(
    structure: Structure, geometry: VolumeGeometry, usual_mm: float | None, registration: np.ndarray | None
) -> Drawn:
    """The mask of a structure; of a turned one on planes of its own, which are then brought to the MRI."""
    found = _mask_of(structure, geometry, usual_mm, registration)
    there = tuple(moved(points, registration) for points in structure.contours)
    return replace(found, lesion=replace(found.lesion, contours=there))


def _mask_of(
    structure: Structure, geometry: VolumeGeometry, usual_mm: float | None, registration: np.ndarray | None
) -> Drawn:
    if registration is None:
        return drawn(structure.name, structure.contours, geometry, usual_mm)
    turn = float(np.degrees(np.arccos(np.clip((np.trace(registration[:3, :3]) - 1) / 2, -1, 1))))
    if turn <= TILT_DEGREES:
        shifted = [moved(points, registration) for points in structure.contours]
        return drawn(structure.name, shifted, geometry, usual_mm)
    found = drawn(structure.name, structure.contours, _own_lattice(structure.contours, geometry))
    turned = registration @ found.own.ijk_to_lps
    return replace(found, own=VolumeGeometry.from_ijk_to_lps(turned, found.own.shape))


def _own_lattice(contours: Sequence[np.ndarray], geometry: VolumeGeometry) -> VolumeGeometry:
    """A lattice on the planes of the contours, with pixels half as large as the MRI's."""
    largest = max(contours, key=lambda points: float(np.ptp(points, axis=0).max()))
    _, _, axes = np.linalg.svd(largest - largest.mean(axis=0), full_matrices=False)
    normal = axes[2] * (1 if axes[2][np.argmax(np.abs(axes[2]))] > 0 else -1)
    along = np.eye(3)[np.argmin(np.abs(normal))]  # the axis of the patient that is least along the normal
    rows = along - (along @ normal) * normal
    rows /= np.linalg.norm(rows)
    direction = np.stack([rows, np.cross(normal, rows), normal], axis=1)
    pixel = min(geometry.spacing[:2]) / 2
    origin = tuple(largest[0])
    unit = VolumeGeometry((1, 1, 1), (pixel, pixel, 1.0), origin, tuple(map(tuple, direction)))
    heights = plane_heights(contours, unit)
    step = float(np.diff(heights).min()) if len(heights) > 1 else geometry.spacing[2]
    return replace(unit, spacing=(pixel, pixel, step))


def _parts(found: Drawn, parts: str) -> list[Lesion]:
    """One lesion, or each connected part as one, with its share of the volume that was drawn."""
    if parts != "separate":
        return [found.lesion]
    lesion = found.lesion
    drawn_mm3 = lesion.drawn_mm3 or 0.0
    each, _ = lesions_from_masks({lesion.name: lesion.full_mask(found.own.shape)}, parts)
    whole = lesion.contours if len(each) == 1 else ()  # contours of one part cannot be told from those of another
    return [replace(part, drawn_mm3=drawn_mm3 * part.voxels / lesion.voxels, contours=whole) for part in each]


def _beyond(structure: Structure, geometry: VolumeGeometry, registration: np.ndarray | None) -> list[str]:
    """How far contours lie beyond the image, and points that stand alone, where a number of the file may be damaged."""
    ijk = geometry.to_ijk(moved(np.concatenate(structure.contours), registration))
    last = np.array(geometry.shape[::-1]) - 1
    far = np.maximum(-ijk.min(axis=0), ijk.max(axis=0) - last) * geometry.spacing
    told = []
    for mm, pixel, edge in (
        (far[2], geometry.spacing[2], "outermost slice of the MRI"),
        (*max(zip(far[:2], geometry.spacing[:2], strict=True)), "edge of the MRI's slices"),
    ):
        if mm > pixel / 2:
            told.append(f"“{structure.name}” reaches {mm:.1f} mm beyond the {edge}; that part is not seen.")
    spikes = [mm for points in structure.contours if (mm := _spike_mm(points))]
    if spikes:
        some = "One contour" if len(spikes) == 1 else f"{len(spikes)} contours"
        told.append(
            f"{some} of “{structure.name}” {'has' if len(spikes) == 1 else 'have'} a single point {max(spikes):.0f} mm "
            "away from those before and after it; look at it, for a number in the file may be damaged."
        )
    return told


def _spike_mm(points: np.ndarray) -> float:
    """How far a single point stands away from both its neighbours, which are near each other; 0: none does."""
    before, behind = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    out = np.minimum(np.linalg.norm(points - before, axis=1), np.linalg.norm(points - behind, axis=1))
    wide = np.linalg.norm(before - behind, axis=1)
    alone = (out > SPIKE_MM) & (wide < SPIKE_WIDTH * out)
    return float(out[alone].max()) if alone.any() else 0.0
