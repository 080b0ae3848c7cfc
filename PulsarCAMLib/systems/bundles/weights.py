"""The weights of a bundle as tensors, and everything that can be wrong with them.

What the card says of sizes is held against the header of the weights' file before anything of these sizes is made: the
network is built without memory for its numbers (PyTorch's device "meta") to ask for its shapes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from torch import Tensor, nn

from ...core.errors import BundleError, PulsarCAMError
from ...core.visible import shortened, visible

if TYPE_CHECKING:
    from .card import ModelCard

LARGEST_HEADER_BYTES = 16 << 20

KINDS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
"""Kinds of numbers: safetensors' word to PyTorch's."""


def read_tensors(card: ModelCard, content: bytes) -> dict[str, Tensor]:
    """The tensors of all members, by ``<member>.<name>``; nothing in a safetensors file can run.

    Raises:
        BundleError: the bytes are damaged, or are not what the card describes.
    """
    for problem in header_problems(card, content):
        raise BundleError(problem)
    return tensors_of(card, content)


def tensors_of(card: ModelCard, content: bytes) -> dict[str, Tensor]:
    """The same of weights whose header has no :func:`header_problems`.

    Raises:
        BundleError: the bytes are damaged.
    """
    try:
        return safetensors.torch.load(content)
    except Exception as error:  # safetensors raises its own, KeyError, ValueError... for damaged bytes
        raise _damaged(card, error) from error


def header_problems(card: ModelCard, content: bytes) -> Iterator[str]:
    """What the header of the weights says otherwise than the card, one sentence each; no tensor is made.

    Raises:
        BundleError: the header is damaged, or no network has the card's sizes.
    """
    header, needed = _header(card, content), _needed(card)
    for index in range(card.members):
        for name, wanted in needed.items():
            where = f"Model “{card.name}”, member {index}, tensor {name}"
            found = header.get(f"{index}.{name}")
            must = f"{tuple(wanted.shape)} {str(wanted.dtype).removeprefix('torch.')}"
            if found is None:
                yield f"{where}: missing from the weights."
            elif found != must:
                yield f"{where}: has {shortened(found)}, the card's architecture needs {must}."
    known = {f"{index}.{name}" for index in range(card.members) for name in needed}
    unknown = [shortened(visible(name)) for name in sorted(set(header) - known)]
    if unknown:
        yield f"The weights of model “{card.name}” hold unknown tensors: {unknown[:3]}."


def _header(card: ModelCard, content: bytes) -> dict[str, str]:
    """Shape and kind of every tensor by its name: eight bytes of length, then JSON (the format's description)."""
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > min(LARGEST_HEADER_BYTES, len(content) - 8):
            raise ValueError("the header is longer than the file")
        told: Any = json.loads(content[8 : 8 + length].decode("utf-8"))
        if not isinstance(told, Mapping):
            raise ValueError("the header is no list of tensors")
        named = {name: about for name, about in told.items() if name != "__metadata__"}
        return {name: f"{tuple(about['shape'])} {KINDS.get(about['dtype'], '?')}" for name, about in named.items()}
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(card, error) from error


def _needed(card: ModelCard) -> dict[str, Tensor]:
    """Tensors of one member without their numbers.

    Raises:
        BundleError: no network has these sizes.
    """
    try:
        with torch.device("meta"):
            found: dict[str, Tensor] = card.system.network(card.architecture, card.preprocessing).state_dict()
            return found
    except PulsarCAMError:
        raise
    except (RuntimeError, ValueError, TypeError, OverflowError, ArithmeticError, MemoryError) as error:
        raise BundleError(f"No network has the sizes that the card of model “{card.name}” gives.") from error


def _damaged(card: ModelCard, error: Exception) -> BundleError:
    return BundleError(f"The weights of model “{card.name}” are damaged ({shortened(visible(str(error)))}).")


def tensor_problems(card: ModelCard, tensors: dict[str, Tensor]) -> Iterator[str]:
    """Tensors of the right shapes whose numbers cannot be used, one sentence each."""
    for name in sorted(tensors):
        if not bool(tensors[name].isfinite().all()):
            index, _, own = name.partition(".")
            yield f"Model “{card.name}”, member {index}, tensor {own}: holds NaN or infinite numbers."


def members_of(card: ModelCard, tensors: dict[str, Tensor]) -> list[nn.Module]:
    """The members.

    Args:
        card: of the bundle.
        tensors: of :func:`read_tensors`.

    Raises:
        BundleError: a number is not finite.
    """
    for problem in tensor_problems(card, tensors):
        raise BundleError(problem)
    members = []
    for index in range(card.members):
        member, prefix = card.system.network(card.architecture, card.preprocessing), f"{index}."
        member.load_state_dict({n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)})
        members.append(member)
    return members
