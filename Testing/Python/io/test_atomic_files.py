"""Several files appear together or not at all, whatever else is in the folder."""

from __future__ import annotations

import os

import pytest

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.io.atomic import FilesTogether, existing

NAMES = ["a.txt", "b.txt"]


def write(folder, text="new", **options):
    with FilesTogether(folder, NAMES, **options) as files:
        for name in NAMES:
            (files.made / name).write_text(text)


def test_all_appear_beside_what_is_there(tmp_path):
    (tmp_path / "other.txt").write_text("kept")
    write(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt", "other.txt"]
    assert existing(tmp_path, [*NAMES, "c.txt"]) == NAMES


def test_an_error_inside_leaves_nothing(tmp_path):
    def fill_the_disk():
        with FilesTogether(tmp_path, NAMES) as files:
            (files.made / "a.txt").write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot be written"):
        fill_the_disk()
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_there_are_not_replaced_unasked(tmp_path):
    (tmp_path / "b.txt").write_text("old")
    with pytest.raises(OutputError, match=r"Already in .*b\.txt"):
        write(tmp_path)
    assert (tmp_path / "b.txt").read_text() == "old"
    assert not (tmp_path / "a.txt").exists()
    write(tmp_path, overwrite=True)
    assert (tmp_path / "b.txt").read_text() == "new"


def test_a_file_that_was_promised_and_not_made_brings_the_old_ones_back(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with (
        pytest.raises(OutputError, match="nothing was changed"),
        FilesTogether(tmp_path, NAMES, overwrite=True) as files,
    ):
        (files.made / "a.txt").write_text("new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt"]


def test_a_folder_in_the_way_and_a_missing_folder_are_one_sentence(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="There is no folder"):
        write(tmp_path / "missing")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_protected_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path)


def write_into_folder(folder, count):
    """Some of three files, two of which lie in a folder of their own."""
    names = ["a.txt", "dicom/b.dcm", "dicom/c.dcm"]
    with FilesTogether(folder, names, overwrite=True) as files:
        (files.made / "dicom").mkdir()
        for name in names[:count]:
            (files.made / name).write_text("new")


def test_files_in_a_folder_of_their_own_appear_together_or_leave_no_folder(tmp_path):
    with pytest.raises(OutputError, match="nothing was changed"):
        write_into_folder(tmp_path, 2)
    assert list(tmp_path.iterdir()) == []
    old = tmp_path / "dicom/b.dcm"
    old.parent.mkdir()
    old.write_text("old")
    with pytest.raises(OutputError, match="nothing was changed"):
        write_into_folder(tmp_path, 2)
    assert old.read_text() == "old"
    write_into_folder(tmp_path, 3)
    assert old.read_text() == "new"
    assert sorted(path.name for path in old.parent.iterdir()) == ["b.dcm", "c.dcm"]
