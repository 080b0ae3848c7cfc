"""The stages of ``pulsarcam train`` by name, and about how long each takes."""

from __future__ import annotations

from ...core.vocabulary import LEAVE_ONE_OUT, PAPER, TIME_POINTS

CHECKING, LABELLING, TRAINING = "checking the cohort", "labelling", "training"
JUDGING, MAPS, REPORT, WRITING = "judging: {}", "checking maps", "writing the report", "writing the model"

PATIENTS = 39
"""Of a cohort whose patients are not counted yet."""


def stages_of(options) -> dict[str, float]:
    """Stages in their order and about how long each takes, in trainings."""
    from ...study.run import TRAINING as TRAINING_ALL
    from ...study.running import preparing
    from ...study.settings import asked_twice, control_protocols_of, input_controls_named
    from ...systems.registry import system_of

    system = system_of(options.system)
    cutting = preparing(system)
    found = {CHECKING: 0.3, LABELLING: 0.1, cutting: 0.3, TRAINING: float(options.members)}
    if options.protocols:
        numbers = {PAPER: options.paper_trials, LEAVE_ONE_OUT: PATIENTS}
        trainings = sum(numbers.get(name, options.trials) + options.controls for name in options.protocols)
        controls = [system.input_control(name) for name in input_controls_named(options.input_controls, system)]
        networks = sum(1 for each in controls if each and not each.column)
        judged_by = control_protocols_of(options.protocols)
        trainings += networks * sum(numbers.get(name, options.trials) for name in judged_by)
        points = TIME_POINTS if asked_twice(system) else TIME_POINTS[:1]
        found |= {JUDGING.format(f"{cutting} ({point})"): 0.2 for point in points}
        found[JUDGING.format(TRAINING_ALL)] = float(trainings)
    if options.sanity:
        found[MAPS] = 1.0 + options.label_control
    if options.protocols:
        found[REPORT] = 0.5
    return found | {WRITING: 0.1}
