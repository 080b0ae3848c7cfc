"""Why some protocols flatter a model: what they share between training and test, with the figures of a study."""

from __future__ import annotations

from typing import Any

from ...core.pluralize import pluralize
from ...core.task import Task
from ...core.vocabulary import BASELINE, BEST_EPOCH, LESIONS, PAPER, PATIENTS, TIME_POINTS
from ...evaluation.predictions import default_task
from ...evaluation.resampling import LEVEL
from .entries import Entry, entry_of, main_entry, on_mri, percent, signed, spread, system_in, task_of
from .paper import CAM_COLUMN, TABLE


def why_flattering(summary: dict[str, Any]) -> list[str]:
    """Of those among the protocols (a), (b) and (d) that flattered some model of a study; see :func:`flatters`."""
    return [*_why_paper(summary), *_why_lesions(summary), *_why_best_epoch(summary)]


def why_title(sentences: list[str]) -> str:
    """The heading of :func:`why_flattering`: "Why (a) and (b) flatter"; empty where nothing does."""
    names = [sentence[:3] for sentence in sentences if sentence[:1] == "("]
    *first, last = names or [""]
    told = f"{', '.join(first)} and {last}" if first else last
    return f"Why {told} flatter{'' if first else 's'}" if names else ""


def flatters(entry: Entry, honest: Entry | None, metric: str = "auc") -> bool:
    """Whether a protocol gave a model more than it is worth.

    It did where labels dealt out at random did well (the interval of the controls' mean AUC lies above 0.5), or where
    the figure exceeds that of new patients by more than two standard errors of the difference of both means. Repeated
    splits share lesions, so their error is that of their interval by split, which is corrected for that.
    """
    low = entry["control"]["auc_interval"]["low"]
    if metric == "auc" and low is not None and low > 0.5:
        return True
    mine, other = (each["metrics"][metric] if each else None for each in (entry, honest))
    if not mine or not other or mine["mean"] is None or other["mean"] is None:
        return False
    error = sum(_error(each, metric) ** 2 for each in (entry, honest) if each) ** 0.5
    return mine["mean"] - other["mean"] > 2 * error


def _error(entry: Entry, metric: str) -> float:
    """Standard error of a metric's mean over the trials of an entry.

    The correction for shared lesions depends on the number of trials and the share that is tested and on nothing else,
    so it is read from the interval of the AUC by split, of its uncut side, and holds for other metrics, too.
    """
    found, auc, split = entry["metrics"][metric], entry["metrics"]["auc"], entry.get("by_split")
    plain = (found["sd"] or 0.0) / max(found["defined"], 1) ** 0.5
    if not split or not auc["sd"] or auc["defined"] < 2:
        return plain
    from scipy.stats import t

    reach = max(split["auc"] - split["low"], split["high"] - split["auc"])
    corrected = reach / float(t.ppf((1 + LEVEL) / 2, auc["defined"] - 1))
    return plain * max(1.0, corrected / (auc["sd"] / auc["defined"] ** 0.5))


def _why_paper(summary: dict[str, Any]) -> list[str]:
    found = []
    for model in summary["models"]:
        entry = entry_of(summary, PAPER, model["name"], "second")
        if not entry or entry["metrics"]["auc"]["mean"] is None:
            continue
        honest = entry_of(summary, PATIENTS, model["name"], "second")
        if not flatters(entry, honest):
            continue
        parts = [paper_control(model["title"], entry, task_of(summary)), _minus_honest(summary, entry, honest, "(a)")]
        found.append(" ".join(filter(None, parts)))
    if not found:
        return []
    task = task_of(summary)
    reason = (
        f"(a) The paper's protocol trains on the first MRI of all {task.unit}s and tests on the second MRI of the same "
        f"{task.unit}s, a few weeks later. A network can learn by heart which {task.unit} is which, and say again what "
        f"it was told; that needs no sign of {task.positive} in the image. Labels dealt out at random show how far "
        "this alone goes."
    )
    return [f"{reason} {NOTHING_SAID}", *found]


NOTHING_SAID = (
    "Once its control is about as high, a figure under this protocol says nothing at all about prediction, however "
    "high it is."
)


def paper_control(title: str, entry: Entry, task: Task) -> str:
    """A model's figure under (a) beside its control."""
    auc, control = entry["metrics"]["auc"], entry["control"]["metrics"]["auc"]
    told = f"{title}: AUC {spread(auc)} under (a)"
    if control["mean"] is None:
        return f"{told}; its controls are not finished."
    accuracy = entry["control"]["metrics"]["accuracy"]
    return (
        f"{told}; with random labels it still reaches {spread(control)} (accuracy {spread(accuracy)}), "
        f"{signed(control['mean'] - 0.5)} against 0.5: {_by_heart(entry['control']['auc_interval'])}."
        f"{_against_paper(control['mean'], task)}"
    )


def _against_paper(mean: float, task: Task) -> str:
    published = TABLE["auc"][CAM_COLUMN][0]
    if task != default_task() or mean < published:
        return ""
    without = f"reached without any sign of {task.positive}."
    return f" That is no less than the {published:.3f} of the paper's Table 1, {without}"


def _by_heart(interval: dict[str, Any]) -> str:
    if interval["low"] is None:
        return "one control more would tell whether that is chance"
    low, high = (signed(interval[name] - 0.5) for name in ("low", "high"))
    told = f"95 % interval of that difference {low} to {high}"
    return (
        f"learnt by heart, as no other way is left ({told})" if interval["low"] > 0.5 else f"not above chance ({told})"
    )


def _minus_honest(summary: dict[str, Any], entry: Entry, honest: Entry | None, name: str, by_auc: bool = True) -> str:
    metric = "auc" if by_auc else "balanced_accuracy"
    mine, other = (each["metrics"][metric]["mean"] if each else None for each in (entry, honest))
    if mine is None or other is None:
        return ""
    if not by_auc:
        return f"{name} minus (c), means: {mine:.3f} − {other:.3f} = {signed(mine - other)}."
    mri = on_mri(entry["time_point"], system_in(summary), " on the ")
    return f"{name} minus (c){mri}: {mine:.3f} − {other:.3f} = {signed(mine - other)}."


def _why_lesions(summary: dict[str, Any]) -> list[str]:
    found = []
    for model in summary["models"]:
        point = next((p for p in TIME_POINTS if entry_of(summary, LESIONS, model["name"], p)), None)
        entry = entry_of(summary, LESIONS, model["name"], point) if point else None
        if not entry or entry["metrics"]["auc"]["mean"] is None:
            continue
        honest = entry_of(summary, PATIENTS, model["name"], point)
        if not flatters(entry, honest):
            continue
        told = f"{model['title']}: AUC {spread(entry['metrics']['auc'])} under (b), {_control_words(entry)}."
        found.append(f"{told} {_minus_honest(summary, entry, honest, '(b)')}".strip())
    if not found:
        return []
    unit = task_of(summary).unit
    reason = (
        f"(b) Splits by {unit} put {unit}s of one patient on both sides. They share scanner, treatment, biology and "
        "often the outcome, so what is tested was partly seen; the next patient will not be. "
        f"{_alike(summary['same_patient'], task_of(summary))} The control cannot show this, for permuting labels over "
        f"{unit}s also breaks what {unit}s of one patient share; (b) minus (c) can."
    )
    return [reason, *found]


def _why_best_epoch(summary: dict[str, Any]) -> list[str]:
    found = []
    for model in summary["models"]:
        entry = entry_of(summary, BEST_EPOCH, model["name"], BASELINE)
        if not entry or entry["medians"]["trials"] is None:
            continue
        honest, control = main_entry(summary, model["name"]), entry["medians"]["controls"]
        if not flatters(entry, honest, "balanced_accuracy"):
            continue
        beside = "no control finished" if control is None else f"with random labels {control:.3f}"
        told = f"{model['title']}: median balanced accuracy {entry['medians']['trials']:.3f} over "
        told += f"{pluralize(entry['trials'], 'run')} under (d), {beside}."
        found.append(f"{told} {_minus_honest(summary, entry, honest, '(d)', by_auc=False)}".strip())
    if not found:
        return []
    unit = task_of(summary).unit
    reason = (
        f"(d) As arXiv 2504.18268 was judged: splits by {unit}, so that {unit}s of one patient are on both sides, and "
        f"of every training the epoch that did best on the tested {unit}s: the best of many looks, which random labels "
        "gain by, too. The median over runs is what that paper prints."
    )
    return [reason, *found]


def _alike(pairs: dict[str, Any], task: Task) -> str:
    if pairs["alike"] is None or pairs["alike_in_others"] is None:
        return f"In this cohort no patient has two {task.unit}s, so (b) and (c) are the same."
    return (
        f"In this cohort {percent(pairs['alike'])} of the {pluralize(pairs['pairs'], 'pair')} of {task.unit}s of one "
        f"patient {task.do} alike, against {percent(pairs['alike_in_others'])} of pairs from different patients."
    )


def _control_words(entry: Entry) -> str:
    control = entry["control"]["metrics"]["auc"]
    return "no control finished" if control["mean"] is None else f"control {spread(control)}"
