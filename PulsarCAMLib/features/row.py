"""A row of features: numbers by name, and for each number that does not exist the reason."""

from __future__ import annotations

import math


class FeatureRow(dict):
    """Feature name to value; None where the value does not exist on this lesion.

    Attributes:
        reasons: feature name to a sentence, for exactly the features that are None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}

    def put(self, name: str, value: float | None, reason: str = "") -> None:
        """Adds a feature; a value that is None or not finite becomes None and needs its reason.

        Raises:
            ValueError: the value does not exist and no reason is given.
        """
        if value is not None and math.isfinite(value):
            self[name] = float(value)
            return
        if not reason:
            raise ValueError(f"feature {name} is undefined and nobody says why")
        self[name], self.reasons[name] = None, reason
