"""``pulsarcam dicom``: what a folder of DICOM files holds, and what belongs together; and such a folder as an input."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.inputs import MASK
from ...core.pluralize import pluralize
from ..options.places import InputPath
from .pacs import add_pacs

if TYPE_CHECKING:
    from ...io.dicom.folder import Inventory, Item
    from ...io.dicom.pairing import Chosen
    from ...systems.contract import System
    from ..explain.one_case import Job

EXAMPLES = """\
examples:
  pulsarcam dicom list export                   series, structure sets, doses and registrations, and what goes with what
  pulsarcam dicom list export --identities      with patients' names, for this terminal only
  pulsarcam explain export -o result --series 2 --structures 1

Folders in the folder are looked into; files that are no DICOM, are damaged or there twice are counted. Numbers are
those that "explain" asks for. Nothing is written.

"""
COLUMNS = {"patient": "patient", "object": "object", "frame": "frame", "with": "goes with"}
"""Of the list, with their headings."""

SHOWN = 5
"""So many names of files are told; of the others the number."""


def add_dicom(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parsers; arguments as :func:`~.cohort.add_cohort`."""
    group = command(
        commands, "dicom", "see what a folder of DICOM files holds; fetch from a PACS, send to it", EXAMPLES + epilog
    )
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = command(actions, "list", "list what a folder holds, and what belongs together", EXAMPLES + epilog)
    listing.add_argument("folder", type=InputPath, metavar="FOLDER", help="of any nesting, with anything in it")
    text = "show names, IDs, dates and descriptions of the headers, too, on the terminal"
    listing.add_argument("--identities", action="store_true", help=text)
    add_pacs(actions, command, epilog)


def run(options) -> None:
    """The command."""
    from . import pacs

    {"list": _list, "get": pacs.get, "send": pacs.send}[options.action](options)


def _list(options) -> None:
    """``dicom list``: print the table.

    Raises:
        InputError: no folder, or no DICOM in it.
    """
    from ...core.errors import InputError
    from ...io.dicom.folder import take_stock
    from ..console import table

    inventory = take_stock(options.folder)
    if not inventory.is_dicom:
        left = " ".join(left_out(inventory))
        raise InputError(f"{nothing_in(inventory)}. {left}".strip())
    own = {"identity": "name, ID, date, series"} if options.identities else {}
    print(table(rows_of(inventory), COLUMNS | own))
    for sentence in (*not_to_be_read(inventory), *mixed_names(inventory), *left_out(inventory)):
        print(sentence)


def nothing_in(inventory: Inventory) -> str:
    """What is said of a folder without DICOM; no full stop."""
    from ...io.plain_files import shown_path

    return f"The folder {shown_path(inventory.folder)} holds no DICOM series or object"


def rows_of(inventory: Inventory) -> list[dict[str, object]]:
    """The table: a row an object, without names but in the column that is shown only if asked for."""
    from ...io.dicom.pairing import pairs_of, told

    def row(item: Item, about: str, goes_with: str = "") -> dict[str, object]:
        letters = " ".join(inventory.letters[uid] for uid in item.frames) or "?"
        return {
            "patient": f"patient {item.patient}",
            "object": about,
            "frame": letters,
            "with": goes_with,
            "identity": item.first.identity,
        }

    rows = [(item, row(item, told(item))) for item in inventory.series]
    for item in inventory.structure_sets:
        pairs = pairs_of(inventory, item)
        named = " or ".join(f"series {pair.series.number}" for pair in pairs)
        rows.append((item, row(item, told(item), f"{named} ({pairs[0].how})" if pairs else "nothing here")))
    for item in inventory.doses:
        same = [s for s in inventory.series if s.patient == item.patient and set(s.frames) & set(item.frames)]
        named = " or ".join(f"series {each.number}" for each in same)
        about = f"dose {item.number} (RTDOSE, {pluralize(item.count, 'plane')})"
        rows.append((item, row(item, about, f"{named} (same frame of reference)" if named else "nothing here")))
    for item in inventory.registrations:
        letters = " and ".join(inventory.letters[uid] for uid in item.frames)
        rows.append((item, row(item, told(item), f"frames {letters}")))
    return [each for _, each in sorted(rows, key=lambda pair: pair[0].patient)]


def not_to_be_read(inventory: Inventory) -> Iterator[str]:
    """Why what goes together cannot be explained as it is; without structure sets, why MR series cannot be read."""
    from ...io.dicom.folder import MR
    from ...io.dicom.pairing import pairs_of, refusals_of

    pairs = [pair for item in inventory.structure_sets for pair in pairs_of(inventory, item)]
    alone = () if pairs else (item for item in inventory.series if item.modality == MR)
    for sentence in refusals_of(pairs, alone):
        yield f"Cannot be explained as it is: {sentence}"


def mixed_names(inventory: Inventory) -> Iterator[str]:
    """Patients under several names, without these."""
    for patient, count in inventory.renamed.items():
        yield (
            f"The files of patient {patient} bear {count} different names and one ID; are they one patient? "
            "--identities shows the first of each series."
        )


def left_out(inventory: Inventory, *, named: bool = True) -> Iterator[str]:
    """What of the files is none of it, one sentence each.

    Args:
        inventory: of a folder.
        named: also which files; a file's name may be a patient's, so they are named where they were asked for.
    """
    if inventory.others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(inventory.others.items()))
        yield f"Not used: {kinds}."
    if inventory.no_dicom:
        yield f"No DICOM: {_some(inventory.no_dicom, named)}."
    if inventory.directories:
        yield f"Passed over: {inventory.directories} DICOMDIR."
    if inventory.copies:
        yield f"There more than once: {pluralize(inventory.copies, 'file')} with an instance that another holds, too."
    if inventory.damaged:
        each = [f"{name} ({why})" for name, why in inventory.damaged.items()]
        yield f"Damaged: {_some(each, named)}."


def _some(names, named: bool) -> str:
    if not named:
        return f"{pluralize(len(names), 'file')} (pulsarcam dicom list names them)"
    shown = ", ".join(names[:SHOWN])
    return f"{pluralize(len(names), 'file')} ({shown}{', ...' if len(names) > SHOWN else ''})"


def from_folder(job: Job, system: System, say: Callable[[str], None], inventory: Inventory | None = None) -> Job:
    """A job that names a folder and no lesions, with the series and the structure set of that folder.

    Args:
        job: as it was asked for.
        system: of the model; where it needs no lesions, the job is what it was.
        say: told what is taken, and which structures are left out.
        inventory: of the folder, where it is known.

    Raises:
        InputError: the folder holds DICOM, but not one series with one structure set.
    """
    mask = system.role(MASK)
    if job.segmentation is not None or mask is None or not mask.needed:
        return _alone(job)
    from ...io.plain_files import is_folder

    if not is_folder(job.volume):
        return _alone(job)
    from ...core.errors import InputError
    from ...io.dicom.folder import take_stock
    from ...io.dicom.pairing import choose
    from ..explain.dosing import with_dose

    inventory = inventory or take_stock(job.volume)
    if not inventory.is_dicom:
        raise InputError(f"{nothing_in(inventory)}; give the folder with the images, or name an image file.")
    chosen = choose(inventory, job.series, job.structures)
    say(f"Taken: {chosen.told}")
    for sentence in left_out(inventory, named=False):
        say(sentence)
    _say_structures(chosen.pair.structures.first.path, job, say)
    return with_dose(of_chosen(job, chosen), inventory, chosen, say)


def of_chosen(job: Job, chosen: Chosen) -> Job:
    """The job with the series and the structure set that were chosen."""
    from ..explain.inputs import DicomFrames

    return replace(
        job,
        volume=chosen.folder,
        segmentation=chosen.pair.structures.first.path,
        series=chosen.pair.series.first.series,
        frames=DicomFrames(
            chosen.matrix,
            tuple(each.first.path for each in chosen.pair.registrations),
            chosen.doubts,
            chosen.pair.structures.frames,
        ),
    )


def _alone(job: Job) -> Job:
    """The job, whose files are as they are named.

    Raises:
        InputError: a structure set is chosen where there is no list of them.
    """
    if job.structures is None:
        return job
    from ...core.errors import InputError

    raise InputError("--structures chooses among the structure sets of a DICOM folder; leave it out.")


def _say_structures(path: Path, job: Job, say: Callable[[str], None]) -> None:
    """Names of the structures that are left out: here, and not in the results."""
    from ...io.dicom import modality
    from ...io.dicom.structures import read_structures
    from ...lesions.doubts import quoted
    from ...lesions.from_structures import chosen

    if modality(path) != "RTSTRUCT":
        return
    _, others = chosen("The structure set", read_structures(path).structures, job.segments)
    if others:
        say(f"Left out of the structure set: {quoted(each.name for each in others)}.")
