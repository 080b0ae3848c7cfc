"""Many patients side by side, over processes or a Dask cluster: a process that is lost takes nobody else along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ...io.workers import ATTEMPTS, numbered, spread
from .source import One
from .work import BEGUN, Outcome

LOST = (
    f"The process that explained it ended {ATTEMPTS} times; a damaged file or too little memory does that: explain it "
    "alone with --safe-reading to see."
)


def outcomes(
    ones: Sequence[One],
    work: Callable[..., Outcome],
    given: tuple,
    folder: Path,
    *,
    at_once: int,
    scheduler: str | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """What became of every patient, with the number in the list, as soon as it is known and in any order.

    A process that dies (a crash in a library, memory) takes those along that were being worked on; these are begun
    again one by one, so that one of them alone can be lost again, and after :data:`ATTEMPTS` times it is told of.

    Args:
        ones: patients.
        work: as :func:`.work.explain_one`; called with a patient, the folder and what is ``given``.
        given: further arguments.
        folder: of all.
        at_once: processes on this machine; with 1 it is this process.
        scheduler: address of a Dask scheduler whose workers do it instead.

    Raises:
        PulsarCAMError: about all of them: the folder cannot be written, a package is missing, no scheduler answers.
    """
    for mark in folder.glob(f".*{BEGUN}"):
        mark.unlink(missing_ok=True)  # of a run that was killed
    if scheduler is None and at_once <= 1:
        for number, one in enumerate(ones):
            yield number, work(one, folder, *given)
        return
    with _workers_of(scheduler) if scheduler else nullcontext():
        waiting, lost = set(range(len(ones))), dict.fromkeys(range(len(ones)), 0)
        while waiting:
            alone = [[number] for number in sorted(waiting) if lost[number]]
            together = [number for number in sorted(waiting) if not lost[number]]
            for numbers in [*alone, *([together] if together else [])]:
                calls = [(number, work, ones[number], folder, *given) for number in numbers]
                processes = -1 if scheduler else max(2, min(at_once, len(calls)))
                for number, found in spread(numbered, calls, at_once=processes, remote=scheduler is not None):
                    waiting.discard(number)
                    yield number, found
                for number in numbers:
                    mark = folder / f".{ones[number].folder}{BEGUN}"
                    if number in waiting and mark.exists():
                        mark.unlink(missing_ok=True)
                        lost[number] += 1
                        if lost[number] >= ATTEMPTS:
                            waiting.discard(number)
                            yield number, Outcome(LOST)


def _workers_of(scheduler: str) -> AbstractContextManager[object]:
    from ...study.jobs import dask_workers  # brings all that a study needs, seconds

    return dask_workers(scheduler)
