"""A whole folder, and a file that must survive a power cut: in place or not at all."""

from __future__ import annotations

import os

import pytest

from PulsarCAMLib.io.atomic import replace_file, whole_folder


def test_a_folder_appears_with_everything_in_it(tmp_path):
    folder = tmp_path / "new" / "folder"
    with whole_folder(folder) as made:
        (made / "a").write_text("1", encoding="utf-8")
        assert not folder.exists()
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]
    assert (folder / "a").read_text(encoding="utf-8") == "1"


def test_an_error_leaves_the_earlier_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()

    def fail():
        with whole_folder(folder) as made:
            (made / "a").touch()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert [p.name for p in tmp_path.rglob("*")] == ["folder", "old"]
    with whole_folder(folder) as made:
        (made / "a").touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["folder", "a"]


@pytest.mark.parametrize("durably", [False, True])
def test_a_file_that_cannot_be_renamed_leaves_the_old_one(tmp_path, monkeypatch, durably):
    path = tmp_path / "a.json"
    replace_file(path, b"old", durably=durably)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="No space"):
            replace_file(path, b"new", durably=durably)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_bytes() == b"old"


def test_what_is_durable_is_on_the_disk_before_its_name_changes(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    replace_file(tmp_path / "a", b"1")
    assert synced == []
    replace_file(tmp_path / "a", b"2", durably=True)
    assert len(synced) == (2 if os.name == "posix" else 1)
