"""Two images of one head brought together: rigidly or by an affine, by Mattes' mutual information (SimpleITK).

Mattes et al., IEEE TMI 22:120 (2003). Coarse to fine; begun from the best of three guesses (the headers, the middles of
the images, their centres of mass). The seed is fixed and one thread does the work, so that the answer is the same bit
for bit whatever the machine's number of threads: threads would add in another order. Several cases at once use all
cores. Where masks are given only voxels inside count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from .space import rigid

RIGID, AFFINE = "rigid", "affine"

LEVELS_MM = (8.0, 4.0, 2.0)
"""Voxels of the levels, coarse to fine; an image's own are never made finer. Below 2 mm nothing changes at 0.1 mm."""

STEPS_MM = (4.0, 2.0, 1.0)
"""First step of the optimiser on each level; whenever it turns round the step shrinks, down to :data:`LAST_STEP_MM`."""

LAST_STEP_MM, SHRINKING = 0.01, 0.7

ARM_MM = 40.0
"""Within, lengths are counted in this unit, about the mean distance of the brain from its middle: a turn by one radian
then counts as much as a shift by one. ITK's own guess takes the farthest corner of the image, so that turns hardly move
and stop before they are right.
"""

BINS = 32

SAMPLES = 60_000
"""Voxels that are looked at on a level, drawn once; all where there are fewer."""

ITERATIONS = 200
SEED = 20261130

SMALLEST_VOXELS = 8
"""An image with fewer voxels along an axis has no third dimension to register."""


@dataclass(frozen=True, eq=False)
class Registered:
    """What was found.

    Attributes:
        matrix: 4x4, LPS millimetres of the fixed image to those of the moving one.
        information: Mattes' mutual information at the end; larger is better.
        start: which guess it was begun from.
    """

    matrix: np.ndarray
    information: float
    start: str


def register(
    fixed: Image,
    moving: Image,
    kind: str = RIGID,
    *,
    fixed_inside: np.ndarray | None = None,
    moving_inside: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> Registered:
    """Bring a moving image to a fixed one.

    Args:
        fixed, moving: images of one head.
        kind: :data:`RIGID`; :data:`AFFINE`, which begins where the rigid one ends.
        fixed_inside, moving_inside: bool ``[k, j, i]`` on the images' grids, where they count; None: everywhere.
        start: 4x4, a further guess.

    Raises:
        InputError: an image is flat or two-dimensional, or the two have nothing in common.
    """
    import SimpleITK as sitk

    refuse_flat(fixed.geometry, "fixed image")
    refuse_flat(moving.geometry, "moving image")
    coarse = 0.75 * max(*fixed.geometry.spacing, *moving.geometry.spacing)  # finer levels would be this one again
    wanted = [mm for mm in LEVELS_MM if mm > coarse] or [LEVELS_MM[0]]
    levels = [_Level.of(mm, fixed, moving, fixed_inside, moving_inside) for mm in wanted]
    name, found = _best_start(levels[0], None if start is None else _scaled(start, 1 / ARM_MM))
    turning = sitk.Euler3DTransform()
    turning.SetCenter(_centre(levels[0].fixed).tolist())
    transform: Any = _set(turning, found)
    information = 0.0
    try:
        for level, step in zip(levels, STEPS_MM, strict=False):
            information = _improve(level, transform, step)
        if kind == AFFINE:
            transform = sitk.AffineTransform(3)
            transform.SetCenter(turning.GetCenter())
            transform.SetMatrix(turning.GetMatrix())
            transform.SetTranslation(turning.GetTranslation())
            for level, step in zip(levels, STEPS_MM, strict=False):
                information = _improve(level, transform, step)
    except RuntimeError as error:
        raise InputError(
            "The images have too little in common to be registered; are they of one patient, and is the body in both?"
        ) from error
    matrix = _scaled(matrix_of(transform), ARM_MM)
    return Registered(rigid(matrix) if kind == RIGID else matrix, information, name)


def matrix_of(transform: Any) -> np.ndarray:
    """4x4 of a linear SimpleITK transform."""
    zero = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    found = np.eye(4)
    found[:3, :3] = np.stack([transform.TransformPoint(tuple(axis)) for axis in np.eye(3)], axis=1) - zero[:, None]
    found[:3, 3] = zero
    return found


def _scaled(matrix: np.ndarray, factor: float) -> np.ndarray:
    """The same motion where lengths are counted in another unit."""
    found = np.array(matrix, dtype=float)
    found[:3, 3] *= factor
    return found


def refuse_flat(geometry: VolumeGeometry, what: str) -> None:
    """Refuse what is no volume; ``what`` names it.

    Raises:
        InputError: fewer than eight voxels along an axis.
    """
    if min(geometry.shape) < SMALLEST_VOXELS:
        k, j, i = geometry.shape
        raise InputError(
            f"The {what} has {i} x {j} x {k} voxels; registration needs a volume, not single slices. Choose the "
            "3D series."
        )


@dataclass(frozen=True, eq=False)
class _Level:
    """Both images and their masks as SimpleITK images in voxels of one size."""

    fixed: Any
    moving: Any
    fixed_mask: Any
    moving_mask: Any

    @classmethod
    def of(
        cls, mm: float, fixed: Image, moving: Image, fixed_inside: np.ndarray | None, moving_inside: np.ndarray | None
    ) -> _Level:
        """See :data:`LEVELS_MM`."""
        images = (_in_voxels_of(mm, each.voxels, each.geometry, False) for each in (fixed, moving))
        masks = ((fixed_inside, fixed.geometry), (moving_inside, moving.geometry))
        return cls(*images, *(None if mask is None else _in_voxels_of(mm, mask, place, True) for mask, place in masks))


def _in_voxels_of(mm: float, voxels: np.ndarray, geometry: VolumeGeometry, is_mask: bool):
    """The image, or a mask, along its own axes, blurred where its voxels become larger; lengths in :data:`ARM_MM`."""
    import SimpleITK as sitk

    source = geometry.to_sitk(np.nan_to_num(voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0))
    spacing, size = np.array(geometry.spacing), np.array(geometry.shape[::-1])
    wanted = np.maximum(1, np.ceil(size * spacing / np.maximum(mm, spacing) - 1e-6)).astype(int)
    new = size * spacing / wanted
    for axis in range(3):
        if new[axis] > 1.2 * spacing[axis] and size[axis] >= 4:  # fewer the filter does not take
            blur = sitk.RecursiveGaussianImageFilter()
            blur.SetSigma(float(new[axis] / 2))
            blur.SetDirection(axis)
            source = blur.Execute(source)
    first = geometry.to_lps((new / spacing - 1) / 2)
    i, j, k = (int(n) for n in wanted)
    found = sitk.Resample(
        source, (i, j, k), sitk.Transform(), sitk.sitkLinear, tuple(first), tuple(new),
        [c for row in geometry.direction for c in row],
    )  # fmt: skip
    found.SetSpacing([s / ARM_MM for s in found.GetSpacing()])
    found.SetOrigin([o / ARM_MM for o in found.GetOrigin()])
    return sitk.Cast(found >= 0.5, sitk.sitkUInt8) if is_mask else found


def _method(level: _Level, transform):
    """A registration as set up above that changes ``transform``."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    method.SetMetricAsMattesMutualInformation(BINS)
    share = SAMPLES / level.fixed.GetNumberOfPixels()
    if share < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(share, SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.MetricUseFixedImageGradientFilterOff()  # of the sampled voxels only: faster, and no worse
    method.MetricUseMovingImageGradientFilterOff()
    if level.fixed_mask is not None:
        method.SetMetricFixedMask(level.fixed_mask)
    if level.moving_mask is not None:
        method.SetMetricMovingMask(level.moving_mask)
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _improve(level: _Level, transform, step_mm: float) -> float:
    """Move the transform uphill on one level; the mutual information that it reaches."""
    method = _method(level, transform)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step_mm / ARM_MM, minStep=LAST_STEP_MM / ARM_MM, numberOfIterations=ITERATIONS,
        relaxationFactor=SHRINKING, gradientMagnitudeTolerance=1e-9,
    )  # fmt: skip
    method.Execute(level.fixed, level.moving)
    return -float(method.GetMetricValue())


def _best_start(level: _Level, given: np.ndarray | None) -> tuple[str, np.ndarray]:
    """The guess under which the images, looked at coarsely, have most in common."""
    guesses = {"headers": np.eye(4)}
    for name, of in (("middles", _middle), ("centres of mass", _centre)):
        guesses[name] = np.eye(4)
        guesses[name][:3, 3] = of(level.moving) - of(level.fixed)
    if given is not None:
        guesses["given"] = rigid(given)
    scores = {name: _information(level, matrix) for name, matrix in guesses.items()}
    if max(scores.values()) <= 0:
        raise InputError(
            "The images have nothing in common at any start of the registration; are they of one patient, and is the "
            "body in both?"
        )
    name = max(scores, key=lambda each: scores[each])
    return name, guesses[name]


def _information(level: _Level, matrix: np.ndarray) -> float:
    """Mattes' mutual information; 0 where the images do not meet."""
    import SimpleITK as sitk

    try:
        transform = _set(sitk.Euler3DTransform(), matrix)
        return -float(_method(level, transform).MetricEvaluate(level.fixed, level.moving))
    except RuntimeError:
        return 0.0


def _set(transform, matrix: np.ndarray):
    """The same motion in a transform that turns about its own centre."""
    centre = np.array(transform.GetCenter())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation((matrix[:3, 3] + matrix[:3, :3] @ centre - centre).tolist())
    return transform


def _middle(image) -> np.ndarray:
    return np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))


def _centre(image) -> np.ndarray:
    """Centre of mass of the grey values above the lowest, of all voxels."""
    import SimpleITK as sitk

    values = sitk.GetArrayFromImage(image).astype(float)
    values -= values.min()
    total = values.sum()
    if total <= 0:
        raise InputError("An image that is to be registered has the same value everywhere; export it again.")
    sums = [values.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in (2, 1, 0)]
    return np.array(
        image.TransformContinuousIndexToPhysicalPoint([float((s * np.arange(len(s))).sum() / total) for s in sums])
    )
