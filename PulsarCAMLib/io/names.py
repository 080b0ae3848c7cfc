"""File names from what users call their lesions."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 48

_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}


def file_name_of(text: str, fallback: str = "lesion") -> str:
    """A name that every file system takes: letters, digits, '.', '_', '-'; never hidden, reserved or a path.

    Args:
        text: as the user typed it, in any script.
        fallback: where nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", plain)[:LONGEST].strip("._-")
    return fallback if not plain or plain.lower().split(".")[0] in _RESERVED else plain


def unlike(name: str, taken: set[str], fallback: str = "") -> str:
    """The name, or the fallback where it is empty, with a number in brackets if it is taken; it is added to those.

    Examples:
        >>> taken = set()
        >>> [unlike("GTV", taken) for _ in range(3)]
        ['GTV', 'GTV [2]', 'GTV [3]']
    """
    name = name or fallback
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} [{count}]"
    taken.add(found)
    return found


def alike(name: str) -> str:
    """A name without what people and programs vary: case, blanks, signs, accents, how they are stored, leading zeros.

    Examples:
        >>> alike("Müller^Jane") == alike("MULLER JANE^^"), alike("P01") == alike("p1")
        (True, True)
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]+", "", plain)) or name
