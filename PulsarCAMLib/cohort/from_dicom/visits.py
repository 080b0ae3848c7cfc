"""Which MRI of a patient is which: pairs of image series and structure set in the order of their dates.

Nothing is guessed in silence: every decision is told, and what could be meant in two ways is left out with the way to
say which.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ...core.vocabulary import BASELINE, FOLLOWUP, SECOND
from ...io.dicom.dates import date_of
from ...io.dicom.folder import Inventory, Item
from ...io.dicom.pairing import Chosen, Pair, choose, pairs_of, told
from ..importers.imported import ASSUMED, LEFT_OUT

if TYPE_CHECKING:
    from ...systems.contract import System

NOT_USED = "-"
"""Stands in a list of visits for one that is none of them."""

USUAL: dict[int, tuple[str, ...]] = {
    1: (BASELINE,),
    2: (BASELINE, FOLLOWUP),
    3: (BASELINE, SECOND, FOLLOWUP),
}
"""Number of a patient's MRIs with contours to what they are taken for, in the order of their dates."""

POINTS = (BASELINE, SECOND, FOLLOWUP, NOT_USED)

IN_WORDS = {FOLLOWUP: "follow-up"}
"""Time points as people write them, where the table's word is another."""

Tell = Callable[[str, str, str], None]
"""Is told a decision: its kind, what was decided, and what to do if that is wrong."""


@dataclass(frozen=True)
class Wanted:
    """What the person has said about a folder.

    Attributes:
        series, structures: numbers of the list that are meant, where a patient has several.
        visits: what MRIs with contours are, in the order of their dates; none: :data:`USUAL`.
        segments: structures that are lesions; None: those that say GTV.
        real_dates: keep dates as they are, instead of days from an invented day.
        system: whose table it is to be; None: the one that is asked for lesions.
        take: for another system, column to numbers of series or words of their descriptions.
    """

    series: Collection[str] = ()
    structures: Collection[str] = ()
    visits: Sequence[str] = ()
    segments: Sequence[str] | None = None
    real_dates: bool = False
    system: System | None = None
    take: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Visit:
    """An MRI with its contours.

    Attributes:
        point: time point.
        chosen: series and structure set.
        day: of the study; None: not said.
        doses: RTDOSE objects in the frame of reference of the series.
    """

    point: str
    chosen: Chosen
    day: date | None
    doses: tuple[Item, ...] = field(default=())

    @property
    def words(self) -> str:
        """The time point as people write it."""
        return IN_WORDS.get(self.point, self.point)


def visits_of(own: Inventory, wanted: Wanted, tell: Tell) -> list[Visit]:
    """Visits of one patient, in the order of their dates; none where the patient cannot be used.

    Args:
        own: what there is of the patient, see :meth:`PulsarCAMLib.io.dicom.folder.Inventory.of_patient`.
        wanted: what the person has said.
        tell: is told every decision.
    """
    chosen = [found for pair in _pairs(own, wanted, tell) if (found := chosen_of(own, pair, tell))]
    if not chosen:
        if not own.structure_sets:
            tell(LEFT_OUT, "There is no structure set (RTSTRUCT, SEG)", "add it to the folder")
        return []
    days = [date_of(each.pair.series.first.path) for each in chosen]
    if len(chosen) > 1 and (None in days or len(set(days)) < len(days)):
        listed = ", ".join(told(each.pair.series) for each in chosen)
        what = f"{listed} are of one day, or do not say theirs, so they have no order: the patient is left out"
        tell(LEFT_OUT, what, "name the series that are meant with --series")
        return []
    order = sorted(range(len(chosen)), key=lambda n: days[n] or date.min)
    points = tuple(wanted.visits) or USUAL.get(len(order), ())
    if not points:
        what = f"There are {len(order)} MRIs with contours, so it is not clear which are meant: the patient is left out"
        tell(LEFT_OUT, what, "say what they are in their order with --visits, as baseline,second,-,follow-up")
        return []
    found = []
    for n, at in enumerate(order):
        point, each = points[n] if n < len(points) else NOT_USED, chosen[at]
        if point == NOT_USED:
            tell(LEFT_OUT, f"{told(each.pair.series)}, the MRI number {n + 1} by date, is none of the visits that are "
                 "meant", "say otherwise with --visits")  # fmt: skip
            continue
        kind = "" if wanted.visits else " by its date"
        tell(
            ASSUMED,
            f"{IN_WORDS.get(point, point)}{kind}: {each.told.rstrip('.')}",
            "if that is wrong: --visits, --series, --structures",
        )
        found.append(Visit(point, each, days[at], _doses(own, each)))
    if found and found[0].point != BASELINE:
        tell(LEFT_OUT, "There is no baseline, so the patient is left out", "say otherwise with --visits")
        return []
    return found


def _pairs(own: Inventory, wanted: Wanted, tell: Tell) -> list[Pair]:
    """Pairs that are the only ones that could be meant."""
    sets = asked(own.structure_sets, wanted.structures)
    for each in own.structure_sets:
        if each not in sets:
            tell(LEFT_OUT, f"{told(each)} is not among those that were asked for", "add it to --structures")
    found: dict[int, list[Pair]] = {}
    for each in sets:
        pairs = pairs_of(own, each)
        named = [pair for pair in pairs if str(pair.series.number) in wanted.series]
        pairs = named or ([] if wanted.series and asked(own.series, wanted.series) != own.series else pairs)
        if len(pairs) == 1:
            found.setdefault(pairs[0].series.number, []).append(pairs[0])
        elif pairs:
            listed = ", ".join(told(pair.series) for pair in pairs)
            tell(LEFT_OUT, f"{told(each)} goes with {listed} ({pairs[0].how})", "name the series with --series")
        else:
            what = f"{told(each)} goes with no image series"
            tell(
                LEFT_OUT, f"{what} that was asked for" if wanted.series else what, "add the series, or its registration"
            )
    for number, pairs in list(found.items()):
        if len(pairs) > 1:
            listed = ", ".join(told(pair.structures) for pair in pairs)
            what = f"{told(pairs[0].series)} has several structure sets: {listed}"
            tell(LEFT_OUT, what, "name the one that is meant with --structures")
            del found[number]
    used = {pairs[0].series.number for pairs in found.values()}
    for series in own.series:
        if series.number not in used:
            tell(LEFT_OUT, f"{told(series)} is not used: no structure set is taken for it", "contour it if it is meant")
    return [pairs[0] for pairs in found.values()]


def asked(items: Sequence[Item], numbers: Collection[str]) -> tuple[Item, ...]:
    """Of one patient's items those that were asked for; all where none of the patient's was."""
    own = tuple(item for item in items if str(item.number) in numbers)
    return own or tuple(items)


def chosen_of(own: Inventory, pair: Pair, tell: Tell) -> Chosen | None:
    """With the registration's matrix, where there is one between them."""
    try:
        return choose(replace(own, series=(pair.series,), structure_sets=(pair.structures,)))
    except InputError as error:
        tell(LEFT_OUT, f"{told(pair.structures)}: {str(error).rstrip('.')}", "export it again, or leave it out")
        return None


def _doses(own: Inventory, chosen: Chosen) -> tuple[Item, ...]:
    return tuple(dose for dose in own.doses if set(dose.frames) & set(chosen.pair.series.frames))
