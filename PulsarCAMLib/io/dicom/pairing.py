"""Which image series a structure set belongs to: by what it refers to, by frames of reference, by registrations.

Nothing is guessed: where there is more than one way, the person is asked, with the numbers of ``pulsarcam dicom list``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...core.errors import Cure, InputError
from ...core.pluralize import capital, pluralize
from ..plain_files import shown_path
from . import refusals
from .files import names_of
from .folder import MR, REGISTRATION, SEGMENTATION, Inventory, Item
from .registration import read_registration

BY_REFERENCE, BY_FRAME, BY_REGISTRATION = "refers to it", "same frame of reference", "through registration"
SERIES, STRUCTURES = "with --series NUMBER", "with --structures NUMBER"
APART_MM = 0.1
"""Two registrations that differ by more than this within a head are two answers."""


RENAMED = "Images and structure set bear different names of patients and one ID; were two patients mixed?"


@dataclass(frozen=True)
class Pair:
    """An image series and a structure set.

    Attributes:
        series: of images.
        structures: RTSTRUCT or SEG.
        how: why they belong together.
        registrations: that lead from one frame of reference to the other; none where it is one.
    """

    series: Item
    structures: Item
    how: str
    registrations: tuple[Item, ...] = ()


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is read.

    Attributes:
        pair: series and structure set.
        matrix: 4x4, LPS millimetres of the contours' frame to those of the images'; None: they are one.
    """

    pair: Pair
    matrix: np.ndarray | None

    @property
    def folder(self) -> Path:
        """See :attr:`.folder.Item.folder`, of the series."""
        return self.pair.series.folder

    @property
    def doubts(self) -> tuple[str, ...]:
        """Sentences for the results, without a name."""
        names = names_of(each.name for item in (self.pair.series, self.pair.structures) for each in item.instances)
        return (RENAMED,) if len(names) > 1 else ()

    @property
    def told(self) -> str:
        """One sentence."""
        way = self.pair.how
        if self.matrix is not None:
            way = f"{BY_REGISTRATION} {self.pair.registrations[0].number}"
        return f"{told(self.pair.series)} with {told(self.pair.structures)}: {way}."


def told(item: Item) -> str:
    """An item for a sentence, without names: "series 1 (MR, 28 slices)"."""
    if item.modality == REGISTRATION:
        return f"registration {item.number}"
    if item.modality in ("RTSTRUCT", SEGMENTATION):
        noun = "segment" if item.modality == SEGMENTATION else "structure"
        return f"structure set {item.number} ({item.modality}, {pluralize(item.count, noun)})"
    return f"series {item.number} ({item.modality}, {pluralize(item.count, 'slice')})"


def pairs_of(inventory: Inventory, structures: Item) -> list[Pair]:
    """Series that a structure set goes with, in the one way that says most: all of them are equally likely.

    MR series before others; those that it refers to before those in its frame of reference, and these before those in
    a frame that a registration leads to. In another frame that nothing leads to, even one that it refers to is none.
    """
    own = [each for each in inventory.series if each.patient == structures.patient]
    referenced = [each for each in own if each.first.series in structures.first.referenced]
    same = [each for each in own if set(each.frames) & set(structures.frames)]
    by_way = {each: _ways(inventory, structures.frames, each) for each in own if each not in same}
    candidates = [
        [
            Pair(each, structures, BY_REFERENCE, by_way.get(each, ()))
            for each in referenced
            if each in same or by_way.get(each) or not (each.frames and structures.frames)
        ],
        [Pair(each, structures, BY_FRAME) for each in same],
        [Pair(each, structures, BY_REGISTRATION, ways) for each, ways in by_way.items() if ways],
    ]
    for only_mr in (True, False):
        for found in candidates:
            if taken := [pair for pair in found if (pair.series.modality == MR) or not only_mr]:
                return taken
    return []


def _ways(inventory: Inventory, frames: Iterable[str], series: Item) -> tuple[Item, ...]:
    """Registrations that name a frame of the structure set and one of the series."""
    return tuple(
        each for each in inventory.registrations
        if each.patient == series.patient and set(each.frames) & set(frames) and set(each.frames) & set(series.frames)
    )  # fmt: skip


def choose(inventory: Inventory, series: str | None = None, structures: str | None = None) -> Chosen:
    """The one series and structure set that are meant.

    Args:
        inventory: of the folder.
        series, structures: numbers of the list, where there are several.

    Raises:
        InputError: nothing that belongs together, several ways without a choice, or a registration that is not applied.
    """
    name = f"The folder {shown_path(inventory.folder)}"
    wanted = _numbered(name, inventory.series, series, "series")
    sets = _numbered(name, inventory.structure_sets, structures, "structure set")
    if not inventory.structure_sets:
        count = f"{len(inventory.series)} image series" if inventory.series else "no image series"
        what = f"{name} holds {count} and no structure set (RTSTRUCT, SEG)"
        raise InputError(what, Cure("name a segmentation after it"))
    if not inventory.series:
        raise InputError(f"{name} holds structure sets, but no image series; give the folder with the images, too.")
    found: list[Pair] = []
    for each in sets:
        pairs = pairs_of(inventory, each)
        own = [pair for pair in pairs if pair.series in wanted]
        if series is not None and not own:
            own = _asked_for(inventory, each, wanted[0])
        found += own
    if not found:
        raise InputError(
            f"{name}: {_listed(sets)} {'go' if len(sets) > 1 else 'goes'} with none of {_listed(wanted)}: they are of "
            "other patients or in other frames of reference, and no registration (REG) leads from one to the other."
        )
    several = {pair.structures.number for pair in found}
    if len(several) > 1:
        raise InputError(
            f"{name} holds several structure sets: "
            + "; ".join(f"{told(p.structures)} of patient {p.structures.patient} with {told(p.series)}" for p in found),
            Cure("choose one", STRUCTURES),
        )
    if len(found) > 1:
        raise InputError(
            f"{name}: {told(found[0].structures)} goes with {_listed(pair.series for pair in found)} ({found[0].how})",
            Cure("choose one", SERIES),
        )
    return _usable(found[0])


def refusals_of(pairs: Iterable[Pair], alone: Iterable[Item] = ()) -> list[str]:
    """Why pairs, and series without a structure set, cannot be explained: what :func:`choose` and the reading of the
    series would say, each once; voxels are not looked at."""
    series: dict[Item, None] = dict.fromkeys(alone)
    told: dict[str, None] = {}
    for pair in pairs:
        try:
            _usable(pair)
        except InputError as error:
            told.setdefault(str(error))
        else:
            series.setdefault(pair.series)
    why = refusals((each.folder, each.first.series) for each in series)
    return [*told, *(f"Series {each.number}: {text}" for each, text in zip(series, why, strict=True) if text)]


def _usable(pair: Pair) -> Chosen:
    """A pair with its registration, where its files can be found again.

    Raises:
        InputError: as :func:`choose`.
    """
    taken = _with_matrix(pair)
    folders = {each.path.parent for each in taken.pair.series.instances}
    if len(folders) > 1 and taken.folder in folders:  # below a folder of slices no other is looked into
        raise InputError(
            f"{capital(told(taken.pair.series))} lies partly in {shown_path(taken.folder)} and partly in folders below "
            "it; put its files into one folder."
        )
    return taken


def _asked_for(inventory: Inventory, structures: Item, series: Item) -> list[Pair]:
    """A pair that the person named, which is not the likeliest; in one frame, or through a registration."""
    if series.patient != structures.patient:
        return []
    if set(series.frames) & set(structures.frames):
        return [Pair(series, structures, BY_FRAME)]
    ways = _ways(inventory, structures.frames, series)
    return [Pair(series, structures, BY_REGISTRATION, ways)] if ways else []


def _with_matrix(pair: Pair) -> Chosen:
    """The pair with the matrix of its registration, where the frames of reference are two.

    Raises:
        InputError: the registrations differ, or none of them can be applied.
    """
    if set(pair.series.frames) & set(pair.structures.frames) or not pair.registrations:
        return Chosen(pair, None)
    found: list[tuple[Item, np.ndarray]] = []
    for each in pair.registrations:
        for source in pair.structures.frames:
            for target in pair.series.frames:
                matrix = read_registration(each.first.path, source, target)
                if matrix is not None:
                    found.append((each, matrix))
    if not found:
        raise InputError(
            f"{capital(told(pair.structures))} and {told(pair.series)} are in different frames of reference, and "
            "no registration (REG) leads from one to the other."
        )
    corners = np.stack(np.meshgrid(*[[-100.0, 100.0]] * 3), -1).reshape(-1, 3)
    placed = [corners @ matrix[:3, :3].T + matrix[:3, 3] for _, matrix in found]
    off = max(float(np.linalg.norm(each - placed[0], axis=1).max()) for each in placed)
    if off > APART_MM:
        raise InputError(
            f"{capital(_listed(each for each, _ in found))} differ by up to {off:.1f} mm; leave the right one in "
            "the folder, and take the others out."
        )
    return Chosen(replace(pair, registrations=(found[0][0],)), found[0][1])


def _numbered(name: str, items: tuple[Item, ...], number: str | None, what: str) -> tuple[Item, ...]:
    if number is None:
        return items
    found = tuple(each for each in items if str(each.number) == number.strip())
    if not found:
        raise InputError(f"{name} has no {what} {number!r}; it has {_listed(items) or 'none'}.")
    return found


def _listed(items: Iterable[Item]) -> str:
    return ", ".join(told(each) for each in items)
