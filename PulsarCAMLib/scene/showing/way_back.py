"""From views of one's own back to those that were there before."""

from __future__ import annotations

from .views import current_layout, set_layout


class WayBack:
    """Which layout was shown before one of PulsarCAM's own; none while that one is not shown."""

    def __init__(self, own: int) -> None:
        """``own``: number of the layout from which it leads back."""
        self._own, self._before = own, None

    @property
    def is_open(self) -> bool:
        """Whether the own layout was shown from here and still is."""
        return self._before is not None and current_layout() == self._own

    def remember(self, before: int | None) -> None:
        """The layout that was there before the own one was shown."""
        self._before = before

    def go(self) -> bool:
        """Back to it, if the own one is shown; whether it was."""
        if not self.is_open:
            return False
        set_layout(self._before)
        self._before = None
        return True
