"""Jobs: commands in a process of Slicer's own Python, watched and stopped through a folder; nothing here waits."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import slicer

from ..cli.job import ALIVE, END, ERRORS, OUTPUT, STOP
from ..core.errors import DependencyError, OutputError
from ..io.plain_files import read_json

FACTS = "job.json"
SILENT_SECONDS = 15.0
"""After so long without a sign of life, a job that another Slicer started is taken for dead."""
PATIENCE_SECONDS = 15.0
"""How long a job that was asked to stop may take before it is ended by force."""
SAYS_ERROR, SAYS_WARNING, SAYS_PROGRESS = "pulsarcam: error: ", "pulsarcam: warning: ", "pulsarcam: progress: "


class Job:
    """One command.

    Args:
        folder: of the job, see :mod:`PulsarCAMLib.cli.job`.
        process: the ``Popen`` of the process, where this Slicer started it.
    """

    def __init__(self, folder: Path, process=None) -> None:
        self.folder, self._process = folder, process
        self._sign, self._sign_at, self._asked_at = None, time.monotonic(), None
        self.facts = read_json(folder / FACTS)

    @property
    def code(self) -> int | None:
        """Exit code; None while it runs; -1 where it ended without leaving one."""
        code = self._left_code()
        if code is None and self._is_gone():
            code = self._left_code()  # it may have ended between the two looks
            return -1 if code is None else code
        return code

    def poll(self) -> bool:
        """Whether it runs; one that was asked to stop and does not is ended by force."""
        running = self.code is None
        if running and self._asked_at is not None and time.monotonic() - self._asked_at > PATIENCE_SECONDS:
            self._end_by_force()
        return running

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does; what it leaves can be resumed."""
        (self.folder / STOP).touch()
        self._asked_at = time.monotonic()

    @property
    def was_stopped(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / STOP).exists()

    def output(self) -> str:
        """What it said."""
        return self._text(OUTPUT).strip()

    def warnings(self) -> list[str]:
        """Its warnings."""
        lines = self._text(ERRORS).splitlines()
        return [line.removeprefix(SAYS_WARNING) for line in lines if line.startswith(SAYS_WARNING)]

    def error(self) -> str:
        """Why it failed, as one sentence."""
        text = self._text(ERRORS) or self._early_words()
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(SAYS_PROGRESS)]
        said = [line.removeprefix(SAYS_ERROR) for line in lines if line.startswith(SAYS_ERROR)]
        if said:
            return said[-1]
        if lines:
            logging.error("A process of PulsarCAM failed:\n%s", text)
            return f"The process failed ({lines[-1]}); the error log has the details."
        return "The process ended without a word; the computer may lack memory: close other programs and try again."

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _left_code(self) -> int | None:
        try:
            return int(read_json(self.folder / END)["code"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _is_gone(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        sign = self._text(ALIVE), _changed(self.folder / ALIVE)
        if sign != self._sign:  # by what is seen, not by the clock: a computer that slept kills nobody
            self._sign, self._sign_at = sign, time.monotonic()
        return time.monotonic() - self._sign_at > SILENT_SECONDS

    def _early_words(self) -> str:
        """Of a process that ended before it wrote into its files, such as a Python that does not start."""
        ended = self._process is not None and self._process.poll() is not None and not (self.folder / ALIVE).exists()
        return (self._process.stdout.read() or "") if ended else ""

    def _end_by_force(self) -> None:
        force = signal.SIGTERM if os.name == "nt" else signal.SIGKILL
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(self._text(ALIVE)), force)  # the process itself: Slicer's Python is started by a launcher
        if self._process is not None:
            self._process.kill()


def start_job(arguments: Callable[[Path], list[str]], facts: dict) -> Job:
    """Start a command; earlier jobs that have ended are forgotten.

    Args:
        arguments: of ``pulsarcam``, for the folder of the job.
        facts: what whoever watches should know, as JSON values.

    Raises:
        DependencyError: Slicer's Python is not found.
        OutputError: the temporary folder cannot be written.
    """
    python, root = python_executable(), jobs_folder()
    for folder in _folders():
        if (folder / END).exists() or not _is_fresh(folder):
            shutil.rmtree(folder, ignore_errors=True)
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{time.time_ns()}-", dir=root))
        (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        library = str(Path(__file__).resolve().parents[2])
        paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
        process = slicer.util.launchConsoleProcess(
            [python, "-m", "PulsarCAMLib.cli.job", str(folder), *arguments(folder)],
            useStartupEnvironment=False,
            updateEnvironment={"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        )
    except OSError as error:
        raise OutputError(f"No process could be started from {root} ({error.strerror}).") from error
    return Job(folder, process)


def latest_job() -> Job | None:
    """The job started last, in this Slicer or another, if it lives or has ended and nobody has taken note."""
    for folder in reversed(_folders()):
        if (folder / END).exists() or _is_fresh(folder):
            try:
                return Job(folder)
            except (OSError, ValueError):
                continue
    return None


def forget_job(job: Job) -> None:
    """It has ended and somebody has taken note; what cannot be deleted yet, on Windows, is no job any more."""
    shutil.rmtree(job.folder, ignore_errors=True)


def jobs_folder() -> Path:
    """Where the jobs' folders are; it outlives a Slicer."""
    return Path(slicer.app.temporaryPath) / "PulsarCAM-jobs"


def python_executable() -> str:
    """Slicer's Python.

    Raises:
        DependencyError: it is not there.
    """
    found = shutil.which("PythonSlicer")
    if found:
        return found
    if Path(sys.executable or "").stem.lower().startswith("python"):
        return sys.executable
    raise DependencyError("Slicer's own Python (PythonSlicer) is not found; install 3D Slicer anew and try again.")


def _folders() -> list[Path]:
    root = jobs_folder()
    return sorted(root.iterdir()) if root.is_dir() else []


def _is_fresh(folder: Path) -> bool:
    """Whether a job gave a sign of life, or was begun, a moment ago."""
    latest = max(_changed(folder / ALIVE), _changed(folder / FACTS))
    return time.time() - latest < SILENT_SECONDS


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
