"""What networks answer, and what maps are made from: shared by the contract and the generic map methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..core.errors import BundleError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Explained:
    """Answers and raw maps of N samples by K members.

    Attributes:
        logits: ``[K, N]`` where there is one output (of the positive class), else ``[K, N, classes]``.
        maps: ``(method, class)`` to ``[K, N, *cells]``, of all inputs together; a signed method has the class "".
        input_maps: ``(method, class, input)`` likewise, of one input alone; empty where there is one input only.
    """

    logits: np.ndarray
    maps: Mapping[tuple[str, str], np.ndarray]
    input_maps: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)


class Predictor(Protocol):
    """All members of an ensemble."""

    def __len__(self) -> int:
        """Number of members."""

    def logits(self, images: Tensor, masks: Tensor) -> Tensor:
        """Logits ``[K, n]`` or ``[K, n, classes]`` of images ``[n, channels, *size]`` and masks ``[n, 1, *size]``."""


@dataclass(frozen=True, eq=False)
class LoopedPredictor:
    """Members asked one after another: what a system has that brings no faster way."""

    members: Sequence[nn.Module]

    def __post_init__(self) -> None:
        for member in self.members:
            member.eval()

    def __len__(self) -> int:
        return len(self.members)

    def logits(self, images: Tensor, masks: Tensor) -> Tensor:
        """See :class:`Predictor`."""
        import torch

        return torch.stack([member(images, masks) for member in self.members])


@dataclass
class EndedEarly:
    """Is told what is missing in maps that ended early.

    Attributes:
        sentences: that were told.
        stopped: whether a person ended one, so that those of further samples end at once, too.
    """

    sentences: list[str] = field(default_factory=list)
    stopped: bool = False

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)


@dataclass(frozen=True, eq=False)
class NetworkEvidence:
    """What generic map methods are made from: the members themselves, and what they are asked.

    Attributes:
        system: whose members these are; a :class:`.contract.System`.
        members: networks, in evaluation mode; ``member(images, masks)`` gives logits ``[n, classes]``.
        images: ``[n, channels, *size]``.
        masks: ``[n, 1, *size]``.
        inputs: names of the inputs that maps of their own are wanted of, each with its channels; empty: none are.
        choices: settings of methods by their names, where they are not the usual ones.
        ended: is told, in a sentence, what is missing in a map that was ended early.
        tell: is told the fraction of a long method that is done; an error that it raises ends the work.
    """

    system: Any
    members: Sequence[nn.Module]
    images: Tensor
    masks: Tensor
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tell: Callable[[float], None] = lambda fraction: None
    choices: Mapping[str, Any] = field(default_factory=dict)
    ended: Callable[[str], None] = lambda sentence: None


SLIPS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError, AssertionError)
"""What Python raises over a slip in a system's code."""


@contextmanager
def slips_of(system: Any, what: str, images: Tensor, masks: Tensor) -> Iterator[None]:
    """Turn a fault in a system's own code into a sentence for whoever writes it.

    Args:
        system: a :class:`.contract.System`.
        what: cannot take the samples, as in "The network".
        images, masks: the samples.

    Raises:
        BundleError: names the system, the shapes and the fault.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except SLIPS as error:
        shapes = f"images {_size(images.shape)}, masks {_size(masks.shape)}"
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise BundleError(
            f"{what} of the system {system.name} fails on its own samples ({shapes}; {text}); mend the system."
        ) from error


def checked_logits(system: Any, images: Tensor, masks: Tensor, ask: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Logits of some samples, which are looked at before anything is made of them.

    Args:
        system: a :class:`.contract.System`.
        images, masks: ``[n, ...]``.
        ask: gives logits ``[..., n]`` or ``[..., n, classes]``.

    Raises:
        BundleError: they are of another shape, or the network fails.
    """
    with slips_of(system, "The network", images, masks):
        logits = ask(images, masks)
    task, n = system.task, len(images)
    ends = [(n, len(task.classes))] + ([(n,)] if task.binary else [])
    shape = tuple(logits.shape)
    if not any(shape[-len(end) :] == end for end in ends):
        wanted = " or ".join(map(_size, reversed(ends)))
        raise BundleError(
            f"The network of the system {system.name} gives logits of shape {_size(shape)} for {_size((n,))} "
            f"sample(s); its task “{task.name}” has {len(task.classes)} classes, so {wanted} are needed."
        )
    return logits


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
