"""What a model card must hold, so that all that is wrong with one can be said at once. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ...core.errors import BundleError, PulsarCAMError
from ...core.task import SHRINKAGE
from ...core.visible import is_visible, shortened, visible
from ...core.vocabulary import ENSEMBLE_RULES, MEAN, METRIC_TITLES
from ..registry import system_of

FORMAT = "PulsarCAM model bundle"
FORMAT_VERSION = 1
MOST_SAID = 600
"""Characters of a sentence on a card, whatever is in it."""

FIELDS: dict[str, type] = {
    "format": str,
    "format_version": int,
    "name": str,
    "title": str,
    "version": str,
    "synthetic": bool,
    "architecture": dict,
    "members": int,
    "preprocessing": dict,
    "classes": list,
    "decision": dict,
    "training": dict,
    "performance": dict,
    "intended_use": str,
    "licence": str,
    "weights": dict,
}
"""What a card must hold, and of which kind."""

OPTIONAL: dict[str, type] = {
    "response": dict, "protocols": dict, "explanation_checks": dict, "probe": dict, "reference": dict,
    "conformal": dict,
}  # fmt: skip
"""What a card may hold since it was first read; readers of version 1 that do not know them pass over them."""


SHARES = tuple(name for name in METRIC_TITLES if name != "brier")
"""Metrics from 0 to 1, whatever is measured; of several classes the Brier score reaches 2."""

COMPARED = ("against", "differ", "compar")
"""How parts of a card begin that hold differences of metrics."""


def card_problems(fields: Any) -> Iterator[str]:
    """Everything that is wrong with a card, one sentence each; nothing if it is right."""
    for problem in _problems(fields):
        yield shortened(visible(problem), MOST_SAID)


def _problems(fields: Any) -> Iterator[str]:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        yield "This is not a PulsarCAM model card."
        return
    if fields.get("format_version") != FORMAT_VERSION:
        yield (
            f"The bundle has format version {fields.get('format_version')!r}; this PulsarCAM reads version "
            f"{FORMAT_VERSION}. Update PulsarCAM or the bundle."
        )
        return
    missing = [name for name in FIELDS if name not in fields]
    if missing:
        yield f"The model card lacks {', '.join(missing)}."
    wrong = [*missing]
    for name, kind in (FIELDS | OPTIONAL).items():
        if name in fields and (not isinstance(fields[name], kind) or (kind is int and isinstance(fields[name], bool))):
            wrong.append(name)
            yield f"The model card's “{name}” is not a {getattr(kind, '__name__', kind)}."
    for needed, rule in _RULES:
        if not set(needed) & set(wrong):
            yield from rule(fields)


def _name(fields: dict[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", fields["name"]):
        yield f"The model's name {fields['name']!r} may have only small letters, digits, '.', '_' and '-'."


def system_name(fields: Any) -> str:
    """Name of the system that a card is of; empty where it names none."""
    return str(fields["architecture"].get("name", ""))


def _system(fields: dict[str, Any]) -> Iterator[str]:
    try:
        task = system_of(system_name(fields)).task
    except BundleError as error:
        yield str(error)
        return
    if fields["classes"] != list(task.names):
        yield f"The model's classes must be {list(task.names)}, not {fields['classes']}."
    if task.label.kind == SHRINKAGE and "response" not in fields:
        yield "The model card lacks response."
    yield from _decision(fields, task.binary)


def _members(fields: dict[str, Any]) -> Iterator[str]:
    if not 1 <= fields["members"] <= 1000:
        yield f"The model card's number of members, {fields['members']}, is not usable."


def _decision(fields: dict[str, Any], binary: bool) -> Iterator[str]:
    numbers = [("decision", "threshold")] if binary else []
    numbers += [("decision", "temperature"), ("response", "shrinkage_threshold")]
    numbers = [(group, key) for group, key in numbers if group in fields]
    usable = True
    for group, key in numbers:
        value = fields[group].get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
            usable = False
            yield f"The model card's {group} needs a positive number “{key}”."
    rule = fields["decision"].get("ensemble", MEAN)
    if rule not in ENSEMBLE_RULES:
        yield f"The model card's decision has the ensemble {rule!r}; it must be {' or '.join(ENSEMBLE_RULES)}."
    shares = [fields[group][key] for group, key in numbers if "threshold" in key] if usable else []
    if any(share >= 1 for share in shares):
        yield "The model card's thresholds must lie between 0 and 1."


def _weights(fields: dict[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9._-]+\.safetensors", str(fields["weights"].get("file"))):
        yield "The model card's weights must name one .safetensors file in the bundle's folder."
    if not re.fullmatch(r"[0-9a-f]{64}", str(fields["weights"].get("sha256"))):
        yield "The model card's weights lack their sha256."


def _sizes(fields: dict[str, Any]) -> Iterator[str]:
    try:
        system = system_of(system_name(fields))
    except BundleError:
        return
    parts: list[Any] = []
    for kind, name in ((system.preprocessing, "preprocessing"), (system.architecture, "architecture")):
        try:
            parts.append(kind.from_card(fields[name]))
        except PulsarCAMError as error:
            yield str(error)
    if len(parts) == 2:
        yield from system.disagreements(*parts)


def _reference(fields: dict[str, Any]) -> Iterator[str]:
    """Features of other weights would be compared with what they do not go with."""
    section = fields.get("reference")
    if section is None:
        return
    if section.get("weights_sha256") != fields["weights"].get("sha256"):
        yield "The model card's reference is not that of its weights; add it anew."
        return
    try:
        system = system_of(system_name(fields))
        architecture = system.architecture.from_card(fields["architecture"])
    except PulsarCAMError:
        return  # said by the rules on these
    yield from system.reference_problems(section, architecture, fields["members"])


def _sentences(fields: dict[str, Any]) -> Iterator[str]:
    text = fields.get("protocols", {}).get("text", [])
    if not isinstance(text, list) or not all(isinstance(each, str) for each in text):
        yield "The model card's protocols must have a list of sentences as their “text”."


def _conformal(fields: dict[str, Any]) -> Iterator[str]:
    if "conformal" not in fields:
        return
    scores, rate = (fields["conformal"].get(name) for name in ("scores", "error_rate"))
    numbers = [rate, *scores] if isinstance(scores, list) else [None]
    shares = all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n <= 1 for n in numbers)
    if not shares or not 0 < rate < 1:
        yield "The model card's conformal needs “scores” from 0 to 1 and an “error_rate” between 0 and 1."


def _figures(fields: dict[str, Any]) -> Iterator[str]:
    """Figures that no measurement gives: an AUC of 1.7 would be shown first wherever answers appear."""
    for section in ("performance", "protocols"):
        for path, name, value in _shares(fields.get(section, {}), section):
            yield f"The model card's “{path}” is {value:g}; no {METRIC_TITLES[name]} is below 0 or above 1."


def _shares(value: Any, path: str) -> Iterator[tuple[str, str, float]]:
    """Metrics outside 0 to 1 at any depth; differences and intervals may be."""
    if isinstance(value, list):
        for each in value:
            yield from _shares(each, path)
    for key, each in value.items() if isinstance(value, dict) else ():
        at = f"{path}.{key}"
        if key not in SHARES:
            yield from () if str(key).startswith(COMPARED) else _shares(each, at)
            continue
        held = [(f"{at}.{name}", each.get(name)) for name in ("value", "mean")] if isinstance(each, dict) else []
        for where, figure in held or [(at, each)]:
            if isinstance(figure, (int, float)) and not isinstance(figure, bool) and not 0 <= figure <= 1:
                yield where, key, figure


def _characters(fields: dict[str, Any]) -> Iterator[str]:
    wrong = next((path for path, text in _texts(fields) if not is_visible(text)), "")
    if wrong:
        yield f"The model card's “{wrong}” has control characters, or halves of characters."


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a card, keys too, with where it is."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield path, key
            yield from _texts(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, path)


_RULES: tuple[tuple[tuple[str, ...], Callable[[dict[str, Any]], Iterator[str]]], ...] = (
    (("name",), _name),
    (("members",), _members),
    (("classes", "architecture", "decision", "response"), _system),
    (("weights",), _weights),
    (("preprocessing", "architecture"), _sizes),
    (("reference", "weights", "members", "architecture"), _reference),
    (("protocols",), _sentences),
    (("conformal",), _conformal),
    (("performance", "protocols"), _figures),
    ((), _characters),
)
"""Fields that a rule needs, and the rule."""
