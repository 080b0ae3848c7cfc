"""Reading in a process of its own gives what reading here gives, and survives a reader that dies or never ends."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from making_damaged import a_nrrd
from making_dicom import a_folder
from making_files import OBLIQUE, a_volume, two_boxes, written

from PulsarCAMLib.core.errors import COLUMN, OPTION, PANEL, GeometryError, InputError
from PulsarCAMLib.io import apart
from PulsarCAMLib.io.apart import reading_apart
from PulsarCAMLib.io.dose import read_dose
from PulsarCAMLib.io.transforms import read_transform
from PulsarCAMLib.io.volumes import read_image, read_image_of, read_volume
from PulsarCAMLib.lesions.from_files import read_lesions


def same(one, other):
    np.testing.assert_array_equal(one.voxels, other.voxels)
    assert one.voxels.dtype == other.voxels.dtype
    assert (one.geometry, one.source) == (other.geometry, other.source)
    return True


def refusal_of(path):
    with pytest.raises(InputError) as refused:
        read_volume(path)
    return refused.value


def test_everything_that_is_read_is_the_same(tmp_path):
    mri = written(tmp_path / "mri.nrrd", a_volume(), OBLIQUE)
    mask = written(tmp_path / "mask.nii.gz", two_boxes(second=2), OBLIQUE)
    dose = written(tmp_path / "dose.mha", np.abs(a_volume()).astype(np.float32) / 20, OBLIQUE)
    several = tmp_path / "several.nrrd"
    vector = sitk.Compose([OBLIQUE.to_sitk(two_boxes())] * 2)
    vector.SetMetaData("Segment0_Name", "Läsion\n")
    sitk.WriteImage(vector, str(several))
    series = a_folder(tmp_path / "series")
    sitk.WriteTransform(sitk.TranslationTransform(3, [1, 2, 3]), str(tmp_path / "t.tfm"))
    image, slices = read_image_of(mri), read_image_of(series)
    lesions = read_lesions(mask, image.geometry)
    with reading_apart():
        assert same(read_image_of(mri), image)
        assert same(read_image_of(series, None, wanted="MRI"), slices)
        found, warnings = read_lesions(mask, image.geometry)
        values, place = read_dose(dose)
        apart_read = read_image(several, "The mask")
        assert np.array_equal(read_transform(tmp_path / "t.tfm")[:3, 3], [1, 2, 3])
        child = apart._CHILD._process
        assert child.poll() is None, "one process reads them all"
    assert child.poll() is not None, "and ends with the block"
    assert [lesion.name for lesion in found] == [lesion.name for lesion in lesions[0]]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(found, lesions[0], strict=True))
    assert warnings == lesions[1]
    np.testing.assert_array_equal(values, read_dose(dose)[0])
    assert place == read_dose(dose)[1]
    here = read_image(several, "The mask")
    assert (apart_read.GetSize(), apart_read.GetDirection()) == (here.GetSize(), here.GetDirection())
    assert apart_read.GetNumberOfComponentsPerPixel() == 2
    assert apart_read.GetMetaData("Segment0_Name") == here.GetMetaData("Segment0_Name")
    values[:] = 0  # arrays may be written to


def test_refusals_are_the_same_with_their_cures(tmp_path):
    a_folder(tmp_path / "d")
    a_folder(tmp_path / "e", lambda data, n: setattr(data, "SeriesInstanceUID", "1.2.9"))
    for path in (tmp_path / "e").iterdir():
        path.rename(tmp_path / "d" / f"e{path.name}")
    a_nrrd(tmp_path / "a.nrrd", space_directions="(1,0,0) (0,1,0) (0,0,0)")
    wrong = tmp_path / "d", tmp_path / "a.nrrd", tmp_path / "none.nrrd"
    here = [refusal_of(path) for path in wrong]
    with reading_apart():
        there = [refusal_of(path) for path in wrong]
    assert [type(error) for error in there] == [InputError, GeometryError, InputError]
    for one, other in zip(here, there, strict=True):
        assert type(one) is type(other)
        for where in (OPTION, PANEL, COLUMN):
            assert one.told(where) == other.told(where)


def test_a_reader_that_dies_or_never_ends_is_one_sentence(tmp_path, monkeypatch):
    mri = written(tmp_path / "mri.nrrd", a_volume(), OBLIQUE)
    with reading_apart():
        monkeypatch.setattr(apart, "PROGRAM", "import os; os.abort()")
        with pytest.raises(InputError, match=r"mri\.nrrd ends the program that reads it: it is damaged, or made to do"):
            read_volume(mri)
        monkeypatch.setattr(apart, "PROGRAM", "import time; time.sleep(60)")
        monkeypatch.setattr(apart, "LONGEST_S", 0.1)
        with pytest.raises(InputError, match=r"mri\.nrrd takes longer than 0 s to read"):
            read_volume(mri)
        monkeypatch.undo()
        np.testing.assert_array_equal(read_volume(mri)[0], a_volume())


def test_the_command_line_reads_apart_when_asked(tmp_path, monkeypatch, capsys):
    from PulsarCAMLib.cli import main

    mri = written(tmp_path / "mri.nrrd", a_volume(), OBLIQUE)
    mask = written(tmp_path / "mask.nrrd", two_boxes(), OBLIQUE)
    lines = ["patient,lesion,image,segmentation,label_value,followup_volume_cm3", f"p,A,{mri.name},{mask.name},1,0.3"]
    (tmp_path / "cohort.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(apart, "PROGRAM", "import os; os.abort()")
    assert main(["cohort", "check", str(tmp_path / "cohort.csv")]) == 0
    assert main(["cohort", "check", str(tmp_path / "cohort.csv"), "--safe-reading"]) == 3
    assert "ends the program that reads it" in capsys.readouterr().out
