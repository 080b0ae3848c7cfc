"""A study's figures as plain lines: what the command line prints."""

from __future__ import annotations

from typing import Any

from ...core.task import PATIENT, Task
from ...core.vocabulary import TIME_POINTS
from ...evaluation.resampling import TOO_FEW
from ...study.figures.entries import entry_of, on_mri, percent, system_in, task_of
from ...study.figures.narrative import counted_heading
from . import ablation, input_controls, shortcuts, volume_change
from .tables import aligned


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The answer in words, then the paper's Table 1 for every protocol: models side by side, each with its control."""
    words = summary["sentences"]
    lines = [*_warning(summary), *words["plain"], *words["state"], *words["headline"]]
    lines += words["left_out"]
    for protocol in summary["protocols"]:
        for point in TIME_POINTS:
            lines += _table(summary, protocol, point)
            lines += _table(summary, protocol, point, "shared")
    lines += ["", *words["small"]] if words["small"] else []
    lines += [*input_controls.lines(summary), *ablation.lines(summary), *shortcuts.lines(summary)]
    return [*lines, *volume_change.lines(summary), "", *words["columns"], *words["why_flattering"]]


def _warning(summary: dict[str, Any]) -> list[str]:
    kind = f"SYNTHETIC {task_of(summary).unit}s"
    return [f"{kind}: these figures say nothing about patients."] if summary["synthetic"] else []


def _table(summary: dict[str, Any], protocol: dict[str, Any], point: str, table: str = "table") -> list[str]:
    names = [model["name"] for model in summary["models"] if "[" not in model["name"]]
    entries = [entry for name in names if (entry := entry_of(summary, protocol["name"], name, point, table))]
    if not entries:
        return []
    first, task = entries[0], task_of(summary)
    head = f"{protocol['title']}{on_mri(point, system_in(summary))}: "
    head += f"{first['trials']} trials, {first['control']['trials']} controls"
    head += f", on the {task.unit}s that all models answered for" if table == "shared" else ""
    rows = [["", *(entry["model"] for entry in entries)]]
    rows += [[counted_heading(task), *(_counted(entry, task) for entry in entries)]]
    rows += [[task.of(task.positive).adjective, *(_responding(entry) for entry in entries)]]
    for name in summary["table_1"]:
        rows.append([summary["metrics"][name], *(_by_trial(entry, name) for entry in entries)])
    auc = summary["metrics"]["auc"]
    if any(entry["by_split"] for entry in entries):
        rows.append([f"{auc}, mean (95 %)", *(_interval(entry["by_split"]) for entry in entries)])
    rows.append([f"{auc} of controls", *(_control(entry) for entry in entries)])
    rows.append([f"{auc}, pooled (95 %)", *(_interval(entry["chance"]) for entry in entries)])
    return ["", head, *aligned(rows)]


def _counted(entry: dict[str, Any], task: Task) -> str:
    return f"{entry['lesions']} of {entry['patients']}" if task.unit != PATIENT else str(entry["patients"])


def _responding(entry: dict[str, Any]) -> str:
    return "-" if entry["prevalence"] is None else f"{entry['responses']} ({percent(entry['prevalence'])})"


def _by_trial(entry: dict[str, Any], name: str) -> str:
    if entry["by_trial_means_little"]:
        value = entry["pooled"]["values"][name]["value"] if entry["pooled"] else None
        return "-" if value is None else f"{value:.3f} (pooled)"
    return _spread(entry["metrics"][name])


def _control(entry: dict[str, Any]) -> str:
    control = entry["control"]
    if not entry["by_trial_means_little"]:
        return _spread(control["metrics"]["auc"])
    value = control["pooled"]["values"]["auc"]["value"] if control["pooled"] else None
    return "-" if value is None else f"{value:.3f} (pooled)"


def _interval(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    reach = TOO_FEW if found["low"] is None else f"{found['low']:.3f}-{found['high']:.3f}"
    return f"{found['auc']:.3f} ({reach})"


def _spread(value: dict[str, Any]) -> str:
    if value["mean"] is None:
        return "-"
    partly = "" if value["defined"] == value["trials"] else f" ({value['defined']} of {value['trials']})"
    return f"{value['mean']:.3f}" + ("" if value["sd"] is None else f" ± {value['sd']:.3f}") + partly
