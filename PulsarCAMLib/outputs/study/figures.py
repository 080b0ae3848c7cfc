"""The parts of the page that hold tables of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.pluralize import pluralize
from ...core.task import LESION, Task
from ...core.vocabulary import METRIC_TITLES, MRI_TITLES
from ...evaluation.metrics import metrics_of, shown_first
from ...evaluation.predictions import default_task
from ...study import paper
from ...study.narrative import HONEST, counted_heading, entry_of, percent, signed, task_of
from ..pages import markup
from ..pages.markup import number, text


class Notes:
    """What the cells of one table say of undefined figures, for beneath it: paper has no tool tips."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._partly = False

    def dash(self, reason: str) -> str:
        """A cell without a figure: a dash that points to its reason."""
        number = self._numbers.setdefault(reason or "it was not computed", len(self._numbers) + 1)
        return f'<span title="{text(reason)}">–<sup>{number}</sup></span>'

    def partly(self, defined: int, trials: int) -> str:
        """In how many trials a figure is defined, where not in all."""
        if defined == trials:
            return ""
        self._partly = True
        return f'<span class="of" title="{text(PARTLY)}">in {defined} of {trials}</span>'

    def html(self) -> str:
        """All of them; empty if there are none."""
        reasons = "; ".join(f"({number}) {reason}" for reason, number in self._numbers.items())
        told = [f"“in n of m”: {PARTLY}."] if self._partly else []
        told += [f"– not defined: {reasons}."] if reasons else []
        return f'<p class="sub notes">{text(" ".join(told))}</p>' if told else ""


PARTLY = "mean over the n trials of m in which the metric is defined"


def protocols(summary: dict[str, Any]) -> str:
    """Table 1 of all protocols side by side with their controls."""
    task = task_of(summary)
    first = shown_first(task)
    about = (
        f"Positive class: {task.positive}. Large: mean ± standard deviation over trials. Small, beneath: the control, "
        "trained and judged on permuted labels. Leave one patient out: pooled figures. Pool: every "
        f"{task.unit} once, with its mean probability over the trials that tested it, and a 95 % interval of a "
        "bootstrap over patients."
    )
    shared = scrolled(_grouped({**summary, "table": summary["shared"]}, first, "auc")) if summary["shared"] else ""
    more = scrolled(_grouped(summary, [name for name in metrics_of(task) if name not in first], "accuracy"))
    return markup.section(
        "Every protocol beside its control",
        f'<p class="sub">{text(about)}</p>',
        scrolled(_grouped(summary, first, "auc")),
        markup.paragraphs([*summary["sentences"]["columns"], *summary["sentences"]["left_out"]]),
        f"<h3>On the {task.unit}s that all models answered for</h3>{shared}" if shared else "",
        f'<details><summary>Further metrics</summary>{more}<p class="sub">{text(_further(task))}</p></details>',
    )


def _further(task: Task) -> str:
    if not task.binary:
        return "Macro: mean over the classes, each of which counts the same; AUC of each class against all others."
    return (
        "Brier score and expected calibration error: lower is better. The expected calibration error is above 0 even "
        f"for a perfectly calibrated model on few {task.unit}s; compare it between models only. Average precision of a "
        f"model without any signal equals the share of {task.positive}."
    )


def _grouped(summary: dict[str, Any], metrics: Sequence[str], pooled: str) -> str:
    """A table with a headed group for every protocol."""
    notes = Notes()
    titles = summary["metrics"]
    heads = ["Model", *(titles[name] for name in metrics), f"{titles[pooled]} of the pool"]
    lines = ["<thead><tr>" + "".join(f'<th scope="col">{text(h)}</th>' for h in heads) + "</tr></thead>"]
    for protocol in summary["protocols"]:
        entries = [entry for entry in summary["table"] if entry["protocol"] == protocol["name"]]
        if entries:
            lines.append(f'<tbody class="{"flatters" if protocol["flatters"] else "honest"}">')
            lines.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{len(heads)}">{_protocol(protocol)}</th></tr>'
            )
            lines += [_entry(summary, entry, metrics, pooled, notes) for entry in entries]
            lines.append("</tbody>")
    return f"<table>{chr(10).join(lines)}</table>{notes.html()}"


def _protocol(protocol: dict[str, Any]) -> str:
    flatters = " <em>Flatters: what is tested was, in part, learnt from.</em>" if protocol["flatters"] else ""
    return f'<span class="stuck">{text(protocol["title"])} <small>{text(protocol["about"])}.{flatters}</small></span>'


def _entry(summary: dict[str, Any], entry: dict[str, Any], metrics: Sequence[str], pooled: str, notes: Notes) -> str:
    models = {model["name"]: model["title"] for model in summary["models"]}
    name = f"{text(models[entry['model']])}<small>{_tested(entry, task_of(summary))}</small>"
    cells = [name, *(_metric(entry, metric, notes) for metric in metrics), _pool(entry, pooled, notes)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _tested(entry: dict[str, Any], task: Task) -> str:
    """What the figures of a row are of."""
    share = (
        "" if entry["prevalence"] is None else f" ({percent(entry['prevalence'])} {task.of(task.positive).adjective})"
    )
    lost, control = entry["not_answered"]["answers"], entry["control"]
    missing = f", {pluralize(lost, 'answer')} missing" if lost else ""
    trials = _of(entry["trials"], entry["trials_wanted"], "trial")
    controls = _of(control["trials"], control["trials_wanted"], "control")
    who = pluralize(entry["patients"], "patient")
    who = f"{pluralize(entry['lesions'], task.unit)} of {who}" if task.unit == LESION else who
    return f"{MRI_TITLES[entry['time_point']]}, {who}{share}{missing}; {trials}, {controls}"


def _metric(entry: dict[str, Any], name: str, notes: Notes) -> str:
    parts = (entry, entry["control"])
    if entry["by_trial_means_little"]:
        own, control = (_number(_pooled_value(part, name), notes) for part in parts)
    else:
        own, control = (spread(part["metrics"][name], notes) for part in parts)
    return f"{own}<small>{control}</small>"


def _pooled_value(part: dict[str, Any], name: str) -> dict[str, Any]:
    return part["pooled"]["values"][name] if part["pooled"] else {"value": None, "low": None, "reason": NO_ANSWER}


NO_ANSWER = "there is no trial with an answer"


def _pool(entry: dict[str, Any], name: str, notes: Notes) -> str:
    found = _pooled_value(entry, name)
    if found["low"] is None:
        return _number(found, notes)
    return f"{number(found['value'], 3)}<small>{number(found['low'], 3)} to {number(found['high'], 3)}</small>"


def _of(done: int, wanted: int, noun: str) -> str:
    count = str(done) if done == wanted else f"{done} of {wanted}"
    return f"{count} {noun}{'' if wanted == 1 else 's'}"


def beside_the_paper(summary: dict[str, Any]) -> str:
    """The paper's own Table 1, with this study's same protocol where there is one, and the caveats; "" for systems
    that are not the paper's.
    """
    task = task_of(summary)
    if task != default_task():
        return ""
    mine = [
        (model["title"], entry)
        for model in summary["models"]
        if (entry := entry_of(summary, "paper", model["name"], "second"))
    ]
    notes = Notes()
    heads = ["", *(f"paper: {name}" for name in paper.COLUMNS), *(f"here, (a): {title}" for title, _ in mine)]
    rows = [
        [
            text(METRIC_TITLES[name]),
            *(f"{mean:.3f} ± {sd:.3f}" for mean, sd in values),
            *(_beside(entry, name, notes) for _, entry in mine),
        ]
        for name, values in paper.TABLE.items()
    ]
    heading = f"{counted_heading(task).capitalize()}, {task.of(task.positive).adjective}"
    people = [heading, *("–" for _ in paper.COLUMNS), *(_people(e) for _, e in mine)]
    table = scrolled(markup.table(heads, [people, *rows]))
    about = f'<p class="sub">{text(paper.TITLE)}</p>'
    return markup.section("The paper's Table 1 beside it", about, table, notes.html(), markup.paragraphs(paper.CAVEATS))


def _beside(entry: dict[str, Any], name: str, notes: Notes) -> str:
    own, control = (spread(part["metrics"][name], notes) for part in (entry, entry["control"]))
    return f"{own}<small>control {control}</small>"


def _people(entry: dict[str, Any]) -> str:
    share = "–" if entry["prevalence"] is None else percent(entry["prevalence"])
    return f"{entry['lesions']} of {entry['patients']}, {share}"


def differences(summary: dict[str, Any]) -> str:
    """Pairs of models over the same splits; the first honest protocol is open, the others are folded."""
    pairs = summary["differences"]
    if not pairs:
        return ""
    about = (
        "Mean over the same trials, and its 95 % interval with the correction of Nadeau and Bengio (2003), which takes "
        "into account that repeated splits share training lesions; for the pooled AUC, 95 % of a paired bootstrap over "
        "patients. Bold: the interval leaves 0 out. Nothing is corrected for the number of comparisons."
    )
    there = [pair["protocol"] for pair in pairs]
    first = next((protocol for protocol in HONEST if protocol in there), there[0])
    mine, others = ([p for p in pairs if (p["protocol"] == first) == wanted] for wanted in (True, False))
    folded = f"<details><summary>Under the other protocols</summary>{_pairs(summary, others)}</details>"
    parts = [f'<p class="sub">{text(about)}</p>', _pairs(summary, mine), folded if others else ""]
    return markup.section("Models against each other", *parts)


def _pairs(summary: dict[str, Any], pairs: list[dict[str, Any]]) -> str:
    titles = {p["name"]: p["title"] for p in summary["protocols"]}
    models = {model["name"]: model["title"] for model in summary["models"]}
    rows, notes, first = [], Notes(), shown_first(task_of(summary))
    for pair in pairs:
        names = f"{text(models[pair['first']])} minus {text(models[pair['second']])}"
        where = f"<small>{text(titles[pair['protocol']])}, {text(MRI_TITLES[pair['time_point']])}</small>"
        by_trial = [_difference(pair["metrics"][name], notes) for name in first]
        rows.append([names + where, *by_trial, _difference(_pooled(pair["pooled_auc"]), notes)])
    heads = ["First minus second", *(summary["metrics"][n] for n in first), f"{summary['metrics']['auc']} of the pool"]
    return scrolled(markup.table(heads, rows)) + notes.html()


def _pooled(found: dict[str, Any]) -> dict[str, Any]:
    return {**found["difference"], "mean": found["difference"]["value"]}


def _difference(found: dict[str, Any], notes: Notes) -> str:
    if found["mean"] is None:
        return notes.dash(found["reason"])
    value = signed(found["mean"])
    if found["low"] is None:
        return value
    clear = not found["low"] <= 0 <= found["high"]
    value = f"<strong>{value}</strong>" if clear else value
    return f"{value}<small>{signed(found['low'])} to {signed(found['high'])}</small>"


def choices(summary: dict[str, Any], found: list[dict[str, Any]], most: int) -> str:
    """What trials chose: features, settings, thresholds."""
    models = {model["name"]: model["title"] for model in summary["models"]}
    titles = {p["name"]: p["title"] for p in summary["protocols"]}
    parts = []
    for each in found:
        if not each["features"] and len(each["settings"]) == 0:
            continue
        parts.append(f"<h3>{text(models[each['model']])}, {text(titles[each['protocol']])}</h3>")
        if each["settings"]:
            told = (f"{s['chosen']}: {s['times']} of {each['trials']} trials" for s in each["settings"][:5])
            parts.append(f"<p>Chosen settings: {text('; '.join(told))}.</p>")
        if each["features"]:
            rows = [
                [text(f["feature"]), f"{f['times']} of {f['trials']}", number(f["mean_weight"], 3)]
                for f in each["features"][:most]
            ]
            parts.append(scrolled(markup.table(["Feature", "Selected in trials", "Mean weight"], rows)))
            left = len(each["features"]) - most
            note = f" {left} more are in results.json." if left > 0 else ""
            parts.append(f'<p class="sub">{text("Weights: " + "; ".join(each["meaning"]) + "." + note)}</p>')
    return markup.section("What the trials chose", *parts) if parts else ""


def scrolled(table: str) -> str:
    """A table that may be wider than the page."""
    return f'<div class="scroll">{table}</div>'


def spread(value: Mapping[str, Any], notes: Notes) -> str:
    """ "0.812 ± 0.041", with the number of trials in which it is defined if not in all; or a dash with its reason."""
    if value["mean"] is None:
        return notes.dash(value["reason"])
    sd = "" if value["sd"] is None else f" ± {number(value['sd'], 3)}"
    return number(value["mean"], 3) + sd + notes.partly(value["defined"], value["trials"])


def _number(found: Mapping[str, Any], notes: Notes) -> str:
    return notes.dash(found["reason"]) if found["value"] is None else number(found["value"], 3)
