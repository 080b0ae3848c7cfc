"""The question of Peng, Jiang and Timmerman (2025): does a contoured brain metastasis respond to radiosurgery?"""

from __future__ import annotations

from ...core.inputs import MASK, MRI, InputRole
from ...core.task import LESION, SHRINKAGE, LabelRule, Task, TaskClass

NON_RESPONSE, RESPONSE = "non-response", "response"

TASK = Task(
    name="lesion-response",
    title="Response of a brain metastasis to radiosurgery",
    classes=(
        TaskClass(NON_RESPONSE, "non-responding", "the lesion does not shrink", "#b5481f", "Will probably not shrink"),
        TaskClass(RESPONSE, "responding", "the lesion shrinks", "#2b7bba", "Will probably shrink"),
    ),
    positive=RESPONSE,
    explained=NON_RESPONSE,
    unit=LESION,
    label=LabelRule(SHRINKAGE, "response"),
    metrics=("sensitivity", "specificity", "accuracy", "auc", "precision", "f1"),
    report_title="Response of brain metastases: prediction and explanation",
    sorting="Least likely to respond first",
    verb="respond",
    large=NON_RESPONSE,
)

INPUTS = (
    InputRole("t1c", "MRI", MRI, "contrast-enhanced T1 MRI", column="image"),
    InputRole("lesions", "Lesions", MASK, "segmentation or label map that outlines the lesions", column="segmentation"),
)
