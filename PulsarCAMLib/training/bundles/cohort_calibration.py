"""Sets of classes with a chosen error rate, calibrated on a table for a bundle that lacks them: the weights stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import BundleError, Cure, InputError
from ...core.pluralize import pluralize
from ...explanation.explain import explain_case
from ...explanation.probabilities import class_probabilities
from ...systems.contract import LabelledUnit

if TYPE_CHECKING:
    from ...systems.bundles.bundle import ModelBundle


def refuse_calibrated(bundle: ModelBundle, overwrite: bool) -> None:
    """Refuse to calibrate anew unasked.

    Raises:
        BundleError: the card has sets of classes, with the number of patients behind them.
    """
    kept = bundle.card.fields.get("conformal")
    if kept is None or overwrite:
        return
    raise BundleError(
        f"The model “{bundle.card.name}” is calibrated already, on {pluralize(len(kept['scores']), 'patient')}",
        Cure("leave it as it is, or replace that in the new bundle", "with --overwrite"),
    )


def refuse_learnt(bundle: ModelBundle, hashes: Mapping[str, str]) -> None:
    """Refuse the patients that the model has learnt from: of them it is surer than of any new one.

    Args:
        bundle: the model.
        hashes: of the table and its images, by the names in the card's ``training.sha256``.

    Raises:
        InputError: the table, or its images, are those of the training.
    """
    known = bundle.card.fields["training"].get("sha256", {})
    if any(known.get(name) == value for name, value in hashes.items()):
        raise InputError(
            f"The model “{bundle.card.name}” has learnt from this very table, so sets of classes calibrated on it "
            "would promise too much; give a table of other patients."
        )


def cohort_calibration(bundle: ModelBundle, units: Iterable[LabelledUnit], error_rate: float) -> dict[str, Any]:
    """A card's section ``conformal`` from units that the model is asked about as a user asks.

    Args:
        bundle: the model, which must not have learnt from the patients.
        units: labelled.
        error_rate: for which coverage is told.

    Raises:
        InputError: there are no units, or an image cannot be used.
    """
    from ...evaluation.conformal import conformal_section

    task = bundle.card.system.task
    labels, patients, found = [], [], []
    for unit in units:
        (answer,) = explain_case(unit.case, bundle, methods=(), each_input=False).units
        main = answer.logits[:, answer.main : answer.main + 1]
        found.append(class_probabilities(main, task).mean(axis=1)[:, 0])
        labels.append(unit.label)
        patients.append(unit.patient)
    if not found:
        raise InputError("There is nobody in the table to calibrate on.")
    own = "They were calibrated after the training, on a table of other patients"
    return conformal_section(
        np.array(labels), np.stack(found), np.array(patients), task, error_rate=error_rate, also_chosen=own
    )
