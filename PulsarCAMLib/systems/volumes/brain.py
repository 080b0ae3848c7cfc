"""Where the brain is: by a mask of the case, or by deepbet where it is installed; else nobody knows, and that is said.

deepbet (Fisch et al., Comput Biol Med 179:108845, 2024; MIT) finds the brain on a T1 and brings its weights along. It
is an optional extra; nothing is downloaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.inputs import BRAIN, InputRole
from ...core.lesion import Lesion, as_inside
from ...lesions.doubts import is_background, refuse_image, whole_numbers
from ...lesions.resampling import image_around, resample
from .preprocessing import NONE, TOOL, VolumePreprocessing
from .quality import foreground
from .space import chained, inverse

if TYPE_CHECKING:
    from ...core.case import Case, Image

SMALLEST_BRAIN_CM3, LARGEST_BRAIN_CM3 = 300.0, 2500.0
"""What the tool finds beyond these is no brain (a child's at birth has some 350 cm3)."""

LEAST_OF_HEAD = 0.1
"""A mask of a smaller part of the head is none of the brain, which is a quarter of a whole head."""

LEAST_INSIDE = 0.8
"""A mask of which less lies where its MRI is not zero is doubtful."""

ON_ITS_MRI = 0.5
"""A mask of which less lies on its MRI's voxels is refused."""

UNLIKE = 0.15
"""Brains of two time points that differ by a larger share of the larger one are doubtful."""


def tool_is_there() -> bool:
    """Whether deepbet is installed."""
    return find_spec("deepbet") is not None


def brains_of(
    inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing, leads: Mapping[str, str]
) -> tuple[dict[str, Lesion], list[str]]:
    """Time point to its brain on the grid of its first MRI, and sentences on what there is not.

    Raises:
        InputError: a mask is empty, or lies elsewhere.
    """
    found, warnings = given_brains(inputs, case, preprocessing, leads)
    titles = {role.name: role.title for role in inputs}
    if preprocessing.brain == TOOL and tool_is_there():
        for point, name in leads.items():
            if point not in found:
                found[point] = brain_by_tool(case.images[name], titles[name])
    return found, warnings + _unlike(found, case, leads, titles)


def given_brains(
    inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing, leads: Mapping[str, str]
) -> tuple[dict[str, Lesion], list[str]]:
    """The same of masks that the case brings, without the tool; none where the model uses no brain.

    Raises:
        InputError: a mask is empty, lies elsewhere, or is no brain.
    """
    found: dict[str, Lesion] = {}
    warnings: list[str] = []
    for role in inputs if preprocessing.brain != NONE else ():
        if role.kind == BRAIN and role.name in case.images and role.time_point in leads:
            head = case.images[leads[role.time_point]]
            found[role.time_point] = _given(case.images[role.name], head.geometry, role.title)
            warnings += _doubts(found[role.time_point], head, role.title)
    return found, warnings


def unused_words(inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing) -> list[str]:
    """That masks were given to a model that uses none."""
    given = [role.title for role in inputs if role.kind == BRAIN and role.name in case.images]
    if preprocessing.brain != NONE or not given:
        return []
    return [f"The model uses no mask of the brain: {' and '.join(given)} had no influence."]


def _doubts(brain: Lesion, image: Image, title: str) -> list[str]:
    """What speaks against a mask, from its size and from the head that its MRI shows.

    Raises:
        InputError: it is too small a part of the head.
    """
    head = foreground(image.voxels)
    voxel_cm3 = image.geometry.voxel_volume_mm3 / 1000
    volume, of_head = brain.voxels * voxel_cm3, head.sum() * voxel_cm3
    if volume < LEAST_OF_HEAD * of_head:
        raise InputError(
            f"The {title} has {volume:.3g} cm3 and the head on its MRI {of_head:.0f} cm3, so it is no mask of the "
            "brain; give that one."
        )
    told = []
    if of_head >= SMALLEST_BRAIN_CM3 and not SMALLEST_BRAIN_CM3 <= volume <= LARGEST_BRAIN_CM3:
        told.append(
            f"The {title} has {volume:.0f} cm3, and a brain has {SMALLEST_BRAIN_CM3:.0f} to {LARGEST_BRAIN_CM3:.0f}; "
            "is it the mask of the whole brain?"
        )
    inside = float((image.voxels[brain.box][brain.mask] != 0).mean())
    if inside < LEAST_INSIDE:
        told.append(f"The MRI is 0 in {1 - inside:.0%} of the {title}; was it made on that MRI?")
    return told


def carried(
    brains: Mapping[str, Lesion], case: Case, leads: Mapping[str, str], ways: Mapping[str, np.ndarray | None]
) -> dict[str, Lesion]:
    """The brains, and for time points without one that of another, brought over by the registration."""
    found = dict(brains)
    for point, name in leads.items():
        if point in found or not brains:
            continue
        other = next(iter(brains))
        source = case.images[leads[other]].geometry
        way = chained(ways.get(leads[other]), inverse(ways.get(name)))
        grid = case.images[name].geometry
        mask = _mask_on(brains[other].full_mask(source.shape), source, grid, way)
        if mask.any():
            found[point] = Lesion.from_mask("brain", mask)
    return found


def missing_words(brains: Mapping[str, Lesion], preprocessing: VolumePreprocessing) -> list[str]:
    """What the result says where a brain was wanted and nobody knows where it is."""
    if preprocessing.brain == NONE or brains:
        return []
    how = ""
    if preprocessing.brain == TOOL:
        how = " and deepbet, which would find it, is not installed (pip install pulsarcam[brain])"
    return [f"No brain mask is given{how}; intensities are judged wherever an image is not zero, skull and all."]


def brain_by_tool(image: Image, title: str = "MRI") -> Lesion:
    """The brain by deepbet, on the image's own grid.

    Raises:
        InputError: it finds nothing that could be a brain.
    """
    import SimpleITK as sitk
    from deepbet import run_bet

    with tempfile.TemporaryDirectory(prefix="pulsarcam-") as folder:
        read, made = Path(folder) / "head.nii.gz", Path(folder) / "mask.nii.gz"
        values = np.nan_to_num(image.voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        sitk.WriteImage(image.geometry.to_sitk(values), str(read))
        try:
            run_bet([str(read)], mask_paths=[str(made)], no_gpu=True, skip_broken=False)
            mask = sitk.GetArrayFromImage(sitk.ReadImage(str(made))) > 0
        except (RuntimeError, ValueError, AssertionError, OSError, IndexError) as error:
            raise InputError(f"deepbet cannot find the brain on the {title} ({error}); give a mask of it.") from error
    volume = mask.sum() * image.geometry.voxel_volume_mm3 / 1000
    if mask.shape != image.geometry.shape or not SMALLEST_BRAIN_CM3 <= volume <= LARGEST_BRAIN_CM3:
        raise InputError(
            f"What deepbet takes for the brain on the {title} has {volume:.0f} cm3; give a mask of the brain instead."
        )
    return Lesion.from_mask("brain", mask)


def _given(image: Image, grid: VolumeGeometry, title: str) -> Lesion:
    values = whole_numbers(f"The {title}", image.voxels)
    refuse_image(f"The {title}", values)
    inside = as_inside(title, values)
    mask = _mask_on(inside, image.geometry, grid, None)
    if not mask.any():
        raise InputError(f"The {title} is empty where its MRI is; give the mask that was made on that MRI.")
    brain = Lesion.from_mask("brain", mask)
    share = mask.sum() * grid.voxel_volume_mm3 / (inside.sum() * image.geometry.voxel_volume_mm3)
    if share < ON_ITS_MRI:
        raise InputError(f"Only {share:.0%} of the {title} lies on its MRI; give the mask that was made on that MRI.")
    if is_background(brain, grid):
        raise InputError(
            f"The {title} holds all corners of its MRI: it is no brain mask, or inside and outside are swapped."
        )
    return brain


def _mask_on(mask: np.ndarray, source: VolumeGeometry, grid: VolumeGeometry, way: np.ndarray | None) -> np.ndarray:
    """A mask on another grid: voxels that lie in it by half. ``way`` takes the grid's millimetres to the source's."""
    if way is None and source.same_grid(grid):
        return mask
    return resample(image_around(mask.astype(np.float32), source, grid, way), grid, matrix=way) >= 0.5


def _unlike(brains: Mapping[str, Lesion], case: Case, leads: Mapping[str, str], titles: Mapping[str, str]) -> list[str]:
    """Brains of two time points that can hardly be one patient's."""
    if len(brains) < 2:
        return []
    volumes = {point: brain.volume_cm3(case.images[leads[point]].geometry) for point, brain in brains.items()}
    small, large = min(volumes, key=lambda p: volumes[p]), max(volumes, key=lambda p: volumes[p])
    if volumes[large] - volumes[small] <= UNLIKE * volumes[large]:
        return []
    return [
        f"The brain has {volumes[small]:.0f} cm3 on the {titles[leads[small]]} and {volumes[large]:.0f} cm3 on the "
        f"{titles[leads[large]]}; are both of one patient, and the masks right?"
    ]
