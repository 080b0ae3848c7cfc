"""Linear transforms from ITK's files (.tfm, .txt, .h5, .mat) as 4x4 matrices, LPS millimetres to LPS millimetres."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.visible import visible
from .apart import apart, reading_apart
from .headers.limits import FARTHEST_MM
from .headers.transform import NO_TRANSFORM, check_hdf5, check_matlab, check_transform
from .plain_files import plain_file

ODD, USUAL = "MatrixOffsetTransformBase_", "AffineTransform_"
"""Base type that some programs write instead of an affine transform; ITK's reader does not know it by that name."""

UNKNOWN_INSIDE = (".h5", ".hdf5")
"""Endings of files of which only the outside is checked: they are read in a process of its own."""

CHECKS = {".tfm": check_transform, ".txt": check_transform, ".mat": check_matlab}
CHECKS |= dict.fromkeys(UNKNOWN_INSIDE, check_hdf5)
"""Endings of transforms, and what checks them before a native reader does."""

MOST_STRETCH = 2.0
"""Heads, and atlases of them, differ by far less along any axis."""

LINEAR_TOLERANCE_MM = 1e-3
"""Within a box of a metre, how far a transform may be from a linear one; a file's rounding stays below."""


def read_transform(path: str | Path) -> np.ndarray:
    """A linear transform, as ITK resamples with it: points of the space that is resampled to, to those of the image.

    Args:
        path: ``.tfm`` or ``.txt`` (text), ``.mat`` or ``.h5``; several linear ones after each other count as one.

    Raises:
        InputError: no such file, no transform, or one that bends space.
    """
    path = plain_file(path)
    name = visible(path.name)
    ending = path.suffix.lower()
    if ending not in CHECKS:
        raise InputError(f"{name} {NO_TRANSFORM}.")
    CHECKS[ending](path, name)
    if ending not in UNKNOWN_INSIDE:
        return _read(path)
    with reading_apart():
        return _read(path)


@apart
def _read(path: Path) -> np.ndarray:
    """The matrix of a file that was checked."""
    import SimpleITK as sitk

    name = visible(path.name)
    try:
        transform = sitk.ReadTransform(str(path))
    except (RuntimeError, UnicodeDecodeError) as error:
        renamed = _renamed(path)
        if renamed is None:
            raise InputError(f"{name} {NO_TRANSFORM}.") from error
        transform = renamed
    if transform.GetDimension() != 3:
        raise InputError(f"The transform {name} is of {transform.GetDimension()} dimensions; it needs three.")
    return _linear(transform, name)


def _renamed(path: Path):
    """A transform whose type has the odd name, read under the usual one; None where that is not what is wrong."""
    import SimpleITK as sitk

    try:
        text = path.read_text(encoding="ascii")
    except (UnicodeDecodeError, OSError):
        return None
    if ODD not in text:
        return None
    with tempfile.TemporaryDirectory(prefix="pulsarcam-") as folder:
        copy = Path(folder) / "transform.txt"
        copy.write_text(text.replace(ODD, USUAL), encoding="ascii")
        try:
            return sitk.ReadTransform(str(copy))
        except RuntimeError:
            return None


def _linear(transform, name: str) -> np.ndarray:
    with np.errstate(all="ignore"):  # what is not finite is refused
        found, apart = _matrix_of(transform)
    if not np.isfinite(found).all() or np.abs(found).max() > FARTHEST_MM or abs(np.linalg.det(found[:3, :3])) < 1e-6:
        raise InputError(f"The transform {name} cannot be turned round; is the file damaged?")
    if not apart <= LINEAR_TOLERANCE_MM:
        raise InputError(f"The transform {name} bends space; give a rigid or affine one.")
    lengths = np.linalg.svd(found[:3, :3], compute_uv=False)
    mirrors = bool(np.linalg.det(found[:3, :3]) < 0)
    if mirrors or lengths.max() > MOST_STRETCH or lengths.min() < 1 / MOST_STRETCH:
        how = "mirrors" if mirrors else f"stretches by {lengths.min():.3g} to {lengths.max():.3g}"
        raise InputError(
            f"The transform {name} {how}, which takes no head to another one; is it in mm, and from a registration?"
        )
    return found


def _matrix_of(transform) -> tuple[np.ndarray, float]:
    """A 4x4 matrix, and how far in mm the transform is from it within a box of a metre."""
    zero = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    found = np.eye(4)
    found[:3, :3] = np.stack([transform.TransformPoint(tuple(axis)) for axis in 100 * np.eye(3)], axis=1)
    found[:3, :3] = (found[:3, :3] - zero[:, None]) / 100
    found[:3, 3] = zero
    asked = np.random.default_rng(0).uniform(-500, 500, (64, 3))
    told = np.array([transform.TransformPoint(tuple(point)) for point in asked.tolist()])
    return found, float(np.abs(told - asked @ found[:3, :3].T - zero).max())
