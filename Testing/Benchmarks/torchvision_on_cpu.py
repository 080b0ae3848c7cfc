"""Lets torchvision, which grad-cam imports, be imported beside a CPU build of torch.

The compiled part of torchvision's public wheel asks for CUDA and does not load there; torchvision then stops while it
describes two operators that this part would have declared. Declaring them, without an implementation, is enough: no
file is changed, nothing is replaced, and grad-cam runs as published (it uses two image helpers, never an operator).
"""

from __future__ import annotations

import importlib
import sys

import torch

OPERATORS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[torch.library.Library] = []
"""A library is undone when its object goes, so it is kept."""


def import_torchvision():
    """Returns torchvision, with its two operators declared when its own compiled part could not do it.

    Raises:
        RuntimeError: torchvision cannot be imported for another reason.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in OPERATORS.values():
        library.define(schema)
    _declared.append(library)
    return importlib.import_module("torchvision")
