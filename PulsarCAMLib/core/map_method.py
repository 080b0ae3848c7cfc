"""A way of drawing which voxels speak for a class. A new one is one entry in its system's ``maps``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MapMethod:
    """One method; importing the file that defines it must not import torch.

    Attributes:
        name: short: in options, file names, tables.
        title: for people.
        unit: of the raw values.
        equation: how it is computed, one line.
        compute: from the system's evidence to raw maps ``[members, n, *cells]`` by class, not negative; of a signed
            method to one map under "". Maps of one input of its own have the key ``(class, input)``.
        by_input: whether it has a map for every input of its own where there are several, as the evidence's
            ``inputs`` ask for.
        signed: whether one map holds both classes of a binary task: positive for the positive class.
        always: computed for every case; else only when asked for by name.
        offered: whether the panel lists it.
        saved_name: what a saved scene calls it (an enumeration's member): never to be changed.
        cost: passes through the network per sample that it adds, forward or back.
        class_cost: the same for each class of the task besides.
        about: what its values are, in a sentence or two, for reports; empty: the equation.
        choices: dataclass of settings that a user may choose (:class:`.settings.Settings`), whose options have the
            method's name, or ``section``, as their section and begin with it; None: there is nothing to choose.
        section: of the options, where several methods share them.
        given: of a system and a model's preprocessing, fields of the choices that no user tells.
        foretold: of the system's evidence and a number of members and samples, one sentence on what it costs here,
            measured; None: see ``cost``.
        made: of a model's card and the settings that were chosen (None: the usual ones), one sentence on what maps were
            made with that a reader of the result must know; empty: nothing.
        lesson: how it differs, one sentence for a tool tip.
        tells: what a map is for a class, to be filled with its name; small letters. What has no sign, as an absolute
            gradient, is no evidence for anything.
    """

    name: str
    title: str
    unit: str
    equation: str
    compute: Callable[[Any], dict[Any, Any]]
    by_input: bool = False
    signed: bool = False
    always: bool = True
    offered: bool = True
    saved_name: str = ""
    cost: float = 0.0
    class_cost: float = 0.0
    about: str = ""
    choices: type | None = None
    section: str = ""
    given: Callable[[Any, Any], dict[str, Any]] = lambda system, preprocessing: {}
    foretold: Callable[[Any, int], str] | None = None
    made: Callable[[Any, Any], str] = lambda card, settings: ""
    lesson: str = ""
    tells: str = "evidence for {}"

    @property
    def options(self) -> str:
        """What the options of its choices begin with."""
        return self.section or self.name

    def passes(self, classes: int) -> float:
        """What it costs where a task has so many classes."""
        return self.cost + self.class_cost * classes


EXPENSIVE = 50
"""Passes through the network from which on a method's cost is told before it starts."""


def cost_in_words(method: MapMethod, classes: int) -> str:
    """As the end of a clause, as in "; about 3456 passes through the network"; empty for what costs next to nothing."""
    return f"; about {method.passes(classes):.0f} passes through the network" if method.cost else ""
