"""A real PACS (Orthanc), both protocols: a study is stored, fetched by patient, explained, its objects sent back."""

from __future__ import annotations

import shutil
import socket
import threading

import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")
pytest.importorskip("pynetdicom", reason="pynetdicom (extra dicom) is not installed")
pytest.importorskip("dicomweb_client", reason="dicomweb-client (extra dicom) is not installed")

import pydicom
from making_dicom import a_folder
from making_dicom_objects import valid
from making_files import OBLIQUE, a_volume, files_in
from making_pacs import HOST, an_orthanc, missing
from making_structures import a_series, a_square, a_structure_set, on_plane

from PulsarCAMLib.io.pacs.contract import StudyOfPacs
from PulsarCAMLib.io.pacs.dimse import DimsePacs


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    if missing():
        pytest.skip(missing())
    with an_orthanc(tmp_path_factory.mktemp("orthanc")) as made:
        yield made


def an_export(folder, study="1.2.3.1"):
    def of_study(data, n=0):
        valid(data, n)
        data.StudyInstanceUID = study

    a_series(folder / "mri", a_volume(), OBLIQUE, uid=f"{study}.2", change=of_study)
    contours = [on_plane(a_square(7), k, OBLIQUE) for k in (3, 4, 5, 6)]
    a_structure_set(folder / "RS.dcm", [("GTV", contours)], kinds=("GTV",), uid=f"{study}.5", change=of_study)
    return folder


def instances(folder):
    return {each.SOPInstanceUID: each for each in map(pydicom.dcmread, folder.rglob("*.dcm"))}


def test_there_and_back_again(orthanc, tmp_path, pulsarcam):
    export = an_export(tmp_path / "export")
    code, said, err = pulsarcam("dicom", "send", *orthanc.dimse, export / "mri")
    assert (code, said) == (0, "12 objects sent.\n"), err
    code, said, err = pulsarcam("dicom", "send", *orthanc.web, export / "RS.dcm")
    assert (code, said) == (0, "1 object sent.\n"), err
    sent = instances(export)
    for way in (orthanc.dimse, orthanc.web):
        fetched = tmp_path / f"fetched-{len(way)}"
        code, said, err = pulsarcam("dicom", "get", *way, "--patient", "12345", "-o", fetched)
        assert code == 0, err
        assert said.startswith("13 objects in")
        assert files_in(fetched) == [f"{n:05d}.dcm" for n in range(1, 14)]
        came = instances(fetched)
        assert set(came) == set(sent)
        for uid, each in came.items():
            assert each.get("PixelData") == sent[uid].get("PixelData")
            assert each.get("ROIContourSequence") == sent[uid].get("ROIContourSequence")
    code, _, err = pulsarcam("explain", fetched, "-o", tmp_path / "out", "--no-pictures", "--dicom-out")
    assert code == 0, err
    made = tmp_path / "out" / "dicom"
    assert pulsarcam("dicom", "send", *orthanc.dimse, made)[0] == 0
    assert pulsarcam("dicom", "send", *orthanc.web, made)[0] == 0
    assert len(orthanc.asked("/patients")) == 1
    (study,) = orthanc.asked("/studies")
    there = {each["MainDicomTags"]["SOPInstanceUID"] for each in orthanc.asked(f"/studies/{study}/instances")}
    assert there == set(sent) | set(instances(made))
    again = tmp_path / "again"
    assert pulsarcam("dicom", "get", *orthanc.dimse, "--patient", "12345", "-o", again)[0] == 0
    assert set(instances(again)) == there
    for uid, each in instances(made).items():
        assert instances(again)[uid].get("FloatPixelData") == each.get("FloatPixelData")


def test_of_several_studies_one_is_asked_for(orthanc, tmp_path, pulsarcam):
    for study in ("1.2.3.1", "1.2.3.66"):
        assert pulsarcam("dicom", "send", *orthanc.dimse, an_export(tmp_path / study, study) / "RS.dcm")[0] == 0
    for way in (orthanc.dimse, orthanc.web):
        code, _, err = pulsarcam("dicom", "get", *way, "--patient", "12345", "-o", tmp_path / "x")
        assert code == 3
        assert "has 2 studies of that patient (1: 20260301, " in err
        assert err.endswith("choose one with --study NUMBER.\n")
        assert not (tmp_path / "x").exists()
        own = tmp_path / f"own-{len(way)}"
        assert pulsarcam("dicom", "get", *way, "--patient", "12345", "--study", "1.2.3.66", "-o", own)[0] == 0
        assert set(instances(own)) == {"1.2.3.66.5"}


@pytest.mark.parametrize("way", ["dimse", "web"])
def test_a_patient_that_is_not_there_and_one_for_all_are_refused(orthanc, tmp_path, pulsarcam, way):
    for patient, told in (
        ("4711", "has no study of that patient"),
        ("*", "must be that of one patient"),
        ("", "must be"),
    ):
        code, _, err = pulsarcam("dicom", "get", *getattr(orthanc, way), "--patient", patient, "-o", tmp_path / "x")
        assert code == 3
        assert told in err
        assert not (tmp_path / "x").exists()


def test_a_pacs_that_refuses_our_title_says_so(orthanc, tmp_path, pulsarcam):
    code, _, err = pulsarcam(
        "dicom", "get", orthanc.dimse[0], "--called", "OTHER", "--patient", "1", "-o", tmp_path / "x"
    )
    assert code == 3
    assert "refuses AE titles OTHER (its own) and PULSARCAM (ours)" in err
    code, _, err = pulsarcam("dicom", "send", orthanc.dimse[0], "--called", "OTHER", an_export(tmp_path / "e"))
    assert code == 5
    assert "refuses AE titles" in err
    assert err.endswith("give them with --called and --calling.\n")


def test_a_pacs_that_does_not_know_our_title_says_so(orthanc, tmp_path, pulsarcam):
    told = "AE titles ORTHANC (its own) and NOBODY (ours); ask its administrator"
    code, _, err = pulsarcam(
        "dicom", "get", *orthanc.dimse, "--calling", "NOBODY", "--patient", "1", "-o", tmp_path / "x"
    )
    assert (code, told in err) == (3, True), err
    assert not (tmp_path / "x").exists()
    code, _, err = pulsarcam("dicom", "send", *orthanc.dimse, "--calling", "NOBODY", an_export(tmp_path / "e"))
    assert (code, told in err) == (5, True), err
    code, _, err = pulsarcam("dicom", "get", *orthanc.dimse, "--calling", "SHY", "--patient", "1", "-o", tmp_path / "x")
    assert (code, "ended the connection under AE titles ORTHANC (its own) and SHY (ours)" in err) == (3, True), err


def test_what_answers_and_is_no_pacs_is_told_with_the_titles(tmp_path, pulsarcam):
    with socket.create_server((HOST, 0)) as server:

        def hang_up():
            with server.accept()[0] as connection:
                connection.recv(10)

        threading.Thread(target=hang_up, daemon=True).start()
        address = f"{HOST}:{server.getsockname()[1]}"
        code, _, err = pulsarcam("dicom", "get", address, "--patient", "1", "-o", tmp_path / "x")
    assert code == 3
    assert "breaks off, or is silent, when it is asked under AE titles ANY-SCP (its own) and PULSARCAM (ours)" in err


def test_objects_that_come_cut_off_are_told_and_kept(tmp_path, pulsarcam, monkeypatch):
    folder = a_folder(tmp_path / "mr")
    last = sorted(folder.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-10])

    def fetch(self, study, into, on_count):
        return len([shutil.copy(path, into) for path in folder.iterdir()])

    monkeypatch.setattr(DimsePacs, "studies", lambda self, patient: [StudyOfPacs("1.2", "", "MR", 5)])
    monkeypatch.setattr(DimsePacs, "fetch", fetch)
    code, said, err = pulsarcam("dicom", "get", f"{HOST}:1", "--patient", "1", "-o", tmp_path / "x")
    assert (code, said.startswith("5 objects in")) == (0, True)
    assert f"1 of 5 objects came damaged or cut off ({last.name})" in err
    assert len(files_in(tmp_path / "x")) == 5


def test_encryption_is_not_given_up_in_silence(orthanc, tmp_path, pulsarcam, monkeypatch):
    """The PACS speaks no TLS: nothing is sent in the clear instead."""
    monkeypatch.setattr("PulsarCAMLib.io.pacs.dimse.SECONDS", 1)
    for address, more in ((orthanc.dimse[0], ("--tls",)), (orthanc.web[0].replace("http:", "https:"), ())):
        code, _, err = pulsarcam("dicom", "get", address, *more, "--patient", "12345", "-o", tmp_path / "x")
        assert code == 3, err
        assert "not trusted" in err or "does not answer" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere", "--patient", "1"), "neither HOST:PORT nor"),
        ((f"{HOST}:0", "--patient", "1"), "neither HOST:PORT nor"),
        ((f"{HOST}:1", "--patient", "1"), "does not answer as a DICOM PACS; see host and port.\n"),
        ((f"http://{HOST}:1/dicom-web", "--patient", "1"), "does not answer over DICOMweb"),
        ((f"ftp://{HOST}/", "--patient", "1"), "must be like https://"),
        ((f"https://me:secret@{HOST}/", "--patient", "1"), "belong into .netrc"),
        ((f"http://{HOST}:1/", "--called", "A", "--patient", "1"), "AE titles belong to"),
        ((f"{HOST}:1", "--key", "k.pem", "--patient", "1"), "--key goes with --cert"),
        ((f"{HOST}:1", "--tls", "--ca", "none.pem", "--patient", "1"), "certificates for TLS cannot be read"),
    ],
)
def test_wrong_addresses_are_one_sentence(tmp_path, pulsarcam, arguments, told):
    code, _, err = pulsarcam("dicom", "get", *arguments, "-o", tmp_path / "x")
    assert code == 3
    assert told in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_a_file_that_is_cut_off_is_not_sent_and_no_other_of_its_folder(tmp_path, pulsarcam):
    folder = a_folder(tmp_path / "mr")
    last = sorted(folder.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-10])
    code, _, err = pulsarcam("dicom", "send", f"{HOST}:1", folder)
    assert code == 3
    assert f"{last.name} is damaged" in err
    assert err.count("\n") == 1


def test_what_is_no_dicom_is_not_sent(tmp_path, pulsarcam):
    (tmp_path / "notes.txt").write_text("x")
    for place, told in (
        (tmp_path / "notes.txt", "no DICOM file that could be sent"),
        (tmp_path, "holds no DICOM file"),
    ):
        code, _, err = pulsarcam("dicom", "send", f"{HOST}:1", place)
        assert code == 3
        assert told in err
