"""``pulsarcam explain``: what the options ask, of one patient or of many, and what is told of one on the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..console import Progress, Timings, table, warn
from .one_case import Job, Known, explain, left_out_columns, summary_of
from .painting import said, wish_of


def run(options) -> None:
    """The command: one patient, or many."""
    _sum_on_one_core()
    from ..many.command import explain_many
    from ..many.source import is_many, stock_of
    from ..options.places import refuse_within_inputs

    job = job_of(options)
    refuse_within_inputs(options)
    inventory = stock_of(job)
    if is_many(job, inventory):
        explain_many(job, inventory, options)
        return
    if problem := only_for_many(options):
        from ...core.errors import InputError

        raise InputError(problem)
    timings, painted = Timings(), []
    with Progress(options.quiet) as progress:
        rows, result = explain(job, progress, timings, Known(inventory=inventory), painted.append)
    for sentence in result.verdict.warnings(result.warnings) if options.quiet else result.warnings:
        warn(sentence)
    for sentence in (text for each in painted for text in each.warnings):
        warn(f"Dose painting: {sentence}")
    if not options.quiet:
        print("\n".join([result.verdict.sentence, *(each.sentence for each in result.plain)]))
        print(table(rows, summary_of(result, rows) | left_out_columns(result)))
        for each in painted:
            print(said(each))
        print(f"Model: {result.card.origin}. Research use only, not for diagnosis or treatment decisions.")
        print(f"Results: {job.output}")
    if options.timings:
        timings.show()


def _sum_on_one_core() -> None:
    """NumPy's sums are too small to be shared out: its threads wait for each other longer than they work.

    Shared out, their last digits would depend on the number of cores, too. NumPy reads this once, when it is imported;
    what the user has set stays.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def only_for_many(options) -> str:
    """What is wrong where options for many patients were given for one; empty where none was."""
    given = [flag for flag in ("jobs", "scheduler", "pseudonyms") if getattr(options, flag) is not None]
    told = " and ".join(f"--{flag}" for flag in given)
    mean = "mean" if len(given) > 1 else "means"
    return f"{told} {mean} nothing for one patient; leave out {told}." if given else ""


def job_of(options) -> Job:
    """The job that the options mean."""
    return Job(
        volume=Path(options.volume),
        segmentation=Path(options.segmentation) if options.segmentation else None,
        output=Path(options.output),
        inputs={role: Path(path) for role, path in options.inputs.items()},
        transforms=tuple((name, Path(path)) for name, path in getattr(options, "transform", ())),
        aligned=getattr(options, "aligned", False),
        model=options.model,
        methods=tuple(options.method or ()),
        targets=(options.target,) if options.target else (),
        map_inputs=tuple(options.input or ()),
        normalisation=options.normalisation,
        threshold=options.threshold,
        margin_mm=options.margin_mm,
        parts=options.parts,
        labels=options.labels,
        segments=options.segments,
        chosen=options.chosen_of,
        series=options.series,
        structures=options.structures,
        compare=options.compare or bool(options.compare_with or options.compare_above),
        compare_with=tuple((name, Path(path)) for name, path in options.compare_with),
        compare_above=tuple(options.compare_above),
        paint=wish_of(options),
        sigma_mm=options.sigma_mm,
        shell_mm=options.shell_mm,
        report=options.report,
        scene=options.scene,
        dicom=options.dicom_out,
        pictures=options.pictures,
        overwrite=options.overwrite,
        threads=options.threads,
        stability=options.stability,
        error_rate=options.error_rate,
        tells_costs=not options.quiet,
        settings_of_maps=options,
        doses=tuple(Path(each) for each in options.dose),
        fractions=tuple(options.fractions),
    )
