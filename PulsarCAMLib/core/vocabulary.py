"""What things are called, said once: names as typed and kept in files, titles for people, the order of both.

Parser, help, panel, checks, tables and sentences read them from here. Needs neither NumPy nor torch. What belongs to
one system (classes, map methods, inputs) is said by its ``task``, ``maps`` and ``inputs``.
"""

from __future__ import annotations

# MRIs

BASELINE, SECOND, FOLLOWUP = "baseline", "second", "followup"

BEFORE = "before"
"""The visit before, for systems that answer for visits: the previous row of the same patient in a cohort table."""

TIME_POINTS = (BASELINE, SECOND)
"""MRIs before treatment: the rows of a cohort table. What is predicted is predicted from these."""

MRI_TITLES = {BASELINE: "first MRI", SECOND: "second MRI"}

# How a result is shown

STATISTICS = ("mean", "std")
"""Over the members of the ensemble."""

NORMALISATIONS = ("none", "lesion", "scan")
"""Raw values, or divided by the joint maximum of all classes in each unit, or in the whole case."""

EACH = "each"
"""Stands for the maps of all inputs together and of every input of its own, where an input is asked for."""

THRESHOLD_KINDS = ("fraction", "percentile", "value")

DEFAULT_MARGIN_MM = 2.0
"""Thickness of the shell under a unit's surface that is called margin; the remainder is core."""

DEFAULT_SIGMA_MM = 1.0
"""Standard deviation of the Gaussian that calms noise before differences are taken."""

DEFAULT_THICKNESS_MM = 1.0
"""Of the shells from a unit's surface inwards."""

PARTS = ("auto", "together", "separate")
"""Unconnected parts of a mask: each a lesion where a label volume has one single label; one lesion; each a lesion."""

# Files

IMAGE_FORMATS = ("nrrd", "nii.gz")
CHECK_FORMATS = (".json", ".csv", ".md")
"""Of the checks of maps."""

# Features and models

GROUPS = {
    "radiomics": "radiomics",
    "gradients": "gradient",
    "octants": "octant",
    "dose": "dose",
    "clinical": "clinical",
}
"""Groups of features as typed, to how the names of their features begin."""

CAM = "cam"
"""The autoencoder-classifier."""

FEATURE_MODELS = {
    **{name: (group,) for name, group in GROUPS.items()},
    "dosiomics": ("dose", "clinical"),
    "combined": ("radiomics", "gradient", "dose", "clinical"),
}
"""Names of feature models to the groups of features they use; joined by "+" they use all of them."""

MAJORITY, VOLUME_RULE, GROWTH = "majority", "volume-rule", "growth"

BASELINES = {MAJORITY: "commonest class", VOLUME_RULE: "volume rule", GROWTH: "growth of the tumour"}
"""What a network has to beat: the first for every system, the others for those that measure their units' sizes."""

CLINICAL = "clinical"
"""Clinical columns alone: a model on features, and for systems that take none of these a baseline."""

CLINICAL_TITLE = "clinical columns alone"

DELTA = "delta"
"""Joined to feature models: they use the second MRI and how features changed since the first."""

# Training

IMBALANCE = {"none": "none", "weighted": "weighted", "balanced": "resampled"}
"""What a network's training calls its answer to unequal classes, to what models on features call the same."""

MEAN, MAJORITY = "mean", "majority"
ENSEMBLE_RULES = (MEAN, MAJORITY)
"""How the members of an ensemble answer together: mean probability, or share of the members that call a class."""

ALL, FOLDS = "all", "folds"
MEMBERS_LEARN = (ALL, FOLDS)
"""What members of an ensemble learn from: all of the training patients, or each without a fold of its own."""

DEVICES = ("auto", "cpu", "cuda")

# Studies

PAPER, LESIONS, PATIENTS, LEAVE_ONE_OUT = "paper", "lesions", "patients", "leave-one-patient-out"

BEST_EPOCH = "best-epoch"
"""How arXiv 2504.18268 judged its network of visits; last, for seeds of splits follow from the order."""

PROTOCOLS = {
    PAPER: "trained on the first MRI of all lesions, tested on the second MRI of the same lesions",
    LESIONS: "repeated splits by lesion: lesions of one patient may be on both sides",
    PATIENTS: "repeated splits by patient: no patient is on both sides",
    LEAVE_ONE_OUT: "every patient is left out once and asked of a model that learnt from all others",
    BEST_EPOCH: "splits by lesion (or visit), and the network's epoch is chosen on the tested ones",
}
"""Protocols in their order, and what each does."""

PROTOCOL_TITLES = {
    PAPER: "(a) the paper's",
    LESIONS: "(b) split by lesion",
    PATIENTS: "(c) split by patient",
    LEAVE_ONE_OUT: "(c) leave one patient out",
    BEST_EPOCH: "(d) split by lesion or visit, epoch chosen on what is tested",
}

FLATTERING = (PAPER, LESIONS, BEST_EPOCH)
"""Protocols in which what is tested was, in part, learnt by heart."""

FIXED, INNER = "fixed", "inner"
THRESHOLD_RULES = (FIXED, INNER)
"""Rules of the decision's threshold: 0.5 whatever happens, or the best one on inner splits of the training patients."""

# Metrics

TABLE_1 = ("sensitivity", "specificity", "accuracy", "auc", "precision", "f1")
"""Columns of Table 1 in Peng et al. 2025, in its order."""

METRIC_TITLES = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "accuracy": "accuracy",
    "auc": "AUC",
    "precision": "precision",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "average precision",
    "brier": "Brier score",
    "calibration_error": "expected calibration error",
}

METRICS = tuple(METRIC_TITLES)
"""In the order of tables; higher is better but for the last two."""

MACRO_F1 = "macro_f1"
"""Mean of the F1 of both classes: of tasks of two classes that name it, for their paper prints it."""

MORE_TITLES = {MACRO_F1: "macro F1"}
"""Of metrics that are told only where a task names them."""

# Synthetic cohorts

DIFFICULTIES = ("easy", "standard", "hard", "none")
""""none" plants the same tissue as "standard", but the outcome does not depend on it."""

ADDED_TEXTURE = "added-texture"
"""The rule of all cohorts before there were others."""

RULES = {
    ADDED_TEXTURE: "a fine texture in a part of the lesion",
    "dark-niche": "a dark niche in the lesion",
    "missing-rim": "a missing part of the enhancing rim",
    "necrotic-share": "how much of the dark tissue is a necrotic core",
    "blurred-margin": "a margin that is blurred on one side",
    "uniform-intensity": "the brightness of the whole lesion",
    "size": "the size of the lesion",
    "shape": "a bulge of the lesion's outline",
    "outside": "bright tissue outside the contour",
    "nothing": "nothing that the image shows",
}
"""What decides in a synthetic cohort that a lesion does not respond."""


def why_unknown(name: str) -> str:
    """What is wrong with the name of a model and what to write instead; empty if it is known."""
    words = name.split("+")
    if name == CAM or name in BASELINES:
        return ""
    if CAM in words:
        return f"{name!r} joins the network to features; write {name.replace('+', ',')}, which adds their late fusion"
    unknown = [word for word in words if word not in FEATURE_MODELS and word != DELTA]
    if unknown:
        return (
            f"{unknown[0]!r} is no model; there are {CAM}, {', '.join(BASELINES)} and, on features, "
            f"{', '.join(FEATURE_MODELS)}, which may be joined as in radiomics+dose"
        )
    if set(words) == {DELTA}:
        return f"{DELTA!r} needs the features whose change it means; join it, as in radiomics+{DELTA}"
    return ""
