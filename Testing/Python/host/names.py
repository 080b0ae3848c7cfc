"""The names that Slicer's Python really reaches, from the lists that the tests of names use."""

from __future__ import annotations

from functools import cache

from api.known import Known

OF_EVERY_OBJECT = frozenset(
    (
        *("blockSignals", "signalsBlocked", "connect", "disconnect", "delete", "deleteLater", "exec", "exec_"),
        *("className", "inherits", "isWidgetType", "metaObject", "help", "name", "objectName", "setObjectName"),
        *("children", "findChild", "findChildren", "parent", "setParent", "installEventFilter", "removeEventFilter"),
        *("property", "setProperty", "dynamicPropertyNames"),
    )
)
"""What PythonQt gives to every object."""


@cache
def known() -> Known:
    """The lists."""
    return Known()


@cache
def reachable(class_names: tuple[str, ...]) -> frozenset[str] | None:
    """Names that Python reaches on an object.

    Args:
        class_names: its C++ classes, the most derived first.

    Returns:
        None where the lists do not know the class: then nothing is forbidden.
    """
    if not known().has_qt_class(class_names[0]):
        return None
    return OF_EVERY_OBJECT | frozenset(known().qt_members(class_names[0]))


def is_in_qt(name: str) -> bool:
    """Whether the flat module ``qt`` has this member."""
    return name in known().observed["all_qt"]
