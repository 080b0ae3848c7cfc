"""Nothing decides: half of the lesions have a dark niche, and a coin of its own the outcome."""

from __future__ import annotations

from dataclasses import replace

from . import dark_niche
from .rule import NOWHERE, Rule


def marks(rng, tumour, _against: bool):
    """The niche of :mod:`.dark_niche`, dark or bright by chance; no truth is planted."""
    return tuple(replace(mark, deciding=()) for mark in dark_niche.marks(rng, tumour, bool(rng.random() < 0.5)))


RULE = Rule("nothing", NOWHERE, "everything", marks)
