"""Classes that cannot be ruled out for a unit, at an error rate that holds by patient (method.md 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..systems.bundles.card import ModelCard
from ..systems.bundles.conformal import check_error_rate
from .probabilities import class_probabilities
from .result import UnitResult


def with_sets(
    units: Sequence[UnitResult], card: ModelCard, error_rate: float | None = None
) -> tuple[list[UnitResult], list[str]]:
    """Units with the classes that cannot be ruled out, where the model was calibrated for that.

    Args:
        units: of one case.
        card: of the model.
        error_rate: share of patients for whom a set may lack the true class; None: that of the card.

    Returns:
        The units, and why there is no such answer although a rate was asked for.

    Raises:
        InputError: a rate that is none.
    """
    if error_rate is not None:
        check_error_rate(error_rate)
    if card.conformal is None:
        told = f"The model “{card.name}” was not calibrated for sets of classes, so no error rate can be kept."
        return list(units), [told] * (error_rate is not None)
    rate = card.fields["conformal"]["error_rate"] if error_rate is None else error_rate
    refusal, found, task = card.conformal.refusal(rate), [], card.system.task
    for unit in units:
        main = unit.logits[:, unit.main : unit.main + 1]
        plain = class_probabilities(main, task).mean(axis=1)[:, 0]
        found.append(replace(unit, conformal=card.conformal.answer(plain, task, rate)))
    return found, [refusal] * bool(refusal and error_rate is not None)
