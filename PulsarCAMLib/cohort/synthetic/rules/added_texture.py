"""A part of the lesion carries a fine texture and grows: tissue of the tumour itself, see :mod:`..lesions`."""

from __future__ import annotations

from .rule import INSIDE, Rule

RULE = Rule("added-texture", INSIDE, "brightness, size, place and all conspicuous tissue")
