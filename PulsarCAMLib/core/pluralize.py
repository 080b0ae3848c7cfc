"""Numbers of things in sentences, and how a sentence begins."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """As in: 1 lesion, 2 lesions; ``noun`` takes an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def capital(text: str) -> str:
    """With a capital letter; the others stay as they are."""
    return text[:1].upper() + text[1:]
