"""A study as the section ``protocols`` of a model's card: Table 1 per protocol and MRI, beside its control."""

from __future__ import annotations

from typing import Any

from ...evaluation.card_sections import rounded
from .entries import judged, task_of

ABOUT = "Of models trained in the same way on these {}s or parts of them, not of the members of this bundle"
KEPT = ("synthetic", "positive", "shrinkage", "lesions", "patients", "responses", "prevalence", "second_mri", "missing",
        "threshold", "resamples", "level")  # fmt: skip


def protocols_section(summary: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """What the card keeps of a study.

    Args:
        summary: of :func:`~.summary.summarise`.
        facts: of the study, for its settings and hashes.
    """
    words = summary["sentences"]
    settings = {name: facts["settings"][name] for name in ("trials", "paper_trials", "controls", "folds", "seed")}
    section = {
        "about": ABOUT.format(task_of(summary).unit),
        "text": [*words["headline"], *words["why_flattering"], *words["state"]],
        "cautions": words["cautions"],
        **{name: summary[name] for name in KEPT},
        **({"system": summary["system"]} if "system" in summary else {}),
        "settings": settings,
        "sha256": facts["sha256"],
        "protocols": {each["name"]: each["about"] for each in summary["protocols"]},
        "table": [entry_of_card(each) for each in summary["table"]],
    }
    return rounded(section)


def entry_of_card(entry: dict[str, Any]) -> dict[str, Any]:
    """What a card keeps of one entry of a summary's table."""
    kept = ("protocol", "model", "time_point", "flatters", "by_trial_means_little", "trials", "lesions", "patients",
            "responses", "metrics")  # fmt: skip
    pooled, chance, control = entry["pooled"], entry["chance"], entry["control"]
    return {
        **{name: entry[name] for name in kept},
        "pooled": pooled["values"] if pooled else None,
        "pooled_auc": pooled["values"]["auc"] if pooled else None,
        "text": chance["text"] if chance else "AUC not defined",
        "differs_from_chance": judged(entry)["differs"] if chance else None,
        **({"judged": entry["judged"]} if "judged" in entry else {}),
        "by_split": entry["by_split"],
        "controls": control["trials"],
        "control_auc": control["metrics"]["auc"],
        "control_accuracy": control["metrics"]["accuracy"],
        "control_pooled": control["pooled"]["values"] if control["pooled"] else None,
        "against_control": entry["against_control"],
    }
