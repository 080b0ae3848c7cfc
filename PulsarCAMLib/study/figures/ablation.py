"""What every input is worth: networks of some inputs beside the network of all, on the same splits and samples.

One table, best first, with intervals by patient, the control of each and its paired difference from the network of all
inputs; and what that says, in sentences.
"""

from __future__ import annotations

from typing import Any

from ...core.task import PATIENT, Task
from ...core.vocabulary import LEAVE_ONE_OUT, TIME_POINTS
from ...evaluation.metrics import metric_title, shown_first
from ..settings import StudySettings
from .entries import figure

AS_WELL = 0.02
"""A subset whose figure is no more than this below that of all inputs, and within the interval, does as well."""

WIDE = 0.1
"""An interval that reaches further than this towards "worse" leaves the question open, and the sentence says so."""


def ablation_of(summary: dict[str, Any], settings: StudySettings, task: Task) -> list[dict[str, Any]]:
    """Tables of the subsets, one for each protocol and MRI in which one has finished trials; [] where there is none.

    Args:
        summary: with ``table``, ``models`` and ``differences``.
        settings: of the study.
        task: of the study.

    Returns:
        JSON values: ``protocol``, ``time_point``, ``metric``, ``metric_title``, ``rows`` (best first) and
        ``sentences``.
    """
    subsets, found = settings.subsets, []
    if not subsets:
        return []
    metric = shown_first(task)[0]
    for protocol in settings.protocols:
        for point in TIME_POINTS:
            rows = [
                _row(entry, summary, metric, settings.network)
                for entry in summary["table"]
                if (entry["protocol"], entry["time_point"]) == (protocol, point)
                and entry["model"] in settings.networks
                and entry["trials"]
            ]
            if any(row["model"] in subsets for row in rows):
                rows.sort(key=lambda row: -(row["value"] if row["value"] is not None else -1.0))
                told = {"protocol": protocol, "time_point": point, "metric": metric}
                told |= {"metric_title": metric_title(metric, task), "rows": rows}
                found.append(told | {"sentences": _sentences(rows, settings.network, told["metric_title"], task)})
    return found


def _row(entry: dict[str, Any], summary: dict[str, Any], metric: str, full: str) -> dict[str, Any]:
    (model,) = (each for each in summary["models"] if each["name"] == entry["model"])
    pooled = entry["pooled"]["values"][metric] if entry["pooled"] else dict.fromkeys(("value", "low", "high"))
    spread, control = entry["metrics"][metric], entry["control"]
    alone = entry["protocol"] == LEAVE_ONE_OUT
    by_control = control["pooled"]["values"][metric]["value"] if control["pooled"] else None
    return {
        "model": entry["model"],
        "title": model["title"],
        "value": pooled["value"] if alone else spread["mean"],
        "sd": None if alone else spread["sd"],
        "trials": entry["trials"],
        "units": entry["lesions"],
        "patients": entry["patients"],
        "pooled": {name: pooled[name] for name in ("value", "low", "high")},
        "control": by_control if alone else control["metrics"][metric]["mean"],
        "better_than_control": _better(entry["against_control"]),
        "against_all": None if entry["model"] == full else _against(entry, summary, metric, full),
    }


def _better(found: dict[str, Any]) -> bool | None:
    return None if found["differs"] is None else bool(found["differs"] and found["difference"] > 0)


def _against(entry: dict[str, Any], summary: dict[str, Any], metric: str, full: str) -> dict[str, Any] | None:
    """This subset minus all inputs: of the trials, or of the pooled AUC where every trial holds one patient only."""
    for pair in summary["differences"]:
        names = (pair["first"], pair["second"])
        same = (pair["protocol"], pair["time_point"]) == (entry["protocol"], entry["time_point"])
        if not same or set(names) != {entry["model"], full}:
            continue
        if entry["protocol"] == LEAVE_ONE_OUT:
            of, given = "auc", pair["pooled_auc"]["difference"]
            value, low, high = given["value"], given["low"], given["high"]
        else:
            of, given = metric, pair["metrics"][metric]
            value, low, high = given["mean"], given["low"], given["high"]
        if names[0] == full and value is not None:
            value, low, high = 0.0 - value, None if high is None else 0.0 - high, None if low is None else 0.0 - low
        return {"metric": of, "value": value, "low": low, "high": high, "reason": given.get("reason", "")}
    return None


def _sentences(rows: list[dict[str, Any]], full: str, metric: str, task: Task) -> list[str]:
    """What the table says: each subset against all inputs, the best one first; then which are no better than chance."""
    whole = next((row for row in rows if row["model"] == full), None)
    if whole is None or whole["value"] is None:
        return ["The network of all inputs has no finished trials yet, so no subset can be held against it."]
    who = f"{whole['patients']} patients"
    if task.unit != PATIENT:
        who = f"{whole['units']} {task.unit}s of {who}"
    found = [_verdict(row, whole, metric, who) for row in rows if row["against_all"] is not None]
    chance = [row["title"].partition(": ")[2] or "all inputs" for row in rows if row["better_than_control"] is False]
    if chance:
        found.append(f"No better than their controls with permuted labels: {'; '.join(chance)}.")
    return found


def _verdict(row: dict[str, Any], whole: dict[str, Any], metric: str, who: str) -> str:
    name, found = row["title"].partition(": ")[2], row["against_all"]
    low, high, value = found["low"], found["high"], found["value"]
    shown = f"{metric} {figure(row['value'])} against {figure(whole['value'])}"
    if value is None or low is None:
        return f"{name}: {shown}; there is no interval of the difference yet."
    if found["metric"] != "auc" or metric == "AUC":
        shown += f"; difference {value:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    else:
        shown += f"; difference of the pooled AUC {value:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    shown = shown.replace("-", "−")
    if high < 0:
        return f"{name} does worse than all inputs ({shown})."
    if low > 0:
        return f"{name} does better than all inputs ({shown})."
    if row["better_than_control"] is False and whole["better_than_control"] is False:
        return f"{name} cannot be told from all inputs, and neither is better than its control ({shown})."
    open_ = f" With {who} the difference may still be large." if low < -WIDE else ""
    if value >= -AS_WELL:
        return f"{name} does as well as all inputs ({shown}).{open_}"
    return f"{name} cannot be told from all inputs ({shown}).{open_}"
