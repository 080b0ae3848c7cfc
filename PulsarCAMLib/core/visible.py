"""Names as everybody sees them: characters that move the cursor, colour a terminal or turn the direction are told."""

from __future__ import annotations

import unicodedata

TOLD = ("Cc", "Cs", "Cf", "Zl", "Zp")
"""Kinds of characters that are no sign of their own: control, half of a pair, format (such as the direction of
writing), and ends of lines and paragraphs."""

JOINERS = ("\u200c", "\u200d", "\u00ad")
"""Of these kinds, but parts of words in some scripts, or harmless."""


def visible(text: str, kept: str = "", joiners: str = "".join(JOINERS)) -> str:
    r"""The text with every control character in the spelling that programs have for it; there is no other anywhere.

    Args:
        text: a name or a sentence.
        kept: characters that stay, such as line breaks of a longer text.
        joiners: of :data:`JOINERS` those that stay, too.

    Examples:
        >>> visible("left\x1b[31m frontal\n")
        'left\\x1b[31m frontal\\n'
        >>> visible("Größe 3 µm"), visible("a\u202eb"), visible("\ud800")
        ('Größe 3 µm', 'a\\u202eb', '\\ud800')
    """
    if text.isprintable():
        return text
    return "".join(_told(each) if each not in kept + joiners else each for each in text)


def _told(character: str) -> str:
    if unicodedata.category(character) not in TOLD:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def shortened(text: str, most: int = 200) -> str:
    """A text for a sentence: what is in the middle of a very long one is left out.

    Examples:
        >>> shortened("a" * 500, 5)
        'aa…aa'
    """
    half = max(1, most // 2)
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def decoded(text: str | bytes) -> str:
    """Text of a header, which is UTF-8 or, from some programs, Latin-1.

    Args:
        text: as bytes, or with surrogates for those that are not UTF-8, as SimpleITK gives them.

    Examples:
        >>> decoded("M\\udcfcller"), decoded("Müller"), decoded(b"M\\xfcller"), decoded("Müller".encode())
        ('Müller', 'Müller', 'Müller', 'Müller')
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_visible(text: str, kept: str = "\n\t") -> bool:
    """Whether :func:`visible` would change nothing."""
    return visible(text, kept) == text
