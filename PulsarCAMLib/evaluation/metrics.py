"""How good predictions of response are: Table 1's six metrics and more, with intervals over patients.

The positive class is stated with every result. Values come from scikit-learn, intervals from one bootstrap of whole
patients (:mod:`.resampling`). A metric that has no value is None and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..core.vocabulary import METRICS
from .curves import expected_calibration_error
from .predictions import POSITIVE, Predictions
from .resampling import LEVEL, interval, patient_weights
from .undefined import why_undefined
from .weighted import weighted

NO_INTERVAL = {
    "calibration_error": "no interval: lesions drawn twice raise it, so the interval may leave the value itself out"
}
"""Metrics whose bootstrap samples are too high, and the words for it."""

MOST_UNDEFINED = 0.5
"""An interval needs a value in at least this share of the bootstrap samples."""


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


def evaluate_predictions(
    labels: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray | None = None,
    *,
    threshold: float | np.ndarray = 0.5,
    positive: str = POSITIVE,
    resamples: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """All metrics of a model's predictions.

    Args:
        labels: ``[N]``, 1 response, 0 non-response.
        probabilities: ``[N]``, of response.
        patients: ``[N]``; without them there are no intervals.
        threshold: see :meth:`.predictions.Predictions.of`; chosen on training data only (:mod:`.thresholds`).
        positive: "response" or "non-response".
        resamples: bootstrap samples; 0 for no intervals.
        seed: of them.

    Raises:
        InputError: labels or probabilities that are none.
    """
    given = Predictions.of(labels, probabilities, patients, threshold=threshold, positive=positive)
    values = {name: point(name, given) for name in METRICS}
    if given.patients is not None and resamples:
        values = _with_intervals(values, given, resamples, seed)
    truth, called = given.truth, given.called
    return Evaluation(
        positive=positive,
        values=values,
        lesions=len(given),
        patients=None if given.patients is None else len(np.unique(given.patients)),
        true_positives=int((truth & called).sum()),
        false_positives=int((~truth & called).sum()),
        true_negatives=int((~truth & ~called).sum()),
        false_negatives=int((truth & ~called).sum()),
    )


def point(name: str, given: Predictions) -> Value:
    """One metric without an interval."""
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
        "balanced_accuracy": of(sk.balanced_accuracy_score, "called"),
        "average_precision": of(sk.average_precision_score, "scores"),
        "brier": lambda given: sk.brier_score_loss(given.truth, given.scores, pos_label=True),
        "calibration_error": lambda given: expected_calibration_error(given.truth, given.scores),
    }


def _with_intervals(values: dict[str, Value], given: Predictions, resamples: int, seed: int) -> dict[str, Value]:
    if len(np.unique(given.patients)) < 2:
        reason = "an interval over patients needs at least two of them"
        return {name: Value(v.value, reason=v.reason or reason) for name, v in values.items()}
    weights = patient_weights(given.patients, resamples, np.random.default_rng(seed))
    return {name: _interval_of(name, value, given, weights) for name, value in values.items()}


def _interval_of(name: str, value: Value, given: Predictions, weights: np.ndarray) -> Value:
    if value.value is None or name in NO_INTERVAL:
        return Value(value.value, reason=value.reason or NO_INTERVAL[name])
    return value_with_interval(value.value, weighted(name, given, weights))


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


def across_trials(evaluations: Sequence[Evaluation]) -> dict[str, AcrossTrials]:
    """Mean and standard deviation of every metric over trials; not an interval: trials share their lesions."""
    found = {}
    for name in METRICS:
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
