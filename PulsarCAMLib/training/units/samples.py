"""Units of a cohort as samples in memory, through the system's own copies. No torch here: samples are plain arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...core.errors import BundleError, InputError, OutputError
from ...systems.contract import Copy, LabelledUnit, System
from ...systems.learning.learner import StoredArray, TrainingSamples

__all__ = ["StoredArray", "TrainingSamples", "collect_samples", "told_once"]

MOST_BYTES_IN_MEMORY = 1 << 30
"""Images that take more than this lie in a file, where there is a folder for it."""

MOST_NAMED = 3
"""So many units are told the same one by one; of more the first are named, and the others counted."""

CASES_IN_FLIGHT = 16
"""Cases whose images are in memory at once, where other machines prepare them."""


def collect_samples(
    units: Iterable[LabelledUnit],
    system: System,
    settings: Any,
    tell: Callable[[str], None] | None = None,
    *,
    only_original: bool = False,
    store: Path | None = None,
    most_bytes: int = MOST_BYTES_IN_MEMORY,
    at_once: int = 1,
) -> TrainingSamples:
    """The samples of every unit: as it is, and changed as the settings want it.

    Args:
        units: labelled; taken one at a time, so that a generator never holds more than one patient's images.
        system: that knows how they become samples.
        settings: of the training.
        tell: is called with each warning about a sample, such as that a lesion had to be shrunk; it begins with the
            name of the unit, or of the patient where all of the patient's images are meant.
        only_original: without changed copies.
        store: folder for images and masks that together take more than ``most_bytes``; None keeps all in memory.
        most_bytes: in memory.
        at_once: units in work side by side, by joblib's back end of the moment, where a unit takes long (it is
            registered, say); has no influence on the samples. -1: as many as there are workers.

    Raises:
        InputError: there are no units, or an image cannot be used.
        OutputError: the folder cannot be written.
        BundleError: a slip in the system: its samples do not fit together.
    """
    rows: list[tuple] = []
    shapes: tuple = ()
    images, masks = _Rows(store, "images", most_bytes), _Rows(store, "masks", most_bytes)
    for unit, copies in _each(units, system, settings, only_original, at_once):
        for copy in copies:
            for sentence in copy.warnings if tell and copy.change == 0 else ():
                tell(sentence if sentence.startswith("“") else f"“{unit.patient}”: {sentence}")
            shapes = shapes or (np.shape(copy.image), np.shape(copy.mask))
            _refuse_shapes(system, shapes, copy.image, copy.mask)
            images.add(copy.image)
            masks.add(copy.mask)
            rows.append((unit.label, unit.patient, unit.name, copy.change, unit.confidence))
    if not rows:
        task = system.task
        raise InputError(
            f"There is no labelled {task.unit} to train on; check the cohort's {task.label.column} column."
        )
    labels, patients, names, changes, confidence = zip(*rows, strict=True)
    known = any(value is not None for value in confidence)
    return TrainingSamples(
        images.array(),
        masks.array(),
        np.array(labels, dtype=np.int64),
        np.array(patients),
        np.array(names),
        np.array(changes, dtype=float),
        np.array([1.0 if value is None else value for value in confidence]) if known else None,
    )


def told_once(sentences: Sequence[str]) -> list[str]:
    """Warnings for people: what is said of more than :data:`MOST_NAMED` units is one sentence with their number.

    Sentences that differ in their numbers only are alike; the numbers that are told are then those of the first unit.

    Args:
        sentences: of :func:`collect_samples`, each of which begins with a name in quotes.
    """
    alike: dict[str, list[tuple[str, str]]] = {}
    for sentence in sentences:
        what = re.sub("^“[^”]*”", "", sentence)
        alike.setdefault(re.sub(r"\d+(\.\d+)?", "#", what), []).append((sentence.removesuffix(what), what))
    found = []
    for own in alike.values():
        if len(own) <= MOST_NAMED:
            found += [f"{name}{what}" for name, what in own]
            continue
        names = ", ".join(name for name, _ in own[:MOST_NAMED])
        numbers = " (Numbers are of the first.)" if len({what for _, what in own}) > 1 else ""
        found.append(f"{names} and {len(own) - MOST_NAMED} more{own[0][1]}{numbers}")
    return found


def _each(
    units: Iterable[LabelledUnit], system: System, settings: Any, only_original: bool, at_once: int
) -> Iterator[tuple[LabelledUnit, Iterable[Copy]]]:
    """Every unit with its copies, in the order given."""
    if at_once == 1 or not system.slow_to_prepare(settings):
        for unit in units:
            yield unit, system.copies(unit, settings, only_original=only_original)
        return
    from ...io.workers import ATTEMPTS, all_of

    waiting, most = iter(units), 2 * at_once if at_once > 0 else CASES_IN_FLIGHT
    while chunk := list(islice(waiting, most)):
        found = all_of(_copied, [(system, unit, settings, only_original) for unit in chunk], at_once=at_once)
        if len(found) < len(chunk):
            raise InputError(
                f"Images were lost with the process that prepared them {ATTEMPTS} times; free memory or use fewer "
                "processes, and start again."
            )
        yield from ((unit, found[number]) for number, unit in enumerate(chunk))


def _copied(system: System, unit: LabelledUnit, settings: Any, only_original: bool) -> list[Copy]:
    """In another process."""
    return list(system.copies(unit, settings, only_original=only_original))


class _Rows:
    """Arrays of one shape, one after another: in memory, and once they are too many in a file."""

    def __init__(self, folder: Path | None, name: str, most_bytes: int) -> None:
        self._path = folder / f"{name}.raw" if folder else None
        self._most, self._count = most_bytes, 0
        self._held: list[np.ndarray] = []
        self._file: BinaryIO | None = None

    def add(self, row: np.ndarray) -> None:
        self._shape, self._type, self._count = row.shape, row.dtype, self._count + 1
        self._held.append(row)
        if self._path and self._count * row.nbytes > self._most:
            self._write()

    def array(self) -> np.ndarray | StoredArray:
        if self._file is None:
            return np.stack(self._held)
        self._write()
        self._file.close()
        assert self._path is not None
        return StoredArray(self._path, self._shape, self._type, np.arange(self._count))

    def _write(self) -> None:
        assert self._path is not None
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb")
            for row in self._held:
                self._file.write(np.ascontiguousarray(row).data)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"The prepared images cannot be kept in {self._path.parent} ({error.strerror}); make room there and "
                "start again."
            ) from error
        self._held.clear()


def _refuse_shapes(system: System, first: tuple, image: np.ndarray, mask: np.ndarray) -> None:
    """Samples are stacked, so a system must make all of one shape, and their masks of that shape."""
    own = np.shape(image), np.shape(mask)
    told = " and ".join(f"{' x '.join(map(str, a))} (mask {' x '.join(map(str, b))})"
                        for a, b in dict.fromkeys((own, first)))  # fmt: skip
    if own != first:
        raise BundleError(f"The system {system.name} makes samples of different shapes, {told}; mend its copies.")
    if own[1] != (1, *own[0][1:]):
        raise BundleError(f"The system {system.name} makes samples whose mask does not fit, {told}; mend its copies.")
