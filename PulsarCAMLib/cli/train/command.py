"""``pulsarcam train``: a cohort table in, a documented model bundle out."""

from __future__ import annotations

import os
from pathlib import Path

from ..learning import NEEDS, checked_cohort, settings_of, system_of_options
from .run_folder import REPORT_SUFFIX, SUFFIX, RunFolder, Stages, check_places
from .stages import stages_of

FOR_REPORTS = ("matplotlib>=3.8",)


def run(options) -> None:
    """The command."""
    from ...core.requirements import require

    require((*NEEDS, *FOR_REPORTS) if options.protocols else NEEDS, extra="train")
    from ...training.engine import device_of
    from .run import TrainRun

    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    run_folder = output.with_name(output.name + SUFFIX)
    system = system_of_options(options)
    settings = settings_of(options)
    device_of(settings)  # lest a cohort be checked and cut for nothing
    report = output.with_name(output.name + REPORT_SUFFIX) if options.protocols else None
    check_places(output, run_folder, report, overwrite=options.overwrite, resume=options.resume)
    with RunFolder(run_folder) as kept, Stages(run_folder, stages_of(options), options.quiet) as stages:
        training = TrainRun(options, system, settings, options.name or _name_of(output), output, report, kept, stages)
        training.run(*checked_cohort(options, stages, settings.preprocessing, training.refuse))


def _name_of(output: Path) -> str:
    from ...io.names import file_name_of

    return file_name_of(output.name, "model").lower().lstrip("._-") or "model"
