"""Words for the classes of a task in sentences."""

from __future__ import annotations

from ..core.task import Task


def all_classes(task: Task) -> str:
    """The adjectives of all classes, the positive one first: "responding and non-responding"."""
    words = sorted(task.classes, key=lambda each: each.name != task.positive)
    *first, last = (each.adjective for each in words)
    return f"{', '.join(first)} and {last}"


def with_classes(task: Task) -> str:
    """Units of every class: "lesions with and without response"."""
    return f"{task.unit}s with and without {task.positive}" if task.binary else f"{task.unit}s of every class"
