"""The checks as Markdown."""

from __future__ import annotations

from ...explanation.methods import TITLES
from ..summary import TRIVIAL_TITLES
from .checks import LABELS, SHUFFLED, SIZE
from .maps import MAPS, MODEL_MAPS, RANDOM
from .randomisation import STAGES, stage_name
from .summary import ALL

COLUMNS = {
    ALL: "all layers randomised",
    ALL + SIZE: "all layers, either sign",
    LABELS: "trained on permuted labels",
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

NAMES = {**TITLES, **TRIVIAL_TITLES, RANDOM: "random"}


def markdown(summary: dict) -> str:
    """One table of all maps and scores, and one of all randomised stages, from :func:`~.summary.summarise`."""
    s = summary["settings"]
    limits = summary["limits"]
    lines = [
        f"Explanations of the predicted class on {summary['lesions']} lesions of {summary['patients']} patients, "
        f"{summary['members']} member(s); mean and 95 % interval over patients.",
        "",
        _maps(summary),
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
        _model(summary),
    ]
    return "\n".join(lines)


def _maps(summary: dict) -> str:
    found = [c for c in COLUMNS if any(summary["maps"][name]["scores"].get(c) for name in MAPS)]
    rows = [["map", *(COLUMNS[c] for c in found), "fails"], ["---"] * (len(found) + 2)]
    for name in MAPS:
        each = summary["maps"][name]
        failed = [check for check, passed in each["verdicts"].items() if not passed]
        cells = [_interval(each["scores"].get(column)) for column in found]
        rows.append([NAMES[name], *cells, "; ".join(failed) or "nothing"])
    return _table(rows)


def _stages(summary: dict) -> str:
    """AUC and similarity of the model's maps for every set of randomised layers."""
    stages = [stage_name(layers) for layers in STAGES]
    if summary["maps"][MODEL_MAPS[0]]["scores"].get(LABELS):
        stages.append(LABELS)
    aucs = summary["auc"]
    rows = [["randomised", "AUC", *(NAMES[name] for name in MODEL_MAPS)], ["---"] * (len(MODEL_MAPS) + 2)]
    rows.append(["nothing", _interval(aucs["as trained"]) if aucs else "–", *["1"] * len(MODEL_MAPS)])
    for stage in stages:
        cells = [_interval(summary["maps"][name]["scores"][stage]) for name in MODEL_MAPS]
        rows.append([stage, _interval(aucs[stage]) if aucs else "–", *cells])
    return _table(rows)


def _model(summary: dict) -> str:
    sentences = []
    if not summary["image"]["looked_at"]:
        sentences.append("The model ignores the image: shuffling a lesion's pixels leaves its answer as it is.")
    aucs = summary["auc"]
    if aucs is None:
        sentences.append("AUC is not defined: lesions of both classes with a known response are needed.")
    else:
        a, verdict = aucs[ALL], "falls to chance" if aucs[ALL]["chance"] else "does NOT fall to chance"
        sentences.append(
            f"With all layers randomised the AUC {verdict}: {_interval(a)}, single draws "
            f"{a['lowest']:.2f} to {a['highest']:.2f}."
        )
    return " ".join(sentences)


def _interval(value: dict | None) -> str:
    return "–" if value is None else f"{value['mean']:.2f} ({value['low']:.2f} to {value['high']:.2f})"


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
