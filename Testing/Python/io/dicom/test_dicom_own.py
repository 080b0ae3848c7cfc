"""PulsarCAM's own results that come back with an export: they are no images, no lesions and no planned dose."""

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

from making_dicom_objects import a_maker, a_ramp, a_source, some_regions, valid
from making_files import OBLIQUE
from making_structures import a_square, a_structure_set, on_plane

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.dicom.folder import OWN_RESULTS, take_stock
from PulsarCAMLib.io.dicom.pairing import choose
from PulsarCAMLib.io.volumes import read_image_of
from PulsarCAMLib.lesions.from_files import read_lesions
from PulsarCAMLib.outputs.dicom.dose_grid import dose_of
from PulsarCAMLib.outputs.dicom.parametric_map import parametric_map_of
from PulsarCAMLib.outputs.dicom.segmentation import segmentation_of
from PulsarCAMLib.outputs.dicom.structure_set import Region, structure_set_of


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A flat folder as a PACS gives it: MRI and structure set of the user, and everything made of them."""
    folder = tmp_path_factory.mktemp("export")
    source, _ = a_source(folder)
    squares = [on_plane(a_square(7), k, OBLIQUE) for k in (3, 4, 5)]
    old = a_structure_set(folder / "rs.dcm", [("GTV 1", squares)], kinds=("GTV",), change=valid)
    maker, (lesion, *_) = a_maker(), some_regions()
    boost = Region(lesion, "by contours", name="GTV 1 boost, research use only, not a plan")
    made = {
        "own-rs": structure_set_of([Region(lesion, "above half"), boost], source, maker, old),
        "own-seg": segmentation_of([lesion], source, maker, "lesion", "lesions", activated=False),
        "own-activated": segmentation_of([lesion], source, maker, "lesion", "activated", activated=True),
        "own-map": parametric_map_of(a_ramp(), source, maker, "ramp", ("ramp", "Ramp"), "no unit", (0, 12), None),
        "own-dose": dose_of(a_ramp() + 1, OBLIQUE, source, maker, "not a plan: painting, linear 12 to 20 Gy"),
        "dose": dose_of(a_ramp() + 1, OBLIQUE, source, maker, "synthetic dose"),
    }
    for name, each in made.items():
        each.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    return folder


def test_of_a_folder_with_results_only_the_users_own_is_taken(export):
    found = take_stock(export)
    chosen = choose(found)
    assert chosen.pair.structures.first.path.name == "rs.dcm"
    assert [each.first.path.name for each in found.doses] == ["dose.dcm"]
    assert found.others == {OWN_RESULTS: 5}
    assert len(found.series) == 1
    assert read_image_of(export).voxels.shape == OBLIQUE.shape, "the map is no second series"
    with pytest.raises(InputError, match="a heat map that PulsarCAM made"):
        read_image_of(export / "own-map.dcm")


def test_where_only_an_appended_structure_set_is_there_its_lesions_are_taken(export, tmp_path):
    for path in export.iterdir():
        if path.name not in ("rs.dcm", "own-activated.dcm"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert choose(take_stock(tmp_path)).pair.structures.first.path.name == "own-rs.dcm"


@pytest.mark.parametrize("bare", [False, True])
def test_sub_regions_and_boosts_in_a_structure_set_are_no_lesions_unless_chosen(export, tmp_path, bare):
    import pydicom

    data = pydicom.dcmread(export / "own-rs.dcm")
    for each in data.StructureSetROISequence if bare else ():  # as of a program that keeps names only
        for keyword in ("ROIDescription", "ROIGenerationDescription"):
            if keyword in each:
                delattr(each, keyword)
        each.ROIGenerationAlgorithm = ""
    data.save_as(tmp_path / "rs.dcm")
    frame = str(data.FrameOfReferenceUID) if "FrameOfReferenceUID" in data else "1.2.3.3"
    lesions, told = read_lesions(tmp_path / "rs.dcm", OBLIQUE, frame=frame)
    assert [each.name for each in lesions] == ["GTV 1"]
    assert any("2 others are left out, 2 of them PulsarCAM's own results" in text for text in told)
    name = "GTV links, ä activated"
    assert [each.name for each in read_lesions(tmp_path / "rs.dcm", OBLIQUE, frame=frame, segments=[name])[0]] == [name]


def test_a_segmentation_of_sub_regions_holds_no_lesions(export):
    with pytest.raises(InputError, match="holds only what PulsarCAM drew"):
        read_lesions(export / "own-activated.dcm", OBLIQUE, frame="1.2.3.3")
    lesions, _ = read_lesions(export / "own-seg.dcm", OBLIQUE, frame="1.2.3.3")
    assert np.array_equal(lesions[0].full_mask(OBLIQUE.shape), some_regions()[0].full_mask(OBLIQUE.shape))
