"""The result for one case: stored on the network's cells, brought to the reference grid when asked.

Changing method, class, statistic, normalisation or threshold costs an interpolation, never another pass of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.display import Threshold, check_choice
from ..core.errors import InputError
from ..core.geometry.upsampling import upsample_to
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.map_method import MapMethod
from ..core.task import PREDICTED, Task
from ..core.vocabulary import NORMALISATIONS, STATISTICS
from ..systems.bundles.card import ModelCard
from ..systems.bundles.conformal import ConformalAnswer
from ..systems.bundles.verdict import Verdict
from ..systems.contract import PastedMap, Samples, System
from .leaving_out import LeftOut
from .plain import PlainAnswer, plain_answer
from .stability import Stability


@dataclass(frozen=True, eq=False)
class UnitResult:
    """Prediction and maps of one unit (a lesion or a patient): n samples, K members, C classes.

    Attributes:
        system: that answered.
        samples: of the unit, and their way back.
        logits: ``[K, n]`` where the network has one output, else ``[K, n, C]``.
        class_probabilities: ``[C, K, n]``, after the card's temperature; 1 and 0 where the card lets members vote.
        maps: ``(method, class)`` to ``[K, n, *cells]``, raw, of all inputs together; the class of a signed one is "".
        predicted_class: name of the class.
        input_maps: ``(method, class, input)`` likewise, of every input of its own where there are several.
        control_shares: ``(method, class, input)`` to the share of an input, ``[members]``, in networks that have learnt
            nothing; see :mod:`.inputs`.
        stability: how far the answer moves with the contour and the grid; None: it was not asked.
        conformal: classes that cannot be ruled out at an error rate; None: the model was not calibrated for it.
        left_out: how far it moves without parts of the input; likewise, or the system leaves nothing out.
    """

    system: System
    samples: Samples
    logits: np.ndarray
    class_probabilities: np.ndarray
    maps: Mapping[tuple[str, str], np.ndarray]
    predicted_class: str
    input_maps: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    control_shares: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    stability: Stability | None = None
    conformal: ConformalAnswer | None = None
    left_out: LeftOut | None = None

    @property
    def task(self) -> Task:
        """What was asked."""
        return self.system.task

    @property
    def name(self) -> str:
        """The unit's name."""
        return self.samples.name

    @property
    def lesion(self) -> Lesion:
        """The unit's voxels on the reference grid."""
        return self.samples.lesion

    @property
    def main(self) -> int:
        """Index of the sample whose answer is the unit's (method.md 1.6, reading 13)."""
        return self.samples.main

    @property
    def probabilities(self) -> np.ndarray:
        """``[K, n]``, of the task's positive class."""
        return self.class_probabilities[self.task.index(self.task.positive)]

    @property
    def probability(self) -> float:
        """Probability of the positive class: mean over the members at the answering sample."""
        return float(self.sample_probabilities[self.main])

    @property
    def spread(self) -> float:
        """Standard deviation of that probability over the members."""
        return float(self.sample_spread[self.main])

    @property
    def sample_probabilities(self) -> np.ndarray:
        """``[n]``, of the positive class, mean over the members."""
        return self.probabilities.mean(axis=0)

    @property
    def sample_spread(self) -> np.ndarray:
        """``[n]``, standard deviation over the members."""
        return self.probabilities.std(axis=0)

    def probability_of(self, name: str, sample: int | None = None) -> float:
        """Probability of a class: mean over the members, at the answering sample unless another is named."""
        at = self.main if sample is None else sample
        return float(self.class_probabilities[self.task.index(name)].mean(axis=0)[at])

    @property
    def class_methods(self) -> tuple[str, ...]:
        """Names of the computed methods that have a map for each class."""
        return tuple(dict.fromkeys(method for method, target in self.maps if target))

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of all computed methods, signed ones last."""
        return (*self.class_methods, *dict.fromkeys(method for method, target in self.maps if not target))

    @property
    def sample_size(self) -> tuple[int, ...]:
        """Pixels or voxels along each axis of a sample."""
        return self.samples.images.shape[2:]

    def is_signed(self, method: str) -> bool:
        """Whether one map of the method holds both classes."""
        return (method, "") in self.maps

    def inputs_of(self, method: str) -> tuple[str, ...]:
        """Names of the inputs that a method has a map of its own for; none where there is one input only."""
        return tuple(dict.fromkeys(name for known, _, name in self.input_maps if known == method))

    def cells_of(self, method: str) -> tuple[int, ...]:
        """Cells along each axis of a sample in the maps of one method: finer detail of them is interpolation."""
        return next(maps for (known, _), maps in self.maps.items() if known == method).shape[2:]

    def raw_maps(self, method: str, target: str, input: str = "") -> np.ndarray:
        """``[K, n, *cells]`` of a method for a class, or for the predicted one; a signed method needs no class.

        Args:
            method: a computed one.
            target: a class of the task, or ``"predicted"``.
            input: that of this input alone; "": of all together.

        Raises:
            InputError: no such class, or the method was not computed, or not for this input.
        """
        check_choice("class", target, self.task.targets)
        target = self.predicted_class if target == PREDICTED else target
        if method not in self.methods:
            raise InputError(f"Method {method!r} was not computed; there are {', '.join(self.methods)}.")
        if input and input not in self.inputs_of(method):
            known = ", ".join(self.inputs_of(method)) or "only those of all inputs together"
            raise InputError(f"Method {method!r} has no map of the input {input!r}; there are {known}.")
        target = "" if self.is_signed(method) else target
        return self.input_maps[method, target, input] if input else self.maps[method, target]

    def sample_maps(
        self, method: str, target: str, statistic: str = "mean", member: int | None = None, input: str = ""
    ) -> np.ndarray:
        """Raw maps ``[n, *size]`` on the samples.

        Args:
            method: a computed method; the target of a signed one is ignored.
            target: a class of the task, or ``"predicted"``.
            statistic: ``"mean"`` or ``"std"`` over the members.
            member: this member's own map instead.
            input: that of this input alone; "": of all together.
        """
        check_choice("statistic", statistic, STATISTICS)
        maps = self.raw_maps(method, target, input)
        if member is not None:
            return upsample_to(maps[member], self.sample_size)
        if statistic == "mean":
            return upsample_to(maps.mean(axis=0), self.sample_size)
        return upsample_to(maps, self.sample_size).std(axis=0)

    def joint_maximum(self, method: str, input: str = "") -> float:
        """Largest value of the mean map inside the unit, over all samples and all classes.

        Of one input's map: over those of all inputs, too, so that what hardly matters looks as if it did not.
        """
        inside = self.samples.masks[:, 0]
        among = self.inputs_of(method) if input else ("",)
        pairs = [(name, each) for name in self.task.names for each in among]
        return max(
            float(np.abs(self.sample_maps(method, name, input=each)[inside]).max(initial=0)) for name, each in pairs
        )

    def is_empty(self, method: str, target: str) -> bool:
        """Whether every member's map at the answering sample is zero everywhere."""
        return not self.raw_maps(method, target)[:, self.main].any()

    def answer_facts(self, sample: int | None = None) -> dict[str, float]:
        """What the system tells of an answer besides probabilities."""
        return self.system.answer_facts(self, self.main if sample is None else sample)


@dataclass(frozen=True, eq=False)
class CaseResult:
    """Prediction and explanation of all units of one case.

    Attributes:
        geometry: of the reference image.
        card: the model's.
        units: one result each, in the order given.
        warnings: sentences that the user must see.
        geometries: of every input that the case has, by name.
        choices: settings of methods that were not the usual ones, by the methods' names.
    """

    geometry: VolumeGeometry
    card: ModelCard
    units: tuple[UnitResult, ...]
    warnings: tuple[str, ...] = ()
    geometries: Mapping[str, VolumeGeometry] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def system(self) -> System:
        """That answered."""
        return self.card.system

    @property
    def task(self) -> Task:
        """What was asked."""
        return self.card.system.task

    @property
    def lesions(self) -> tuple[UnitResult, ...]:
        """The units, for scripts on systems that answer for lesions."""
        return self.units

    @property
    def verdict(self) -> Verdict:
        """What the answers are worth for new patients; said before any of them."""
        return self.card.verdict

    @property
    def plain(self) -> tuple[PlainAnswer, ...]:
        """What is said of every unit in plain words, in their order."""
        return tuple(plain_answer(unit, self.card) for unit in self.units)

    @property
    def default_method(self) -> str:
        """The method that is shown unless another one is asked for."""
        return self.system.usual_maps[0]

    def unit(self, name: str) -> UnitResult:
        """The unit of that name.

        Raises:
            InputError: there is none.
        """
        for each in self.units:
            if each.name == name:
                return each
        raise InputError(f"The result has no {self.task.unit} “{name}”.")

    def method(self, name: str) -> MapMethod:
        """The method of that name; see :meth:`PulsarCAMLib.systems.contract.System.method`."""
        return self.system.method(name)

    def made_with(self, method: str) -> str:
        """What a reader of a method's maps must know of how they were made, one sentence; mostly empty."""
        return self.method(method).made(self.card, self.choices.get(method))

    def inputs_of(self, method: str) -> tuple[str, ...]:
        """Names of the inputs that a computed method has maps of their own for."""
        return self.units[0].inputs_of(method)

    def own_grid(self, input: str) -> bool:
        """Whether maps of this input lie on another image's grid than those of all inputs together."""
        return input not in ("", self.system.image_inputs[0].name)

    def geometry_of(self, input: str) -> VolumeGeometry:
        """Of the image that maps of an input are written on; of all together that of the reference image.

        Raises:
            InputError: the case has no such input.
        """
        if not self.own_grid(input):
            return self.geometry
        if input not in self.geometries:
            raise InputError(f"The case has no {input}, so that there is no map of it; choose another input.")
        return self.geometries[input]

    def pasted(
        self,
        unit: UnitResult,
        method: str | None = None,
        target: str | None = None,
        statistic: str = "mean",
        normalisation: str = "none",
        restrict: bool = True,
        input: str = "",
        on_reference: bool = False,
        part: VolumeGeometry | None = None,
    ) -> PastedMap:
        """One unit's map; arguments as :meth:`heat_map`.

        Args:
            on_reference: on the reference grid, whatever the input.
            part: of the reference grid that is wanted alone, with which ``restrict`` is False; None: all of it.
        """
        method, target = method or self.default_method, target or self.task.explained
        maps = unit.sample_maps(method, target, statistic, input=input)
        maps = maps / self._divisor(unit, method, normalisation, input)
        if on_reference or not self.own_grid(input):
            return unit.samples.paste(maps, part or self.geometry, restrict=restrict)
        return unit.samples.paste(maps, self.geometry_of(input), restrict=restrict, role=input)

    def heat_map(
        self,
        method: str | None = None,
        target: str | None = None,
        statistic: str = "mean",
        normalisation: str = "none",
        restrict: bool = True,
        input: str = "",
    ) -> np.ndarray:
        """Heat map of all units on the reference grid, float32 ``[k, j, i]``, zero where there is no unit.

        Args:
            method: name of a computed one; None: the system's first.
            target: class whose evidence is shown, ``"predicted"`` takes each unit's own; None: the task's choice.
            statistic: mean or standard deviation over the ensemble.
            normalisation: display only. ``"none"``: raw, in the method's unit; ``"lesion"``: divided by the joint
                maximum of all classes in each unit; ``"scan"``: by that of the whole case.
            restrict: False shows also what interpolation carries beyond the unit's border.
            input: of this input alone, on its own grid (:meth:`geometry_of`); "": of all together.
        """
        volume = np.zeros(self.geometry_of(input).shape, dtype=np.float32)
        for unit in self.units:
            self.pasted(unit, method, target, statistic, normalisation, restrict, input).add_to(volume)
        return volume

    def sub_regions(
        self,
        method: str | None = None,
        target: str | None = None,
        threshold: Threshold | None = None,
        input: str = "",
    ) -> list[Lesion]:
        """Activated voxels of every unit, as masks in the units' own boxes on the reference grid; one may be empty."""
        regions = []
        for unit in self.units:
            values = self.pasted(unit, method, target, input=input, on_reference=True).values
            limit = self.threshold_value(unit, method or self.default_method, values, threshold or Threshold(), input)
            regions.append(Lesion(unit.name, (values > limit) & unit.lesion.mask, unit.lesion.offset))
        return regions

    def threshold_value(
        self, unit: UnitResult, method: str, values: np.ndarray, threshold: Threshold, input: str = ""
    ) -> float:
        """The raw value above which a voxel of ``unit`` is activated, never below zero."""
        if threshold.kind == "value":
            return threshold.value
        if threshold.kind == "percentile":
            return max(0.0, float(np.percentile(values[unit.lesion.mask], threshold.value)))
        return threshold.value * unit.joint_maximum(method, input)

    def _divisor(self, unit: UnitResult, method: str, normalisation: str, input: str) -> float:
        check_choice("normalisation", normalisation, NORMALISATIONS)
        if normalisation == "none":
            return 1.0
        among: Sequence[UnitResult] = [unit] if normalisation == "lesion" else self.units
        return max(each.joint_maximum(method, input) for each in among) or 1.0

    def display_range(self, method: str, normalisation: str = "none", input: str = "") -> tuple[float, float]:
        """Lowest and highest value a display should span: from 0 (signed: symmetric) to the joint maximum."""
        top = 1.0 if normalisation != "none" else max(each.joint_maximum(method, input) for each in self.units) or 1.0
        return (-top if self.method(method).signed else 0.0), top
