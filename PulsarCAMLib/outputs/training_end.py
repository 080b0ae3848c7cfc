"""What is told when a training is done: one sentence, and a small table; for console and panel alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.pluralize import pluralize

if TYPE_CHECKING:
    from ..systems.bundles.card import ModelCard

Rows = list[tuple[str, str]]


def end_rows(card: ModelCard) -> Rows:
    """Name and value of every row under the verdict, from the card of the new model."""
    fields = card.fields
    performance = fields["performance"]
    rows = [
        ("Model", f"“{card.name}”, {pluralize(card.members, 'member')}"),
        ("Trained on", fields["training"]["data"]),
        ("Validation patients", performance.get("validation", {}).get("text", "")),
        ("Their figures", performance["about"]),
        ("New patients", " ".join(card.verdict.reasons)),
        ("Sets of classes", fields.get("conformal", {}).get("text", "")),
        ("Maps", fields.get("explanation_checks", {}).get("text", "")),
    ]
    return [(name, _sentence(value)) for name, value in rows if value]


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."


def as_lines(verdict: str, rows: Sequence[tuple[str, str]], width: int = 100) -> str:
    """For a console: the sentence, and the rows with their values wrapped beside their names."""
    import textwrap

    left = max(len(name) for name, _ in rows) + 2
    lines = [*textwrap.wrap(verdict, width), ""]
    for name, value in rows:
        first, *others = textwrap.wrap(value, width - left, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{name:<{left}}{first}", *(" " * left + each for each in others)]
    return "\n".join(lines)


def as_html(verdict: str, rows: Sequence[tuple[str, str]], notes: Sequence[str] = ()) -> str:
    """For a label of the panel: the same, and sentences under it."""
    from html import escape

    body = "".join(
        f'<tr><td style="padding-right:8px"><b>{escape(name)}</b></td><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    under = "".join(f"<p>{escape(note)}</p>" for note in notes)
    table = f"<table>{body}</table>" if rows else ""
    return f"<p><b>{escape(verdict)}</b></p>{table}{under}"
