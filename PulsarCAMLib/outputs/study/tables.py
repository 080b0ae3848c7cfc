"""A study's figures as CSV: every number with all its digits, no name of anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...cohort.study_lesions import NO_ROW
from ...io.csv_files import csv_text
from ...study.figures.model_results import fusion_records
from ...study.run import Study

TABLE_1 = (
    "protocol", "model", "time_point", "metric", "mean", "sd", "defined", "trials", "control_mean", "control_sd",
    "control_defined", "control_trials", "pooled", "pooled_low", "pooled_high", "lesions", "patients", "prevalence",
    "not_answered", "judged_on",
)  # fmt: skip

PREDICTIONS = (
    "model", "protocol", "control", "trial", "time_point", "lesion", "patient", "row", "label", "probability",
    "threshold",
)  # fmt: skip

DIFFERENCES = (
    "protocol", "time_point", "first", "second", "metric", "kind", "difference", "sd", "trials", "low", "high",
    "p_value", "lesions", "patients", "reason",
)  # fmt: skip


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Text of a file; None is an empty cell."""
    return csv_text(headings, rows)


def table_1(summary: dict[str, Any]) -> str:
    """Every metric of every entry of the table; again on the lesions that the models share, where they differ."""
    kinds = (("own lesions", summary["table"]), ("shared lesions", summary["shared"]))
    return as_csv(TABLE_1, (row for words, table in kinds for entry in table for row in _metric_rows(entry, words)))


def _metric_rows(entry: dict[str, Any], judged_on: str) -> Iterable[tuple]:
    own = tuple(entry[name] for name in ("protocol", "model", "time_point"))
    counts = (entry["lesions"], entry["patients"], entry["prevalence"], entry["not_answered"]["answers"])
    for name in entry["metrics"]:
        mine, control = entry["metrics"][name], entry["control"]["metrics"][name]
        pooled = entry["pooled"]["values"][name] if entry["pooled"] else {}
        yield (
            *own,
            name,
            *(mine[key] for key in ("mean", "sd", "defined", "trials")),
            *(control[key] for key in ("mean", "sd", "defined", "trials")),
            *(pooled.get(key) for key in ("value", "low", "high")),
            *counts,
            judged_on,
        )


def predictions(study: Study) -> str:
    """Every answer of every trial and control, the late fusion's too; an answer that is missing is an empty cell."""
    task = study.lesions.task
    if task.binary:
        return as_csv(PREDICTIONS, _answers(study))
    at = PREDICTIONS.index("probability")
    of_classes = (task.probability_column(name) for name in task.names)
    return as_csv((*PREDICTIONS[:at], *of_classes, *PREDICTIONS[at + 1 :]), _answers(study))


def _answers(study: Study) -> Iterable[tuple]:
    lesions = study.lesions
    for record in (*study.records, *fusion_records(study)):
        head = (record.model, record.protocol, int(record.control), record.number + 1)
        for answers in record.answers:
            rows = lesions.rows[answers.time_point]
            for lesion, p in zip(answers.lesions.tolist(), answers.probabilities.tolist(), strict=True):
                row = int(rows[lesion])
                who = (lesion, int(lesions.patients[lesion]), "" if row == NO_ROW else row)
                told = ["" if value != value else value for value in (p if isinstance(p, list) else [p])]
                yield (*head, answers.time_point, *who, int(record.labels[lesion]), *told, record.threshold)


def differences(summary: dict[str, Any]) -> str:
    """Paired differences by trial (corrected interval) and of the pool (bootstrap over patients)."""
    return as_csv(DIFFERENCES, (row for pair in summary["differences"] for row in _pair_rows(pair)))


def _pair_rows(pair: dict[str, Any]) -> Iterable[tuple]:
    own = tuple(pair[name] for name in ("protocol", "time_point", "first", "second"))
    keys = ("mean", "sd", "trials", "low", "high", "p_value")
    for name, found in pair["metrics"].items():
        yield (*own, name, "by trial", *(found[key] for key in keys), "", "", found["reason"])
    pooled = pair["pooled_auc"]
    found = pooled["difference"]
    counts = (pooled["lesions"], pooled["patients"])
    values = (found["value"], "", "", found["low"], found["high"], pooled["p_value"])
    yield (*own, "auc", "pooled", *values, *counts, found["reason"])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines for a console, columns under each other.

    Examples:
        >>> aligned([("map", "AUC"), ("Grad-CAM", "0.9")])
        ['map       AUC', 'Grad-CAM  0.9']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
