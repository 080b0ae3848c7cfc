"""What a model says about samples it does not learn from."""

from __future__ import annotations

import numpy as np
from torch import nn

from ..systems.contract import System
from ..systems.learning.learner import TrainingSamples
from ..systems.learning.plain_learner import member_logits
from ..systems.registry import system_of

CHUNK = 64


def predict_logits(
    model: nn.Module, samples: TrainingSamples, chunk: int = CHUNK, system: System | None = None
) -> np.ndarray:
    """Logits ``[N]`` of the positive class, or ``[N, classes]``, in evaluation mode (no dropout, running statistics).

    Args:
        model: one member.
        samples: to be asked about.
        chunk: samples at once.
        system: whose member it is; None: the system that comes first.
    """
    return member_logits(system or system_of(), model, samples, chunk).numpy()
