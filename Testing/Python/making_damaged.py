"""Image files written byte by byte, so that one thing about each can be wrong."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
"""``[k, j, i]``"""

SPACING, ORIGIN = (0.5, 1.5, 3.0), (-10.0, 20.0, 30.0)
"""Of all files made here: (i, j, k) in mm, LPS."""


def a_nifti(path: Path, voxels: np.ndarray = VOXELS, *, order: str = "<", **fields) -> Path:
    """A NIfTI file, or (by the ending .hdr) a pair, with fields of its header set to what is given.

    Args:
        path: ends in .nii, .nii.gz, .hdr or .hdr.gz.
        voxels: of int16, float32 and so on.
        order: of the bytes, "<" or ">".
        fields: as ``pixdim=[...]``; ``voxels`` as bytes replaces those of the file.
    """
    from PulsarCAMLib.io.headers.nifti import ONE

    layout = ONE.newbyteorder(order)
    header = np.zeros((), layout)
    pair = ".hdr" in path.name.lower()
    header["sizeof_hdr"] = layout.itemsize
    header["magic"] = b"ni1" if pair else b"n+1"
    header["dim"] = [3, *voxels.shape[::-1], 1, 1, 1, 1]
    header["pixdim"] = [1, *SPACING, 0, 0, 0, 0]
    codes = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "i8": 1024, "u8": 1280, "u4": 768}
    header["datatype"], header["bitpix"] = codes[voxels.dtype.str[1:]], voxels.dtype.itemsize * 8
    header["vox_offset"] = 0 if pair else layout.itemsize + 4
    header["scl_slope"], header["xyzt_units"] = 1, 2
    header["sform_code"] = 1
    ras = np.diag([-1, -1, 1]) @ np.column_stack([np.diag(SPACING), ORIGIN])
    header["srow"] = ras.ravel()
    for name, value in fields.items():
        if name != "data":
            header[name] = value
    begin = header.tobytes() + b"\0" * 4
    held = fields.get("data", voxels.astype(voxels.dtype.newbyteorder(order)).tobytes())
    pack = gzip.compress if path.name.endswith(".gz") else bytes
    if pair:
        path.write_bytes(pack(begin))
        path.with_name(path.name.replace(".hdr", ".img")).write_bytes(pack(held))
    else:
        path.write_bytes(pack(begin + held))
    return path


def a_metaimage(path: Path, data: bytes | None = None, without: tuple[str, ...] = (), **fields: object) -> Path:
    """A MetaImage file with fields set to what is given, None leaves one out; data in a file beside .mhd."""
    beside = path.suffix == ".mhd"
    header: dict[str, object] = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": False,
        "CompressedData": False,
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": " ".join(map(str, ORIGIN)),
        "ElementSpacing": " ".join(map(str, SPACING)),
        "DimSize": "6 5 4",
        "ElementType": "MET_SHORT",
    }
    named = fields.pop("ElementDataFile", f"{path.stem}.raw" if beside else "LOCAL")
    header |= fields
    held = VOXELS.tobytes() if data is None else data
    if header["CompressedData"] is True:
        held = zlib.compress(held) if data is None else data
        header.setdefault("CompressedDataSize", len(held))
    header["ElementDataFile"] = named
    text = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None and key not in without)
    path.write_bytes(text.encode("latin-1") + (b"" if beside else held))
    if beside and "/" not in str(named):
        (path.parent / str(named)).write_bytes(held)
    return path


def a_nrrd(path: Path, data: bytes | None = None, lines: tuple[str, ...] = (), **fields: object) -> Path:
    """A NRRD file with fields (underscores for spaces) set to what is given, None leaves one out."""
    header: dict[str, object] = {
        "type": "short",
        "dimension": 3,
        "space": "left-posterior-superior",
        "sizes": "6 5 4",
        "space directions": f"({SPACING[0]},0,0) (0,{SPACING[1]},0) (0,0,{SPACING[2]})",
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(" + ",".join(map(str, ORIGIN)) + ")",
    }
    header |= {key.replace("_", " "): value for key, value in fields.items()}
    held = VOXELS.tobytes() if data is None else data
    if header["encoding"] == "gzip" and data is None:
        held = gzip.compress(held)
    text = "".join(f"{key}: {value}\n" for key, value in header.items() if value is not None)
    begin = ("NRRD0004\n" + text + "".join(f"{line}\n" for line in lines)).encode()
    named = str(header.get("data file") or "").removeprefix("./")
    path.write_bytes(begin + (b"" if named else b"\n" + held))
    if named and not {"/", "%"} & set(named):
        (path.parent / named).write_bytes(held)
    return path


def damaged_gzip(content: bytes) -> bytes:
    """A gzip stream whose checksum is another one."""
    packed = gzip.compress(content)
    return packed[:-8] + struct.pack("<I", zlib.crc32(content) ^ 1) + packed[-4:]


def is_right(path):
    """Whether a file made here is read as it was meant."""
    from PulsarCAMLib.io.volumes import read_volume

    voxels, geometry = read_volume(path)
    np.testing.assert_array_equal(voxels, VOXELS)
    np.testing.assert_allclose(geometry.spacing, SPACING, rtol=1e-6)
    np.testing.assert_allclose(geometry.origin, ORIGIN, rtol=1e-6)
    np.testing.assert_allclose(np.diag(geometry.direction), 1)
    return True
