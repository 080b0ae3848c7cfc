"""Numbers of things in sentences, and how a sentence begins."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """As in: 1 lesion, 2 lesions; ``noun`` takes an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""Small numbers."""


def counted(number: int, noun: str) -> str:
    """The same with small numbers in words, as in: three controls, 13 controls."""
    return f"{WORDS[number] if 0 <= number < len(WORDS) else number} {noun}{'' if number == 1 else 's'}"


def capital(text: str) -> str:
    """With a capital letter; the others stay as they are."""
    return text[:1].upper() + text[1:]
