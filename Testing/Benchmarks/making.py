"""Models, patches and a scan to measure on; made from seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

SHAPE_KJI = (180, 512, 512)
SPACING_MM = (0.5, 0.5, 1.0)
LESIONS = 20
DIAMETERS_MM = (6, 30)


def members(count: int) -> list[AutoencoderClassifier]:
    """Models with random weights; what they say does not change what they cost."""
    torch.manual_seed(7)
    return [AutoencoderClassifier().eval() for _ in range(count)]


def patches(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 and masks bool ``[count, 1, 64, 64]``: discs of many sizes."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:64, :64] - 31.5
    radii = rng.uniform(2, 28, (count, 1, 1, 1))
    return rng.random((count, 1, 64, 64), dtype=np.float32), (rows**2 + columns**2)[None, None] < radii**2


def scan(folder: Path) -> tuple[Path, Path, int]:
    """An MRI of 512 x 512 x 180 voxels with 20 lesions, as compressed NRRD as 3D Slicer saves it.

    Returns:
        Files of the MRI and the segmentation, and the number of axial slices that cut a lesion.
    """
    import SimpleITK as sitk

    from PulsarCAMLib.outputs.segmentations import write_segmentation

    geometry = VolumeGeometry(SHAPE_KJI, spacing=SPACING_MM, origin=(-128.0, -128.0, -90.0))
    rng = np.random.default_rng(11)
    volume, centres = head(rng)
    diameters = np.linspace(*DIAMETERS_MM, LESIONS)
    lesions = [_lesion(n, *place) for n, place in enumerate(zip(centres, diameters, strict=True))]
    for lesion in lesions:
        volume[lesion.box][lesion.mask] += 500
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin(geometry.origin)
    sitk.WriteImage(image, str(folder / "mri.nrrd"), useCompression=True)
    write_segmentation(folder / "lesions.seg.nrrd", lesions, geometry, {})
    return folder / "mri.nrrd", folder / "lesions.seg.nrrd", sum(lesion.mask.shape[0] for lesion in lesions)


def head(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A noisy ellipsoid, int16, and centres (voxels) of lesions apart from each other."""
    k, j, i = (np.linspace(-1, 1, n, dtype=np.float32) for n in SHAPE_KJI)
    inside = (k[:, None, None] ** 2 + (j[:, None] / 0.8) ** 2 + (i / 0.7) ** 2) < 1
    volume = rng.integers(0, 40, SHAPE_KJI, dtype=np.int16)
    volume[inside] += 400
    grid = np.stack(np.meshgrid((55, 125), (146, 219, 293, 366), (170, 256, 342), indexing="ij"), -1).reshape(-1, 3)
    return volume, grid[:LESIONS]


def _lesion(number: int, centre: np.ndarray, diameter: float) -> Lesion:
    half = np.ceil(diameter / 2 / np.array(SPACING_MM[::-1])).astype(int)
    axes = np.ogrid[tuple(slice(-h, h + 1) for h in half)]
    squared = sum((axis * mm) ** 2 for axis, mm in zip(axes, SPACING_MM[::-1], strict=True))
    return Lesion(f"GTV {number + 1}", squared <= (diameter / 2) ** 2, tuple(int(v) for v in centre - half))
