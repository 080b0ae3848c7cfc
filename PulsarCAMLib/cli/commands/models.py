"""``pulsarcam models``: what is installed, and what it was trained on."""

from __future__ import annotations

import json
import textwrap

from ...core.errors import BundleError
from ..console import warn


def run(options) -> None:
    """The command."""
    from ...systems.bundles.bundle import CARD_FILE, USER_FOLDER_VARIABLE, installed_bundles
    from ...systems.bundles.card import ModelCard

    cards = []
    for name, folder in sorted(installed_bundles().items()):
        try:
            cards.append(ModelCard.read(folder / CARD_FILE))
        except BundleError as error:
            warn(f"Model “{name}” is not usable: {error}")
    if options.json:
        print(json.dumps([dict(card.fields) for card in cards], indent=1, ensure_ascii=False))
        return
    if not cards:
        print(f"No model is installed; put bundle folders into a folder and name it in {USER_FOLDER_VARIABLE}.")
    for card in cards:
        print(describe(card))


def describe(card) -> str:
    """A card in a few lines."""
    from ...outputs.pages.card_text import told

    fields = card.fields
    rows = {
        "verdict": card.verdict.sentence,
        "origin": card.origin,
        "members": card.members,
        **_classes(card),
        "trained on": fields["training"].get("data", "see the card"),
        "performance": "; ".join(told(fields["performance"])) or "see the card",
        "protocols": " ".join(fields.get("protocols", {}).get("text", [])) or "no study in the card",
        "maps": fields.get("explanation_checks", {}).get("text", "not checked in the card"),
        "intended use": fields["intended_use"],
        "licence": fields["licence"],
        "sha256": card.sha256[:16] + "...",
    }
    lines = [card.name]
    for name, text in rows.items():
        wrapped = textwrap.wrap(str(text), 96) or [""]
        lines += [f"  {name + ':':<14}{wrapped[0]}", *(" " * 16 + line for line in wrapped[1:])]
    return "\n".join(lines)


def _classes(card) -> dict[str, str]:
    """What is called the positive class, where that is computed, or which classes there are."""
    if "response" in card.fields:
        return {card.system.task.positive: card.fields["response"].get("definition", "")}
    return {"classes": ", ".join(card.system.task.names)}
