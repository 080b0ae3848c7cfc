"""NRRD headers that lie: each is refused in one sentence before a native reader sees it, and what is read is right."""

from __future__ import annotations

import gzip

import pytest
from making_damaged import VOXELS, a_nrrd, damaged_gzip, is_right

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.io.headers.nrrd import read_nrrd_header
from PulsarCAMLib.io.volumes import read_volume

pytestmark = pytest.mark.filterwarnings("error")

RAW = VOXELS.tobytes()

DIRECTIONS = "(0.5,0,0) (0,1.5,0) (0,0,{})"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("a.nrrd", {}),
        ("a.nrrd", {"encoding": "gzip"}),
        ("a.nhdr", {"data_file": "a.raw"}),
        ("a.nhdr", {"data_file": "./a.raw"}),
        ("a.nhdr", {"data_file": "a.raw.gz", "encoding": "gzip"}),
        ("a.nhdr", {"data_file": "a.raw", "byte_skip": 7, "data": bytes(7) + RAW}),
        ("a.nhdr", {"data_file": "a.raw", "byte_skip": -1, "data": bytes(7) + RAW}),
        ("a.nrrd", {"encoding": "ascii", "data": " ".join(map(str, VOXELS.ravel())).encode()}),
        ("a.nrrd", {"type": "double", "data": VOXELS.astype("f8").tobytes()}),
        ("a.nrrd", {"type": "int64", "data": VOXELS.astype("i8").tobytes()}),
        ("a.nrrd", {"endian": "big", "data": VOXELS.astype(">i2").tobytes()}),
        ("a.nrrd", {"lines": ("# a remark", "key:=value: with colons", "Größe:=µm", "long:=" + "x" * 5000)}),
        ("a.nrrd", {"space_units": '"mm" "mm" "mm"', "measurement_frame": "(1,0,0) (0,1,0) (0,0,1)"}),
        ("a.nrrd", {"space": "right-anterior-superior", "space_origin": "(10,-20,30)",
                    "space_directions": "(-0.5,0,0) (0,-1.5,0) (0,0,3)"}),
    ],
)  # fmt: skip
def test_a_right_nrrd_is_read_rightly(tmp_path, name, fields):
    assert is_right(a_nrrd(tmp_path / name, **fields))


@pytest.mark.parametrize(
    ("fields", "error", "told"),
    [
        ({"data": RAW[:-1]}, InputError, "holds 239 of the 240"),
        ({"data": RAW + bytes(5000)}, InputError, "holds 5240 bytes"),
        ({"encoding": "gzip", "data": gzip.compress(RAW)[:-9]}, InputError, "end too early"),
        ({"encoding": "gzip", "data": gzip.compress(RAW[:-2])}, InputError, "holds 238 of the 240"),
        ({"encoding": "gzip", "data": damaged_gzip(RAW)}, InputError, "not those that were written"),
        ({"encoding": "gzip", "data": RAW}, InputError, "not those that were written"),
        ({"encoding": "hex"}, InputError, "encoding “hex”, which is not read"),
        ({"encoding": "bzip2"}, InputError, "which is not read"),
        ({"encoding": None}, InputError, "which is not read"),
        ({"encoding": "ascii", "data": b"1 2 3"}, InputError, "holds 3 voxels"),
        ({"encoding": "ascii", "data": b"70000 " * 120}, InputError, "not numbers of the type"),
        ({"data_file": "a.raw", "data": RAW[:9]}, InputError, "holds 9 of the 240"),
        ({"data_file": "../a.raw"}, InputError, "only a plain name"),
        ({"data_file": "/dev/zero"}, InputError, "only a plain name"),
        ({"data_file": "LIST"}, InputError, "several files"),
        ({"data_file": "s%03d.raw 1 4 1"}, InputError, "several files"),
        ({"line_skip": 1}, InputError, "behind other text"),
        ({"byte_skip": "x"}, InputError, "byte skip"),
        ({"byte_skip": 100}, InputError, "holds 140 of the 240"),
        ({"endian": None}, InputError, "order of bytes"),
        ({"type": "block"}, InputError, "type “block”"),
        ({"type": None}, InputError, "type"),
        ({"dimension": 17}, InputError, "dimension “17”"),
        ({"dimension": None}, InputError, "dimension"),
        ({"dimension": "three"}, InputError, "dimension"),
        ({"sizes": "6 5"}, InputError, "sizes “6 5” of 3 axes"),
        ({"sizes": "6 5 0"}, InputError, "sizes"),
        ({"sizes": "6 5 x"}, InputError, "sizes"),
        ({"sizes": None}, InputError, "sizes"),
        ({"sizes": "99999 99999 99999"}, InputError, "more than the 1000000000"),
        ({"space_directions": DIRECTIONS.format(0)}, GeometryError, "does not say its voxel size"),
        ({"space_directions": DIRECTIONS.format("nan")}, GeometryError, "does not say its voxel size"),
        ({"space_directions": DIRECTIONS.format("1e308")}, GeometryError, "cannot be"),
        ({"space_directions": DIRECTIONS.format("1e5")}, GeometryError, "cannot be"),
        ({"space_directions": DIRECTIONS.format(3)[:-1] + ",0)"}, InputError, "space directions"),
        ({"space_directions": "(0.5,0,0) (0,1.5,0) none"}, InputError, "directions of all its axes"),
        ({"space_directions": "(0.5,0,0) (0,1.5,0)"}, InputError, "space directions"),
        ({"space_directions": "(0.5,0.3,0) (0,1.5,0) (0,0,3)"}, GeometryError, "not perpendicular"),
        ({"space_directions": None}, GeometryError, "does not say its voxel size"),
        ({"space_directions": None, "spacings": "0.5 1.5 nan", "space_origin": None, "space": None}, GeometryError,
         "does not say its voxel size"),
        ({"space_directions": None, "spacings": "0.5 1.5 0"}, GeometryError, "does not say its voxel size"),
        ({"spacings": "0.5 1.5 3"}, InputError, "beside spacings"),
        ({"space": None}, InputError, "without a space"),
        ({"space": "ma\u00adrs\u200d"}, InputError, r"space “ma\\xadrs\\u200d”"),
        ({"space": "mars" * 99}, InputError, "space “marsmarsmarsmarsmars…marsmarsmarsmarsmars”"),
        ({"space": "mars"}, InputError, "space “mars”"),
        ({"space_origin": None}, GeometryError, r"says no place in its header \(no space origin\); convert it"),
        ({"space_directions": None, "spacings": "0.5 1.5 3"}, GeometryError, r"neither left and .* \(no space direct"),
        ({"space_directions": None, "spacings": "0.5 1.5 3", "space": None, "space_origin": None}, GeometryError,
         "neither left and right nor a place"),
        ({"space": "scanner-xyz"}, GeometryError, "neither left nor right in its header .*“scanner-xyz” does not"),
        ({"space": "3D-left-handed"}, GeometryError, "neither left nor right"),
        ({"space": None, "space_dimension": 3}, GeometryError, r"neither left nor right in its header \(no space\)"),
        ({"space_origin": "(0,0,1e300)"}, GeometryError, "begins at"),
        ({"space_origin": "(0,0,nan)"}, InputError, "space origin"),
        ({"space_origin": "(0,0)"}, InputError, "space origin"),
        ({"space_origin": "0,0,0"}, InputError, "space origin"),
        ({"space_units": '"cm" "cm" "cm"'}, InputError, "lengths in cm"),
        ({"kinds": "domain domain"}, InputError, "kinds"),
        ({"content": "x" * 600}, InputError, "content"),
        ({"lines": ("sizes: 6 5 4",)}, InputError, "sizes “6 5 4” twice"),
        ({"lines": ("no field at all",)}, InputError, "has a line “no field at all”"),
        ({"lines": ("unknown field: 3",)}, InputError, "has a line"),
    ],
)  # fmt: skip
def test_nrrd_headers_that_lie_are_refused(tmp_path, fields, error, told):
    with pytest.raises(error, match=told):
        read_volume(a_nrrd(tmp_path / "a.nrrd", **fields))


def test_pairs_of_a_nrrd_header_are_text_in_utf8_or_latin1(tmp_path):
    path = a_nrrd(tmp_path / "a.nrrd", lines=("Segment0_Name:=Läsion: links", "Other:=1"))
    assert read_nrrd_header(path, "x").pairs == {"Segment0_Name": "Läsion: links", "Other": "1"}
    path.write_bytes(path.read_bytes().replace("ä".encode(), "ä".encode("latin-1")))
    header = read_nrrd_header(path, "x")
    assert header.pairs["Segment0_Name"] == "Läsion: links"
    assert header.sizes == (6, 5, 4)
    assert path.read_bytes()[header.end :] == RAW
