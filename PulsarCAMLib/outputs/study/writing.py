"""The report of a study: a folder with the page and every figure as JSON and CSV, made without any training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluation.card_sections import rounded
from ...evaluation.curves import Curve
from ...io.result_folder import ResultFolder
from ...study.figures.model_results import model_results_of
from ...study.figures.summary import RESAMPLES, summarise
from ...study.run import Study
from ...study.splits import protocol_splits
from ...study.volumes import CHANGES
from . import ablation, gallery, input_controls, shortcuts, tables, volume_change
from .choices import model_choices
from .console import summary_lines
from .curves import HEADINGS, MemberCurve, ModelCurves, member_curves, model_curves, rows, training_curves
from .page import Contents, page_html

if TYPE_CHECKING:
    from ...training.trial import TrialResult

FORMAT, FORMAT_VERSION = "PulsarCAM study report", 1
PAGE, RESULTS = "index.html", "results.json"
DIGITS = 15
"""Of what trials tell; a training that came to NaN has no number to tell."""

Progress = Callable[[float, str], None]


def write_study_report(
    study: Study,
    folder: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    resamples: int = RESAMPLES,
    members: Sequence[TrialResult] = (),
    on_warning: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of a study, finished or not; the folder appears whole or not at all.

    It holds ``index.html``, ``results.json``, ``table1.csv``, ``predictions.csv``, ``differences.csv``, ``curves.csv``
    and ``result.json`` (the list of these); ``volume_change.csv`` where the study
    predicts that, ``input_controls.csv`` and ``ablation.csv`` where such models take part, and ``shortcuts.csv`` where
    it looks for these. All of it comes from the study's
    folder, and the same study gives the same files.

    Args:
        study: of :func:`~...study.run.open_study`.
        folder: of the report alone.
        overwrite: replace an earlier report.
        progress: called with the share done and a text.
        resamples: bootstrap samples.
        members: trained members of the bundle that the study belongs to, whose curves are shown, too.
        on_warning: is called with a sentence for everything that cannot be shown because the study's folder lacks it.

    Returns:
        The page.

    Raises:
        OutputError: the folder exists and may not be replaced, or cannot be written.
        InputError: the study's folder is damaged.
    """
    told = progress or (lambda *_: None)
    with ResultFolder(folder, overwrite) as kept:
        told(0.0, "measuring")
        contents = contents_of(study, resamples, lambda share, words: told(0.6 * share, words), members)
        for sentence in contents.gaps if on_warning else ():
            on_warning(sentence)
        files = {
            RESULTS: json.dumps(results_of(contents), indent=1, allow_nan=False) + "\n",
            "table1.csv": tables.table_1(contents.summary),
            "predictions.csv": tables.predictions(study),
            "differences.csv": tables.differences(contents.summary),
            "curves.csv": tables.as_csv(HEADINGS, rows(contents.curves, contents.training, contents.members)),
            PAGE: page_html(contents, lambda share, words: told(0.6 + 0.4 * share, words)),
        }
        if contents.summary.get("input_controls"):
            files["input_controls.csv"] = input_controls.table(contents.summary)
        if contents.summary.get("ablation"):
            files["ablation.csv"] = ablation.table(contents.summary)
        if contents.summary.get("volume_change"):
            files[CHANGES] = volume_change.table(contents.summary)
        if contents.summary.get("shortcuts"):
            files[shortcuts.SHORTCUTS] = shortcuts.table(contents.summary)
        for name, content in files.items():
            (kept.made / name).write_text(content, encoding="utf-8", newline="\n")
        kept.write_marker({"what": FORMAT})
    told(1.0, "done")
    return Path(folder) / PAGE


def contents_of(
    study: Study, resamples: int = RESAMPLES, progress: Progress | None = None, members: Sequence[TrialResult] = ()
) -> Contents:
    """Everything that the report shows."""
    told = progress or (lambda *_: None)
    summary = summarise(study, resamples)
    told(0.5, "reading trainings")
    patients = study.lesions.patients
    curves = [model_curves(results, patients) for results in model_results_of(study)]
    training = training_curves(study)
    told(0.8, f"explaining {study.lesions.task.unit}s")
    explained = [found for shown in gallery.chosen(study) if (found := gallery.explain(study, shown))]
    more = (model_choices(study), _facts(study), member_curves(members), gallery.gaps(study))
    return Contents(study, summary, curves, training, explained, *more)


def results_of(found: Contents) -> dict[str, Any]:
    """The whole of ``results.json``."""
    study = found.study
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "summary": {"text": summary_lines(found.summary), **found.summary},
        "study": study.facts,
        "trials": _trials(study),
        "choices": found.choices,
        "curves": [_curve(each) for each in found.curves],
        "training": [
            {"model": c.model, "protocol": c.protocol, "control": c.control, "trainings": c.trials}
            | {"terms": {name: dict(zip(("mean", "low", "high"), map(_plain, v), strict=True)) for name, v in
                         c.terms.items()}}
            for c in found.training
        ],
        "members": [_member(each) for each in found.members],
        "gaps": found.gaps,
        "gallery": {"rule": gallery.rule(study.lesions.task),
                    "lesions": [each.shown.as_dict() for each in found.explained]},
    }  # fmt: skip


def _plain(values) -> list[float]:
    return values.tolist()


def _trials(study: Study) -> list[dict[str, Any]]:
    """Seed, threshold and details of every finished trial."""
    seeds = {}
    for protocol in study.settings.protocols:
        numbers = {"trials": study.settings.trials_of(protocol), "controls": study.settings.controls}
        own = {"folds": study.settings.folds, "seed": study.settings.seed}
        for split in protocol_splits(study.lesions, protocol, **numbers, **own):
            seeds[protocol, split.control, split.number] = split.seed
    return [
        {
            "model": record.model,
            "protocol": record.protocol,
            "control": record.control,
            "trial": record.number + 1,
            "seed": seeds[record.protocol, record.control, record.number],
            "trained_on": record.train.tolist(),
            "threshold": record.threshold,
            "threshold_from": record.threshold_from,
            "details": rounded(record.details, DIGITS),
        }
        for record in study.records
    ]


def _member(found: MemberCurve) -> dict[str, Any]:
    terms = {kind: getattr(found, kind) for kind in ("training", "validation")}
    return {"member": found.number, "best_epoch": found.best_epoch} | {
        kind: {name: rounded(values.tolist(), DIGITS) for name, values in each.items()} for kind, each in terms.items()
    }


def _curve(found: ModelCurves) -> dict[str, Any]:
    def points(curve: Curve) -> dict[str, Any]:
        return {"x": curve.x.tolist(), "y": curve.y.tolist(), "area": curve.area, "reason": curve.reason}

    return {
        "protocol": found.results.protocol,
        "model": found.results.model,
        "time_point": found.results.time_point,
        "roc": points(found.roc),
        "precision_recall": points(found.precision_recall),
        "calibration": [vars(each) for each in found.calibration],
        **({"calibration_by_class": _by_class(found)} if found.by_class else {}),
    }


def _by_class(found: ModelCurves) -> dict[str, list[dict[str, Any]]]:
    """Every class against all others, with 95 % intervals of the observed shares."""
    ends = ("observed_low", "observed_high")
    return {
        name: [vars(each) | dict(zip(ends, each.interval(), strict=True)) for each in points]
        for name, points in found.by_class.items()
    }


def _facts(study: Study) -> list[tuple[str, str]]:
    """Settings and origin, flat, for the page's last section."""
    facts = study.facts
    plain = {name: value for name, value in facts["settings"].items() if name not in ("training", "features", "tune")}
    found = [(name.replace("_", " "), _value(value)) for name, value in plain.items()]
    for part in ("tune", "training"):
        found += _flat(part, facts["settings"][part])
    features = facts["settings"]["features"]
    if features:
        found += _flat("features", features["table"]) + _flat("models on features", features["model"])
    for part in ("software", "machine", "sha256", "seconds"):
        found += _flat(part, facts.get(part, {}))
    return found


def _flat(head: str, part: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, value in part.items():
        words = f"{head}: {name.replace('_', ' ')}"
        found += _flat(words, value) if isinstance(value, dict) else [(words, _value(value))]
    return found


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
