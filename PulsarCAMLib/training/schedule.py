"""The learning rate over a training, and the way back to better weights where the settings want it."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn, optim

CUT, MOST_RISES = 0.1, 10
"""Of the schedule "cut-on-rise": factor of the rate after a rise, and rises in a row after which training stops."""


class Schedule:
    """The rate after each epoch; see :class:`PulsarCAMLib.systems.learning.plain_settings.PlainSettings`.

    Attributes:
        kind: ``"constant"``, ``"cosine"`` or ``"cut-on-rise"``.
        factor: of the rate, from rises.
        rises: epochs in a row whose training loss was not the smallest so far.
        best: smallest training loss and the weights after that epoch; None before the first.
    """

    def __init__(self, kind: str, rate: float, epochs: int) -> None:
        self.kind, self._rate, self._epochs = kind, rate, epochs
        self.factor, self.rises = 1.0, 0
        self.best: tuple[float, dict[str, Tensor]] | None = None

    def before_epoch(self, epoch: int, optimiser: optim.Optimizer) -> None:
        """Set the rate of an epoch, which counts from 1."""
        if self.kind == "constant":
            return
        share = 0.5 * (1 + math.cos(math.pi * (epoch - 1) / self._epochs)) if self.kind == "cosine" else self.factor
        for group in optimiser.param_groups:
            group["lr"] = self._rate * share

    def after_epoch(self, loss: float, model: nn.Module) -> None:
        """Look at an epoch's mean training loss; after a rise the best weights come back."""
        if self.kind != "cut-on-rise":
            return
        if self.best is None or loss < self.best[0]:
            self.best = loss, {name: value.detach().clone() for name, value in model.state_dict().items()}
            self.rises = 0
            return
        self.factor *= CUT
        self.rises += 1
        model.load_state_dict(self.best[1])

    @property
    def over(self) -> bool:
        """Whether the loss has risen too often in a row."""
        return self.rises >= MOST_RISES

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Plain JSON values and tensors from which :meth:`restore` makes the same again."""
        plain = {"factor": self.factor, "rises": self.rises, "loss": self.best[0] if self.best else None}
        return plain, dict(self.best[1]) if self.best else {}

    def restore(self, plain: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Go on from a :meth:`state`."""
        self.factor, self.rises = float(plain["factor"]), int(plain["rises"])
        self.best = None if plain["loss"] is None else (float(plain["loss"]), tensors)
