"""How good predictions are: Table 1's six metrics and more, with intervals over patients.

The positive class is stated with every result. Values come from scikit-learn, intervals from one bootstrap of whole
patients (:mod:`.resampling`). A metric that has no value is None and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..core.task import Task
from ..core.vocabulary import METRIC_TITLES, METRICS, MORE_TITLES
from .curves import expected_calibration_error
from .multiclass import ClassPredictions, class_metric_title, class_metrics, predictions_of, weighted_metric
from .predictions import Predictions, default_task
from .resampling import LEVEL, MOST_UNDEFINED, interval, patient_weights
from .undefined import why_undefined


def metrics_of(task: Task) -> tuple[str, ...]:
    """Names of all metrics of a task."""
    if not task.binary:
        return class_metrics(task)
    return (*METRICS, *(name for name in task.metrics if name in MORE_TITLES))


def shown_first(task: Task) -> tuple[str, ...]:
    """Those that reports show first."""
    return tuple(name for name in task.metrics if name in metrics_of(task))


def metric_title(name: str, task: Task) -> str:
    """A metric for people."""
    return (METRIC_TITLES | MORE_TITLES)[name] if task.binary else class_metric_title(name, task)


NO_INTERVAL = {
    "calibration_error": "no interval: lesions drawn twice raise it, so the interval may leave the value itself out"
}
"""Metrics whose bootstrap samples are too high, and the words for it."""


@dataclass(frozen=True)
class Value:
    """A metric on some lesions.

    Attributes:
        value: None where it is not defined.
        low, high: 95 % interval over patients; None where there is none.
        reason: why there is no value, or no interval; "" if there are both.
        undefined: share of the bootstrap samples in which the metric had no value; they are left out of the interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    undefined: float = 0.0

    def text(self, digits: int = 3, stored: int | None = None) -> str:
        """The value for people: "0.812 (0.701 to 0.893)", or why there is none; ``stored`` as in :func:`written`."""
        if self.value is None:
            return f"not defined: {self.reason}"
        value, *ends = (written(v, digits, stored) for v in (self.value, self.low, self.high) if v is not None)
        return f"{value} ({ends[0]} to {ends[1]})" if ends else value


def written(value: float, digits: int = 3, stored: int | None = None) -> str:
    """A number with so many decimals.

    Args:
        value: the number.
        digits: decimals to write.
        stored: decimals that it was rounded to before. Halfway between two numbers of ``digits`` decimals it is written
            with one more, for nobody knows any more which of the two the full number was nearer to.
    """
    if stored is not None and round(value * 10**stored) % 10 ** (stored - digits) * 2 == 10 ** (stored - digits):
        digits += 1
    return f"{value:.{digits}f}"


@dataclass(frozen=True)
class Evaluation:
    """All metrics of one model on some lesions.

    Attributes:
        positive: the class that the metrics are about.
        values: by name in :data:`..core.vocabulary.METRICS`.
        lesions, patients: how many; patients is None if they were not given.
        true_positives, false_positives, true_negatives, false_negatives: of the decisions.
    """

    positive: str
    values: Mapping[str, Value]
    lesions: int
    patients: int | None
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def prevalence(self) -> float | None:
        """Share of the positive class; precision and F1 compare only between lesions with the same share."""
        return (self.true_positives + self.false_negatives) / self.lesions if self.lesions else None

    def as_dict(self) -> dict:
        """JSON values."""
        values = {name: asdict(value) for name, value in self.values.items()}
        return {**asdict(self), "values": values, "prevalence": self.prevalence, "level": LEVEL}


@dataclass(frozen=True)
class ClassEvaluation:
    """All metrics of one model of more than two classes on some lesions (or patients).

    Attributes:
        positive: the class of the task that is told first.
        values: by name of :func:`metrics_of`.
        lesions, patients: how many; patients is None if they were not given.
        classes: names in the order of the confusion matrix.
        confusion: ``[C][C]``, rows are the true classes, columns the predicted ones.
    """

    positive: str
    values: Mapping[str, Value]
    lesions: int
    patients: int | None
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def prevalence(self) -> float | None:
        """Share of the class that is told first."""
        own = sum(self.confusion[self.classes.index(self.positive)])
        return own / self.lesions if self.lesions else None

    def as_dict(self) -> dict:
        """JSON values."""
        values = {name: asdict(value) for name, value in self.values.items()}
        confusion = [list(row) for row in self.confusion]
        own = {"classes": list(self.classes), "confusion": confusion, "prevalence": self.prevalence, "level": LEVEL}
        return {**asdict(self), "values": values, **own}


def evaluate_predictions(
    labels: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray | None = None,
    *,
    threshold: float | np.ndarray = 0.5,
    positive: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    task: Task | None = None,
) -> Evaluation | ClassEvaluation:
    """All metrics of a model's predictions.

    Args:
        labels: ``[N]``, numbers of classes in the task's order.
        probabilities: ``[N]``, of the positive class of two; ``[N, C]`` of more classes.
        patients: ``[N]``; without them there are no intervals.
        threshold: see :meth:`.predictions.Predictions.of`; chosen on training data only (:mod:`.thresholds`).
        positive: the class that metrics of two classes are about; None: the task's.
        resamples: bootstrap samples; 0 for no intervals.
        seed: of them.
        task: None: that of the default system.

    Raises:
        InputError: labels or probabilities that are none.
    """
    task = task or default_task()
    given = predictions_of(labels, probabilities, patients, threshold=threshold, positive=positive, task=task)
    values = {name: point(name, given) for name in metrics_of(task)}
    if given.patients is not None and resamples:
        values = _with_intervals(values, given, resamples, seed)
    count = None if given.patients is None else len(np.unique(given.patients))
    if isinstance(given, ClassPredictions):
        confusion = tuple(tuple(row) for row in given.confusion().tolist())
        return ClassEvaluation(task.positive, values, len(given), count, task.names, confusion)
    truth, called = given.truth, given.called
    return Evaluation(
        positive=given.positive,
        values=values,
        lesions=len(given),
        patients=count,
        true_positives=int((truth & called).sum()),
        false_positives=int((~truth & called).sum()),
        true_negatives=int((~truth & ~called).sum()),
        false_negatives=int((truth & ~called).sum()),
    )


def point(name: str, given: Predictions | ClassPredictions) -> Value:
    """One metric without an interval."""
    if isinstance(given, ClassPredictions):
        reason = given.why_undefined(name)
        return Value(None, reason=reason) if reason else Value(given.point(name))
    reason = why_undefined(name, given)
    return Value(None, reason=reason) if reason else Value(float(_formulas()[name](given)))


def _formulas() -> dict[str, Callable[[Predictions], float]]:
    from sklearn import metrics as sk

    def of(function, scores: str, **options) -> Callable[[Predictions], float]:
        return lambda given: function(given.truth, getattr(given, scores), **options)

    return {
        "sensitivity": of(sk.recall_score, "called"),
        "specificity": of(sk.recall_score, "called", pos_label=False),
        "accuracy": of(sk.accuracy_score, "called"),
        "auc": of(sk.roc_auc_score, "scores"),
        "precision": of(sk.precision_score, "called"),
        "f1": of(sk.f1_score, "called"),
        "macro_f1": of(sk.f1_score, "called", average="macro"),
        "balanced_accuracy": of(sk.balanced_accuracy_score, "called"),
        "average_precision": of(sk.average_precision_score, "scores"),
        "brier": lambda given: sk.brier_score_loss(given.truth, given.scores, pos_label=True),
        "calibration_error": lambda given: expected_calibration_error(given.truth, given.scores),
    }


def _with_intervals(
    values: dict[str, Value], given: Predictions | ClassPredictions, resamples: int, seed: int
) -> dict[str, Value]:
    if len(np.unique(given.patients)) < 2:
        reason = "an interval over patients needs at least two of them"
        return {name: Value(v.value, reason=v.reason or reason) for name, v in values.items()}
    weights = patient_weights(given.patients, resamples, np.random.default_rng(seed))
    return {name: _interval_of(name, value, given, weights) for name, value in values.items()}


def _interval_of(name: str, value: Value, given: Predictions | ClassPredictions, weights: np.ndarray) -> Value:
    if value.value is None or name in NO_INTERVAL:
        return Value(value.value, reason=value.reason or NO_INTERVAL[name])
    return value_with_interval(value.value, weighted_metric(name, given, weights))


def value_with_interval(value: float, samples: np.ndarray) -> Value:
    """A value and its interval from bootstrap samples, NaN where the metric was not defined."""
    undefined = float(np.mean(~np.isfinite(samples)))
    if undefined > MOST_UNDEFINED:
        return Value(value, reason=f"no interval: not defined in {undefined:.0%} of the samples", undefined=undefined)
    return Value(value, *interval(samples), undefined=undefined)


@dataclass(frozen=True)
class AcrossTrials:
    """A metric over repeated trials, as in Table 1: "mean ± sd".

    Attributes:
        mean, sd: over the trials in which it is defined; sd (n - 1) needs two of them.
        defined, trials: in how many it is, of how many.
        reason: why there is no mean.
    """

    mean: float | None
    sd: float | None
    defined: int
    trials: int
    reason: str = ""

    def text(self, digits: int = 3, stored: int | None = None) -> str:
        """ "0.844 ± 0.030", with a note where it is not defined in every trial; ``stored`` as in :func:`written`."""
        if self.mean is None:
            return f"not defined: {self.reason}"
        spread = "" if self.sd is None else f" ± {written(self.sd, digits, stored)}"
        note = "" if self.defined == self.trials else f" (defined in {self.defined} of {self.trials} trials)"
        return f"{written(self.mean, digits, stored)}{spread}{note}"


def across_trials(
    evaluations: Sequence[Evaluation | ClassEvaluation], names: Sequence[str] = METRICS
) -> dict[str, AcrossTrials]:
    """Mean and standard deviation of some metrics over trials; not an interval: trials share their lesions."""
    found = {}
    for name in names:
        values = [evaluation.values[name] for evaluation in evaluations]
        numbers = np.array([value.value for value in values if value.value is not None])
        reasons = list(dict.fromkeys(value.reason for value in values if value.value is None))
        found[name] = AcrossTrials(
            mean=float(numbers.mean()) if numbers.size else None,
            sd=float(numbers.std(ddof=1)) if numbers.size > 1 else None,
            defined=numbers.size,
            trials=len(values),
            reason="" if numbers.size else "; ".join(reasons) or "there is no trial",
        )
    return found
