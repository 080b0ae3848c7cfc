"""What a study's figures say, in sentences with these figures in them."""

from __future__ import annotations

from typing import Any

from ...core.pluralize import pluralize
from ...core.task import LESION, PATIENT, Task
from ...core.vocabulary import LEAVE_ONE_OUT, PAPER, TIME_POINTS
from ...evaluation.resampling import TOO_FEW
from ...evaluation.small_samples import FEW, in_words
from ...systems.bundles.verdict import Verdict, evidence_of_entry, judge
from ...systems.contract import System
from ...systems.registry import DEFAULT, system_of
from ..exclusion import left_out_sentences
from ..input_controls.words import input_controls_section, not_needed
from ..models.baselines import not_beaten
from ..settings import baselines_of, network_name
from .card_section import entry_of_card
from .entries import HONEST, Entry, judged, main_entry, on_mri, signed, spread, system_in, task_of
from .flattering import why_flattering
from .shared_lesions import column_sentences

LEAVE_ONE_OUT_CAUTION = (
    "Leave one patient out pools answers of different models. Whoever {does} is missing from the training of exactly "
    "the model that is asked about them, which lowers that model's share of {positive}s a little: without any signal "
    "the pooled AUC therefore falls BELOW 0.5, and an AUC well below 0.5 here is no reversed signal. Splits by patient "
    "that keep the share of {positive}s suffer less."
)


def sentences(summary: dict[str, Any]) -> dict[str, list[str]]:
    """Sentences of a summary: ``plain`` (one a model, for whoever reads one only), ``headline``, ``why_flattering``,
    ``cautions``, ``state`` (what is unfinished), ``small`` (what few units are worth), ``columns`` (what of Table 1's
    columns compares) and ``left_out`` (who left before the splits).
    """
    system = system_in(summary)
    titles = {
        (p["name"], point): f"{p['title']}{on_mri(point, system)}"
        for p in summary["protocols"]
        for point in TIME_POINTS
    }
    return {
        "plain": [told.sentence for told in verdicts(summary)],
        "columns": [*column_sentences(summary["columns"], titles), summary["imbalance"]],
        "left_out": left_out_sentences(summary["left_out"], task_of(summary)),
        "headline": _headline(summary),
        "why_flattering": why_flattering(summary),
        "cautions": _cautions(summary),
        "state": _state(summary),
        "small": _small(summary),
    }


def verdicts(summary: dict[str, Any]) -> list[Verdict]:
    """Of every model that was asked about new patients, the network first; see method.md 5.1."""
    task, network, found = task_of(summary), network_name(summary.get("system", DEFAULT)), []
    for model in sorted(summary["models"], key=lambda each: each["name"] != network):
        entry = main_entry(summary, model["name"])
        if entry and "[" not in model["name"]:
            subject = "the network" if model["name"] == network else f"“{model['title']}”"
            evidence = evidence_of_entry(entry_of_card(entry), task)
            controls = input_controls_section(summary) if model["name"] == network else ()
            found.append(judge(evidence, summary["synthetic"], controls, subject))
    return found


def _headline(summary: dict[str, Any]) -> list[str]:
    found = _not_beaten(summary)
    for model in summary["models"]:
        entry = main_entry(summary, model["name"])
        if entry and "[" not in model["name"]:  # networks of some inputs have a section of their own
            found.append(f"{model['title']}: {verdict(entry, system_in(summary))}")
    found += [*_worth_of_inputs(summary), *not_needed(summary)]
    if found or not summary["table"]:
        return found or ["No trial is finished yet."]
    if task_of(summary).unit != LESION:
        return ["No trial by patient is finished, so this study says nothing yet about new patients."]
    return [
        "No trial by patient is finished, so this study says nothing yet about lesions of new patients: everything "
        "below was tested on lesions, or on patients, that were learnt from."
    ]


def _worth_of_inputs(summary: dict[str, Any]) -> list[str]:
    """What the inputs are worth for new patients, by the first honest protocol that tells."""
    tables = [each for each in summary.get("ablation") or () if each["protocol"] in HONEST]
    return [f"Inputs: {sentence}" for sentence in tables[0]["sentences"]] if tables else []


def _not_beaten(summary: dict[str, Any]) -> list[str]:
    """First of all: which baselines the network does not beat for new patients, if any."""
    titles = {model["name"]: model["title"] for model in summary["models"]}
    network = network_name(summary.get("system", DEFAULT))
    entries = {name: main_entry(summary, name) for name in titles}
    figures = {
        name: entry["metrics"]["balanced_accuracy"]["mean"]
        for name, entry in entries.items()
        if entry and "balanced_accuracy" in entry["metrics"]
    }
    known = baselines_of(system_in(summary))
    names = not_beaten([name for name in titles if name in known], figures, network)
    if not names:
        return []
    told = ", ".join(f"{titles[name]} ({figures[name]:.3f})" for name in names)
    return [
        f"The network does not beat what costs nothing: its balanced accuracy for new patients is "
        f"{figures[network]:.3f}, that of {told}."
    ]


def verdict(entry: Entry, system: System | None = None) -> str:
    """Whether a model tells held-out patients' lesions apart, with the figures; in the words of a system's task."""
    system = system or system_of()
    task = system.task
    where = on_mri(entry["time_point"], system, "on the ") or f"on {task.unit}s"
    who = where if where == f"on {PATIENT}s" else f"{where} of patients"
    chance, auc = entry["chance"], entry["metrics"]["auc"]
    if chance is None:
        return f"{who} it had not seen, an AUC is not defined yet."
    splits = ""
    if not entry["by_trial_means_little"] and auc["mean"] is not None:
        name = "AUC" if task.binary else "macro AUC"
        splits = f"{name} {spread(auc)} over {pluralize(auc['defined'], 'split')}{_mean_interval(entry)}; "
    pooled = f"over all {counted(chance, task)} {_interval(chance)}, permutation p = {chance['p_value']:.4f}"
    told = f"{who} it had not seen, {splits}{pooled}: {_against_half(entry)}"
    return f"{told}{_against_control(entry)}."


def counted(found: dict[str, Any], task: Task) -> str:
    """ "30 lesions of 15 patients"; "15 patients" where these are what is answered for."""
    patients = f"{found['patients']} patients"
    return f"{found['lesions']} {task.unit}s of {patients}" if task.unit != PATIENT else patients


def counted_heading(task: Task) -> str:
    """ "lesions of patients": of a row of a table."""
    return f"{task.unit}s of patients" if task.unit != PATIENT else f"{task.unit}s"


def _mean_interval(entry: Entry) -> str:
    found = entry["by_split"]
    return f" (95 % interval of the mean {found['low']:.3f} to {found['high']:.3f})" if found else ""


def _against_half(entry: Entry) -> str:
    """ "Better" needs the control's word, too: intervals of repeated splits are narrower than they say."""
    chance, control = judged(entry), entry["against_control"]
    if not chance["differs"]:
        return "not distinguishable from 0.5"
    if chance["auc"] < 0.5:
        return "worse than 0.5, which is no useful signal"
    if control["differs"] is None:
        return "above 0.5, which its control has yet to confirm"
    if not control["differs"] or control["difference"] < 0:
        return "above 0.5, which its control does not confirm"
    return "better than 0.5"


def _against_control(entry: Entry) -> str:
    found = entry["against_control"]
    if found["differs"] is None:
        return f"; not compared with its control yet ({found['reason']})"
    interval = f"difference {signed(found['difference'])}, {signed(found['low'])} to {signed(found['high'])}"
    if not found["differs"]:
        words = "not distinguishable from"
    else:
        words = "better than" if found["difference"] > 0 else "worse than"
    own = "and" if found["differs"] == judged(entry)["differs"] else "but"
    return f", {own} {words} its control with permuted labels ({_control_auc(entry)}; {interval})"


def _control_auc(entry: Entry) -> str:
    """The figure from which the difference is taken: of the pool where the pool is compared."""
    control = entry["control"]
    if entry["by_trial_means_little"]:
        return f"{control['pooled']['values']['auc']['value']:.3f} over all its answers"
    auc = control["metrics"]["auc"]
    partly = "" if auc["defined"] == auc["trials"] else f", defined in {auc['defined']} of {auc['trials']}"
    return f"{spread(auc)}{partly}"


def _cautions(summary: dict[str, Any]) -> list[str]:
    task = task_of(summary)
    found = [
        f"± is the standard deviation over trials, as in the paper's Table 1. Trials share their {task.unit}s, so it "
        "is no error of the mean; intervals come from resampling whole patients.",
        summary["threshold"],
        "Each control is judged on its own permuted labels.",
        f"The pool averages the answers of several models for a {task.unit}, which can do better than any one of them; "
        "the figures by trial are those of one model. Every one of these models lacked just the "
        f"{task.unit} that it was asked about, so without any signal a pooled AUC falls below 0.5. Where splits are "
        "repeated, the mean AUC over them decides what can be told from 0.5; its interval is widened for the training "
        f"{task.unit}s that splits share (Nadeau and Bengio 2003) and is still too narrow, so “better” needs the "
        "control to agree.",
        _permuted(task),
        "Intervals and p-values of pooled figures take the answers as they are; how far other splits and another draw "
        "of labels would move them is told by the trials and the controls.",
    ]
    protocols = {protocol["name"] for protocol in summary["protocols"]}
    if LEAVE_ONE_OUT in protocols:
        found.append(LEAVE_ONE_OUT_CAUTION.format(does=task.does, positive=task.positive))
    if PAPER in protocols:
        found.append(
            "Pooled figures of (a) are means over seeds of models that were trained on the tested lesions: nothing in "
            "them is held out."
        )
    lost = [e for e in summary["table"] if e["not_answered"]["answers"]]
    if lost:
        most = max(entry["not_answered"]["answers"] for entry in lost)
        found.append(
            f"Some models gave no answer for some {task.unit}s (up to {pluralize(most, 'answer')} in one cell of the "
            "table); these are left out and counted, and models are compared on "
            f"{task.unit}s that both answered for."
        )
    return found


def _small(summary: dict[str, Any]) -> list[str]:
    """Of few units: what the accuracy of the pool is worth, for each model by the honest protocol."""
    task, found = task_of(summary), []
    for model in summary["models"]:
        entry = main_entry(summary, model["name"])
        pooled = entry["pooled"] if entry else None
        if pooled is None or pooled["lesions"] > FEW:
            continue
        if "confusion" in pooled:
            right = sum(row[n] for n, row in enumerate(pooled["confusion"]))
        else:
            right = pooled["true_positives"] + pooled["true_negatives"]
        several = pooled["lesions"] > entry["patients"]
        found.append(f"{model['title']}: {in_words(right, pooled['lesions'], task.unit, several)}")
    return found


def _permuted(task: Task) -> str:
    told = f"Labels are permuted over all {task.unit}s."
    if task.unit == PATIENT:
        return told
    return (
        f"{told} Where {task.unit}s of one patient {task.do} alike, this breaks what they share, and controls and "
        "permutation p-values are a little too favourable."
    )


def _state(summary: dict[str, Any]) -> list[str]:
    if not summary["missing"]:
        return []
    total = summary["missing"] + summary["finished"]
    return [
        f"This study is not finished: {summary['missing']} of {pluralize(total, 'training')} are missing. All figures "
        "are of those that are there and will change."
    ]


def _interval(value: dict[str, Any]) -> str:
    if value["low"] is None:
        return f"{value['auc']:.3f} ({TOO_FEW})"
    return f"{value['auc']:.3f} (95 % interval {value['low']:.3f} to {value['high']:.3f})"
