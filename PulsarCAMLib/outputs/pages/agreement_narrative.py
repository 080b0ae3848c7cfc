"""What a cohort's agreement says, in sentences: for the report and the console."""

from __future__ import annotations

from ...agreement.folder import AgreementTables
from ...agreement.voxel_measures import QUANTITY_TITLES
from ...core.pluralize import pluralize
from ...systems.registry import map_text, method_title, systems
from .templating import number

LEVEL = 0.05

OUTCOME_TITLES = {
    "activated_share": "activated share of the lesion",
    "margin_share": "share of the activation in the margin",
    "margin_concentration": "concentration of the activation in the margin",
}


def outcome_title(outcome: str) -> str:
    """What features are compared with, for people."""
    for system in systems():
        for name in system.task.names:
            if outcome == system.task.probability_column(name):
                return f"predicted {system.task.probability_title(name)}"
    return OUTCOME_TITLES.get(outcome, outcome.replace("_", " "))


def map_title(method: str, target: str) -> str:
    """The name of a heat map for people."""
    return f"{method_title(method)}, {'both classes, by sign' if target == 'both' else map_text(method, target)}"


def maps_of(rows: list[dict]) -> list[tuple[str, str]]:
    """Method and class of the maps that rows tell about, in their order."""
    return list(dict.fromkeys((row["map_method"], row["map_class"]) for row in rows))


def rows_of(rows: list[dict], method: str, target: str) -> list[dict]:
    """The rows of one heat map."""
    return [row for row in rows if (row["map_method"], row["map_class"]) == (method, target)]


def verdict_of_model(tables: AgreementTables) -> str:
    """What the model is worth for new patients (:mod:`PulsarCAMLib.systems.bundles.verdict`), to be said first; empty
    in folders of earlier versions."""
    model = tables.facts["model"]
    return str(model.get("verdict", "")) if isinstance(model, dict) else ""


def sentences(tables: AgreementTables) -> list[str]:
    """What was compared, what the maps go with, where they lie, and which features go with them."""
    facts = tables.facts
    left_out = f"; {pluralize(int(facts['left_out']), 'lesion')} could not be used" if facts["left_out"] else ""
    said = [
        f"{pluralize(int(facts['lesions']), 'lesion')} of {pluralize(int(facts['patients']), 'patient')}{left_out}."
    ]
    for method, target in maps_of(tables.summary):
        said.append(f"{map_title(method, target)}: {_goes_with(rows_of(tables.summary, method, target))}.")
        margin = [row for row in rows_of(tables.depths, method, target) if row["region"] == "margin"]
        said += [_margin(row) for row in margin if row["concentration"] is not None]
    if tables.features is not None:
        said.append(_features(tables))
    return said


def _goes_with(rows: list[dict]) -> str:
    if all(row["p_adjusted"] is None for row in rows):
        return f"{rows[0]['undefined']}, so nothing can be said about what it goes with"
    parts = []
    clear = [row for row in rows if row["p_adjusted"] is not None and row["p_adjusted"] < LEVEL]
    for row in sorted(clear, key=lambda row: -abs(row["mean_partial"])):
        name = QUANTITY_TITLES[row["quantity"]].lower()
        which = "goes with" if row["mean_partial"] > 0 else "goes against"
        parts.append(f"{which} {name} ({number(row['mean_partial'])}, {_between(row['low'], row['high'])})")
    others = [QUANTITY_TITLES[row["quantity"]].lower() for row in rows if row not in clear]
    if others:
        parts.append(f"no relation could be shown with {_listed(others, 'or')}")
    return "; ".join(parts)


def _margin(row: dict) -> str:
    between = f" ({_between(row['low'], row['high'])})" if row["low"] is not None else ""
    return (
        f"The margin, the outer {row['to_mm']:g} mm, holds {100 * row['activation_share']:.0f} % of the activation and "
        f"{100 * row['volume_share']:.0f} % of the volume; the activation is {number(row['concentration'])} times as "
        f"concentrated there as in the whole lesion{between}."
    )


def _features(tables: AgreementTables) -> str:
    rows = tables.features or []
    outcome = outcome_title(str(tables.facts["options"]["outcome"]))
    if all(row["p_adjusted"] is None for row in rows):
        return f"Of {pluralize(len(rows), 'feature')} none has a p-value beside the {outcome}."
    plain = sum(row["p_adjusted"] is not None and row["p_adjusted"] < LEVEL for row in rows)
    beyond = [row for row in rows if row["partial_p_adjusted"] is not None and row["partial_p_adjusted"] < LEVEL]
    first = f", first of all {beyond[0]['feature']} ({number(beyond[0]['partial'])})" if beyond else ""
    return (
        f"Of {pluralize(len(rows), 'feature')}, {plain or 'none'} {'go' if plain > 1 else 'goes'} with the {outcome} "
        f"(adjusted p below {LEVEL:g}); {len(beyond) or 'none'} {'do' if len(beyond) > 1 else 'does'} so beyond what "
        f"the lesion's volume explains{first}."
    )


def _between(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}"


def _listed(names: list[str], word: str) -> str:
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
