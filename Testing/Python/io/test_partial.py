"""A killed run leaves a hidden folder; the next one into the same place removes it, and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from PulsarCAMLib.io.atomic import FilesTogether, whole_folder
from PulsarCAMLib.io.partial import OWNER, YOUNG_SECONDS, PartialFolder
from PulsarCAMLib.io.result_folder import ResultFolder

pytest.importorskip("filelock")

KILLED = """
import os, signal, sys
from PulsarCAMLib.io.result_folder import ResultFolder
with ResultFolder(sys.argv[1]) as kept:
    (kept.made / "a.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
"""


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".partial"))


def older(folder):
    """As if some seconds had passed."""
    for path in folder.glob(f".*/{OWNER}"):
        then = time.time() - YOUNG_SECONDS - 5
        os.utime(path, (then, then))


@pytest.fixture
def killed(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert done.returncode in (-getattr(signal, "SIGKILL", 9), 1, signal.SIGTERM)
    assert len(hidden(tmp_path)) == 1
    older(tmp_path)
    return tmp_path


def test_what_a_killed_run_has_left_goes_with_the_next_one(killed):
    with ResultFolder(killed / "out") as kept:
        assert hidden(killed) == [kept.made.parent.name]
        assert sorted(kept.made.iterdir()) == []
        kept.write_marker({})
    assert sorted(path.name for path in killed.iterdir()) == ["out"]
    assert sorted(path.name for path in (killed / "out").iterdir()) == ["result.json"]


def test_another_place_and_a_run_that_lives_are_left_alone(killed):
    with ResultFolder(killed / "out2"):
        assert len(hidden(killed)) == 2
    with ResultFolder(killed / "out") as first:
        older(killed)
        with ResultFolder(killed / "out") as second:
            assert first.made.exists()
            assert second.made.exists()
    assert hidden(killed) == []


def test_a_folder_of_somebody_else_that_is_called_so_stays(tmp_path):
    strange = tmp_path / ".out.abcdefgh.partial"
    strange.mkdir()
    (strange / "mine.txt").write_text("x")
    with ResultFolder(tmp_path / "out"):
        pass
    assert (strange / "mine.txt").exists()


def test_every_way_of_making_a_folder_removes_them(tmp_path):
    left = PartialFolder(tmp_path, "out")
    left._lock.release()
    also = PartialFolder(tmp_path, "pulsarcam")
    also._lock.release()
    older(tmp_path)
    with FilesTogether(tmp_path, ["a.txt"]) as files:
        assert not also.folder.exists()
        (files.made / "a.txt").write_text("x")
    with whole_folder(tmp_path / "out") as made:
        assert not left.folder.exists()
        (made / "b.txt").write_text("x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.txt"]


def test_a_lock_that_was_taken_a_moment_ago_is_believed(tmp_path):
    left = PartialFolder(tmp_path, "out")
    left._lock.release()
    with ResultFolder(tmp_path / "out"):
        assert left.folder.exists()


def test_a_very_long_name_has_a_hidden_folder_too(tmp_path):
    with ResultFolder(tmp_path / ("x" * 250)) as kept:
        kept.write_marker({})
    assert (tmp_path / ("x" * 250) / "result.json").is_file()
