"""Numbers of things in sentences."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """As in: 1 lesion, 2 lesions; ``noun`` takes an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
