"""The parts of the page that hold tables of figures, as values for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.pluralize import pluralize
from ...core.task import PATIENT, Task
from ...core.vocabulary import METRIC_TITLES
from ...evaluation.metrics import metrics_of, shown_first
from ...evaluation.predictions import default_task
from ...study.figures import paper
from ...study.figures.entries import HONEST, entry_of, on_mri, percent, signed, system_in, task_of
from ...study.figures.narrative import counted_heading
from ...systems.contract import System
from ..pages.templating import number


@dataclass(frozen=True)
class Cell:
    """What a cell of a table shows.

    Attributes:
        value: its figure, or text.
        of: in how many trials the figure is defined, where not in all.
        note: number of the note that says why there is no figure; 0: there is one.
        why: the note, or what ``of`` means.
        strong: whether the figure stands out.
        before: text before it.
        below: smaller, beneath it.
    """

    value: str = ""
    of: str = ""
    note: int = 0
    why: str = ""
    strong: bool = False
    before: str = ""
    below: Cell | None = None


class Notes:
    """What the cells of one table say of undefined figures, for beneath it: paper has no tool tips."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._partly = False

    def dash(self, reason: str) -> Cell:
        """A cell without a figure: a dash that points to its reason."""
        number = self._numbers.setdefault(reason or "it was not computed", len(self._numbers) + 1)
        return Cell(note=number, why=reason)

    def partly(self, defined: int, trials: int) -> dict[str, str]:
        """In how many trials a figure is defined, where not in all."""
        if defined == trials:
            return {}
        self._partly = True
        return {"of": f"in {defined} of {trials}", "why": PARTLY}

    def told(self) -> str:
        """All of them; empty if there are none."""
        reasons = "; ".join(f"({number}) {reason}" for reason, number in self._numbers.items())
        told = [f"“in n of m”: {PARTLY}."] if self._partly else []
        told += [f"– not defined: {reasons}."] if reasons else []
        return " ".join(told)


PARTLY = "mean over the n trials of m in which the metric is defined"


def protocols(summary: dict[str, Any]) -> dict[str, Any]:
    """Table 1 of all protocols side by side with their controls."""
    task = task_of(summary)
    first = shown_first(task)
    about = (
        f"Positive class: {task.positive}. Large: mean ± standard deviation over trials. Small, beneath: the control, "
        "trained and judged on permuted labels. Leave one patient out: pooled figures. Pool: every "
        f"{task.unit} once, with its mean probability over the trials that tested it, and a 95 % interval of a "
        "bootstrap over patients."
    )
    more = [name for name in metrics_of(task) if name not in first]
    return {
        "about": about,
        "first": _grouped(summary, first, "auc"),
        "said": [each for name in ("columns", "left_out", "small") for each in summary["sentences"][name]],
        "shared": _grouped({**summary, "table": summary["shared"]}, first, "auc") if summary["shared"] else None,
        "more": _grouped(summary, more, "accuracy"),
        "further": _further(task),
    }


def _further(task: Task) -> str:
    if not task.binary:
        return (
            "Macro: mean over the classes, each of which counts the same; AUC of each class against all others. "
            "Expected calibration error: how far the probability of the called class is from how often it is right; "
            f"lower is better, and above 0 even for a perfectly calibrated model on few {task.unit}s."
        )
    return (
        "Brier score and expected calibration error: lower is better. The expected calibration error is above 0 even "
        f"for a perfectly calibrated model on few {task.unit}s; compare it between models only. Average precision of a "
        f"model without any signal equals the share of {task.positive}."
    )


def _grouped(summary: dict[str, Any], metrics: Sequence[str], pooled: str) -> dict[str, Any]:
    """A table with a headed group for every protocol."""
    notes, titles, groups = Notes(), summary["metrics"], []
    for protocol in summary["protocols"]:
        entries = [entry for entry in summary["table"] if entry["protocol"] == protocol["name"]]
        if entries:
            rows = [_entry(summary, entry, metrics, pooled, notes) for entry in entries]
            groups.append({name: protocol[name] for name in ("flatters", "title", "about")} | {"rows": rows})
    heads = ["Model", *(titles[name] for name in metrics), f"{titles[pooled]} of the pool"]
    return {"heads": heads, "groups": groups, "notes": notes.told()}


def _entry(
    summary: dict[str, Any], entry: dict[str, Any], metrics: Sequence[str], pooled: str, notes: Notes
) -> list[Cell]:
    models = {model["name"]: model["title"] for model in summary["models"]}
    name = Cell(models[entry["model"]], below=Cell(_tested(entry, system_in(summary))))
    return [name, *(_metric(entry, metric, notes) for metric in metrics), _pool(entry, pooled, notes)]


def _tested(entry: dict[str, Any], system: System) -> str:
    """What the figures of a row are of."""
    task = system.task
    share = (
        "" if entry["prevalence"] is None else f" ({percent(entry['prevalence'])} {task.of(task.positive).adjective})"
    )
    lost, control = entry["not_answered"]["answers"], entry["control"]
    missing = f", {pluralize(lost, 'answer')} missing" if lost else ""
    trials = _of(entry["trials"], entry["trials_wanted"], "trial")
    controls = _of(control["trials"], control["trials_wanted"], "control")
    who = pluralize(entry["patients"], "patient")
    who = f"{pluralize(entry['lesions'], task.unit)} of {who}" if task.unit != PATIENT else who
    mri = on_mri(entry["time_point"], system, "")
    return f"{f'{mri}, ' if mri else ''}{who}{share}{missing}; {trials}, {controls}"


def _metric(entry: dict[str, Any], name: str, notes: Notes) -> Cell:
    parts = (entry, entry["control"])
    if entry["by_trial_means_little"]:
        own, control = (_number(_pooled_value(part, name), notes) for part in parts)
    else:
        own, control = (spread(part["metrics"][name], notes) for part in parts)
    return replace(own, below=control)


def _pooled_value(part: dict[str, Any], name: str) -> dict[str, Any]:
    return part["pooled"]["values"][name] if part["pooled"] else {"value": None, "low": None, "reason": NO_ANSWER}


NO_ANSWER = "there is no trial with an answer"


def _pool(entry: dict[str, Any], name: str, notes: Notes) -> Cell:
    found = _pooled_value(entry, name)
    if found["low"] is None:
        return _number(found, notes)
    interval = Cell(f"{number(found['low'], 3)} to {number(found['high'], 3)}")
    return Cell(number(found["value"], 3), below=interval)


def _of(done: int, wanted: int, noun: str) -> str:
    count = str(done) if done == wanted else f"{done} of {wanted}"
    return f"{count} {noun}{'' if wanted == 1 else 's'}"


def beside_the_paper(summary: dict[str, Any]) -> dict[str, Any] | None:
    """The paper's own Table 1, with this study's same protocol where there is one, and the caveats; None for systems
    that are not the paper's.
    """
    task = task_of(summary)
    if task != default_task():
        return None
    mine = [
        (model["title"], entry)
        for model in summary["models"]
        if (entry := entry_of(summary, "paper", model["name"], "second"))
    ]
    notes = Notes()
    heads = ["", *(f"paper: {name}" for name in paper.COLUMNS), *(f"here, (a): {title}" for title, _ in mine)]
    rows = [
        [
            Cell(METRIC_TITLES[name]),
            *(Cell(f"{mean:.3f} ± {sd:.3f}") for mean, sd in values),
            *(_beside(entry, name, notes) for _, entry in mine),
        ]
        for name, values in paper.TABLE.items()
    ]
    heading = f"{counted_heading(task).capitalize()}, {task.of(task.positive).adjective}"
    people = [heading, *("–" for _ in paper.COLUMNS), *(_people(e) for _, e in mine)]
    return {
        "about": paper.TITLE,
        "table": {"heads": heads, "rows": [list(map(Cell, people)), *rows], "notes": notes.told()},
        "caveats": paper.CAVEATS,
    }


def _beside(entry: dict[str, Any], name: str, notes: Notes) -> Cell:
    own, control = (spread(part["metrics"][name], notes) for part in (entry, entry["control"]))
    return replace(own, below=replace(control, before="control "))


def _people(entry: dict[str, Any]) -> str:
    share = "–" if entry["prevalence"] is None else percent(entry["prevalence"])
    return f"{entry['lesions']} of {entry['patients']}, {share}"


def differences(summary: dict[str, Any]) -> dict[str, Any] | None:
    """Pairs of models over the same splits; the first honest protocol is open, the others are folded."""
    pairs = summary["differences"]
    if not pairs:
        return None
    about = (
        "Mean over the same trials, and its 95 % interval with the correction of Nadeau and Bengio (2003), which takes "
        f"into account that repeated splits share training {task_of(summary).unit}s; for the pooled AUC, 95 % of a "
        "paired bootstrap over patients. Bold: the interval leaves 0 out. Nothing is corrected for the number of "
        "comparisons."
    )
    there = [pair["protocol"] for pair in pairs]
    first = next((protocol for protocol in HONEST if protocol in there), there[0])
    mine, others = ([p for p in pairs if (p["protocol"] == first) == wanted] for wanted in (True, False))
    return {"about": about, "first": _pairs(summary, mine), "others": _pairs(summary, others) if others else None}


def _pairs(summary: dict[str, Any], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    titles = {p["name"]: p["title"] for p in summary["protocols"]}
    models = {model["name"]: model["title"] for model in summary["models"]}
    rows, notes, first = [], Notes(), shown_first(task_of(summary))
    for pair in pairs:
        where = Cell(f"{titles[pair['protocol']]}{on_mri(pair['time_point'], system_in(summary))}")
        names = Cell(f"{models[pair['first']]} minus {models[pair['second']]}", below=where)
        by_trial = [_difference(pair["metrics"][name], notes) for name in first]
        rows.append([names, *by_trial, _difference(_pooled(pair["pooled_auc"]), notes)])
    heads = ["First minus second", *(summary["metrics"][n] for n in first), f"{summary['metrics']['auc']} of the pool"]
    return {"heads": heads, "rows": rows, "notes": notes.told()}


def _pooled(found: dict[str, Any]) -> dict[str, Any]:
    return {**found["difference"], "mean": found["difference"]["value"]}


def _difference(found: dict[str, Any], notes: Notes) -> Cell:
    if found["mean"] is None:
        return notes.dash(found["reason"])
    value = signed(found["mean"])
    if found["low"] is None:
        return Cell(value)
    clear = not found["low"] <= 0 <= found["high"]
    return Cell(value, strong=clear, below=Cell(f"{signed(found['low'])} to {signed(found['high'])}"))


def choices(summary: dict[str, Any], found: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """What trials chose: features, settings, thresholds."""
    models = {model["name"]: model["title"] for model in summary["models"]}
    titles = {p["name"]: p["title"] for p in summary["protocols"]}
    parts = []
    for each in found:
        if not each["features"] and len(each["settings"]) == 0:
            continue
        told = (f"{s['chosen']}: {s['times']} of {each['trials']} trials" for s in each["settings"][:5])
        left = len(each["features"]) - most
        note = f" {left} more are in results.json." if left > 0 else ""
        parts.append(
            {
                "title": f"{models[each['model']]}, {titles[each['protocol']]}",
                "settings": "; ".join(told),
                "features": [
                    {"name": f["feature"], "times": f"{f['times']} of {f['trials']}", "weight": f["mean_weight"]}
                    for f in each["features"][:most]
                ],
                "weights": f"Weights: {'; '.join(each['meaning'])}.{note}" if each["features"] else "",
            }
        )
    return parts


def spread(value: Mapping[str, Any], notes: Notes) -> Cell:
    """ "0.812 ± 0.041", with the number of trials in which it is defined if not in all; or a dash with its reason."""
    if value["mean"] is None:
        return notes.dash(value["reason"])
    sd = "" if value["sd"] is None else f" ± {number(value['sd'], 3)}"
    return Cell(number(value["mean"], 3) + sd, **notes.partly(value["defined"], value["trials"]))


def _number(found: Mapping[str, Any], notes: Notes) -> Cell:
    return notes.dash(found["reason"]) if found["value"] is None else Cell(number(found["value"], 3))
