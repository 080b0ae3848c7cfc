"""Names of the models that a study knows; the command line's help needs them, so nothing heavy is imported."""

from __future__ import annotations

from .feature_groups import GROUPS

CAM = "cam"
"""The autoencoder-classifier."""

FEATURE_MODELS = {
    **{name: (group,) for name, group in GROUPS.items()},
    "dosiomics": ("dose", "clinical"),
    "combined": tuple(GROUPS.values()),
}
"""Names of feature models to the groups of features they use; joined by "+" they use all of them."""

DELTA = "delta"
"""Joined to feature models: they use the second MRI and how features changed since the first."""


def why_unknown(name: str) -> str:
    """What is wrong with the name of a model and what to write instead; empty if it is known."""
    words = name.split("+")
    if name == CAM:
        return ""
    if CAM in words:
        return f"{name!r} joins the network to features; write {name.replace('+', ',')}, which adds their late fusion"
    unknown = [word for word in words if word not in FEATURE_MODELS and word != DELTA]
    if unknown:
        return (
            f"{unknown[0]!r} is no model; there are {CAM} and, on features, {', '.join(FEATURE_MODELS)}, which may be "
            f"joined as in radiomics+dose"
        )
    if set(words) == {DELTA}:
        return f"{DELTA!r} needs the features whose change it means; join it, as in radiomics+{DELTA}"
    return ""
