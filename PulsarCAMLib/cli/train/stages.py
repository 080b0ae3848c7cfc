"""The stages of ``pulsarcam train`` by name, and about how long each takes."""

from __future__ import annotations

from ...core.vocabulary import LEAVE_ONE_OUT, PAPER, TIME_POINTS

CHECKING, LABELLING, CUTTING, TRAINING = "checking the cohort", "labelling lesions", "cutting patches", "training"
JUDGING, MAPS, REPORT, WRITING = "judging: {}", "checking maps", "writing the report", "writing the model"

PATIENTS = 39
"""Of a cohort whose patients are not counted yet."""


def stages_of(options) -> dict[str, float]:
    """Stages in their order and about how long each takes, in trainings."""
    from ...study.prepare import CUTTING as CUTTING_FOR
    from ...study.run import TRAINING as TRAINING_ALL

    found = {CHECKING: 0.3, LABELLING: 0.1, CUTTING: 0.3, TRAINING: float(options.members)}
    if options.protocols:
        numbers = {PAPER: options.paper_trials, LEAVE_ONE_OUT: PATIENTS}
        trainings = sum(numbers.get(name, options.trials) + options.controls for name in options.protocols)
        found |= {JUDGING.format(CUTTING_FOR.format(point)): 0.2 for point in TIME_POINTS}
        found[JUDGING.format(TRAINING_ALL)] = float(trainings)
    if options.sanity:
        found[MAPS] = 1.0 + options.label_control
    if options.protocols:
        found[REPORT] = 0.5
    return found | {WRITING: 0.1}
