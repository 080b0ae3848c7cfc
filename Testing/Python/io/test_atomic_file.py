import os
import stat

import pytest

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.io.atomic import check_place, write_whole


def test_the_file_holds_what_was_given_and_nothing_else_is_left(tmp_path):
    path = write_whole(tmp_path / "a.html", b"abc")
    assert path.read_bytes() == b"abc"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_others_may_read_it_as_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "made", b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "made")]
    assert modes[0] == modes[1]


def test_an_existing_file_is_replaced_only_when_that_is_allowed(tmp_path):
    path = write_whole(tmp_path / "a", b"old")
    with pytest.raises(OutputError, match="exists already"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("place", ["", "missing/a", "file/a"])
def test_a_place_that_cannot_be_written_is_told_in_one_sentence(tmp_path, place):
    (tmp_path / "file").touch()
    for ask in (lambda: check_place(tmp_path / place), lambda: write_whole(tmp_path / place, b"x", overwrite=True)):
        with pytest.raises(OutputError) as told:
            ask()
        assert str(told.value).count(". ") == 0
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_whole(tmp_path / "a", b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PulsarCAMLib.io.atomic.os.fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, b"new", overwrite=True)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
