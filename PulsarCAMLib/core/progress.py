"""How work tells how far it is, and what the user should know."""

from __future__ import annotations

from collections.abc import Callable

OnProgress = Callable[[float, str], None]
"""Is told the fraction done, 0 to 1, and what is being done; an error that it raises ends the work."""

IsCancelled = Callable[[], bool]
"""Is asked often; True ends the work."""


def silent(fraction: float, text: str) -> None:
    """An :data:`OnProgress` that nobody listens to."""
