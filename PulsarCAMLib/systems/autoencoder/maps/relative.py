"""What relative maps are relative to: reference features of each member (method.md 2.7). Importing it imports no torch.

The cohort's reference R_k is the mean of the features A_k over the bottleneck cells inside the GTVs of the training
lesions; a card keeps it (section ``reference``), because nobody who uses a model has these lesions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....core.errors import Cure, InputError
from ....core.settings import Settings, is_finite, option

if TYPE_CHECKING:
    import torch

    from ...bundles.card import ModelCard
    from ..model.architecture import Architecture
    from ..model.ensemble import Ensemble
    from ..model.network import AutoencoderClassifier

AUTO, COHORT, LESION = "auto", "cohort", "lesion"
REFERENCES = (AUTO, COHORT, LESION)

SECTION = "relative"
"""Of the options, which both relative methods share."""

DIGITS = 7
"""Of a kept feature: what processors and versions of torch differ in lies below."""

AT_ONCE = 64
"""Lesions that are looked at together; fixed, so that sums do not depend on the machine's memory."""


@dataclass(frozen=True)
class RelativeSettings(Settings):
    """What a lesion's features are compared with.

    Attributes:
        reference: "cohort": the mean features inside the GTVs of the training lesions; "lesion": the mean of the
            lesion's own features over its cells; "auto": the cohort's where the model keeps them, else the lesion's.
    """

    who = "the relative maps"
    example = "reference lesion"

    reference: str = option(
        AUTO, "--relative-reference", "what a lesion is compared with: the mean features of the training lesions, its "
        "own mean, or the first where the model keeps it", section=SECTION, choices=REFERENCES,
    )  # fmt: skip

    def used(self, has_cohort: bool) -> str:
        """:data:`COHORT` or :data:`LESION`, for a model that keeps the cohort's features or does not."""
        return self.reference if self.reference != AUTO else COHORT if has_cohort else LESION


USUAL = RelativeSettings()


def in_words(card: ModelCard, settings: RelativeSettings | None) -> str:
    """What a model's relative maps are relative to, as one sentence."""
    kept = card.fields.get("reference")
    if (settings or USUAL).used(kept is not None) == COHORT and kept:
        return f"Relative to the mean features inside the GTVs of the model's {kept['lesions']} training lesions."
    why = "" if kept else "; the model does not keep those of its training lesions"
    return f"Relative to the mean of the lesion's own features{why}."


def refuse_missing(predictor: Ensemble, wanted: Sequence[RelativeSettings]) -> None:
    """Refuse the cohort's reference where a model has none.

    Raises:
        InputError: it is wanted and not there.
    """
    if predictor.reference is None and any(each.reference == COHORT for each in wanted):
        raise InputError(
            "The model does not keep the mean features of its training lesions, so no map can be relative to them",
            Cure(
                "compare lesions with their own mean",
                "by --relative-reference lesion, or add them with pulsarcam bundle add-reference",
                panel="write “reference lesion” as the map's settings, or leave them empty",
            ),
        )


def mean_features(ensemble: Ensemble, images: torch.Tensor, masks: torch.Tensor) -> tuple[Any, float]:
    """R_k float64 ``[members, features]``: sum of A_k over all cells of all lesions, divided by that of M; and that.

    Args:
        ensemble: whose members are asked, without their decoders.
        images: ``[N, 1, s, s]``, 0 to 1.
        masks: ``[N, 1, s, s]``, as the network is told of the lesions.
    """
    import torch

    total, cells = torch.zeros(len(ensemble), ensemble.architecture.features, dtype=torch.float64), 0.0
    with torch.inference_mode():
        for start in range(0, len(images), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            masked, inside = ensemble.masked_features(images[part], masks[part])
            total += masked.double().sum(dim=(1, 3)).cpu()
            cells += float(inside.double().sum())
    return total / max(cells, 1.0), cells


def reference_section(members: Sequence[AutoencoderClassifier], images: Any, masks: Any) -> dict[str, Any]:
    """A card's section ``reference`` from training lesions, one patch each, not turned.

    Args:
        members: in evaluation mode.
        images: float32 ``[N, 1, s, s]``.
        masks: ``[N, 1, s, s]``, as the network is told of the lesions.
    """
    import numpy as np
    import torch

    from ..model.ensemble import Ensemble

    given = [torch.from_numpy(np.require(each, requirements=("C", "W"))) for each in (images, masks)]
    features, cells = mean_features(Ensemble(members), *given)
    return {
        "about": "What relative maps are relative to: the mean features inside the GTVs (bottleneck cells that are on) "
        "of the training lesions, one patch each, a row for every member.",
        "lesions": len(images),
        "cells": int(cells),
        "features": [[float(f"{value:.{DIGITS}g}") for value in row] for row in features.tolist()],
    }


def with_reference(members: Sequence[AutoencoderClassifier], images: Any, masks: Any) -> list[AutoencoderClassifier]:
    """Copies of members with the reference of some lesions; arguments as :func:`reference_section`."""
    copies = [copy.deepcopy(member) for member in members]
    give_reference(copies, reference_section(members, images, masks))
    return copies


def give_reference(members: Sequence[AutoencoderClassifier], section: Mapping[str, Any]) -> None:
    """Each member takes its row of a card's section."""
    import torch

    for member, row in zip(members, section["features"], strict=True):
        weights = member.dense.weight
        member.reference = torch.tensor(row, dtype=weights.dtype, device=weights.device)


def reference_problems(section: Mapping[str, Any], architecture: Architecture, members: int) -> Iterator[str]:
    """What is wrong with a card's section ``reference``, one sentence each."""
    rows = section.get("features")
    right = isinstance(rows, list) and len(rows) == members
    right = right and all(isinstance(row, list) and len(row) == architecture.features for row in rows)  # type: ignore[union-attr]
    if not right:
        yield (
            f"The model card's reference must hold {architecture.features} features for each of {members} "
            f"member{'s' * (members > 1)}."
        )
    elif not all(_is_feature(value) for row in rows for value in row):  # type: ignore[union-attr]
        yield "The model card's reference holds features that are not numbers from 0 on."
    lesions = section.get("lesions")
    if isinstance(lesions, bool) or not isinstance(lesions, int) or lesions < 1:
        yield "The model card's reference does not say of how many lesions it is."


def _is_feature(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and is_finite(value) and value >= 0
