"""What a section made last of each parameter set's result: a comparison, doses, a painting."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from .results.result_cache import key_of


@dataclass
class LastAnswer:
    """What was made.

    Attributes:
        made: as the logic returned it.
        run: the result that it was made of.
        about: what was asked for, to be compared with what is asked for now.
    """

    made: Any
    run: object
    about: Hashable


class LastAnswers:
    """By parameter set; those of a set whose result is forgotten, as in another scene, are not there.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel, self._of_sets = panel, {}

    def keep(self, made: Any, about: Hashable) -> None:
        """Keep what was just made of the present result."""
        state = self._panel.state
        self._of_sets[key_of(state)] = LastAnswer(made, self._panel.resultCache.of(state), about)

    def last(self) -> LastAnswer | None:
        """What was made last in the present parameter set."""
        state = self._panel.state
        return self._of_sets.get(key_of(state)) if self._panel.resultCache.of(state) else None

    def is_of_present_result(self) -> bool:
        """Whether there is one, and it was made of the result that is shown."""
        last = self.last()
        return last is not None and last.run is self._panel.resultCache.of(self._panel.state)

    def clear(self) -> None:
        """The scene closes: the next one gives the same IDs to other nodes."""
        self._of_sets.clear()
