"""How far a run is, as a small file that another process may read at any time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.errors import OutputError
from ..core.progress import OnProgress
from .atomic import write_whole
from .plain_files import read_json

PROGRESS, FORMAT = "progress.json", "PulsarCAM progress"
SECONDS = 0.5
"""Between two writings of the file."""

DONE = "done"


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        stage: what it is doing, or :data:`DONE`.
        fraction: of the stage, 0 to 1.
        overall: of the whole run, 0 to 1; never falls.
        text: details of the stage; names nobody.
    """

    stage: str
    fraction: float
    overall: float
    text: str


class ProgressFile:
    """Writes ``progress.json``, whole and at most every :data:`SECONDS` within a stage.

    A file that cannot be written (a full disk, a reader that holds it on Windows) never stops the run.
    """

    def __init__(self, folder: Path, stages: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        """With the stages in their order and how long each takes, in any unit."""
        self._path, self._stages, self._clock = folder / PROGRESS, dict(stages), clock
        self._written, self._overall, self._latest = float("-inf"), 0.0, ""

    def stage(self, name: str) -> OnProgress:
        """Begin a stage; a callback for its fraction and a text."""
        self._latest = name
        self._write(name, 0.0, "")

        def on_progress(fraction: float, text: str) -> None:
            late = self._latest != name  # a thread that watched an earlier stage has the last word no more
            if not late and self._clock() - self._written >= SECONDS:
                self._write(name, fraction, text)

        return on_progress

    def done(self) -> None:
        """The run has ended well."""
        self._overall, self._latest = 1.0, DONE
        self._write(DONE, 1.0, "")

    def _write(self, stage: str, fraction: float, text: str) -> None:
        fraction = min(1.0, max(0.0, float(fraction)))
        self._overall = max(self._overall, self._share_before(stage, fraction))
        state = RunProgress(stage, round(fraction, 4), round(self._overall, 4), text)
        content = json.dumps({"format": FORMAT, **asdict(state)}, ensure_ascii=False) + "\n"
        self._written = self._clock()
        try:
            write_whole(self._path, content.encode(), overwrite=True)
        except OutputError:
            return

    def _share_before(self, stage: str, fraction: float) -> float:
        if stage not in self._stages:
            return self._overall
        names = list(self._stages)
        before = sum(self._stages[name] for name in names[: names.index(stage)])
        return (before + fraction * self._stages[stage]) / sum(self._stages.values())


def read_progress(folder: str | Path) -> RunProgress | None:
    """What a run's folder says; None where there is no such file, or none that can be read."""
    try:
        fields = read_json(Path(folder) / PROGRESS)
        if fields.pop("format") != FORMAT:
            return None
        known = (str(fields["stage"]), float(fields["fraction"]), float(fields["overall"]), str(fields["text"]))
        return RunProgress(*known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
