"""What a run of ``pulsarcam explain`` asks of a model: methods, classes, inputs with own maps; and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError
from ...core.map_method import EXPENSIVE
from ...core.pluralize import pluralize
from ...core.vocabulary import EACH

if TYPE_CHECKING:
    from ...core.display import DisplaySettings
    from ...systems.bundles.bundle import ModelBundle
    from ...systems.bundles.card import ModelCard
    from .one_case import Job

ALL, BOTH = "all", "both"


@dataclass(frozen=True)
class Wanted:
    """What a job asks for, in the words of the model's system.

    Attributes:
        methods: names.
        targets: classes of the task, or "predicted".
        maps: how every map is shown.
        regions: of what regions and tables are made: those with a class.
        choices: settings of methods that are not the usual ones.
    """

    methods: tuple[str, ...]
    targets: tuple[str, ...]
    maps: tuple[DisplaySettings, ...]
    regions: tuple[DisplaySettings, ...]
    choices: Mapping[str, Any] = field(default_factory=dict)


def costs(wanted: Wanted, bundle: ModelBundle, choices: Mapping[str, Any] | None = None) -> Iterator[str]:
    """What takes long, before it starts; with settings of one's own it is measured when the images are there."""
    system, members = bundle.card.system, pluralize(bundle.card.members, "member")
    for each in (system.method(name) for name in wanted.methods):
        cost = each.passes(len(system.task.classes))
        if cost >= EXPENSIVE and each.name not in (choices or {}):
            yield (
                f"{each.title} takes about {cost:.0f} passes through each of {members} for everything that "
                "it is asked about; Ctrl-C ends it and leaves nothing."
            )


def wanted_of(job: Job, card: ModelCard) -> Wanted:
    """Methods, classes and inputs of a job, checked against the model.

    Raises:
        InputError: the system has no such method, or its task no such class.
    """
    from ...core.display import DisplaySettings, check_choice

    system = card.system
    task, usual = system.task, system.usual_maps
    named = [m for name in job.methods or usual[:1] for m in (usual if name == ALL else (name,))]
    methods = tuple(dict.fromkeys(named))
    signed = {name for name in methods if system.method(name).signed}
    targets = tuple(
        t for name in job.targets or (task.explained,) for t in (task.names if name in (ALL, BOTH) else (name,))
    )
    for target in targets:
        check_choice("class", target, task.targets)

    def shown(method: str, target: str, of_input: str = "") -> DisplaySettings:
        return DisplaySettings(
            method,
            target,
            normalisation=job.normalisation,
            threshold=job.threshold,
            margin_mm=job.margin_mm,
            input=of_input,
        )

    inputs = map_inputs_of(job, card, methods)
    pairs = dict.fromkeys((m, task.explained if m in signed else t) for m in methods for t in targets)
    maps = tuple(shown(*pair, each) for pair in pairs for each in inputs[pair[0]])
    with_class = tuple(each for each in maps if each.method not in signed)
    return Wanted(methods, targets, maps, with_class or tuple(shown(usual[0], target) for target in targets))


def map_inputs_of(job: Job, card: ModelCard, methods: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For every method the inputs whose maps are written; "" stands for all together.

    Raises:
        InputError: the model takes no such input, none was given, or no method has maps of single inputs.
    """
    system, first = card.system, card.system.image_inputs[0].name
    known = dict.fromkeys(name for names in system.channel_roles(card.preprocessing) for name in names)
    there = tuple(role.name for role in system.mapped_inputs(card.preprocessing, {first, *job.inputs}))
    named = tuple(dict.fromkeys(name for name in job.map_inputs if name != EACH))
    for name in named:
        if name not in known:
            raise InputError(f"The model sees no {name}, so it has no maps of it; it sees {', '.join(known)}.")
        if name not in (first, *job.inputs):
            raise InputError(f"There are no maps of the {name}, for none was given; give it with --{name} FILE.")
    if not there:
        return dict.fromkeys(methods, ("",))
    able = [name for name in methods if system.method(name).by_input]
    if job.map_inputs and not able:
        others = ", ".join(method.name for method in system.maps if method.by_input)
        raise InputError(
            f"There are no maps of single inputs by {', '.join(methods)}; "
            + (f"choose {others} with --method." if others else "leave out --input.")
        )
    chosen = ("", *there) if EACH in job.map_inputs else named or ("",)
    return {name: chosen if name in able else ("",) for name in methods}
