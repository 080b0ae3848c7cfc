"""Table 1 of Peng, Jiang and Timmerman (2025), as printed, and how far anything can be compared with it."""

from __future__ import annotations

TITLE = "Peng, Jiang, Timmerman 2025, Table 1 (second MRI, 50 trials of 80/20 splits)"

COLUMNS = ("radiomics", "gradients", "pixel-CAM model")
CAM_COLUMN = 2

TABLE: dict[str, tuple[tuple[float, float], ...]] = {
    "sensitivity": ((0.503, 0.271), (0.779, 0.267), (0.877, 0.045)),
    "specificity": ((0.745, 0.128), (0.723, 0.133), (0.738, 0.39)),
    "accuracy": ((0.696, 0.107), (0.733, 0.112), (0.807, 0.027)),
    "auc": ((0.748, 0.143), (0.826, 0.111), (0.844, 0.03)),
    "precision": ((0.344, 0.197), (0.434, 0.186), (0.771, 0.027)),
    "f1": ((0.389, 0.193), (0.541, 0.187), (0.820, 0.027)),
}
"""Mean and standard deviation, one pair for each of :data:`COLUMNS`."""

CAVEATS = (
    "Its columns were not tested on the same mix of classes: accuracy = prevalence · sensitivity + (1 − prevalence) · "
    "specificity gives a prevalence of about 0.50 for the CAM column, but 0.20 and 0.18 for the other two. Precision "
    "and F1 therefore do not compare across them.",
    "It trains on the first MRI and tests on the second MRI of the same lesions, protocol (a) here. Compare it with "
    "(a) and with (a)'s control: where random labels reach its level, the level says nothing about response.",
    "Its standard deviation 0.39 of the CAM column's specificity cannot go with 0.027 of the accuracy; presumably it "
    "is 0.039.",
    "Its lesions, scanners and shares of response are others than this cohort's.",
)
