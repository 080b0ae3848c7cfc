"""Everything that is wrong with a bundle at once, where loading it names the first thing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ...core.errors import BundleError
from .bundle import CARD_FILE, read_weights
from .card import ModelCard, read_fields
from .card_rules import card_problems

MOST_PROBLEMS = 20
"""Of the weights; a wrong architecture would bring one for every tensor."""


def check_bundle(folder: Path) -> list[str]:
    """Card, hash, shapes, numbers, and the answer to a fixed input.

    Args:
        folder: of the bundle.

    Returns:
        One sentence for each problem; empty where all is well.
    """
    try:
        fields = read_fields(folder / CARD_FILE)
    except BundleError as error:
        return [str(error)]
    problems = list(card_problems(fields))
    if problems:
        return [*problems, "The weights were not looked at: the card does not say what they must be."]
    return list(_weights_problems(folder, ModelCard(MappingProxyType(fields))))


def wrong_weights(folder: Path, card: ModelCard) -> str:
    """A sentence where a bundle's weights are missing or not those of its card; else empty. No tensor is looked at."""
    try:
        content = read_weights(folder, card)
    except BundleError as error:
        return str(error)
    return _other_weights(content, card)


def _other_weights(content: bytes, card: ModelCard) -> str:
    if hashlib.sha256(content).hexdigest() == card.sha256:
        return ""
    return f"The weights of model “{card.name}” are not those its card describes (wrong sha256)."


def _weights_problems(folder: Path, card: ModelCard) -> Iterator[str]:
    try:
        content = read_weights(folder, card)
    except BundleError as error:
        yield str(error)
        return
    if problem := _other_weights(content, card):
        yield problem
    from .weights import header_problems, members_of, tensor_problems, tensors_of

    try:
        wrong = list(header_problems(card, content))
        tensors = {} if wrong else tensors_of(card, content)
    except BundleError as error:
        yield str(error)
        return
    wrong = wrong or list(tensor_problems(card, tensors))
    yield from wrong[:MOST_PROBLEMS]
    if len(wrong) > MOST_PROBLEMS:
        yield f"The weights of model “{card.name}” have {len(wrong) - MOST_PROBLEMS} more problems of this kind."
    if not wrong:
        from .probe import probe_problems

        yield from probe_problems(card, card.system.predictor(members_of(card, tensors)))
