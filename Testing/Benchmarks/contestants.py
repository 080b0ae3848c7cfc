"""The contestants of the many-trials benchmark, as processes that wait to be asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERAS_PYTHON = HERE.parents[1] / ".venv-keras" / "bin" / "python"
CORES = 2
SETTINGS_OF_THREADS = ("OMP_", "MKL_", "KMP_", "GOMP_", "TF_NUM_")


@dataclass(frozen=True)
class Answer:
    """To one command.

    Attributes:
        seconds: from the command to its end.
        probabilities: of response; trial, MRI, lesion.
    """

    seconds: float
    probabilities: list[list[list[float]]]


class Contestant:
    """A process that does trials on command; a context."""

    def __init__(self, script: str, study: Path, *, python: Path | None = None, defaults: bool = True) -> None:
        """Start it.

        Args:
            script: ``trials_....py`` beside this file.
            study: folder with patches and trials.
            python: interpreter; default: this one.
            defaults: whether variables that set threads are kept from it, so that its framework decides as it does for
                anybody, on two cores.

        Raises:
            RuntimeError: it does not start.
        """
        kept = {
            key: value for key, value in os.environ.items() if not (defaults and key.startswith(SETTINGS_OF_THREADS))
        }
        self._process = subprocess.Popen(
            [str(python or sys.executable), str(HERE / script), str(study)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
            text=True,
            preexec_fn=two_cores if defaults else None,
        )
        self._script = script
        self.about = self._read()

    def ask(self, trials: list[int], epochs: int, **more: object) -> Answer:
        """Have it train some trials from the start.

        Raises:
            RuntimeError: it failed; its own words are on standard error.
        """
        print(json.dumps({"trials": trials, "epochs": epochs, **more}), file=self._process.stdin, flush=True)
        found = self._read()
        return Answer(found["seconds"], found["answers"])

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._script} ended with exit code {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Contestant:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Let it end."""
        self._process.stdin.close()
        self._process.wait()


def two_cores() -> None:
    """Keep this process and its children to two cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
