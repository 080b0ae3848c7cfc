"""A system that looks at two visits, for tests of what volume systems share, and motions."""

import numpy as np

from PulsarCAMLib.core.inputs import BRAIN, DOSE, InputRole
from PulsarCAMLib.core.task import GIVEN, PATIENT, LabelRule, Task, TaskClass
from PulsarCAMLib.systems.volumes.system import VolumeSystem


class Two(VolumeSystem):
    name = title = "two"
    task = Task(
        "change", "Change", (TaskClass("a", "a", "a", "#111111"), TaskClass("b", "b", "b", "#222222")), "b", "b",
        PATIENT, LabelRule(GIVEN, "change"),
    )  # fmt: skip
    inputs = (
        InputRole("t1-now", "T1 now", time_point="followup", column="t1"),
        InputRole("t1-before", "T1 before", column="t1"),
        InputRole("t2-now", "T2 now", time_point="followup", column="t2", needed=False),
        InputRole("t2-before", "T2 before", column="t2", needed=False),
        InputRole("plan", "dose", DOSE, needed=False),
        InputRole("brain-before", "brain before", BRAIN, needed=False),
    )
    maps = ()


TWO = Two()


def turn(degrees, axis, shift):
    """Rigid: about an axis through the origin, then a shift in mm."""
    axis = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    cross = np.cross(np.eye(3), axis)
    angle = np.radians(degrees)
    found = np.eye(4)
    found[:3, :3] = np.eye(3) - np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    found[:3, 3] = shift
    return found
