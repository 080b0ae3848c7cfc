"""What the sections of the panel have in common."""

from __future__ import annotations

from collections.abc import Callable


class Section:
    """One part of the panel: moves values between its controls and the logic.

    Args:
        panel: the module's widget, with ``ui``, ``logic``, ``state``, ``say``, ``showError`` and ``refresh``.
    """

    def __init__(self, panel) -> None:
        self.panel = panel
        self.ui = panel.ui
        self.logic = panel.logic
        self.set_up()

    @property
    def state(self):
        """The parameter node, None while the panel is closed."""
        return self.panel.state

    def set_up(self) -> None:
        """Fill and connect the controls, once."""

    def refresh(self) -> None:
        """Show what the parameter node says; called after every change of it."""

    def forget(self) -> None:
        """Another parameter set comes, the scene closes, or the panel does."""

    def leave(self) -> None:
        """Another MRI is chosen, which has results of its own."""

    def clean_up(self) -> None:
        """The panel goes for good: the application closes, or the module is reloaded."""


def slot(function: Callable) -> Callable:
    """A method for signals: takes none of their arguments, and shows its errors, which nobody else would see."""

    def called(self, *_arguments) -> None:
        try:
            function(self)
        except Exception as error:
            self.panel.showError(error)

    called.__name__, called.__doc__ = function.__name__, function.__doc__
    return called


def slot_with_value(function: Callable) -> Callable:
    """Like :func:`slot`, for signals whose first argument the method needs."""

    def called(self, value, *_others) -> None:
        try:
            function(self, value)
        except Exception as error:
            self.panel.showError(error)

    called.__name__, called.__doc__ = function.__name__, function.__doc__
    return called


def set_enabled(widget, reason: str, tip: str) -> None:
    """Enable a control with its tool tip, or disable it with the reason as tool tip.

    Args:
        widget: the control.
        reason: why it cannot be used now, "" if it can.
        tip: its usual tool tip.
    """
    widget.enabled = not reason
    widget.toolTip = reason or tip
