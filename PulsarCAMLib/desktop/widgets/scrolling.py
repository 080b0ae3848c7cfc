"""The panel in the scroll area that an application puts it into."""

from __future__ import annotations


def scroll_to_top(widget) -> None:
    """Show the top of what a widget lies in; nothing where nothing scrolls."""
    above = widget.parentWidget()
    while above is not None and not above.inherits("QScrollArea"):
        above = above.parentWidget()
    if above is not None:
        above.verticalScrollBar().value = 0
