"""Dose painting that ``pulsarcam explain --paint RULE`` adds: options, dose and organs, the painting itself.

It is a part of ``explain`` and no command on a folder of results: it needs the members' own maps and the stability of
the answers, which are in memory there and in no file, and so panel, console and command line call one function with
one and the same value.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ...core.settings import default_of, option_of
from ...painting.settings import LABEL, RULES, PaintingSettings
from ..options.places import InputPath
from ..options.setting_options import add_settings, settings_from
from .dosing import place_of

if TYPE_CHECKING:
    from ...core.case import Case, Image
    from ...core.lesion import Lesion
    from ...core.progress import OnProgress
    from ...explanation.result import CaseResult
    from ...painting.paint import Painting
    from .one_case import Job
    from .wanted import Wanted

WRITTEN = """\
  painting_<rule>_<levels>_research-only...   prescription in Gy (.nrrd), its spread over the members (_spread.nrrd),
                                              boost contours (_boost.seg.nrrd), table (.csv), rule and parameters
                                              (.json), picture (.png), Q-volume histogram (_qvh.csv) (--paint)
  dicom/painting_..._rtdose.dcm               the prescription as RTDOSE; its boosts are structures of
                                              dicom/structures.dcm (--paint with --dicom-out)
"""


@dataclass(frozen=True)
class Wish:
    """A painting that is wanted: settings, and files to be read."""

    settings: PaintingSettings
    dose: Path | None = None
    organs: Path | None = None


def add_painting(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group(f"dose painting ({LABEL})")
    text = "paint dose by this rule: linear or sigmoid (by numbers), or contours (a boost to the activated part)"
    add_settings(group, PaintingSettings, rule={"default": None, "help": f"{text} (none)"},
                 low_gy={"help": "dose in Gy where the map says nothing, of the whole course (none is usual)"},
                 high_gy={"help": "dose in Gy where it says most, or of the boost (none is usual)"})  # fmt: skip
    text = "segmentation or label volume of organs that get no boost (--paint-organ-mm: nor what is near)"
    group.add_argument("--paint-organs", type=InputPath, metavar="FILE", help=text)
    text = "planned dose (RTDOSE, or a volume in Gy) of the same course, to be set beside the prescription"
    group.add_argument("--paint-dose", type=InputPath, metavar="FILE", help=text)


def wish_of(options: argparse.Namespace) -> Wish | None:
    """What parsed options ask for; None: no painting.

    Raises:
        InputError: options of painting without a rule, or settings that do not go together.
    """
    if options.paint is None:
        known = [(option_of(each), default_of(each)) for each in fields(PaintingSettings)]
        typed = [about.flag for about, usual in known if about.flag != "--paint" and vars(options)[about.dest] != usual]
        typed += [f"--paint-{name}" for name in ("organs", "dose") if getattr(options, f"paint_{name}")]
        if typed:
            raise InputError(f"{typed[0]} is given, but no rule; add --paint with one of {', '.join(RULES)}.")
        return None
    files = [Path(path) if path else None for path in (options.paint_dose, options.paint_organs)]
    return Wish(settings_from(PaintingSettings, options), *files)


def read_beside(job: Job, case: Case) -> tuple[Image | None, tuple[Lesion, ...]]:
    """The dose and the organs of a painting, before anything takes long.

    Raises:
        InputError: one cannot be read or used.
        GeometryError: organs or dose and MRI are apart in space.
    """
    from ...core.case import Image
    from ...io.dose import read_dose_file
    from ...io.plain_files import is_same, shown_path
    from ...lesions.from_files import read_lesions

    if job.paint is None:
        return None, ()
    if job.paint.dose and is_same(job.paint.dose, job.volume):
        raise InputError(f"{shown_path(job.paint.dose)} is the MRI itself; give the dose with --paint-dose.")
    dose = None
    if job.paint.dose:
        from ...painting.paint import check_dose

        file = read_dose_file(job.paint.dose)
        dose = Image(file.dose, place_of(file, "The dose beside the prescription", job, case))
        check_dose(dose, case.geometry, case.lesions)
    if job.paint.organs is None:
        return dose, ()
    if job.segmentation and is_same(job.paint.organs, job.segmentation):
        raise InputError(
            f"{shown_path(job.paint.organs)} is the file of the lesions, which would get no boost; give one of the "
            "organs alone with --paint-organs."
        )
    organs, _ = read_lesions(job.paint.organs, case.geometry, "together")
    return dose, tuple(organs)


def paint_wanted(job: Job, wanted: Wanted, result: CaseResult, beside, on_progress: OnProgress) -> Painting | None:
    """The painting of the first map that has a class; None where none is asked for."""
    from ...painting.paint import paint

    if job.paint is None:
        return None
    shown, (dose, organs) = wanted.regions[0], beside
    targets = {each.target for each in wanted.regions if each.method == shown.method}
    target = result.task.explained if result.task.explained in targets else shown.target
    own = {"method": shown.method, "target": target, "threshold": shown.threshold}
    return paint(result, job.paint.settings, **own, dose=dose, organs=organs, progress=on_progress)


def said(painting: Painting) -> str:
    """What the console prints of it."""
    from ..console import table

    columns = {
        "lesion": "lesion",
        "boost_cm3": "boost cm3",
        "mean_gy": "mean Gy",
        "lowest_gy": "min",
        "highest_gy": "max",
    }
    columns |= {"mean_spread_gy": "+/-", "overlap": "overlap"}
    columns |= {"quality_factor": "quality factor"} if any("quality_factor" in row for row in painting.table) else {}
    rows = [{name: "-" if row.get(name) is None else row[name] for name in columns} for row in painting.table]
    return f"Dose painting, {painting.title}:\n{table(rows, columns)}"
