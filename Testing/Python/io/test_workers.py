"""Workers end with their parent, and what is lost with one of them is begun again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.workers import ATTEMPTS, all_of, end_with, spread

pytest.importorskip("joblib")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals")

PARENT = """
import os, sys, time
from pathlib import Path
from PulsarCAMLib.io.workers import spread

def work(place):
    import time
    Path(place).write_text(str(os.getpid()))
    time.sleep(120)

if __name__ == "__main__":
    list(spread(work, [(sys.argv[1],), (sys.argv[2],)], at_once=2))
"""


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")
def test_a_killed_parent_leaves_no_worker_behind(tmp_path):
    places = [tmp_path / "1", tmp_path / "2"]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *map(str, places)])
    try:
        _until(lambda: all(place.exists() and place.read_text() for place in places), 60)
        workers = [int(place.read_text()) for place in places]
        assert all(map(is_alive, workers))
    finally:
        parent.kill()
        parent.wait()
    _until(lambda: not any(map(is_alive, workers)), 10)


def _until(true, seconds):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def squared(folder: Path, number: int, dies: int) -> int:
    """Dies so many times, then answers."""
    died = len(list(folder.glob(f"{number}-*")))
    if died < dies:
        (folder / f"{number}-{died}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


@POSIX
def test_what_is_lost_with_a_process_is_begun_again(tmp_path):
    assert all_of(squared, [(tmp_path, n, int(n == 1)) for n in range(3)], at_once=2) == {0: 0, 1: 1, 2: 4}


@POSIX
def test_what_is_lost_every_time_is_missing(tmp_path):
    found = all_of(squared, [(tmp_path, 3, ATTEMPTS + 1)], at_once=2)
    assert found == {}


def failing(number: int) -> int:
    raise InputError(f"The MRI of row {number} cannot be read.")


def test_an_error_of_the_work_comes_through():
    with pytest.raises(InputError, match="row 7"):
        list(spread(failing, [(7,), (7,)], at_once=2))


def test_a_process_does_not_wait_for_itself():
    end_with(os.getpid())
    assert not [each for each in _threads() if each == "_end_after"]


def _threads() -> list[str]:
    import threading

    return [getattr(getattr(each, "_target", None), "__name__", "") for each in threading.enumerate()]
