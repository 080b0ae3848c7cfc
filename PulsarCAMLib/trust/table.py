"""The checks as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.pluralize import pluralize
from ..core.task import LESION
from .checks import LABELS, SHUFFLED, SIZE
from .maps import is_trivial, map_title
from .randomisation import ALL

COLUMNS = {
    ALL: "all layers randomised",
    ALL + SIZE: "all layers, either sign",
    LABELS: "trained on permuted labels",
    LABELS + SIZE: "permuted labels, either sign",
    SHUFFLED: "pixels shuffled",
    "deletion": "deletion gain, logits",
    "insertion": "insertion gain, logits",
    "shift": "shift of 1–2 pixels",
    "rotation": "turn of ±5°",
    "noise": "noise",
    "members": "members agree",
    "spread": "members' spread",
    "auroc": "planted: AUROC",
    "dice": "planted: Dice",
    "pointing": "planted: pointing",
}

NO_NUMBER = dict.fromkeys(("mean", "low", "high", "lesions"), "")


def markdown(summary: dict) -> str:
    """One table of all maps and scores, and one of all randomised stages, from :func:`~.summary.summarise`."""
    s = summary["settings"]
    limits, unit = summary["limits"], unit_of(summary)
    within = "GTV" if unit == LESION else f"{unit}'s voxels"
    lines = [
        f"Explanations of the predicted class on {pluralize(summary['lesions'], unit)} of "
        f"{pluralize(summary['patients'], 'patient')}, {pluralize(summary['members'], 'member')}; mean and 95 % "
        "interval over patients.",
        "",
        _table(map_rows(summary)),
        "",
        f"Similarities are rank correlations with the original map inside the {within}: near 0 is wanted after "
        "randomising and shuffling, near 1 after shift, turn and noise. Deletion and insertion gains are areas between "
        f"the map's curve and that of random orders (infill: {s['infill']}); above 0 is better than random. "
        f"“Changes” (after randomising: of either sign) needs the whole interval below {limits['changed_below']}, "
        f"“stable” above {limits['stable_above']}; “names what counts” needs gains above 0 "
        "and above those of image intensity.",
        "",
        _stages(summary),
        "",
        words(summary),
    ]
    return "\n".join(lines)


def map_rows(summary: dict) -> list[list[str]]:
    """One row per map, the headings first; columns that no map has a score in are left out."""
    maps = summary["maps"]
    found = [c for c in COLUMNS if any(each["scores"].get(c) for each in maps.values())]
    rows = [["map", *(COLUMNS[c] for c in found), "fails"]]
    for name, each in maps.items():
        cells = [with_interval(each["scores"].get(column)) for column in found]
        rows.append([map_title(name), *cells, failed(each["verdicts"])])
    return rows


def unit_of(summary: Mapping) -> str:
    """What was checked: "lesion" or "patient"; results of earlier versions do not say it."""
    return summary.get("unit", LESION)


def failed(verdicts: Mapping[str, bool | None]) -> str:
    """Which checks a map fails, and which could not be decided."""
    fails = [check for check, passed in verdicts.items() if passed is False]
    undecided = [check for check, passed in verdicts.items() if passed is None]
    return "; ".join([*fails, *([f"not decided: {', '.join(undecided)}"] if undecided else [])]) or "nothing"


def _stages(summary: dict) -> str:
    """AUC and similarity of the model's maps for every set of randomised layers."""
    of_model = {name: each["scores"] for name, each in summary["maps"].items()}
    shown = [name for name in of_model if not is_trivial(name)]
    stages = [*summary["stages"], *([LABELS] if of_model[shown[0]].get(LABELS) else [])]
    aucs = summary["auc"]
    rows = [["randomised", "AUC", *(map_title(name) for name in shown)]]
    rows.append(["nothing", with_interval(aucs["as trained"]) if aucs else "–", *["1"] * len(shown)])
    for stage in stages:
        cells = [with_interval(of_model[name][stage]) for name in shown]
        rows.append([stage, with_interval(aucs[stage]) if aucs else "–", *cells])
    return _table(rows)


def words(summary: dict) -> str:
    """What the checks say of the model, and what they cannot say."""
    sentences = []
    if not summary["image"]["looked_at"]:
        unit = unit_of(summary)
        sentences.append(f"The model ignores the image: shuffling a {unit}'s pixels leaves its answer as it is.")
    sentences += _of_inputs(summary["image"].get("inputs", {}))
    aucs = summary["auc"] or {}
    for stage, how in ((ALL, "With all layers randomised"), (LABELS, "Trained on permuted labels")):
        if stage in aucs:
            sentences.append(f"{how} the AUC {_fall(aucs[stage], aucs['as trained'], unit_of(summary))}.")
    reasons = [f"{what} ({reason})" for what, reason in summary["not_measured"].items()]
    return " ".join([*sentences, *([f"Not measured: {', '.join(reasons)}."] if reasons else [])])


def _of_inputs(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """How much the answer hangs on each of several inputs."""
    used = [f"{title} {each['probability_change']:.3f}" for title, each in found.items() if each["changed"]]
    sentences = []
    if used:
        what = "One input shuffled alone changes the probability of the predicted class, on average, by"
        sentences.append(f"{what}: {', '.join(used)}.")
    if unused := [title for title, each in found.items() if not each["changed"]]:
        sentences.append(f"The model ignores {' and '.join(unused)}: shuffled, no answer changes.")
    return sentences


def _fall(auc: dict, trained: dict, unit: str) -> str:
    if auc["low"] is None:
        few = f"on the {unit}s of too few patients, which cannot tell whether it falls to chance"
        return f"is {with_interval(auc)} {few}"
    if trained["chance"]:
        return f"is {with_interval(auc)}; as trained it was at chance already: {with_interval(trained)}"
    if auc["chance"] is None:
        return f"is {with_interval(auc)} in the one draw that was made, which cannot tell whether it falls to chance"
    verdict = "falls to chance" if auc["chance"] else "does NOT fall to chance"
    return f"{verdict}: {with_interval(auc)}, single draws {auc['lowest']:.2f} to {auc['highest']:.2f}"


def with_interval(value: Mapping | None) -> str:
    """As text; a dash for None."""
    if value is None:
        return "–"
    reach = "no interval" if value["low"] is None else f"{value['low']:.2f} to {value['high']:.2f}"
    return f"{value['mean']:.2f} ({reach})"


def _table(rows: list[list[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_rows(summary: dict) -> list[dict]:
    """Every figure on a line of its own: of each map its scores and verdicts, of each stage the AUC."""
    rows = []
    for name, each in summary["maps"].items():
        for score, value in each["scores"].items():
            if value:
                rows.append({"of": map_title(name), "what": COLUMNS.get(score, score), **value, "passed": ""})
        for check, passed in each["verdicts"].items():
            rows.append(
                {"of": map_title(name), "what": check, **NO_NUMBER, "passed": "" if passed is None else int(passed)}
            )
    for stage, auc in (summary["auc"] or {}).items():
        numbers = {name: auc[name] for name in ("mean", "low", "high")}
        rows.append({"of": f"model, {stage}", "what": "AUC", **numbers, "lesions": summary["lesions"],
                     "passed": ""})  # fmt: skip
    for check, reason in summary["not_measured"].items():
        rows.append({"of": "all", "what": f"{check}: not measured, {reason}", **NO_NUMBER, "passed": ""})
    return rows
