"""A model card as a readable page: headings, lists and tables, no colors of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from slicer.i18n import tr as _

HIDDEN = ("format", "format_version", "name", "title", "classes", "synthetic", "intended_use")
"""Shown above, or of no interest to people."""


def card_page(card) -> str:
    """HTML of a :class:`PulsarCAMLib.systems.bundles.card.ModelCard`."""
    fields = card.fields
    warning = _("Trained on synthetic {unit}s: not for patients.") if card.synthetic else ""
    warning = warning.format(unit=card.system.task.unit)
    parts = [
        f"<h2>{escape(card.title)}</h2>",
        f"<p><b>{escape(card.verdict.sentence)}</b></p>",
        f"<p><b>{escape(_('Research use only.'))}</b> {escape(warning)}</p>",
        f"<p>{escape(str(fields['intended_use']))}</p>",
    ]
    simple = {key: value for key, value in fields.items() if key not in HIDDEN and not _is_nested(value)}
    parts.append(_table(simple))
    for key, value in fields.items():
        if key not in HIDDEN and _is_nested(value) and value:
            parts.append(f"<h3>{escape(_words(key))}</h3>{_content(value)}")
    return "\n".join(parts)


def _is_nested(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _content(value: object) -> str:
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(not _is_nested(each) for each in value):
            return escape(", ".join(_text(each) for each in value))
        return "<ul>" + "".join(f"<li>{_content(each)}</li>" for each in value) + "</ul>"
    return escape(_text(value))


def _table(values: Mapping[str, object]) -> str:
    rows = "".join(
        f"<tr><td>{escape(_words(key))}&nbsp;&nbsp;</td><td>{_content(value)}</td></tr>"
        for key, value in values.items()
    )
    return f"<table>{rows}</table>"


def _words(key: str) -> str:
    text = str(key).replace("_", " ")
    return text[:1].upper() + text[1:]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:.4g}" if isinstance(value, float) else str(value)
