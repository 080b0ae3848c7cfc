"""A DICOM patient with planted strings everywhere goes through every command, and no byte that is written holds one."""

from __future__ import annotations

import contextlib
import gzip
import zipfile
import zlib
from pathlib import Path

import pytest
from making_files import PLAIN, a_volume
from making_models import random_bundle
from making_structures import a_series, a_square, a_structure_set, an_object, on_plane

from PulsarCAMLib.cli import main

NAME, FIRST, OTHER, PHYSICIAN = "Zbrzezny", "Kunegunda", "Xanthippe", "Quacksalver"
NUMBER, ACCESSION, PRIVATE, WARD = "ID4711X0815", "ACC9922388", "TopSecretTag", "WardOfSecrets"
STUDY, SERIES, LABEL, BORN = "StudyOfNobody", "SeriesOfNobody", "LabelOfNobody", "19620229"
ROOT = "1.2.826.0.1.3680043.8.777"
PLANTED = (
    NAME,
    FIRST,
    OTHER,
    PHYSICIAN,
    NUMBER,
    ACCESSION,
    PRIVATE,
    WARD,
    STUDY,
    SERIES,
    LABEL,
    BORN,
    "1962-02-29",
    ROOT,
)
"""Sixteen strings: of names, numbers, descriptions, private elements, dates and UIDs."""


def plant(data, _n=0, day="20210305", uid=1):
    data.PatientName, data.PatientID, data.PatientBirthDate = f"{NAME}^{FIRST}", NUMBER, BORN
    data.OtherPatientNames, data.ReferringPhysicianName = f"{OTHER}^A", f"{PHYSICIAN}^B"
    data.AccessionNumber, data.InstitutionName = ACCESSION, WARD
    data.StudyDescription, data.SeriesDescription = f"{STUDY} {NAME}", f"{SERIES} of {NAME}"
    data.ProtocolName, data.PatientComments, data.StudyDate = f"T1 {NAME}", f"{NAME} {NUMBER}", day
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.1.{uid}", f"{ROOT}.2.{uid}"
    data.FrameOfReferenceUID = f"{ROOT}.3.{uid}"
    block = data.private_block(0x0011, PRIVATE, create=True)
    block.add_new(0x01, "LO", f"{PRIVATE} {NAME}")
    if "SOPInstanceUID" in data and _n is not None:
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.4.{uid}.{_n + 1}"


def a_study(folder, uid=1, day="20210305", half=6.0):
    """An MRI, a structure set with telling names, and what else lies in such a folder, under telling names."""
    at = folder / f"{NAME}^{FIRST}" / f"{NUMBER}_{day}"
    a_series(at / SERIES, a_volume(PLAIN, seed=uid), PLAIN, f"{ROOT}.2.{uid}", lambda d, n: plant(d, n, day, uid))
    planes = [on_plane(a_square(half), k, PLAIN) for k in (3, 4, 5)]
    names = [f"GTV {NAME}", f"gtv_{FIRST.upper()}_2", f"GTV {NUMBER}", "GTV right", f"PTV of {NAME}"]

    def whose(data):
        plant(data, None, day, uid)
        data.StructureSetLabel, data.StructureSetName = f"{LABEL} {NAME}", f"{LABEL}"
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.5.{uid}"

    a_structure_set(at / f"RS.{NAME}.dcm", [(n, planes) for n in names], frame=f"{ROOT}.3.{uid}", change=whose)
    plan = an_object("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN", f"{ROOT}.9.{uid}")
    plant(plan, None, day, uid)
    plan.save_as(at / f"RP.{NAME}.dcm", enforce_file_format=True)
    (at / f"{NAME}.txt").write_text(f"{NAME} {NUMBER}")
    return folder


def texts_in(content: bytes):
    """The bytes, and what is packed in them: zip, gzip, zlib streams of NRRD and PNG, in every place."""
    yield content
    if content[:2] == b"PK":
        import io

        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from texts_in(packed.read(name))
        return
    for magic, unpack in ((b"\x1f\x8b\x08", gzip.decompress), (b"\x78", None)):
        at = content.find(magic)
        tries = 0
        while at >= 0 and tries < 200:
            tries += 1
            with contextlib.suppress(OSError, EOFError, zlib.error):
                yield unpack(content[at:]) if unpack else zlib.decompressobj().decompress(content[at:])
            at = content.find(magic, at + 1)


def told_in(folder: Path, *apart: Path) -> list[tuple[str, str]]:
    """Every planted string in a name or in the bytes of what lies in a folder, as UTF-8 and as UTF-16."""
    found = []
    for path in sorted(folder.rglob("*")):
        if any(path == each or each in path.parents for each in apart):
            continue
        name = str(path.relative_to(folder))
        contents = [name.encode(), *(texts_in(path.read_bytes()) if path.is_file() else ())]
        for word in PLANTED:
            codes = {word.encode(), word.lower().encode(), word.upper().encode(), word.encode("utf-16-le")}
            if any(code in content for content in contents for code in codes):
                found.append((name, word))
    return found


def told_on(text: str) -> list[str]:
    return [word for word in PLANTED if word.lower() in text.lower()]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(random_bundle(tmp_path_factory.mktemp("model") / "random", count=1).folder)


def test_the_search_finds_what_is_planted(tmp_path):
    """Else it would find nothing in what is written, either."""
    a_study(tmp_path / "in")
    assert {word for _, word in told_in(tmp_path)} >= set(PLANTED) - {"1962-02-29"}
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "a.nii.gz").write_bytes(gzip.compress(b"x" * 400 + NAME.encode()))
    (packed / "b.png").write_bytes(b"\x89PNG" + zlib.compress(b"y" * 90 + NUMBER.encode()))
    with zipfile.ZipFile(packed / "c.mrb", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("scene.mrml", WARD * 9)
    assert {name for name, _ in told_in(packed)} == {"a.nii.gz", "b.png", "c.mrb"}


def test_explaining_a_folder_names_nobody_anywhere(tmp_path, model, capfd):
    folder = a_study(tmp_path / "in")
    out = tmp_path / "out"
    options = ["--model", model, "--report", "--no-stability", "--class", "both", "--compare"]
    assert main(["explain", str(folder), "-o", str(out), *options]) == 0
    said = capfd.readouterr()
    shown = (said.out + said.err).replace(str(tmp_path), "")
    assert told_in(out) == []
    assert told_on(shown) == []
    assert "GTV right" in (out / "lesions.csv").read_text(encoding="utf-8")
    assert "ROI 1" in (out / "lesions.csv").read_text(encoding="utf-8")


def test_many_patients_and_their_table_name_nobody_anywhere(tmp_path, model, capfd):
    folder = tmp_path / "in"
    for uid, day in ((1, "20210305"), (2, "20210601")):
        a_study(folder, uid, day, half=6.0 / uid)
    made, who = tmp_path / "made", tmp_path / "who.csv"
    made.mkdir()
    table = ["cohort", "from-dicom", str(folder), "-o", str(made / "cohort.csv"), "--pseudonyms", str(who)]
    assert main(table) == 0
    assert main(["cohort", "check", str(made / "cohort.csv"), "-o", str(made / "check.csv"), "--labels",
                 str(made / "labels.csv")]) == 0  # fmt: skip
    quick = ["--model", model, "--no-stability", "--no-pictures", "--jobs", "1", "--pseudonyms", str(who)]
    assert main(["explain", str(made / "cohort.csv"), "-o", str(made / "results"), *quick]) == 0
    said = capfd.readouterr()
    assert told_on((said.out + said.err).replace(str(tmp_path), "")) == []
    assert told_in(made) == []
    assert NUMBER in who.read_text(encoding="utf-8")
    assert (made / "results" / "P001" / "lesions.csv").is_file()
    assert who.read_text(encoding="utf-8").count("\n") == 2  # nobody has got a second pseudonym


def test_a_folder_of_many_of_whom_some_cannot_be_explained_names_nobody(tmp_path, model, capfd):
    folder = a_study(tmp_path / "in")

    def another(data, n=None):
        plant(data, n, "20210305", 7)
        data.PatientID = f"{NUMBER}2"

    at = folder / f"{NAME}2"
    a_series(at / "mr", a_volume(PLAIN, seed=5), PLAIN, f"{ROOT}.2.7", another)
    planes = [on_plane(a_square(5.0), k, PLAIN) for k in (3, 4)]
    a_structure_set(at / "rs.dcm", [(f"of {NAME}", planes), ("Brain", planes)], frame=f"{ROOT}.3.7", change=another)
    (tmp_path / "out").mkdir()
    options = ["--model", model, "--no-stability", "--no-pictures", "--jobs", "1"]
    assert main(["explain", str(folder), "-o", str(tmp_path / "out"), *options]) == 6
    said = capfd.readouterr()
    assert "has no structure whose name or type says GTV; it has “ROI 1”, “Brain”" in said.err
    assert told_on((said.out + said.err).replace(str(tmp_path), "")) == []
    assert told_in(tmp_path / "out") == []


def test_segments_of_a_file_on_a_dicom_mri_are_asked_about_its_patient(tmp_path, model, capfd):
    from making_files import seg_nrrd, two_boxes

    folder = a_study(tmp_path / "in")
    mri = next(path for path in folder.rglob(SERIES))
    path = seg_nrrd(
        tmp_path / "mine.seg.nrrd", two_boxes(PLAIN, 2), {"ID": "a", "Name": f"left of {NAME}", "LabelValue": "1"},
        {"ID": "b", "Name": "right", "LabelValue": "2"},
    )  # fmt: skip
    options = ["--model", model, "--no-stability", "--no-pictures"]
    assert main(["explain", str(mri), str(path), "-o", str(tmp_path / "out"), *options]) == 0
    assert told_in(tmp_path / "out") == []
    text = (tmp_path / "out" / "lesions.csv").read_text(encoding="utf-8")
    assert "lesion 1" in text
    assert "right" in text
