"""Observers of MRML that do not keep a widget alive and do not call a destroyed one."""

from __future__ import annotations

import weakref

import shiboken6
import vtk


def weakly(widget, method: str, with_node: bool = True):
    """A callback for ``AddObserver``: calls the widget's method with the event's node, or else with the caller.

    Args:
        with_node: whether the event's data is a node; those of a segmentation carry text, which must not be read so.
    """
    held = weakref.ref(widget)

    def tell(about):
        alive = held()
        if alive is not None and shiboken6.isValid(alive):
            getattr(alive, method)(about)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def observe(caller, _event, data=None):
        tell(caller if data is None else data)

    return observe if with_node else lambda caller, _event: tell(caller)
