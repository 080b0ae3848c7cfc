"""The checks as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.pluralize import pluralize
from .checks import LABELS, SHUFFLED, SIZE
from .maps import MAPS, MODEL_MAPS, RANDOM, TITLES
from .randomisation import STAGES, stage_name
from .summary import ALL
from .synthetic_summary import TRIVIAL_TITLES

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

NAMES = {**TITLES, **TRIVIAL_TITLES, RANDOM: "random"}


def markdown(summary: dict) -> str:
    """One table of all maps and scores, and one of all randomised stages, from :func:`~.summary.summarise`."""
    s = summary["settings"]
    limits = summary["limits"]
    lines = [
        f"Explanations of the predicted class on {pluralize(summary['lesions'], 'lesion')} of "
        f"{pluralize(summary['patients'], 'patient')}, {pluralize(summary['members'], 'member')}; mean and 95 % "
        "interval over patients.",
        "",
        _table(map_rows(summary)),
        "",
        "Similarities are rank correlations with the original map inside the GTV: near 0 is wanted after "
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
    found = [c for c in COLUMNS if any(summary["maps"][name]["scores"].get(c) for name in MAPS)]
    rows = [["map", *(COLUMNS[c] for c in found), "fails"]]
    for name in MAPS:
        each = summary["maps"][name]
        cells = [with_interval(each["scores"].get(column)) for column in found]
        rows.append([NAMES[name], *cells, failed(each["verdicts"])])
    return rows


def failed(verdicts: Mapping[str, bool | None]) -> str:
    """Which checks a map fails, and which could not be decided."""
    fails = [check for check, passed in verdicts.items() if passed is False]
    undecided = [check for check, passed in verdicts.items() if passed is None]
    return "; ".join([*fails, *([f"not decided: {', '.join(undecided)}"] if undecided else [])]) or "nothing"


def _stages(summary: dict) -> str:
    """AUC and similarity of the model's maps for every set of randomised layers."""
    stages = [stage_name(layers) for layers in STAGES]
    if summary["maps"][MODEL_MAPS[0]]["scores"].get(LABELS):
        stages.append(LABELS)
    aucs = summary["auc"]
    rows = [["randomised", "AUC", *(NAMES[name] for name in MODEL_MAPS)]]
    rows.append(["nothing", with_interval(aucs["as trained"]) if aucs else "–", *["1"] * len(MODEL_MAPS)])
    for stage in stages:
        cells = [with_interval(summary["maps"][name]["scores"][stage]) for name in MODEL_MAPS]
        rows.append([stage, with_interval(aucs[stage]) if aucs else "–", *cells])
    return _table(rows)


def words(summary: dict) -> str:
    """What the checks say of the model, and what they cannot say."""
    sentences = []
    if not summary["image"]["looked_at"]:
        sentences.append("The model ignores the image: shuffling a lesion's pixels leaves its answer as it is.")
    aucs = summary["auc"] or {}
    for stage, how in ((ALL, "With all layers randomised"), (LABELS, "Trained on permuted labels")):
        if stage in aucs:
            sentences.append(f"{how} the AUC {_fall(aucs[stage], aucs['as trained'])}.")
    reasons = [f"{what} ({reason})" for what, reason in summary["not_measured"].items()]
    return " ".join([*sentences, *([f"Not measured: {', '.join(reasons)}."] if reasons else [])])


def _fall(auc: dict, trained: dict) -> str:
    if auc["low"] is None:
        return f"is {with_interval(auc)} on the lesions of one patient, which cannot tell whether it falls to chance"
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
                rows.append({"of": NAMES[name], "what": COLUMNS.get(score, score), **value, "passed": ""})
        for check, passed in each["verdicts"].items():
            rows.append(
                {"of": NAMES[name], "what": check, **NO_NUMBER, "passed": "" if passed is None else int(passed)}
            )
    for stage, auc in (summary["auc"] or {}).items():
        numbers = {name: auc[name] for name in ("mean", "low", "high")}
        rows.append({"of": f"model, {stage}", "what": "AUC", **numbers, "lesions": summary["lesions"],
                     "passed": ""})  # fmt: skip
    for check, reason in summary["not_measured"].items():
        rows.append({"of": "all", "what": f"{check}: not measured, {reason}", **NO_NUMBER, "passed": ""})
    return rows
