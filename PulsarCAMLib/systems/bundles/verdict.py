"""What a model's answers are worth for new patients: one value from its card, said first wherever they appear.

The rule is in method.md 5.1. Needs neither NumPy nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.pluralize import capital, counted
from ...core.task import Task
from ...core.vocabulary import CAM, LEAVE_ONE_OUT, PATIENTS
from ..registry import DEFAULT

UNKNOWN, CHANCE, CONTROL = "unknown", "not-better-than-chance", "not-better-than-control"
TOO_FEW, BETTER = "better-but-too-few", "better"
LEVELS = (UNKNOWN, CHANCE, CONTROL, TOO_FEW, BETTER)

FEWEST_PATIENTS = 20
"""Patients asked, below which "better" is not called sure: an interval of so few is itself uncertain."""

FEWEST_CONTROLS = 5
"""Controls from which on an AUC that cannot be told from theirs counts against the model; below, they are too few."""

HONEST = (PATIENTS, LEAVE_ONE_OUT)
"""Protocols that ask about patients who were not learnt from, in the order in which they are asked."""

JUDGED_BY = {"mask": "the mask alone, without the image", "volume": "the volume alone"}
"""First words of the controls of inputs (``performance.input_controls``) that a model must beat, and their words."""

NO_MAPS = "its maps then need not show anything that the answer needs"


@dataclass(frozen=True)
class Verdict:
    """Whether a model is better than nothing for patients it has not seen.

    Attributes:
        level: of :data:`LEVELS`.
        sentence: one, for a tired physician; of synthetic models it begins with SYNTHETIC.
        reasons: qualified sentences with all figures, which follow where there is room.
    """

    level: str
    sentence: str
    reasons: tuple[str, ...] = ()

    @property
    def warns(self) -> bool:
        """Whether it must be told as a warning."""
        return self.level != BETTER

    def warnings(self, others: Sequence[str]) -> list[str]:
        """The verdict where it warns, then the others."""
        return [*([self.sentence] if self.warns else []), *others]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"level": self.level, "sentence": self.sentence, "reasons": list(self.reasons)}


@dataclass(frozen=True)
class Evidence:
    """How well held-out patients were told apart, and how well the control with permuted labels was.

    Attributes:
        metric: "AUC", "macro AUC" or "balanced accuracy".
        value: of it.
        low, high: 95 % interval; None where patients are too few for one.
        chance: what guessing reaches.
        differs: whether the value can be told from chance, to whichever side.
        patients: asked.
        how: on whom, in words.
        controls: finished ones with permuted labels.
        control: their mean; None: there are none.
        difference: to them; None: not compared.
        difference_interval: 95 %; None: not compared.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    chance: float
    differs: bool
    patients: int
    how: str
    controls: int = 0
    control: float | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None

    @property
    def figure(self) -> str:
        """ "AUC 0.78 (0.66 to 0.89)"."""
        reach = "" if self.low is None or self.high is None else f" ({self.low:.2f} to {self.high:.2f})"
        return f"{self.metric} {self.value:.2f}{reach}"

    @property
    def better_than_chance(self) -> bool:
        """Told from chance, to the right side."""
        return self.differs and self.value > self.chance

    @property
    def confirmed(self) -> bool:
        """Better than its control, beyond doubt."""
        return self.difference_interval is not None and self.difference_interval[0] > 0

    @property
    def refuted(self) -> bool:
        """Not better than controls that are enough to say so, or than their mean, however many they are."""
        if self.control is None or self.confirmed:
            return False
        as_good = self.difference is not None and self.difference <= 0
        return self.controls >= FEWEST_CONTROLS or as_good or self.value <= self.control

    @property
    def reason(self) -> str:
        """The qualified sentence."""
        reach = (
            "no interval: too few patients"
            if self.low is None or self.high is None
            else f"95 % interval {self.low:.3f} to {self.high:.3f}"
        )
        told = f"{self.how}: {self.metric} {self.value:.3f} ({reach}; guessing {self.chance:.3g})"
        if self.control is None:
            return f"{told}; no control with permuted labels beside it."
        told += f"; {counted(self.controls, 'control')} with permuted labels {self.control:.3f}"
        if self.difference is None or self.difference_interval is None:
            return f"{told}, not compared."
        low, high = self.difference_interval
        return f"{told}, difference {self.difference:+.3f} ({low:+.3f} to {high:+.3f})."


def verdict_of(fields: Mapping[str, Any], task: Task, system: str) -> Verdict:
    """Of a model's card.

    Args:
        fields: of the card; parts that are not as PulsarCAM writes them count as not measured.
        task: of its system.
        system: its name.
    """
    synthetic = bool(fields.get("synthetic"))
    performance = _part(fields, "performance")
    found = _first(fields, performance, task, system)
    return judge(found, synthetic, input_controls_of(performance))


def judge(
    found: Evidence | None,
    synthetic: bool,
    input_controls: Sequence[Mapping[str, Any]] = (),
    subject: str = "the network",
) -> Verdict:
    """The rule, in this order: not measured, chance, permuted labels, mask or volume alone, too few, better.

    Args:
        found: None: nobody was held out.
        synthetic: whether the patients were generated.
        input_controls: as a card's ``performance.input_controls`` has them.
        subject: what is judged.
    """
    whom = f"new {'synthetic ' if synthetic else ''}patients"
    if found is None:
        told = f"whether {subject} is better than guessing for {whom} is not known: it was not measured"
        return _said(UNKNOWN, told, synthetic, ())
    reasons = [found.reason]
    if not found.better_than_chance:
        kind = "worse" if found.differs else "not better"
        told = f"for {whom} {subject} is {kind} than guessing, {found.figure}"
        return _said(CHANCE, told, synthetic, reasons)
    if found.refuted:
        told = f"for {whom} {subject} is not better than one that learnt from permuted labels, {found.figure}"
        return _said(CONTROL, f"{told} against {found.control:.2f}", synthetic, reasons)
    matched = [each for each in map(_matched, input_controls) if each]
    reasons += [reason for _, reason in matched]
    equal = [told for told, _ in matched if told]
    if equal:
        told = f"for {whom} {subject} is not better than {' or than '.join(equal)}: {NO_MAPS}"
        return _said(CONTROL, told, synthetic, reasons)
    few = _too_few(found)
    told = f"for {whom} {subject} is better than guessing, {found.figure}{f'; {few}' if few else ''}"
    return _said(TOO_FEW if few else BETTER, told, synthetic, reasons)


def _said(level: str, told: str, synthetic: bool, reasons: Sequence[str]) -> Verdict:
    told = f"SYNTHETIC model, not for patients: {told}" if synthetic else capital(told)
    return Verdict(level, f"{told}.", tuple(reasons))


def _too_few(found: Evidence) -> str:
    """Why "better" is not sure; empty: it is."""
    if found.patients < FEWEST_PATIENTS:
        return f"{counted(found.patients, 'patient')} {_are(found.patients)} too few to be sure"
    if found.confirmed:
        return ""
    if not found.controls:
        return "without a control that learnt from permuted labels this is not sure"
    return f"{counted(found.controls, 'control')} {_are(found.controls)} too few to be sure"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _matched(control: Mapping[str, Any]) -> tuple[str, str] | None:
    """Of a control of inputs that a model must beat: its words where it does as well, and the qualified sentence."""
    try:
        name, auc = str(control["name"]), float(control["auc"])
        words = JUDGED_BY.get(name.replace("-", " ").replace("_", " ").split()[0])
        interval, difference = control.get("difference_interval"), control.get("difference")
        if words is None or (interval is None and difference is None):
            return None
        told = f"{capital(words)}: AUC {auc:.3f}"
        told += "" if difference is None else f"; the network has {float(difference):+.3f}"
        as_good = difference is not None and float(difference) <= 0
        if interval is not None:
            low, high = map(float, interval)
            told, as_good = f"{told} ({low:+.3f} to {high:+.3f})", low <= 0
        return (f"{words} (AUC {auc:.2f})" if as_good else "", f"{told}.")
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def input_controls_of(performance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that a card's performance has."""
    found = performance.get("input_controls")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _first(fields: Mapping[str, Any], performance: Mapping[str, Any], task: Task, system: str) -> Evidence | None:
    """By patient under a protocol if there is one; else on the patients set aside."""
    table = _part(fields, "protocols").get("table")
    own = (CAM if system == DEFAULT else system,)
    for protocol in HONEST:
        for entry in table if isinstance(table, list) else ():
            if isinstance(entry, Mapping) and entry.get("protocol") == protocol and entry.get("model") in own:
                found = evidence_of_entry(entry, task)
                if found is not None:
                    return found
    for part in (performance.get("validation"), _part(performance, "prediction").get("standard")):
        if isinstance(part, Mapping):
            found = _evidence_of_patients(part, task)
            if found is not None:
                return found
    return None


def evidence_of_entry(entry: Mapping[str, Any], task: Task) -> Evidence | None:
    """A protocol by patient, as cards keep it (:mod:`PulsarCAMLib.study.figures.card_section`); None: not measured."""
    try:
        compared, patients = entry["against_control"], int(entry["patients"])
        judged = entry.get("judged")  # of more than two classes, their balanced accuracy
        if judged is not None:
            value, compared = judged, judged["against_control"]
            metric, chance, control = "balanced accuracy", float(judged["chance"]), judged["control"]
        else:
            value = entry["by_split"] or {**entry["pooled_auc"], "auc": entry["pooled_auc"]["value"]}
            metric, chance = "AUC" if task.binary else "macro AUC", 0.5
            value, control = value | {"value": value["auc"]}, _control_auc(entry)
        low, high = value["low"], value["high"]
        differs = value.get("differs", entry.get("differs_from_chance"))
        if differs is None:
            differs = low is not None and not low <= chance <= high
        apart = (compared["low"], compared["high"])
        return Evidence(
            metric=metric,
            value=float(value["value"]),
            low=low,
            high=high,
            chance=chance,
            differs=bool(differs),
            patients=patients,
            how="Models trained in the same way, each asked about patients it had not seen",
            controls=int(entry["controls"]),
            control=control,
            difference=compared["difference"],
            difference_interval=None if None in apart else apart,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _control_auc(entry: Mapping[str, Any]) -> float | None:
    pooled = entry.get("control_pooled")
    if entry.get("by_trial_means_little", entry["protocol"] == LEAVE_ONE_OUT):
        return pooled["auc"]["value"] if pooled else None
    return entry["control_auc"]["mean"]


def _evidence_of_patients(part: Mapping[str, Any], task: Task) -> Evidence | None:
    """Of the patients set aside (:func:`PulsarCAMLib.evaluation.card_sections.performance_section`)."""
    try:
        how = "The model itself, asked about patients set aside"
        if task.binary:
            own = ("AUC", float(part["auc"]), part["low"], part["high"], 0.5, bool(part["differs_from_chance"]))
            return Evidence(*own, int(part["patients"]), how)
        value, chance = part["metrics"]["balanced_accuracy"], 1 / len(task.classes)
        low, high = value["low"], value["high"]
        differs = low is not None and not low <= chance <= high
        own = ("balanced accuracy", float(value["value"]), low, high, chance, differs)
        return Evidence(*own, int(part["patients"]), how)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, Mapping) else {}
