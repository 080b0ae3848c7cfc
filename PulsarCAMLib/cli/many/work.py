"""One patient of many, in a process that has the model already: explained, kept from before, or told why not."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import InputError, OutputError, PulsarCAMError
from ...core.task import LESION
from ...io.apart import reading_apart
from .dose_told import LESIONS, dose_of

if TYPE_CHECKING:
    from ...core.case import Case
    from ...core.progress import OnProgress
    from ...io.dicom.identity import Identity
    from ...systems.bundles.bundle import ModelBundle
    from ...systems.bundles.card import ModelCard
    from ..explain.one_case import Job
    from .source import One

IDENTITY = "made_of"
"""Key of ``result.json``: hash of the files, the model and the options that a patient's folder was made of."""

BEGUN = ".begun"
"""Ending of the hidden file that says which patients are being worked on."""

SHORTEST_HIDDEN = 4
"""Letters of a name of a file or folder that is left out of sentences; shorter ones are words such as "MR"."""

CHANGED = "Its files or the options are not those of the result that is there; add --overwrite to replace it."
LEFT = "Its folder holds the result of an earlier run, of which nobody can say here whether it is the same patient's."

DECIDE = ("aligned", "pictures", "report", "scene", "dicom", "stability", "error_rate")
"""Fields of a job that decide what is written and stand in no record of the options."""


@dataclass(frozen=True)
class Outcome:
    """What became of a patient.

    Attributes:
        problem: why there is nothing, one sentence without names; empty where there is a result.
        rows: of the table of units, as they stand in the file, with what is told of the dose behind them.
        warnings: of the result.
        contrasts: of the dose in activated parts and rest, where there is one.
        kept: whether it was there from an earlier run.
        seconds: by step, where it was explained now.
    """

    problem: str = ""
    rows: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    contrasts: tuple[Mapping[str, object], ...] = ()
    kept: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)


def explain_one(one: One, folder: Path, model_sha256: str, overwrite: bool, apart: bool = False) -> Outcome:
    """Explain a patient into the folder's folder of that name, unless that is done.

    Args:
        one: the patient.
        folder: of all patients.
        model_sha256: of the bundle that the job names, as whoever asks has seen it.
        overwrite: replace a result that was made of other files or options.
        apart: read files in a process of its own.

    Raises:
        OutputError: the folder cannot be written, which the others would meet as well.
        DependencyError: a package is missing.
    """
    found = _explained_or_told(one, folder, model_sha256, overwrite, apart)
    if found.problem and found.problem != CHANGED and made_of(folder / one.folder):
        return replace(found, problem=f"{found.problem} {LEFT}")
    return found


def _explained_or_told(one: One, folder: Path, model_sha256: str, overwrite: bool, apart: bool) -> Outcome:
    if one.problem:
        return Outcome(_told(one, one.problem))
    mark = folder / f".{one.folder}{BEGUN}"
    try:
        mark.touch()
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another folder.") from error
    try:
        with reading_apart() if apart else nullcontext():
            return _explained(one, folder / one.folder, model_sha256, overwrite)
    except InputError as error:
        return Outcome(_told(one, error.told("column") if one.rows and error.cure else str(error)))
    except (PulsarCAMError, KeyboardInterrupt):
        raise
    except OSError as error:
        return Outcome(_told(one, f"A file cannot be read ({error.strerror or type(error).__name__}); see its folder."))
    except MemoryError:
        return Outcome("There is not enough memory for it; explain fewer side by side (--jobs), or crop the image.")
    except Exception as error:  # whatever a patient does to a library, the others must not suffer
        return Outcome(_told(one, f"An unexpected fault ({' '.join(f'{type(error).__name__}: {error}'.split())})."))
    finally:
        mark.unlink(missing_ok=True)


def _explained(one: One, place: Path, model_sha256: str, overwrite: bool) -> Outcome:
    from ...io.result_folder import ResultFolder
    from ..console import Progress, Timings
    from ..explain.one_case import Known, explain

    timings = Timings()
    with timings.step("loading the model, once a process"):
        bundle = _bundle(str(one.job.model), model_sha256)
    with timings.step("hashing the input"):
        hashes = hashes_of(one)
        identity = identity_of_result(one, hashes, bundle.card)
    found = made_of(place)
    if found == identity:
        return _read_back(place, kept=True)
    if found and not overwrite:
        raise InputError(CHANGED)
    try:
        ResultFolder(place, overwrite).check()
    except OutputError as error:  # of this patient alone
        raise InputError(
            "Its folder holds a damaged result, or files that PulsarCAM did not write; move it elsewhere and start "
            "again."
        ) from error
    if found and not _is_of_image(place, hashes):
        shutil.rmtree(place)  # perhaps another person's, which must not stay where this one fails
    job = replace(one.job, output=place, overwrite=overwrite)
    read = _read_rows(one) if one.rows else _read_files(one)
    known = Known(bundle, read, hashes, {IDENTITY: identity}, keep=lambda sentence: _told(one, sentence))
    explain(job, Progress(quiet=True), timings, known)
    return replace(_read_back(place), seconds=timings.seconds)


@lru_cache(maxsize=1)
def _bundle(model: str, sha256: str) -> ModelBundle:
    """Loaded once a process.

    Raises:
        OutputError: it is another one than the one that was asked about.
    """
    from ...systems.bundles.bundle import find_bundle

    bundle = find_bundle(model)
    if bundle.card.sha256 != sha256:
        raise OutputError(f"The model {bundle.card.name} was changed meanwhile; start again.")
    return bundle


def hashes_of(one: One) -> dict[str, str]:
    """SHA-256 of what is read, by what it is.

    Raises:
        InputError: a file cannot be read.
    """
    from ...io.hashing import sha256_of

    found = {}
    for name, paths in one.files:
        each = []
        for path in paths:
            try:
                each.append(sha256_of(path))
            except OSError as error:
                what = f"The file {_column_of(one, path) or f'of the {name}'} cannot be read"
                what = f"{what} ({error.strerror or type(error).__name__})"
                raise InputError(f"{what}; correct its name, or bring the file there.") from error
        found[f"{name}_sha256"] = (
            each[0] if len(each) == 1 else hashlib.sha256("".join(sorted(each)).encode()).hexdigest()
        )
    return found


def _column_of(one: One, path: Path) -> str:
    """Where a cohort table names a file, in words: its column and row; empty without a table."""
    from ...cohort.tables.columns import known_columns

    columns = [name for name, column in known_columns().items() if column.kind == "file"] if one.rows else []
    there = ((row.row, name) for row in one.rows for name in columns if row.value(name) == path)
    return next((f"in the column {name} (row {number})" for number, name in there), "")


def identity_of_result(one: One, hashes: Mapping[str, str], card: ModelCard) -> str:
    """Of everything that decides what is written."""
    from ... import __version__
    from ..explain.map_choices import choices_of
    from ..explain.one_case import options_in_words
    from ..explain.wanted import wanted_of

    job, wanted = one.job, wanted_of(one.job, card)
    choices = choices_of(job.settings_of_maps, card, wanted.methods)
    asked = options_in_words(job, replace(wanted, choices=choices))
    asked |= {name: getattr(job, name) for name in DECIDE}
    moved = job.frames.registration
    rows = [[row.lesion, row.segment, row.label_value, row.series] for row in one.rows]
    about = [__version__, card.sha256, asked, dict(hashes), rows, None if moved is None else moved.tolist()]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def made_of(place: Path) -> str | None:
    """What a patient's folder was made of; None where there is none, "" where it does not say."""
    from ...io.plain_files import read_json
    from ...io.result_folder import MARKER

    if not os.path.lexists(place):
        return None
    try:
        return str(read_json(place / MARKER)[IDENTITY])
    except (OSError, ValueError, KeyError, TypeError, PulsarCAMError):
        return ""


def _is_of_image(place: Path, hashes: Mapping[str, str]) -> bool:
    """Whether a result was made of the same first image, so that it is the same patient's; masks may be alike."""
    from ...io.plain_files import read_json
    from ...io.result_folder import MARKER

    try:
        first = next(iter(hashes))
        return read_json(place / MARKER)["input"][first] == hashes[first]
    except (OSError, ValueError, KeyError, TypeError, StopIteration, PulsarCAMError):
        return False


def _read_back(place: Path, kept: bool = False) -> Outcome:
    """What a finished folder says, which is the same for one from an earlier run.

    Raises:
        InputError: it is damaged.
    """
    from ...io.csv_files import read_csv, records_of
    from ...io.plain_files import read_json
    from ...io.result_folder import MARKER

    try:
        facts = read_json(place / MARKER)
        names = [name for name in ("lesions.csv", "patients.csv", "visits.csv") if name in facts["files"]]
        rows, contrasts = records_of(*read_csv(place / names[0])), []
        if LESIONS in facts["files"]:
            rows, contrasts = dose_of(place, rows)
        return Outcome("", tuple(rows), tuple(map(str, facts["warnings"])), tuple(contrasts), kept)
    except (OSError, ValueError, KeyError, IndexError, TypeError, csv.Error) as error:
        raise InputError("Its result is damaged; delete its folder and start again.") from error


def _read_files(one: One):
    """How the case of files that a folder holds is read."""

    def read(job: Job, card: ModelCard, on_progress: OnProgress) -> Case:
        from ..explain.inputs import read_case

        case = read_case(job, card, on_progress)
        return replace(case, warnings=(*case.warnings, *(_told(one, sentence) for sentence in one.notes)))

    return read


def _read_rows(one: One):
    """How the case of rows of a table is read."""

    def read(job: Job, card: ModelCard, on_progress: OnProgress) -> Case:
        from ...cohort.cases import case_of, reference_role
        from ...cohort.masks import lesion_of
        from ...io.dicom.identity import Identity
        from ..explain.inputs import named_without, somebody_of

        system, told = card.system, list(one.notes)
        on_progress(0, "Reading the images and lesions")
        somebody = Identity.named(one.rows[0].patient)
        if system.task.unit != LESION:
            return case_of(one.rows[0], system, {})
        lesions, case = [], case_of(one.rows[0], system, {}, with_lesions=False)
        somebody |= somebody_of(job.volume, case.images[reference_role(system).name])
        for row in one.rows:
            try:
                lesions.append(lesion_of(row, case.geometry, told))
            except InputError as error:
                if len(one.rows) == 1:
                    raise
                told.append(f"Row {row.row} of the table is left out: {error.told('column')}")
        if not lesions:
            raise InputError(" ".join(told))
        warnings = tuple(dict.fromkeys(_told(one, text, somebody) for text in told))
        return replace(case, lesions=named_without(somebody, lesions), warnings=warnings)

    return read


def _told(one: One, sentence: str, somebody: Identity | None = None) -> str:
    """A sentence without paths, names of files, and who it is; of what a file holds only names that a table has."""
    from ...io.dicom.identity import Identity, identity_of
    from ...outputs.pages.sections import warnings

    if somebody is None:
        somebody = identity_of(one.whose) if one.whose else Identity()
        somebody |= Identity.named(*(row.patient for row in one.rows))
    if one.rows:
        known = {name for row in one.rows for name in (row.lesion, row.segment)}
        sentence = re.sub(r"“([^”]*)”", lambda quoted: quoted[0] if quoted[1] in known else "“…”", sentence)
    private = [text for text in one.private if len(text) >= SHORTEST_HIDDEN]
    (told,) = warnings([sentence], private)
    return somebody.kept_out(told)
