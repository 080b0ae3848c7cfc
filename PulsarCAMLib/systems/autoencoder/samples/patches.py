"""From an MRI and a lesion to patches, and from maps on patches back to the MRI's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....core.errors import InputError
from ....core.geometry.volume import VolumeGeometry, kji_of
from ....core.lesion import Lesion, check_lies_on
from ....lesions.resampling import block_of, image_around, resample
from ...contract import PastedMap
from .intensities import (
    OUTSIDE_VALUE,
    Bounds,
    bounds_of,
    to_unit_range,
    told_of_bounds,
    without_surroundings,
)
from .mask_levels import levels_on
from .preprocessing import BY_INDEX, CONSTANT, CROP, SHARES, Preprocessing
from .sections import answering_slice, beside_the_answer, read_for_masks, section_centres, widest
from .working_grid import LARGE_LESION_MARGIN, WorkingAxes, working_axes

FILLING_STEPS = 3
"""A small lesion is measured roughly at first; each step measures it on the pixels of the one before."""

NON_FINITE_LIMIT = 0.5
"""A lesion with a larger share of NaN or infinite voxels is refused: nothing is left to judge."""


@dataclass(frozen=True, eq=False)
class LesionPatches:
    """The slices of one lesion as the model sees them, and where they lie.

    Attributes:
        lesion: the lesion.
        images: float32 ``[n, 1, s, s]``, 0 to 1.
        masks: bool ``[n, 1, s, s]``, the GTV.
        mask_levels: ``[n, 1, s, s]``, what the network is told of it: the masks, or shares of pixels as float32.
        grid: the working grid all patches are crops of.
        slices: int ``[n]``, slice of the working grid.
        corners: int ``[n, 2]``, (row, column) of patch pixel (0, 0) on the working grid.
        areas_mm2: float ``[n]``, area of the GTV on each slice.
        main: index of the slice whose answer is the lesion's.
        scale: how much larger than the model's own the pixels are; above 1 for a lesion larger than the patch, any
            number where every lesion is made to fill the patch.
        warnings: sentences for the user.
    """

    lesion: Lesion
    images: np.ndarray
    masks: np.ndarray
    mask_levels: np.ndarray
    grid: VolumeGeometry
    slices: np.ndarray
    corners: np.ndarray
    areas_mm2: np.ndarray
    main: int
    scale: float
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        return self.images.shape[-1]

    def patch_to_lps(self, n: int, row: float, column: float) -> np.ndarray:
        """LPS millimetres of a (fractional) pixel of patch ``n``."""
        top, left = self.corners[n]
        return self.grid.to_lps(np.array([left + column, top + row, self.slices[n]]))

    def plane(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Middle of the GTV's rectangle on patch ``n``, and the axes of the working grid."""
        rows, columns = np.nonzero(self.masks[n, 0])
        middle = self.patch_to_lps(n, (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2)
        return middle, np.asarray(self.grid.direction)

    @property
    def name(self) -> str:
        """The lesion's name."""
        return self.lesion.name

    def facts(self) -> dict[str, object]:
        """How much larger the pixels are than the model's own, for tables."""
        return {"patch_scale": self.scale}

    def sample_facts(self, n: int) -> dict[str, object]:
        """Area of the GTV on a slice, for tables."""
        return {"area_mm2": float(self.areas_mm2[n])}

    def paste(
        self, maps: np.ndarray, geometry: VolumeGeometry, restrict: bool = True, role: str | None = None
    ) -> PastedMap:
        """See :func:`paste_maps`; there is one MRI only, so that ``role`` changes nothing."""
        return paste_maps(self, maps, geometry, restrict=restrict)

    def way_to(self, role: str) -> None:
        """There is one image."""
        return

    def cell_mm(self, cells: int) -> float:
        """Side in millimetres of a cell where a patch has ``cells`` along a side; the larger where they differ."""
        return float(self.patch_size / cells * max(self.grid.spacing[:2]))

    def centres_lps(self) -> np.ndarray:
        """LPS millimetres ``[n, 3]`` of the GTV's centre of mass on each slice."""
        return np.array([self.patch_to_lps(n, *np.argwhere(m[0]).mean(axis=0)) for n, m in enumerate(self.masks)])


def extract_patches(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    preprocessing: Preprocessing | None = None,
    *,
    rotation_deg: float = 0.0,
    only_main: bool = False,
    bounds: Bounds | None = None,
) -> LesionPatches:
    """Cut the patches of a lesion.

    Args:
        volume: MRI ``[k, j, i]``, any numeric type.
        geometry: its place.
        lesion: on the MRI's grid.
        preprocessing: the model's (default: that of the paper).
        rotation_deg: turns image and mask about the lesion's centre of mass in one resampling (augmentation); what
            comes into the corners is the surrounding tissue.
        only_main: only the answering slice, for training.
        bounds: of :func:`.intensities.bounds_of_image`, so that several lesions share them; None: found here.

    Raises:
        InputError: the volume is not a 3D image, the lesion lies outside it, or most of its voxels are not finite.
    """
    preprocessing = preprocessing or Preprocessing()
    check_lies_on(volume, geometry, lesion)
    size, fill = preprocessing.patch_size, preprocessing.large_lesion == "fill"
    shown, at = lesion, None
    if preprocessing.lattice == BY_INDEX:
        axes, scale = _placed(geometry, lesion, preprocessing, rotation_deg)
        if only_main and axes.section is not None and preprocessing.plane == "volume":
            shown, at = beside_the_answer(lesion, axes.section), axes.coordinates(geometry.to_lps(axes.section.centre))
        mask, first = _mask_on(axes, geometry, shown)
    else:
        axes, scale, mask, first = _placed_as_before(geometry, lesion, preprocessing, rotation_deg)
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    areas = _areas_mm2(mask, used, axes, geometry, shown, preprocessing)
    main = answering_slice(areas, preprocessing.answering_slice)
    if at is not None:
        main = int(np.argmin(np.abs(used + first[2] - at[2])))
    if only_main:
        used, areas, main = used[[main]], areas[[main]], 0
    centres = (
        _centres(mask, used) if axes.section is None else section_centres(axes, geometry, shown, mask, first, used)
    )
    corners = np.array([_corner(mask[k], centre, size) for k, centre in zip(used, centres, strict=True)])
    images, masks, grid, low = _cut(volume, geometry, axes, first, mask, used, corners, size)
    levels = masks
    if preprocessing.mask_edges == SHARES:
        first_pixel = np.add(first, [*low[::-1], used[0]])
        levels = _levels(geometry, shown, axes, first_pixel, masks, used - used[0], corners - low)
    warnings = _warnings(volume, lesion, images, 1.0 if fill else scale, size)
    limits = bounds_of(images, volume, lesion, preprocessing, bounds)
    if preprocessing.normalise != CROP:
        warnings += told_of_bounds(limits, lesion.name)
    if preprocessing.outside == CONSTANT:
        images = _cut(*without_surroundings(volume, geometry, lesion), axes, first, mask, used, corners, size)[0]
    images = to_unit_range(images, limits)
    if preprocessing.outside == CONSTANT:
        images[~masks] = OUTSIDE_VALUE
    return LesionPatches(
        lesion=lesion,
        images=images[:, None],
        masks=masks[:, None],
        mask_levels=levels[:, None],
        grid=grid,
        slices=used - used[0],
        corners=corners - low,
        areas_mm2=areas,
        main=main,
        scale=scale,
        warnings=warnings,
    )


def paste_maps(
    patches: LesionPatches, maps: np.ndarray, geometry: VolumeGeometry, *, restrict: bool = True
) -> PastedMap:
    """Bring maps on patches to the MRI's grid by linear interpolation.

    Args:
        patches: as :func:`extract_patches` made them.
        maps: ``[n, s, s]``, one map per patch.
        geometry: of the MRI.
        restrict: zero outside the GTV; otherwise everything the patches hold is brought over.
    """
    if maps.shape != (len(patches), patches.patch_size, patches.patch_size):
        raise InputError(f"{len(patches)} maps of side {patches.patch_size} are needed, not shape {maps.shape}.")
    stack = np.zeros(patches.grid.shape, dtype=np.float32)
    size = patches.patch_size
    for n, (k, (top, left)) in enumerate(zip(patches.slices, patches.corners, strict=True)):
        stack[k, top : top + size, left : left + size] = maps[n]
    lesion = patches.lesion
    low, high = np.array(lesion.offset), np.array(lesion.offset) + lesion.mask.shape
    if not restrict:
        low, high = block_of(patches.grid, geometry)
    values = resample(patches.grid.to_sitk(stack), geometry.cropped(kji_of(low), kji_of(high - low)), restrict)
    if restrict:
        values = np.where(lesion.mask, values, np.float32(0))
    return PastedMap(values, kji_of(low))


def _placed(
    geometry: VolumeGeometry, lesion: Lesion, preprocessing: Preprocessing, rotation_deg: float
) -> tuple[WorkingAxes, float]:
    """Lattice and scale: pixels grow with what the lesion's voxels span, and by no step.

    A lesion as wide as the patch keeps its pixels; one that is wider by the margins, or more, leaves them free.
    """
    axes = working_axes(geometry, lesion, preprocessing, rotation_deg)
    pixels, size = widest(axes, geometry, lesion), preprocessing.patch_size
    scale = pixels / (size - 2 * LARGE_LESION_MARGIN)
    if preprocessing.large_lesion != "fill":
        scale = max(1.0, min(scale, 1 + 2 * (pixels - size) / (size - 2 * LARGE_LESION_MARGIN)))
    if scale != 1:
        axes = working_axes(geometry, lesion, preprocessing, rotation_deg, scale)
    return axes, scale


def _placed_as_before(
    geometry: VolumeGeometry, lesion: Lesion, preprocessing: Preprocessing, rotation_deg: float
) -> tuple[WorkingAxes, float, np.ndarray, np.ndarray]:
    """As :func:`_placed`, by counting pixels of the lattice; and :func:`_mask_on`."""
    axes = working_axes(geometry, lesion, preprocessing, rotation_deg)
    mask, first = _mask_on(axes, geometry, lesion)
    scale, fill = 1.0, preprocessing.large_lesion == "fill"
    for _ in range(FILLING_STEPS if fill else 1):
        step = _scale_to_fit(mask, preprocessing.patch_size, fill)
        if step == 1:
            break
        scale *= step
        axes = working_axes(geometry, lesion, preprocessing, rotation_deg, scale)
        mask, first = _mask_on(axes, geometry, lesion)
    return axes, scale, mask, first


def _mask_on(axes: WorkingAxes, geometry: VolumeGeometry, lesion: Lesion) -> tuple[np.ndarray, np.ndarray]:
    """GTV on the smallest lattice block that holds it, bool ``[z, y, x]``, and the block's first point (x, y, z).

    A pixel half way between a voxel inside and one outside belongs to the voxel that is shown further right or below.
    """
    corners = geometry.cropped(lesion.offset, lesion.mask.shape)
    ends = np.array([[-0.5, n - 0.5] for n in lesion.mask.shape[::-1]])
    box = axes.coordinates(corners.to_lps(np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)))
    # A slice that touches the box only with its face must not come in by rounding; pixels on its rim may.
    reach = 1e-6 if axes.section is None else np.array([0.1, 0.1, 1e-6])
    first = np.ceil(box.min(axis=0) - reach).astype(int)
    last = np.maximum(np.floor(box.max(axis=0) + reach).astype(int), first)
    inside = resample(_mask_image(geometry, lesion), read_for_masks(axes, first, last)) >= 0.5
    return _with_no_slice_lost(inside, axes, first, geometry, lesion), first


def _mask_image(geometry: VolumeGeometry, lesion: Lesion):
    """SimpleITK image of the lesion's box, 0 and 1, with a margin of zeros."""
    padded = np.pad(lesion.mask, 1).astype(np.float32)
    return geometry.cropped(kji_of(o - 1 for o in lesion.offset), kji_of(padded.shape)).to_sitk(padded)


def _levels(
    geometry: VolumeGeometry,
    lesion: Lesion,
    axes: WorkingAxes,
    first: np.ndarray,
    masks: np.ndarray,
    slices: np.ndarray,
    corners: np.ndarray,
) -> np.ndarray:
    """What the network is told of the masks ``[n, s, s]``, at ``slices`` and ``corners`` of the grid from ``first``."""
    size = masks.shape[-1]
    whole = np.zeros((slices[-1] + 1, *(corners.max(axis=0) + size)), dtype=bool)
    for k, (top, left), mask in zip(slices, corners, masks, strict=True):
        whole[k, top : top + size, left : left + size] |= mask
    levels = levels_on(_mask_image(geometry, lesion), axes, first, whole, geometry.spacing)
    return np.stack(
        [levels[k, top : top + size, left : left + size] for k, (top, left) in zip(slices, corners, strict=True)]
    )


def _with_no_slice_lost(
    inside: np.ndarray, axes: WorkingAxes, first: np.ndarray, geometry: VolumeGeometry, lesion: Lesion
) -> np.ndarray:
    """A section smaller than a lattice pixel keeps the pixel nearest to its centre."""
    slice_axis = np.asarray(geometry.direction)[:, 2] @ axes.direction[:, 2]
    if abs(slice_axis) > 1 - 1e-6:
        sections: list[int | None] = [k for k in range(lesion.mask.shape[0]) if lesion.mask[k].any()]
    else:
        sections = [] if inside.any() else [None]
    for k in sections:
        if k is not None and _seen(inside, axes, first, geometry, lesion, k):
            continue
        kji = np.argwhere(lesion.mask) if k is None else np.insert(np.argwhere(lesion.mask[k]), 0, k, axis=1)
        centre = geometry.to_lps((kji.mean(axis=0) + lesion.offset)[::-1])
        at = np.clip(np.rint(axes.coordinates(centre) - first).astype(int), 0, np.array(inside.shape)[::-1] - 1)
        inside[at[2], at[1], at[0]] = True
    return inside


def _seen(
    inside: np.ndarray, axes: WorkingAxes, first: np.ndarray, geometry: VolumeGeometry, lesion: Lesion, k: int
) -> bool:
    """Whether the lattice slice that shows slice ``k`` of the lesion's box holds any of it."""
    at = axes.coordinates(geometry.to_lps(np.add((0, 0, k), lesion.offset[::-1])))[2] - first[2]
    return bool(inside[int(np.clip(np.rint(at), 0, len(inside) - 1))].any())


def _scale_to_fit(mask: np.ndarray, patch_size: int, fill: bool) -> float:
    """How much pixels must grow so that the widest section of the lesion fits the patch, 1 if it does; or fills it."""
    widest = max(int(np.ptp(np.flatnonzero(mask.any(axis=(0, axis))))) + 1 for axis in (1, 2))
    return 1.0 if widest <= patch_size and not fill else widest / (patch_size - 2 * LARGE_LESION_MARGIN)


def _areas_mm2(
    mask: np.ndarray,
    used: np.ndarray,
    axes: WorkingAxes,
    geometry: VolumeGeometry,
    lesion: Lesion,
    preprocessing: Preprocessing,
) -> np.ndarray:
    """Area of the GTV on the used slices; counted on the MRI's own voxels where slices are the MRI's."""
    if preprocessing.plane != "volume":
        return mask[used].sum(axis=(1, 2)) * float(axes.spacing[0] * axes.spacing[1])
    counts = lesion.mask.sum(axis=(1, 2))
    counts = counts[counts > 0]
    backwards = np.asarray(geometry.direction)[:, 2] @ axes.direction[:, 2] < 0
    return (counts[::-1] if backwards else counts) * float(geometry.spacing[0] * geometry.spacing[1])


def _centres(mask: np.ndarray, used: np.ndarray) -> list[np.ndarray]:
    """Centre of mass (row, column) of every used slice of a mask on the lattice, in its pixels."""
    return [np.argwhere(mask[k]).mean(axis=0) for k in used]


def _corner(section: np.ndarray, centre: np.ndarray, size: int) -> tuple[int, int]:
    """First (row, column) of a crop centred on the section, moved just as far as needed to hold all of it."""
    corner = []
    for axis in (1, 0):
        used = np.flatnonzero(section.any(axis=axis))
        start = int(np.floor(centre[1 - axis] - size / 2 + 1))
        corner.append(min(max(start, int(used[-1]) - size + 1), int(used[0])))
    row, column = corner
    return row, column


def _cut(volume, geometry, axes, first, mask, used, corners, size):
    """Crops of image and mask ``[n, s, s]``, the grid that holds them and its lowest corner (row, column)."""
    low, high = corners.min(axis=0), corners.max(axis=0) + size - 1
    grid = axes.geometry(first + np.array([*low[::-1], used[0]]), first + np.array([*high[::-1], used[-1]]))
    image = resample(image_around(volume, geometry, grid), grid, edges=True)
    outer = [(max(0, -lo), max(0, hi + 1 - n)) for lo, hi, n in zip(low, high, mask.shape[1:], strict=True)]
    mask = np.pad(mask[used[0] : used[-1] + 1], [(0, 0), *outer])
    images, masks = [], []
    for k, corner in zip(used - used[0], corners, strict=True):
        top, left = corner - low
        images.append(image[k, top : top + size, left : left + size])
        row, column = corner + np.array(outer)[:, 0]
        masks.append(mask[k, row : row + size, column : column + size])
    return np.stack(images), np.stack(masks), grid, low


def _warnings(volume: np.ndarray, lesion: Lesion, images: np.ndarray, scale: float, patch_size: int) -> tuple[str, ...]:
    inside = volume[lesion.box][lesion.mask]
    bad = 1 - np.isfinite(inside).mean() if volume.dtype.kind == "f" else 0.0
    if bad > NON_FINITE_LIMIT:
        raise InputError(f"{bad:.0%} of the MRI in lesion “{lesion.name}” is NaN or infinite; mend the image first.")
    found = []
    if bad:
        found.append(f"“{lesion.name}”: {bad:.0%} of its MRI voxels are NaN or infinite; the lowest value stands in.")
    if scale > 1:
        found.append(
            f"“{lesion.name}” does not fit the model's patch of {patch_size} pixels; it was shrunk {scale:.2f} times, "
            "which the model has hardly seen in training."
        )
    flat = int((np.ptp(images, axis=(1, 2)) == 0).sum())
    if flat:
        found.append(f"“{lesion.name}”: the MRI is constant around it on {flat} slice(s); no answer has meaning there.")
    return tuple(found)
