"""Answers and maps of a system's networks, one sample at a time: what every system has that brings no faster way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...core.errors import BundleError
from ...core.map_method import MapMethod
from ..answers import Explained, NetworkEvidence, Predictor, checked_logits, slips_of

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


def explain_one_by_one(
    system: Any,
    predictor: Predictor,
    images: np.ndarray,
    masks: np.ndarray,
    methods: Sequence[str],
    after_chunk: Callable[[float], None] | None,
    inputs: Mapping[str, tuple[int, ...]],
    choices: Mapping[str, Any] | None = None,
    ended: Callable[[str], None] | None = None,
) -> Explained:
    """See :meth:`..contract.System.explain`; needs a predictor with ``members``."""
    import numpy as np
    import torch

    members: Sequence[nn.Module] = predictor.members  # type: ignore[attr-defined]
    logits: list[np.ndarray] = []
    maps: dict[tuple[str, ...], list[np.ndarray]] = {}
    shares = _shares_of_work(system, methods)
    for n in range(len(images)):
        part = torch.from_numpy(images[n : n + 1]), torch.from_numpy(masks[n : n + 1])
        with torch.inference_mode():
            logits.append(checked_logits(system, *part, predictor.logits).float().cpu().numpy())
        for m, name in enumerate(methods):
            # long methods tell often how far they are, so that they can be cancelled
            tell = partial(_still_at, after_chunk, n, shares[m], shares[m + 1])
            evidence = NetworkEvidence(system, members, *part, inputs, tell, choices or {}, ended or (lambda _: None))
            for key, found in _computed(system.method(name), evidence).items():
                whole = (name, key) if isinstance(key, str) else (name, *key)
                maps.setdefault(whole, []).append(found.detach().float().cpu().numpy())
        if after_chunk:
            after_chunk(n + 1)
    together = {key: np.concatenate(found, axis=1) for key, found in maps.items()}
    return Explained(
        np.concatenate(logits, axis=1),
        {(key[0], key[1]): found for key, found in together.items() if len(key) == 2},
        {(key[0], key[1], key[2]): found for key, found in together.items() if len(key) == 3},
    )


def _computed(method: MapMethod, evidence: NetworkEvidence) -> dict[Any, Tensor]:
    """A method's maps, which are looked at before they are put anywhere.

    Raises:
        BundleError: the method fails on this system, or its maps are of another shape.
    """
    with slips_of(evidence.system, f"The map method {method.title}", evidence.images, evidence.masks):
        found = method.compute(evidence)
    wanted, axes = (len(evidence.members), len(evidence.images)), evidence.images.ndim
    wrong = next((each for each in found.values() if each.shape[:2] != wanted or each.ndim != axes), None)
    if wrong is not None:
        raise BundleError(
            f"The map method {method.title} of the system {evidence.system.name} gives a map of shape "
            f"{' x '.join(map(str, wrong.shape))}; members x samples x cells ({wanted[0]} x {wanted[1]} x "
            f"{axes - 2} axes) are needed."
        )
    return found


def _shares_of_work(system: Any, methods: Sequence[str]) -> list[float]:
    """Share of a sample's work that is done before each method, by their passes, and 1 at the end."""
    passes = [max(1.0, system.method(name).passes(len(system.task.classes))) for name in methods]
    return [sum(passes[:m]) / sum(passes) for m in range(len(passes))] + [1.0]


def _still_at(
    after_chunk: Callable[[float], None] | None, sample: int, before: float, behind: float, fraction: float
) -> None:
    if after_chunk:
        after_chunk(sample + before + (behind - before) * fraction)


def class_logits(evidence: NetworkEvidence, member: nn.Module, images: Tensor) -> Tensor:
    """Logits ``[n, classes]`` of some images; where the network has one output, of the positive class and its negative.

    Args:
        evidence: whose system and mask it is; the mask is that of one sample.
        member: one network.
        images: ``[n, channels, *size]``, variants of that sample.
    """
    import torch

    task = evidence.system.task
    masks = evidence.masks.expand(len(images), *evidence.masks.shape[1:])
    logits = evidence.system.member_logits(member, images, masks)
    if logits.ndim == 2:
        return logits
    return torch.stack([task.sign(name) * logits for name in task.names], dim=1)


def by_class(evidence: NetworkEvidence, of_member: Callable[[nn.Module], Iterable[Tensor]]) -> dict[str, Tensor]:
    """Maps by class ``[members, n, *cells]``; ``of_member`` gives ``[n, *cells]`` for every class in its turn."""
    import torch

    found: dict[str, list[Tensor]] = {name: [] for name in evidence.system.task.names}
    for member in evidence.members:
        for name, values in zip(found, of_member(member), strict=True):
            found[name].append(values)
    return {name: torch.stack(values) for name, values in found.items()}


def by_class_and_input(
    evidence: NetworkEvidence, attributions: Callable[[nn.Module], Iterable[Tensor]], reduce: Callable[[Tensor], Tensor]
) -> dict[str | tuple[str, str], Tensor]:
    """Maps by class, of all inputs together and of each that the evidence asks for.

    Args:
        evidence: members, and channels of every input.
        attributions: of a member: ``[n, channels, *size]`` for every class in its turn.
        reduce: makes one map ``[n, *size]`` of some channels.
    """
    import torch

    found: dict[str | tuple[str, str], list[Tensor]] = {}
    for member in evidence.members:
        for name, values in zip(evidence.system.task.names, attributions(member), strict=True):
            found.setdefault(name, []).append(reduce(values))
            for role, channels in evidence.inputs.items():
                found.setdefault((name, role), []).append(reduce(values[:, list(channels)]))
    return {key: torch.stack(values) for key, values in found.items()}
