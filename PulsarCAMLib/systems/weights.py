"""The weights of a bundle as tensors, and everything that can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import safetensors.torch
from torch import Tensor, nn

from ..core.errors import BundleError

if TYPE_CHECKING:
    from .card import ModelCard


def read_tensors(card: ModelCard, content: bytes) -> dict[str, Tensor]:
    """The tensors of all members, by ``<member>.<name>``; nothing in a safetensors file can run.

    Raises:
        BundleError: the bytes are damaged.
    """
    try:
        return safetensors.torch.load(content)
    except Exception as error:  # safetensors raises its own, KeyError, ValueError... for damaged bytes
        raise BundleError(f"The weights of model “{card.name}” are damaged ({error}).") from error


def tensor_problems(card: ModelCard, tensors: dict[str, Tensor]) -> Iterator[str]:
    """What keeps the tensors from being the members that the card describes, one sentence each."""
    needed = card.system.network(card.architecture, card.preprocessing).state_dict()
    for index in range(card.members):
        for name, wanted in needed.items():
            yield from _problem(f"Model “{card.name}”, member {index}, tensor {name}",
                                tensors.get(f"{index}.{name}"), wanted)  # fmt: skip
    unknown = sorted(set(tensors) - {f"{index}.{name}" for index in range(card.members) for name in needed})
    if unknown:
        yield f"The weights of model “{card.name}” hold unknown tensors: {unknown[:3]}."


def _problem(where: str, tensor: Tensor | None, wanted: Tensor) -> Iterator[str]:
    if tensor is None:
        yield f"{where}: missing from the weights."
    elif tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
        found, needed = f"{tuple(tensor.shape)} {tensor.dtype}", f"{tuple(wanted.shape)} {wanted.dtype}"
        yield f"{where}: has {found}, the card's architecture needs {needed}."
    elif not bool(tensor.isfinite().all()):
        yield f"{where}: holds NaN or infinite numbers."


def members_of(card: ModelCard, tensors: dict[str, Tensor]) -> list[nn.Module]:
    """The members.

    Raises:
        BundleError: tensors are missing, unknown, of the wrong shape, or not finite.
    """
    for problem in tensor_problems(card, tensors):
        raise BundleError(problem)
    members = []
    for index in range(card.members):
        member, prefix = card.system.network(card.architecture, card.preprocessing), f"{index}."
        member.load_state_dict({n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)})
        members.append(member)
    return members
