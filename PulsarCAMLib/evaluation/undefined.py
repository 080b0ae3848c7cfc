"""When a metric has no value, and the words for it: never 0, never a silent NaN."""

from __future__ import annotations

from .predictions import Predictions

NEED_BOTH = ("auc", "balanced_accuracy", "average_precision")


def why_undefined(name: str, predictions: Predictions) -> str:
    """Why a metric has no value on these lesions; "" if it has one."""
    unit = predictions.task.unit
    if not len(predictions):
        return f"there is no {unit}"
    positives, called = int(predictions.truth.sum()), int(predictions.called.sum())
    missing = predictions.positive if not positives else predictions.negative if positives == len(predictions) else ""
    if name in NEED_BOTH and missing:
        return f"no {unit} is {missing}, and both classes are needed"
    if name == "sensitivity" and not positives:
        return f"no {unit} is {predictions.positive}"
    if name == "specificity" and positives == len(predictions):
        return f"no {unit} is {predictions.negative}"
    if name == "precision" and not called:
        return f"no {unit} is predicted {predictions.positive}"
    if name == "macro_f1" and missing and (called == 0 if missing == predictions.positive else called == positives):
        return f"no {unit} is {missing} or predicted so"
    if name == "f1" and not positives and not called:
        return f"no {unit} is {predictions.positive} or predicted so"
    return ""
