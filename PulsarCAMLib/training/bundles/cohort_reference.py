"""The reference of relative maps, added to a bundle that was made without one: the weights stay byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.errors import BundleError, Cure
from ...core.pluralize import pluralize
from ...systems.contract import LabelledUnit
from ..permuted_label_control import settings_of_card
from ..units.holdout import hold_out_patients
from ..units.samples import collect_samples

if TYPE_CHECKING:
    from ...systems.bundles.bundle import ModelBundle

SAME = "the table is the one that the model was trained on"
OTHER = "the table is not known to be the one that the model was trained on"


def cohort_reference(
    bundle: ModelBundle,
    units: Iterable[LabelledUnit],
    *,
    validation_share: float = 0.0,
    seed: int = 0,
    hashes: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """A card's section ``reference``, as training makes it, from the lesions that a model was trained on.

    Args:
        bundle: of a system that keeps references.
        units: labelled, of the table in its order.
        validation_share, seed: by which training set patients aside, who are left out here, too.
        hashes: of the table and its images, by the names in the card's ``training.sha256``.
        tell: is called with each warning about a sample.

    Raises:
        BundleError: the model's system keeps no reference.
        InputError: there are no units, an image cannot be used, or the patients cannot be set aside.
    """
    card = bundle.card
    system, preprocessing = card.system, card.preprocessing
    settings = replace(settings_of_card(card), preprocessing=preprocessing)  # patches as the model sees them
    originals = collect_samples(units, system, settings, tell, only_original=True)
    learnt, _ = hold_out_patients(originals, validation_share, seed, system.task)
    section = system.reference_section(getattr(bundle.ensemble, "members", ()), learnt)
    if not section:
        raise BundleError(f"The model “{card.name}” has no map that is relative to a reference; leave it as it is.")
    known = card.fields["training"].get("sha256", {})
    same = any(known.get(name) == value for name, value in (hashes or {}).items())
    number = f"{pluralize(len(learnt), system.task.unit)} of {pluralize(len(set(learnt.patients.tolist())), 'patient')}"
    return {**section, "added": f"After the training, from {number}; {SAME if same else OTHER}."}


def refuse_second(bundle: ModelBundle, overwrite: bool) -> None:
    """Refuse to replace a reference unasked: with another one, the same weights have other relative maps.

    Raises:
        BundleError: the bundle keeps one, with its number of lesions.
    """
    kept = bundle.card.fields.get("reference")
    if kept is None or overwrite:
        return
    unit = bundle.card.system.task.unit
    of = f" of {pluralize(kept['lesions'], unit)}" if isinstance(kept.get("lesions"), int) else ""
    raise BundleError(
        f"The model “{bundle.card.name}” keeps a reference already{of}, and another one changes its relative maps",
        Cure("leave it as it is, or replace it in the new bundle", "with --overwrite"),
    )


def other_number(bundle: ModelBundle, section: Mapping[str, Any]) -> str:
    """A sentence where a section is not known to be of as many lesions as the model was trained on; else empty."""
    unit = bundle.card.system.task.unit
    counts = bundle.card.fields["training"].get("counts", {})
    trained = counts.get("training", {}).get(f"{unit}s")
    if trained is None:
        return (
            f"The card does not say on how many {unit}s the model was trained; the reference is of "
            f"{section['lesions']}, so see whether they are these."
        )
    if trained == section["lesions"]:
        return ""
    return (
        f"The model was trained on {pluralize(trained, unit)}, and the reference is of {section['lesions']}: give the "
        "share and seed by which patients were set aside, as the card's command tells them."
    )
