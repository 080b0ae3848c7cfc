"""Observers of MRML that do not keep a widget alive and do not call a destroyed one."""

from __future__ import annotations

import weakref

import shiboken6
import vtk


def weakly(widget, method: str):
    """A callback for ``AddObserver``: calls the widget's method with the event's node (or the caller itself)."""
    held = weakref.ref(widget)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def observe(caller, _event, data=None):
        alive = held()
        if alive is not None and shiboken6.isValid(alive):
            getattr(alive, method)(caller if data is None else data)

    return observe
