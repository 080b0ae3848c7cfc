"""The stages of ``pulsarcam train`` by name, and about how long each takes."""

from __future__ import annotations

from ...core.vocabulary import LEAVE_ONE_OUT, PAPER, TIME_POINTS
from ...core.vocabulary import PATIENTS as PATIENTS_PROTOCOL

CHECKING, LABELLING, TRAINING = "checking the cohort", "labelling", "training"
JUDGING, MAPS, REPORT, WRITING = "judging: {}", "checking maps", "writing the report", "writing the model"

PATIENTS = 39
"""Of a cohort whose patients are not counted yet."""


def stages_of(options) -> dict[str, float]:
    """Stages in their order and about how long each takes, in trainings."""
    from ...study.run import TRAINING as TRAINING_ALL
    from ...study.running import preparing
    from ...study.settings import asked_twice, input_controls_named
    from ...systems.registry import system_of

    system = system_of(options.system)
    cutting = preparing(system)
    found = {CHECKING: 0.3, LABELLING: 0.1, cutting: 0.3, TRAINING: float(options.members)}
    if options.protocols:
        numbers = {PAPER: options.paper_trials, LEAVE_ONE_OUT: PATIENTS}
        trainings = sum(numbers.get(name, options.trials) + options.controls for name in options.protocols)
        judged = [name for name in options.protocols if name in (PATIENTS_PROTOCOL, LEAVE_ONE_OUT)] or options.protocols
        names = input_controls_named(tuple(getattr(options, "input_controls", ())), system)
        networks = [name for name in names if (found_control := system.input_control(name)) and not found_control.column]
        trainings += len(networks) * sum(numbers.get(name, options.trials) for name in judged)
        points = TIME_POINTS if asked_twice(system) else TIME_POINTS[:1]
        found |= {JUDGING.format(f"{cutting} ({point})"): 0.2 for point in points}
        found[JUDGING.format(TRAINING_ALL)] = float(trainings)
    if options.sanity:
        found[MAPS] = 1.0 + options.label_control
    if options.protocols:
        found[REPORT] = 0.5
    return found | {WRITING: 0.1}
