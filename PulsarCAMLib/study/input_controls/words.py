"""What controls of inputs say of a network, in words, and what a model's card keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...evaluation.card_sections import rounded
from ...systems.contract import System

PIXELS = (
    "This study was begun before volumes were kept: what is called volume here is the number of a lesion's pixels in "
    "what the network sees. Run it anew, and it is cubic centimetres."
)

WIDE = 0.1
"""A difference that may be as large as this in the network's favour is told to be open."""


def verdicts(rows: Sequence[dict[str, Any]], system: System) -> list[str]:
    """Of every control, the network's row first: what it does not need, or that it does better.

    Args:
        rows: of :func:`.figures.input_controls_of`.
        system: whose network it is.
    """
    network, *controls = rows
    found = [_verdict(row, network, system) for row in controls]
    if not network["differs_from_chance"]:
        found.insert(
            0, "The network itself cannot be told from chance here, so that no control can show what it needs."
        )
    return found


def does_as_well(row: dict[str, Any]) -> bool | None:
    """Whether a control's difference from the network can be none; None: it has no interval."""
    difference = row["difference"]
    return None if difference is None or difference["low"] is None else difference["low"] <= 0


def _verdict(row: dict[str, Any], network: dict[str, Any], system: System) -> str:
    difference, control = row["difference"], system.input_control(row["name"])
    assert control is not None  # rows are made of the system's own
    name = f"{row['title'][0].upper()}{row['title'][1:]}"
    shown = f"AUC {_figure(row['auc'])} against {_figure(network['auc'])}"
    if does_as_well(row) is None:
        return f"{name}: {shown}; there is no interval of the difference yet."
    reach = f"{difference['value']:+.3f}, {difference['low']:+.3f} to {difference['high']:+.3f}".replace("-", "−")
    shown += f"; the network has {reach}"
    if not does_as_well(row):
        return f"{name} does worse than the network ({shown})."
    if not network["differs_from_chance"]:
        return f"{name} cannot be told from the network ({shown})."
    better = difference["high"] < 0
    open_ = difference["high"] > WIDE
    said = "does better than the network" if better else "cannot be told from the network" if open_ else "does as well"
    so = f", so {control.verdict}" if not open_ else f"; unless more patients show a difference, {control.verdict}"
    return f"{name} {said} ({shown}){so}."


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def not_needed(summary: dict[str, Any]) -> list[str]:
    """For the first sentences of a report: what the network cannot be shown to need, before any map is shown."""
    found = summary.get("input_controls")
    if not found or not found["rows"][0]["differs_from_chance"]:
        return []
    told = [sentence for row, sentence in zip(found["rows"][1:], found["sentences"], strict=True) if does_as_well(row)]
    return [f"Where the answer comes from: {sentence}" for sentence in told]


def input_controls_section(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """``input_controls`` of a card's performance: one entry for each control; ``difference`` is network minus control.

    Args:
        summary: of :func:`..figures.summary.summarise`.
    """
    found = summary.get("input_controls")
    return [_entry(row) for row in found["rows"][1:]] if found else []


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    difference = row["difference"]
    reach = [difference["low"], difference["high"]]
    entry = {
        "name": row["name"],
        "auc": row["auc"],
        "interval": None if row["low"] is None else [row["low"], row["high"]],
        "difference": difference["value"],
        "difference_interval": None if None in reach else reach,
        "lesions": row["lesions"],
        "patients": row["patients"],
    }
    return rounded(entry)
