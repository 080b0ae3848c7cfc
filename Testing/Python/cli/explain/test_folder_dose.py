"""The dose of a DICOM folder: taken where it is the only one, told of by its plan and contours, never guessed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from making_files import OBLIQUE, a_volume, two_boxes, written
from making_structures import FRAME, a_registration, a_series, a_square, a_structure_set, an_object, on_plane
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from PulsarCAMLib.cli.commands.dicom import from_folder
from PulsarCAMLib.cli.explain.dosing import read_courses
from PulsarCAMLib.cli.explain.inputs import read_case
from PulsarCAMLib.cli.explain.one_case import Job
from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.dose.solids import solid_of
from PulsarCAMLib.io.dicom.folder import take_stock
from PulsarCAMLib.io.dicom.instances import refuse_other_patients
from PulsarCAMLib.io.inputs import read_mri
from PulsarCAMLib.systems.bundles.bundle import find_bundle

RTDOSE, RTPLAN = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.481.5"


def an_rtdose(path, uid="1.2.3.9.1", frame=FRAME, plan="", **changes):
    """20 Gy everywhere on a tilted grid that covers the MRI."""
    data = an_object(RTDOSE, "RTDOSE", uid)
    corners = OBLIQUE.corners_lps()
    axes = np.asarray(OBLIQUE.direction)
    low = (corners @ axes).min(axis=0) - 6
    size = np.ceil((np.ptp(corners @ axes, axis=0) + 12) / 2).astype(int) + 1
    fields = {
        "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN", "DoseGridScaling": "0.5",
        "FrameOfReferenceUID": frame, "NumberOfFrames": int(size[2]), "Rows": int(size[1]), "Columns": int(size[0]),
        "PixelSpacing": [2.0, 2.0], "ImagePositionPatient": [f"{v:.8g}" for v in axes @ low],
        "ImageOrientationPatient": [f"{v:.10g}" for v in (*axes[:, 0], *axes[:, 1])],
        "GridFrameOffsetVector": [2.0 * n for n in range(int(size[2]))], "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": (40 + np.arange(size.prod()) % 2).astype(np.uint16).tobytes(),
    } | changes  # fmt: skip
    for name, value in fields.items():
        setattr(data, name, value)
    if plan:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = RTPLAN, plan
        data.ReferencedRTPlanSequence = Items([reference])
    data.save_as(path, enforce_file_format=True)
    return path


def a_plan(path, uid, fractions):
    data = an_object(RTPLAN, "RTPLAN", uid)
    groups = []
    for n, count in enumerate(fractions, start=1):
        group = Dataset()
        group.FractionGroupNumber, group.NumberOfFractionsPlanned = n, count
        groups.append(group)
    data.FractionGroupSequence = Items(groups)
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def export(tmp_path):
    folder = a_series(tmp_path / "export", a_volume(), OBLIQUE)
    a_structure_set(folder / "RS.dcm", [("GTV", [on_plane(a_square(6.0), k, OBLIQUE) for k in (3, 4, 5)])])
    return folder


def taken(folder, model, **more):
    """The job as the folder makes it, its courses, the case, and what was said."""
    said: list[str] = []
    bundle = find_bundle(model)
    job = from_folder(Job(folder, None, Path("out"), **more), bundle.card.system, said.append)
    case = read_case(job, bundle.card, lambda fraction, text: None)
    return job, read_courses(job, case, said.append), case, " ".join(said)


def test_the_only_dose_is_taken_with_its_fractions_and_the_lesion_keeps_its_contours(export, model):
    an_rtdose(export / "RD.dcm", plan="1.2.3.8.1")
    a_plan(export / "RP.dcm", "1.2.3.8.1", [5])
    job, (course,), case, said = taken(export, model)
    assert "Taken: dose 1 (RTDOSE), in the same frame of reference." in said
    assert not job.doses_asked
    assert (course.fractions, course.source) == (5, "plan")
    assert course.dose.max() == 20.5
    np.testing.assert_allclose(course.geometry.direction, OBLIQUE.direction, atol=1e-6)
    (lesion,) = case.lesions
    solid = solid_of(lesion, case.geometry)
    assert solid.made_of == "contours"
    assert solid.volume_mm3 == pytest.approx(3 * 144 * OBLIQUE.spacing[2], rel=0.01)


def test_a_plan_of_several_groups_or_of_another_dose_tells_no_number(export, model):
    an_rtdose(export / "RD.dcm", plan="1.2.3.8.1")
    a_plan(export / "RP.dcm", "1.2.3.8.1", [5, 3])
    a_plan(export / "RP2.dcm", "1.2.3.8.2", [7])
    assert taken(export, model)[1][0].fractions is None
    assert taken(export, model, fractions=(4,))[1][0].source == "given"


def test_a_dose_that_lies_elsewhere_or_is_of_somebody_without_images_is_not_passed_over_in_silence(export, model):
    an_rtdose(export / "RD.dcm", FrameOfReferenceUID="1.2.3.77")
    _, courses, _, said = taken(export, model)
    assert not courses
    assert "Nothing is told of dose 1 (RTDOSE): it lies in another frame of reference" in said
    an_rtdose(export / "RD.dcm", PatientID="another", IssuerOfPatientID="")
    _, courses, _, said = taken(export, model)
    assert not courses
    assert "Nothing is told of dose 1 (RTDOSE): it is of another patient." in said


def test_who_asks_for_a_biological_dose_is_not_left_without_it_in_silence(export, model):
    an_rtdose(export / "RD.dcm")
    assert "Nothing is told" not in taken(export, model)[3]
    with pytest.raises(InputError, match="in how many fractions"):
        taken(export, model, settings_of_maps=Namespace(dose_quantity="eqd2"))


def test_several_doses_and_useless_ones_are_said_and_left_out(export, model):
    an_rtdose(export / "RD.dcm", DoseSummationType="BEAM")
    _, courses, _, said = taken(export, model)
    assert not courses
    assert "Nothing is told of the dose that was found: The RTDOSE" in said
    an_rtdose(export / "RD2.dcm", "1.2.3.9.2")
    _, courses, _, said = taken(export, model)
    assert not courses
    assert "dose 1, dose 2 lie on this series" in said
    both = (an_rtdose(export / "RD.dcm"), export / "RD2.dcm")
    assert len(taken(export, model, doses=both)[1]) == 2


def test_a_dose_in_another_frame_needs_the_registration(export, model):
    an_rtdose(export / "RD.dcm", frame="1.2.3.77")
    assert not taken(export, model)[1]  # not of this series: nothing is said or told
    with pytest.raises(GeometryError, match="Dose 1 is in another frame of reference"):
        taken(export, model, doses=(export / "RD.dcm",))


def test_a_registration_moves_the_dose_with_the_contours(tmp_path, model):
    folder = a_series(tmp_path / "export", a_volume(), OBLIQUE)
    move = np.eye(4)
    move[:3, 3] = 4.0, -3.0, 2.0
    squares = [on_plane(a_square(6.0), k, OBLIQUE) - move[:3, 3] for k in (3, 4, 5)]
    a_structure_set(folder / "RS.dcm", [("GTV", squares)], frame="1.2.3.77")
    a_registration(folder / "REG.dcm", move, "1.2.3.77")
    an_rtdose(folder / "RD.dcm", frame="1.2.3.77")
    still = an_rtdose(tmp_path / "still.dcm")
    _, (course,), case, _ = taken(folder, model)
    _, (other,), _, _ = taken(folder, model, doses=(still,))
    np.testing.assert_allclose(np.subtract(course.geometry.origin, other.geometry.origin), move[:3, 3], atol=1e-6)
    middle = np.concatenate(case.lesions[0].contours).mean(axis=0)
    np.testing.assert_allclose(middle, case.lesions[0].centroid_lps(case.geometry), atol=0.6)


@pytest.mark.parametrize(("issuers", "patients"), [(("A", ""), 1), (("A", "A"), 1), (("A", "B"), 2), (("", ""), 1)])
def test_one_rule_for_the_issuer_of_an_id_in_a_folder_and_for_a_file(tmp_path, issuers, patients):
    def issued(by):
        def change(data, _n=0):
            data.PatientID, data.IssuerOfPatientID = "12345", by

        return change

    series = a_series(tmp_path / "in" / "mr", a_volume(), OBLIQUE, change=issued(issuers[0]))
    drawn = [("GTV", [on_plane(a_square(6.0), 3, OBLIQUE)])]
    a_structure_set(tmp_path / "in" / "rs.dcm", drawn, change=issued(issuers[1]))
    assert len(take_stock(tmp_path / "in").patients) == patients
    given = series, read_mri(series).source, [("The lesions' file", tmp_path / "in" / "rs.dcm")]
    if patients == 1:
        refuse_other_patients(*given)
    else:
        with pytest.raises(InputError, match="of another patient than the MRI"):
            refuse_other_patients(*given)


def test_nothing_is_made_in_a_folder_that_images_are_read_from(tmp_path, model, pulsarcam):
    """What lies in it is looked through again by the next run."""
    series = a_series(tmp_path / "series", a_volume(), OBLIQUE)
    mask = written(tmp_path / "mask.nrrd", two_boxes(OBLIQUE), OBLIQUE)
    mri, doses = written(tmp_path / "mri.nrrd", a_volume(), OBLIQUE), tmp_path / "doses"
    doses.mkdir()
    an_rtdose(doses / "rd.dcm")
    before = sorted(tmp_path.rglob("*"))
    for given, at in (((series, mask), series / "out"), ((series, mask), series / "a" / "out"),
                      ((series,), series / "out"), ((mri, mask, "--dose", doses), doses / "out")):  # fmt: skip
        code, _, err = pulsarcam("explain", *given, "-o", at, "--model", model)
        assert (code, err.count("\n")) == (5, 1)
        assert f"would lie in {at.parent if at.parent.name != 'a' else series}, which is searched for images" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dose_and_a_structure_set_of_another_patient_are_refused_and_nothing_is_written(
    export, tmp_path, model, pulsarcam
):
    """As a file that somebody names, too, not only in a folder."""
    series = a_series(tmp_path / "series", a_volume(), OBLIQUE)
    own, theirs = export / "RS.dcm", tmp_path / "theirs.dcm"
    a_structure_set(theirs, [("GTV", [on_plane(a_square(6.0), 3, OBLIQUE)])])
    dose = an_rtdose(tmp_path / "dose.dcm", PatientID="another")
    data = dcmread(theirs)
    data.PatientID = "another"
    data.save_as(theirs)
    out, cheap = tmp_path / "out", ("--model", model, "--no-pictures", "--no-stability")
    for given, name in (((own, "--dose", dose), "The dose dose.dcm"), ((theirs,), "The lesions' file theirs.dcm")):
        code, _, err = pulsarcam("explain", series, *given, "-o", out, *cheap)
        assert (code, out.exists()) == (3, False)
        assert f"{name} is of another patient than the MRI" in err
        assert "(another patient ID" in err
    assert pulsarcam("explain", series, own, "-o", out, *cheap)[0] == 0
