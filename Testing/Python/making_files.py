"""Small images and masks as files, with everything about them known."""

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PulsarCAMLib.core.geometry import VolumeGeometry

ROTATION = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
OBLIQUE = VolumeGeometry((12, 60, 64), (0.9, 1.0, 3.0), (-20.0, 31.0, 8.0), ROTATION)
PLAIN = VolumeGeometry((12, 60, 64), (0.9, 1.0, 3.0), (-20.0, 31.0, 8.0))


def a_volume(geometry=OBLIQUE, seed=0, dtype=np.int16):
    return np.random.default_rng(seed).normal(400, 60, size=geometry.shape).astype(dtype)


def two_boxes(geometry=OBLIQUE, second=1):
    """Labels: a box with value 1, and another, apart from it, with value ``second``."""
    labels = np.zeros(geometry.shape, np.uint8)
    labels[3:8, 10:24, 8:22] = 1
    labels[5:9, 36:48, 40:55] = second
    return labels


def written(path, array, geometry, **metadata):
    image = geometry.to_sitk(array)
    for key, value in metadata.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path), True)
    return path


def a_scan(folder, geometry=OBLIQUE, second=1, ending="nrrd"):
    """Files of an MRI and its labels."""
    volume = written(Path(folder) / f"mri.{ending}", a_volume(geometry), geometry)
    return volume, written(Path(folder) / f"labels.{ending}", two_boxes(geometry, second), geometry)


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if not p.is_dir())


def result_of(folder):
    return json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
