"""The folder in which ``pulsarcam train`` keeps what it has done until its bundle is there, and how far it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ...core.errors import Cancelled, OutputError
from ...io.plain_files import read_json
from ..console import TimedBar

RUN, RUN_FORMAT = "run.json", "PulsarCAM training run"
SUFFIX, REPORT_SUFFIX = ".training", ".report"


class RunFolder:
    """A context: what is left of a run when it ends in whatever way.

    Attributes:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new: list[Path] = []
        self._alone: AbstractContextManager | None = None

    def __enter__(self) -> RunFolder:
        from ...io.atomic import write_durably
        from ...io.locking import only_one

        self._new = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._forget()
            raise OutputError(f"{self.folder} cannot be made ({error.strerror}); choose another place.") from error
        self._alone = only_one(self.folder, "training")
        self._alone.__enter__()
        write_durably(self.folder / RUN, (json.dumps({"format": RUN_FORMAT, "format_version": 1}) + "\n").encode())
        return self

    def __exit__(self, kind, error, _trace) -> None:
        self._let_go()
        if kind is None:
            return
        if not self._has_trained:
            self._forget()
        elif issubclass(kind, KeyboardInterrupt):
            raise Cancelled(
                f"interrupted; no model was written, and what is trained so far is kept in {self.folder}: the same "
                "command with --resume goes on from there."
            ) from error

    @property
    def _has_trained(self) -> bool:
        """Whether a training has begun; before, an error or Ctrl-C leaves no new folder."""
        from ...training.trial import DESCRIPTION

        return any(self.folder.rglob(DESCRIPTION))

    def remove(self) -> None:
        """Delete it; what cannot be deleted stays and harms nobody."""
        self._let_go()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _let_go(self) -> None:
        alone, self._alone = self._alone, None
        if alone is not None:
            alone.__exit__(None, None, None)

    def _forget(self) -> None:
        """Leave nothing that was not there before."""
        if self.folder in self._new:
            self.remove()
        for parent in self._new[1:]:
            try:
                parent.rmdir()
            except OSError:
                return


def is_run(folder: Path) -> bool:
    """Whether a folder is one of these."""
    try:
        return read_json(folder / RUN).get("format") == RUN_FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def check_places(output: Path, run_folder: Path, report: Path | None, *, overwrite: bool, resume: bool) -> None:
    """Refuse now what would have to be refused after hours.

    Args:
        output: the bundle's folder.
        run_folder: of the run.
        report: folder of the report; None for none.
        overwrite: bundle and report may be replaced.
        resume: the run may be there; so may its report, whose writing came before the bundle's.

    Raises:
        OutputError: something is in the way, or there is nothing to be continued from what is there.
    """
    from ...io.result_folder import ResultFolder
    from ...systems.bundles.bundle import check_bundle_place

    check_bundle_place(output, overwrite=overwrite)
    if os.path.lexists(run_folder):
        if not is_run(run_folder):
            raise OutputError(f"{run_folder} is in the way and not a training of PulsarCAM; choose another name.")
        if not resume:
            raise OutputError(
                f"{run_folder} holds a training that was not finished or was kept; add --resume to continue it, or "
                "delete that folder."
            )
    if report is not None:
        ResultFolder(report, overwrite or resume).check()
    parent = next(folder for folder in output.parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise OutputError(f"{parent} cannot be written; choose another folder.")


def remove_leftovers(report: Path | None) -> None:
    """What a kill in the middle of writing the report has left beside it; to be called by the run that owns it."""
    if report is None or not report.parent.is_dir():
        return
    for partial in report.parent.glob(f".{report.name}.????????.partial"):
        shutil.rmtree(partial, ignore_errors=True)


class Stages(TimedBar):
    """What a run is doing, stage by stage: a bar on a terminal, and ``progress.json`` in the run's folder."""

    def __init__(self, folder: Path, stages: Mapping[str, float], quiet: bool) -> None:
        """With the stages in their order and how long each takes, in any unit."""
        from ...io.progress_file import ProgressFile

        super().__init__(quiet)
        self._file = ProgressFile(folder, stages)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float, str], None]]:
        """A callback for the fraction of a stage and a text."""
        write = self._file.stage(name)
        with super().stage(name) as show:

            def tell(fraction: float, text: str) -> None:
                show(fraction, text)
                write(fraction, text)

            yield tell

    def done(self) -> None:
        """All stages have ended well."""
        self.clear()
        self._file.done()
