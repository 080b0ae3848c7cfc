"""Images that lie, at the command line: one sentence, exit code 3, nothing written; no unexpected fault for any."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from making_damaged import a_metaimage, a_nifti, a_nrrd
from making_dicom import a_folder
from making_files import a_scan, files_in, written

from PulsarCAMLib.cli import main


def refused(code, err, told):
    """Whether an answer is one sentence, without a word of Python."""
    lines = err.splitlines()
    assert code == 3, err
    assert len(lines) == 1, err
    assert lines[0].startswith("pulsarcam: error: ")
    assert lines[0].isprintable()
    assert told in lines[0]
    assert not [each for each in ("Traceback", "unexpected", "Error:", "errno") if each in err], err
    return True


def a_cut_nifti(folder: Path) -> Path:
    path = a_nifti(folder / "m.nii.gz", np.random.default_rng(0).integers(0, 99, (9, 9, 9), dtype=np.int16))
    path.write_bytes(path.read_bytes()[:500])
    return path


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "m.nrrd")
    return folder / "m.nrrd"


def a_strange_name(folder: Path) -> Path:
    path = folder / "m\x1b[2J\udcff\n.nrrd"
    path.write_bytes(b"NRRD0004\nrubbish\n")
    return path


def no_positions(data, n):
    del data.ImagePositionPatient


MADE = {
    "cut": (a_cut_nifti, "is damaged"),
    "crash": (lambda folder: a_metaimage(folder / "m.mha", NDims=1000), "NDims “1000”"),
    "loop": (lambda folder: a_metaimage(folder / "m.mha", TransformMatrix="1 0 0 1e308 1 0 0 0 1"), "directions"),
    "format string": (lambda folder: a_metaimage(folder / "m.mha", ElementDataFile="%n"), "several files"),
    "long field": (lambda folder: a_nrrd(folder / "m.nrrd", kinds="A" * 2000), "kinds"),
    "no spacing": (lambda folder: a_nrrd(folder / "m.nrrd", space_directions=None), "voxel size"),
    "no positions": (lambda folder: a_folder(folder / "m", no_positions), "no position"),
    "pipe": (a_pipe, "is a named pipe"),
    "device": (lambda folder: Path("/dev/zero"), "is a device"),
    "long path": (lambda folder: folder / ("m" * 5000), "longer than the system allows"),
    "strange name": (a_strange_name, r"m\x1b[2J\udcff\n.nrrd"),
}

LIES = [(case, "image") for case in MADE] + [(case, "segmentation") for case in MADE if case != "no positions"]
"""A folder of DICOM slices is no segmentation whatever it says."""


@pytest.mark.parametrize(("case", "given"), LIES)
def test_a_file_that_lies_is_one_sentence(tmp_path, pulsarcam, case, given):
    pair = dict(zip(("image", "segmentation"), a_scan(tmp_path), strict=True))
    (tmp_path / "new").mkdir()
    make, told = MADE[case]
    pair[given], before = make(tmp_path / "new"), files_in(tmp_path)
    code, _, err = pulsarcam("explain", *pair.values(), "-o", tmp_path / "out")
    assert refused(code, err, told)
    assert files_in(tmp_path) == before


def test_the_hostile_images_are_one_sentence_each(shared_cases, tmp_path, pulsarcam):
    good = shared_cases / "input" / "_good"
    hostile = [path for path in sorted((shared_cases / "hostile").glob("*.[mn]*")) if ".seg." not in path.name]
    assert len(hostile) > 12
    for path in hostile:
        for pair in ((path, good / "mask.nrrd"), (good / "mri.nrrd", path)):
            code, _, err = pulsarcam("explain", *pair, "-o", tmp_path / "out")
            assert refused(code, err, path.name)
            assert files_in(tmp_path) == []


def test_a_cohort_check_finds_images_and_masks_that_are_cut(tmp_path, capsys):
    volume, mask = a_scan(tmp_path)
    bad = tmp_path / "bad.nii.gz"
    written(bad, np.random.default_rng(0).integers(0, 3, (12, 60, 64), dtype=np.uint8), _grid())
    bad.write_bytes(bad.read_bytes()[:3000])
    lines = ["patient,lesion,image,segmentation,label_value,followup_volume_cm3"]
    lines += [f"p,A,{volume.name},{bad.name},1,0.3", f"p,B,{bad.name},{mask.name},1,0.3"]
    (tmp_path / "cohort.csv").write_text("\n".join(lines) + "\n")
    assert main(["cohort", "check", str(tmp_path / "cohort.csv")]) == 3
    said = capsys.readouterr().out
    assert errors_in(said) == {
        ("2", "The segmentation bad.nii.gz is damaged"),
        ("3", "The image bad.nii.gz is damaged"),
    }


def errors_in(said):
    """Row and what of the errors that ``cohort check`` prints."""
    found = re.findall(r"^(\d+) .*? error +(.*?)(?:: |  )", said, re.MULTILINE)
    return {(row, what) for row, what in found if "damaged" in what}


def _grid():
    from making_files import PLAIN

    return PLAIN


def test_the_cohort_with_cut_files_has_errors_in_their_rows(shared_cases, capsys):
    table = next((shared_cases / "input").glob("32-*")) / "cohort.csv"
    assert main(["cohort", "check", str(table)]) == 3
    found = errors_in(capsys.readouterr().out)
    assert {("2", "The segmentation mask.nii.gz is damaged"), ("4", "The image mri.nii.gz is damaged")} <= found
