"""Headers of segmentations as other programs write them: read as drawn, or refused; what 3D Slicer makes of them."""

import numpy as np
import pytest
from making_files import PLAIN, seg_nrrd, two_boxes

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.lesions.from_files import is_empty, read_lesions

BOTH = two_boxes(PLAIN, second=2)
LAYERS = np.stack([BOTH == 1, BOTH == 2]).astype(np.uint8)


def a(**fields):
    return {"ID": "S1", "Name": "a"} | fields


def b(**fields):
    return {"ID": "S2", "Name": "b"} | fields


def read(tmp_path, layers, *segments, wanted=None, **fields):
    return read_lesions(seg_nrrd(tmp_path / "s.seg.nrrd", layers, *segments, **fields), PLAIN, segments=wanted)


def sizes(lesions):
    return {lesion.name: lesion.voxels for lesion in lesions}


DRAWN = {"a": int((BOTH == 1).sum()), "b": int((BOTH == 2).sum())}
ONE, TWO = {"LabelValue": 1, "Layer": 0}, {"LabelValue": 2, "Layer": 0}

AS_DRAWN = {
    "everything said": (BOTH, a(**ONE), b(**TWO)),
    "numbers with a point": (BOTH, a(LabelValue="1.0", Layer="0.0"), b(LabelValue=" 2.0", Layer="0.0")),
    "one value not said": (BOTH, a(Layer=0), b(**TWO)),
    "layers in order, not said": (LAYERS, a(LabelValue=1), b(LabelValue=1)),
    "neither layers nor values": (LAYERS, a(), b()),
    "layers in another order": (LAYERS[::-1], a(LabelValue=1, Layer=1), b(LabelValue=1, Layer=0)),
    "an extent that is larger than the image": (BOTH, a(**ONE, Extent="-5 99 -5 99 -5 99"), b(**TWO, Extent="x")),
    "extents that hold both": (BOTH, a(**ONE, Extent="0 9 0 9 0 9"), b(**TWO, Extent="8 54 10 47 0 8")),
    "an extent not said": (BOTH, a(**ONE), b(**TWO, Extent="0 1 0 1 0 1")),
    "labels of floats": (BOTH.astype(np.float32) * np.float32(1.0000001), a(**ONE), b(**TWO)),
}
"""What 3D Slicer reads as drawn, too."""

OTHERWISE = {
    "one layer, not said": (BOTH, a(LabelValue=1), b(LabelValue=2)),
    "a gap in the numbers": (BOTH, a(**ONE), {}, b(**TWO)),
    "no ID": (BOTH, a(**ONE), {"Name": "b", **TWO}),
    "a word for a value": (BOTH, a(**ONE), b(LabelValue="two", Layer=0)),
    "the value of the background": (BOTH, a(**ONE), b(LabelValue=0, Layer=0)),
    "an extent that cuts": (BOTH, a(**ONE, Extent="0 30 0 30 0 8"), b(**TWO, Extent="30 53 30 50 0 8")),
    "extents that are none": (BOTH, a(**ONE, Extent="x"), b(**TWO, Extent="0 1 0 1 0")),
    "labels of floats, cut off": (BOTH.astype(np.float32) * np.float32(0.9999999), a(**ONE), b(**TWO)),
    "a value of 255 that is not said": (np.where(BOTH == 2, np.uint8(255), BOTH), a(**ONE), b(Layer=0)),
}
"""What 3D Slicer does not read as drawn, which a warning says."""


def kind_of(layers):
    return {"kind": "float"} if layers.dtype == np.float32 else {}


@pytest.mark.parametrize("case", AS_DRAWN)
def test_a_header_that_is_odd_but_clear_is_read_as_drawn(tmp_path, case):
    layers, *segments = AS_DRAWN[case]
    lesions, warnings = read(tmp_path, layers, *segments, **kind_of(layers))
    assert sizes(lesions) == DRAWN
    assert warnings == []
    np.testing.assert_array_equal(lesions[1].full_mask(PLAIN.shape), BOTH == 2)


@pytest.mark.parametrize("case", OTHERWISE)
def test_where_slicer_itself_reads_otherwise_it_is_said(tmp_path, case):
    layers, *segments = OTHERWISE[case]
    lesions, (warning,) = read(tmp_path, layers, *segments, **kind_of(layers))
    assert sizes(lesions) == DRAWN
    assert "3D Slicer itself" in warning
    assert "“b”" in warning or "fractions" in warning


def in_slicer(path):
    """Segment name to its voxels, as 3D Slicer loads the file."""
    import slicer
    from vtk.util import numpy_support

    node = slicer.util.loadSegmentation(str(path))
    found = {}
    for n in range(node.GetSegmentation().GetNumberOfSegments()):
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(n), image)
        values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        found[node.GetSegmentation().GetNthSegment(n).GetName()] = int(np.count_nonzero(values))
    return found


@pytest.mark.parametrize("case", AS_DRAWN)
def test_slicer_reads_it_alike(tmp_path, a_scene, case):
    layers, *segments = AS_DRAWN[case]
    assert in_slicer(seg_nrrd(tmp_path / "s.seg.nrrd", layers, *segments, **kind_of(layers))) == DRAWN


@pytest.mark.parametrize("case", OTHERWISE)
def test_slicer_reads_it_otherwise_indeed(tmp_path, a_scene, case):
    layers, *segments = OTHERWISE[case]
    assert in_slicer(seg_nrrd(tmp_path / "s.seg.nrrd", layers, *segments, **kind_of(layers))) != DRAWN


REFUSED = {
    "two segments without a value": ((BOTH, a(Layer=0), b(Layer=0)), "LabelValue in its header"),
    "one value for two": ((BOTH, a(**ONE), b(**ONE)), "gives “a”, “b” the same voxels"),
    "one layer for two": ((LAYERS[:1], a(), b()), "gives “a”, “b” the same voxels"),
    "a layer beyond the last": ((LAYERS, a(Layer=0), b(Layer=2)), "a layer that it does not hold"),
    "a layer below the first": ((LAYERS, a(Layer=0), b(Layer=-1)), "a layer that it does not hold"),
    "a layer far below": ((BOTH, a(**ONE), b(LabelValue=2, Layer=-2147483649)), "says layer “-2147483649” for “b”"),
    "a layer that is a word": ((LAYERS, a(Layer=0), b(Layer="second")), "says layer “second” for “b”"),
    "a layer between": ((LAYERS, a(Layer=0), b(Layer=0.5)), "says layer “0.5”"),
    "an infinite layer": ((LAYERS, a(Layer=0), b(Layer="1e999")), "says layer “1e999”"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_header_that_is_not_clear_is_refused_in_one_sentence(tmp_path, case):
    (layers, *segments), words = REFUSED[case]
    with pytest.raises(InputError, match=words) as raised:
        read(tmp_path, layers.astype(np.uint8), *segments)
    assert "\n" not in str(raised.value)


def test_what_is_not_chosen_need_not_be_clear(tmp_path):
    lesions, _ = read(tmp_path, LAYERS, a(Layer=0), b(Layer=7), wanted=["a"])
    assert sizes(lesions) == {"a": DRAWN["a"]}


@pytest.mark.parametrize(
    ("raw", "name"),
    [("M\udcfcller", "Müller"), ("Müller", "Müller"), ("転移", "転移"), (r"$\\frac{a}$", r"$\frac{a}$")],
)
def test_names_are_utf_8_or_latin_1(tmp_path, raw, name):
    lesions, _ = read(tmp_path, BOTH, a(**ONE), b(**TWO) | {"Name": raw})
    assert list(sizes(lesions)) == ["a", name]
    assert sizes(read(tmp_path, BOTH, a(**ONE), b(**TWO) | {"Name": raw}, wanted=[name])[0]) == {name: DRAWN["b"]}


def test_a_name_goes_before_an_id(tmp_path):
    exchanged = (BOTH, {"ID": "one", "Name": "two", **ONE}, {"ID": "two", "Name": "one", **TWO})
    assert sizes(read(tmp_path, *exchanged, wanted=["one"])[0]) == {"one": DRAWN["b"]}
    assert sizes(read(tmp_path, *exchanged, wanted=["two"])[0]) == {"two": DRAWN["a"]}
    assert sizes(read(tmp_path, BOTH, a(**ONE), b(**TWO), wanted=["S2"])[0]) == {"b": DRAWN["b"]}


def test_two_segments_of_one_name_are_both_meant(tmp_path):
    twins = (BOTH, {"ID": "x", "Name": "GTV", **ONE}, {"ID": "y", "Name": "GTV", **TWO})
    assert sizes(read(tmp_path, *twins, wanted=["GTV"])[0]) == {"GTV": DRAWN["a"], "GTV [2]": DRAWN["b"]}
    assert sizes(read(tmp_path, *twins, wanted=["GTV [2]"])[0]) == {"GTV [2]": DRAWN["b"]}
    assert sizes(read(tmp_path, *twins, wanted=["x"])[0]) == {"GTV": DRAWN["a"]}


@pytest.mark.parametrize("key", ["Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation"])
def test_a_fractional_label_map_is_halved_and_says_so(tmp_path, key):
    shares = np.zeros(PLAIN.shape, np.uint8)
    shares[3:8, 10:24, 8:22] = 216
    shares[3:8, 10:24, 22] = 108
    shares[3:8, 10:24, 7] = 107
    lesions, (warning,) = read(tmp_path, shares, a(**ONE), **{key: "Fractional labelmap"})
    assert sizes(lesions) == {"a": 5 * 14 * 15}
    assert "(values 0 to 216); voxels of half the range, 108, and above are inside" in warning
    assert "3D Slicer itself reads only voxels of one value" in warning


def test_signed_shares_are_halved_at_the_middle_of_their_range(tmp_path):
    """SlicerRT stores -108 to 108."""
    shares = np.full(PLAIN.shape, -108, np.int8)
    shares[3:8, 10:24, 8:22] = 108
    shares[3:8, 10:24, 22] = 0
    shares[3:8, 10:24, 7] = -1
    fields = {"Segmentation_MasterRepresentation": "Fractional labelmap", "kind": "signed char"}
    assert sizes(read(tmp_path, shares, a(**ONE), **fields)[0]) == {"a": 5 * 14 * 15}


def test_an_empty_map_of_shares_is_empty_whatever_its_lowest_value(tmp_path):
    fields = {"Segmentation_MasterRepresentation": "Fractional labelmap", "kind": "signed char"}
    shares = np.full(PLAIN.shape, -108, np.int8)
    assert is_empty(seg_nrrd(tmp_path / "s.seg.nrrd", shares, a(**ONE), **fields))
    shares[3, 10, 8] = 108
    assert not is_empty(seg_nrrd(tmp_path / "s.seg.nrrd", shares, a(**ONE), **fields))


def test_two_segments_in_one_layer_of_shares_are_refused(tmp_path):
    fields = {"Segmentation_MasterRepresentation": "Fractional labelmap"}
    with pytest.raises(InputError, match="the same voxels"):
        read(tmp_path, BOTH, a(**ONE), b(**TWO), **fields)


def test_hundreds_of_segments_are_asked_about(tmp_path):
    labels = np.zeros(PLAIN.shape, np.uint8)
    labels[1::3, 1::3, 1::3].flat[:200] = range(1, 201)
    many = [{"ID": f"S{n}", "Name": f"n{n}", "LabelValue": n, "Layer": 0} for n in range(1, 201)]
    with pytest.raises(
        InputError, match="has 200 segments, which are hardly all lesions; choose those of the lesions by"
    ):
        read(tmp_path, labels, *many)
    assert sizes(read(tmp_path, labels, *many, wanted=["n7", "n9"])[0]) == {"n7": 1, "n9": 1}


def test_an_extent_that_is_none_is_refused_where_the_place_depends_on_it(tmp_path):
    path = seg_nrrd(tmp_path / "s.seg.nrrd", LAYERS[0], a(**ONE))
    header, data = path.read_bytes().split(b"\n\n", 1)
    header = header.replace(b"dimension: 3", b"dimension: 4").replace(b"sizes: 64 60 12", b"sizes: 64 60 12 1")
    header = header.replace(b"(0,0,3)", b"(0,0,3,0) (0,0,0,1)").replace(b"(0.9,0,0) (0,1,0)", b"(0.9,0,0,0) (0,1,0,0)")
    header = header.replace(b"space: left-posterior-superior", b"space dimension: 4")
    header = header.replace(b"(-20,31,8)", b"(-20,31,8,0)").replace(b"domain domain domain", b"domain " * 3 + b"domain")
    for extent in (b"0 63 0 59", b"0 63 0 59 0 eleven", b""):
        path.write_bytes(header + b"\nSegmentation_Extent:=" + extent + b"\n\n" + data)
        with pytest.raises(InputError, match=r"damaged: Segmentation_Extent in its header is|damaged or not one of"):
            read_lesions(path, PLAIN)


def test_voxels_of_no_segment_are_told_with_value_and_volume(tmp_path):
    labels = BOTH.copy()
    labels[0, 0, :10] = 7
    lesions, (told,) = read(tmp_path, labels, a(**ONE), b(**TWO))
    assert sizes(lesions) == DRAWN
    assert told.startswith("The segmentation holds voxels of the value 7 (0.03 cm³), which none of its segments has")
    _, (told,) = read(tmp_path, labels, a(**ONE))
    assert f"the values 2 ({DRAWN['b'] * 2.7 / 1000:.2f} cm³), 7 (0.03 cm³)" in told
    _, (told,) = read(tmp_path, labels, a(**ONE), b(**TWO), wanted=["a"])
    assert "the value 7 (0.03 cm³)" in told
    assert (
        read(tmp_path, np.stack([LAYERS[0], LAYERS[1] * 3]), a(LabelValue=1, Layer=0), b(LabelValue=3, Layer=1))[1]
        == []
    )


def test_what_an_unsaid_value_may_be_is_no_value_of_no_segment(tmp_path):
    _, warnings = read(tmp_path, BOTH, a(**ONE), b(Layer=0), wanted=["a"])
    assert warnings == []


def test_an_image_with_a_header_of_segments_is_an_image(tmp_path):
    voxels = np.random.default_rng(0).normal(400, 60, PLAIN.shape).astype(np.int16)
    with pytest.raises(InputError, match=r"holds \d+ different values that lie side by side: it is an image"):
        read(tmp_path, voxels, a(LabelValue=400, Layer=0), kind="short")


def test_two_segments_of_the_very_same_voxels_are_told(tmp_path):
    both = np.stack([LAYERS[0], LAYERS[0]])
    _, (told,) = read(tmp_path, both, a(LabelValue=1, Layer=0), b(LabelValue=1, Layer=1))
    assert told == "“a” and “b” are the very same voxels; was one copied and not redrawn?"


def test_contours_on_every_second_slice_are_told(tmp_path):
    labels = np.zeros_like(BOTH)
    labels[1:8, 10:20, 10:20] = 1
    assert read(tmp_path, labels, a(**ONE))[1] == []
    labels[2:8:2] = 0
    _, (told,) = read(tmp_path, labels, a(**ONE))
    assert told == "“a” is drawn on every second slice or fewer; were the slices between them left out?"
