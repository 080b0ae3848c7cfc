"""A process that has the libraries in memory and forks for every run of tests, in a checkout of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HEAVY = (
    *("pytest", "hypothesis", "numpy", "scipy.ndimage", "scipy.stats", "torch", "SimpleITK", "pydicom", "safetensors"),
    *("matplotlib.figure", "PIL.Image", "jinja2", "sklearn.linear_model", "monai.networks.nets", "captum.attr"),
)
"""Imported once; none of them holds any of the checkout's own code."""

PASSED, FAILED, WRONG_NAME, NO_TESTS = 0, 1, 4, 5
OUT_OF_TIME = -1


class Server:
    """Runs tests in a checkout.

    Args:
        checkout: of its own, in which files may be changed between runs.
        heavy: modules to import once.
    """

    def __init__(self, checkout: Path, heavy: tuple[str, ...] = HEAVY) -> None:
        folders = [checkout, Path(__file__).resolve().parents[1], checkout / "Testing" / "Python"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mutation.trying", *heavy],
            cwd=checkout,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: list[str], seconds: float) -> int:
        """What pytest says of these tests: one of the numbers above."""
        print(json.dumps({"tests": tests, "seconds": seconds}), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def serve(heavy: list[str]) -> None:
    """Answer the lines of the standard input until it ends."""
    import importlib

    for name in heavy:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(nothing, 0)
            os.setsid()
            _run_and_leave(asked["tests"])
        print(_waited(child, asked["seconds"]), file=answers, flush=True)


def _run_and_leave(tests: list[str]) -> None:
    code = 3
    try:
        import pytest

        code = int(pytest.main(["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *tests]))
    finally:
        os._exit(code)


def _waited(child: int, seconds: float) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _stop(child)
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else FAILED
        time.sleep(0.02)
    _stop(child)
    os.waitpid(child, 0)
    return OUT_OF_TIME


def _stop(child: int) -> None:
    """End a run and whatever it has started and left."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    serve(sys.argv[1:])
