"""Which map can be believed under which rule: one table of all rules of synthetic cohorts, and its first sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...cohort.synthetic.rules import PLACES, RULES
from ...cohort.synthetic.rules.rule import INSIDE
from ...core.errors import InputError
from ..checks import LABELS
from ..maps import is_trivial, map_title
from ..randomisation import ALL
from .map_scores import VOLUME
from .synthetic_scores import LesionScore
from .synthetic_summary import MEASURES, map_summary, prediction_summary

YES, NO = "yes", "no"

NOT_LEARNT = "the network does not tell the classes apart"
NO_PLACE = "the truth is {}"
NOT_SCORED = "no lesion with planted tissue was tested"
NOT_BETTER = "not better than {}"
WRONG_SIDE = "it lies on the wrong side"
UNCHANGED = "it hardly changes when the network is drawn anew"
LABELS_UNCHANGED = "it hardly changes when the labels are permuted"

Result = dict


class Decides(NamedTuple):
    """What decides in a cohort that was not generated here.

    Attributes:
        name: of its folder and in tables.
        title: in words.
        place: where the truth lies, a word of :data:`~PulsarCAMLib.cohort.synthetic.rules.PLACES`.
    """

    name: str
    title: str
    place: str


def rule_result(name: str | Decides, rows: Sequence[LesionScore], sanity: Mapping, resamples: int = 2000) -> Result:
    """What was found under one rule, as JSON values.

    Args:
        name: of the rule; or what decides, where it is none of these.
        rows: of :func:`~.synthetic_scores.score_cohort` or :func:`~.table_scores.score_rows` on patients whom the model
            has not seen.
        sanity: of :func:`~..judging.judge_explanations` on the same.
        resamples: of the bootstrap over patients.
    """
    rule = RULES[name] if isinstance(name, str) else name
    found = prediction_summary(rows, resamples=resamples)
    volume = [replace(row, maps={key: each for key, each in row.maps.items() if key[0] == VOLUME}) for row in rows]
    maps: dict = {}
    if rule.place == INSIDE:
        try:
            maps = map_summary(volume, resamples)[VOLUME]
        except InputError:  # nobody had what was to be found
            maps = {}
    result = {
        "rule": rule.name,
        "decides": rule.title,
        "place": rule.place,
        "patients": found.patients,
        "lesions": found.lesions,
        "responses": found.responses,
        "auc": {"mean": found.auc, "low": found.low, "high": found.high},
        "control_auc": (sanity["auc"] or {}).get(LABELS),
        "random_auc": (sanity["auc"] or {}).get(ALL),
        "image_looked_at": sanity["image"]["looked_at"],
        "maps": maps.get("maps", {}),
        "against_trivial": maps.get("against_trivial", {}),
        "lesions_scored": maps.get("lesions", 0),
        "verdicts": {each: of["verdicts"] for each, of in sanity["maps"].items() if not is_trivial(each)},
    }
    result["believe"] = {each: why_not(result, each) for each in result["verdicts"]}
    return result


def learnt(result: Result) -> bool:
    """Whether the network tells classes of unseen patients apart, its mean AUC above that of permuted labels."""
    auc, control = result["auc"], result["control_auc"]
    if auc["low"] is None or auc["low"] <= 0.5:
        return False
    return control is None or auc["mean"] > control["mean"]


def why_not(result: Result, name: str) -> str:
    """Why a map cannot be believed under a rule; empty where it can."""
    if not learnt(result):
        return NOT_LEARNT
    if result["place"] != INSIDE:
        return NO_PLACE.format(PLACES[result["place"]])
    if not result["maps"]:
        return NOT_SCORED
    if result["maps"][name]["auroc"]["high"] < 0.5:
        return WRONG_SIDE
    gain = result["against_trivial"][name]["auroc"]
    if not gain["better"]:
        return NOT_BETTER.format(map_title(gain["trivial"]))
    verdicts = result["verdicts"][name]
    if verdicts.get("changes with the model") is False:
        return UNCHANGED
    return LABELS_UNCHANGED if verdicts.get("changes with the labels") is False else ""


def recommended(results: Sequence[Result]) -> str | None:
    """The map that is believed under most rules, of equals the one of highest mean AUROC; None: there is none."""
    names = results[0]["believe"] if results else ()
    rules = {name: [each for each in results if not each["believe"].get(name, NO)] for name in names}
    if not any(rules.values()):
        return None

    def merit(name: str) -> tuple[int, float]:
        scored = [each["maps"][name]["auroc"]["mean"] for each in results if each["maps"]]
        return len(rules[name]), sum(scored) / max(1, len(scored))

    return max(names, key=merit)


def first_sentence(results: Sequence[Result]) -> str:
    """Which map can be believed under which rule and where none can, in plain words."""
    if not results:
        return "No rule has been tried yet."
    best, titles = recommended(results), {each["rule"]: each["decides"] for each in results}

    def listed(rules: Sequence[str]) -> str:
        return _or([titles[rule] for rule in rules])

    believed = {r["rule"]: [name for name, why in r["believe"].items() if not why] for r in results}
    parts = []
    with_one = [rule for rule, names in believed.items() if names]
    if best is None:
        parts.append("Under none of these rules can any map be believed")
    else:
        own = [rule for rule in with_one if best in believed[rule]]
        parts.append(f"{map_title(best)} can be believed where {listed(own)} decides")
        for rule in with_one:
            if best not in believed[rule]:
                parts.append(f"where {titles[rule]} decides, only {_or([map_title(n) for n in believed[rule]])} can")
    untold = [r["rule"] for r in results if not learnt(r)]
    nowhere = [r["rule"] for r in results if r["place"] != INSIDE and learnt(r)]
    worse = [r["rule"] for r in results if not believed[r["rule"]] and r["rule"] not in (*untold, *nowhere)]
    if worse:
        parts.append(f"where {listed(worse)} decides, no map is better than looking at the image")
    if nowhere:
        parts.append(f"where {listed(nowhere)} decides, no part of the lesion says it, and every map misleads")
    if untold:
        why = "the network cannot be told from guessing, and its maps mean nothing"
        parts.append(f"where {listed(untold)} decides, {why}")
    return "; ".join(parts) + "."


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


HEADINGS = (
    *("rule", "truth_is", "patients", "lesions", "auc", "auc_low", "auc_high", "control_auc", "map", "lesions_scored"),
    *(f"{measure}{end}" for measure in MEASURES for end in ("", "_low", "_high")),
    *("best_trivial", "gain_auroc", "gain_auroc_low", "gain_auroc_high", "changes_with_model", "changes_with_labels"),
    *("believe", "why_not"),
)
"""Of the table: one row per rule and map, trivial ones among them."""


def csv_rows(results: Sequence[Result]) -> list[dict]:
    """The table, a value for each of :data:`HEADINGS`; empty where there is none."""
    return [_row(result, name) for result in results for name in (result["maps"] or result["believe"])]


def _row(result: Result, name: str) -> dict:
    auc, control = result["auc"], result["control_auc"]
    row = dict.fromkeys(HEADINGS, "") | {
        "rule": result["rule"],
        "truth_is": PLACES[result["place"]],
        "patients": result["patients"],
        "lesions": result["lesions"],
        "auc": _number(auc["mean"]),
        "auc_low": _number(auc["low"]),
        "auc_high": _number(auc["high"]),
        "control_auc": _number(control["mean"]) if control else "",
        "map": name,
        "lesions_scored": result["lesions_scored"],
    }
    for measure, value in result["maps"].get(name, {}).items():
        row |= {measure: _number(value["mean"])}
        row |= {f"{measure}_{end}": _number(value[end]) for end in ("low", "high")}
    if name in result["against_trivial"]:
        gain = result["against_trivial"][name]["auroc"]
        row |= {"best_trivial": gain["trivial"], "gain_auroc": _number(gain["mean"])}
        row |= {f"gain_auroc_{end}": _number(gain[end]) for end in ("low", "high")}
    if name in result["believe"]:
        verdicts, why = result["verdicts"][name], result["believe"][name]
        changes = {f"changes_with_{what}": verdicts.get(f"changes with the {what}") for what in ("model", "labels")}
        row |= {key: "" if value is None else YES if value else NO for key, value in changes.items()}
        row |= {"believe": NO if why else YES, "why_not": why}
    return row


def _number(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)


def markdown(results: Sequence[Result], about: str) -> str:
    """The page: its first sentence, the table of networks, and under every rule the maps."""
    lines = [first_sentence(results), "", about, ""]
    heads = [
        "what decides",
        "the truth is",
        "AUC, unseen patients",
        "permuted labels",
        "best trivial map",
        "best map",
    ]
    table = [heads, ["---"] * len(heads)]
    for result in results:
        auc, control = result["auc"], result["control_auc"]
        trivial, model = _best(result, True), _best(result, False)
        table.append(
            [
                result["decides"],
                PLACES[result["place"]],
                _with_interval(auc),
                f"{control['mean']:.2f}" if control else "–",
                trivial,
                model,
            ]
        )
    lines += _table(table)
    lines += [
        "",
        "AUROC over the voxels of the GTV, mean over lesions that do not respond (95 % interval over patients); 0.5 is "
        "chance, and below it a map lies on the wrong side.",
        "",
    ]
    names = list(results[0]["believe"]) if results else []
    table = [["what decides", *(map_title(name) for name in names)], ["---"] * (len(names) + 1)]
    for result in results:
        cells = []
        for name in names:
            score = result["maps"].get(name)
            why = result["believe"].get(name, "")
            shown = f"{_with_interval(score['auroc'])}: " if score else ""
            cells.append(f"{shown}{f'no, {why}' if why else '**yes**'}")
        table.append([result["decides"], *cells])
    return "\n".join([*lines, *_table(table)]) + "\n"


def _best(result: Result, trivial: bool) -> str:
    scored = {name: each["auroc"]["mean"] for name, each in result["maps"].items() if is_trivial(name) == trivial}
    if not scored:
        return "–"
    name = max(scored, key=lambda each: scored[each])
    return f"{map_title(name)} {scored[name]:.2f}"


def _with_interval(value: Mapping) -> str:
    reach = "no interval" if value["low"] is None else f"{value['low']:.2f} to {value['high']:.2f}"
    return f"{value['mean']:.2f} ({reach})"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]
