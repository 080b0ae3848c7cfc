"""Small images and masks as files, with everything about them known."""

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PulsarCAMLib.core.geometry.volume import VolumeGeometry

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


def reversed_axes(geometry, axes=(0, 1)):
    """The same field of view with some axes (i, j, k are 0, 1, 2) running the other way."""
    signs = np.where(np.isin(range(3), axes), -1.0, 1.0)
    ends = np.where(signs < 0, np.array(geometry.shape[::-1]) - 1.0, 0.0)
    direction = np.array(geometry.direction) * signs
    return VolumeGeometry(geometry.shape, geometry.spacing, tuple(geometry.to_lps(ends)), direction)


def seg_nrrd(path, layers, *segments, kind="unsigned char", **fields):
    """A ``.seg.nrrd`` as another program may write it: its header holds what is said here and nothing else.

    ``layers`` is ``[k, j, i]``, or ``[layer, k, j, i]``; ``segments`` are the fields of each, such as ``ID="a"``.
    """
    listed = layers.ndim == 4
    sizes = [layers.shape[0]] * listed + list(layers.shape[:-4:-1])
    lines = [
        "NRRD0004", f"type: {kind}", f"dimension: {layers.ndim}", "space: left-posterior-superior",
        "sizes: " + " ".join(map(str, sizes)),
        "space directions: " + "none " * listed + "(0.9,0,0) (0,1,0) (0,0,3)",
        "kinds: " + "list " * listed + "domain domain domain",
        "endian: little", "encoding: raw", "space origin: (-20,31,8)",
    ]  # fmt: skip
    for n, segment in enumerate(segments):
        lines += [f"Segment{n}_{key}:={value}" for key, value in segment.items()]
    lines += [f"{key}:={value}" for key, value in fields.items()]
    data = np.moveaxis(layers, 0, -1) if listed else layers
    path.write_bytes(
        "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + np.ascontiguousarray(data).tobytes()
    )
    return path


def scaled_nifti(path, labels, geometry, slope, intercept):
    """A NIfTI of 16-bit numbers that stand for ``number * slope + intercept``, next to the labels."""
    import struct

    numbers = np.rint((labels - intercept) / slope).astype(np.int16)
    sitk.WriteImage(geometry.to_sitk(numbers), str(path))
    raw = bytearray(path.read_bytes())
    raw[112:120] = struct.pack("<ff", slope, intercept)  # scl_slope and scl_inter of the NIfTI-1 header
    path.write_bytes(raw)
    return path


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
