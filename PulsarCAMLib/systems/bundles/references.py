"""What a card keeps of the training units besides weights, so that maps can say what a unit has less of than they."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ..answers import Predictor
    from ..learning.learner import TrainingSamples


class References:
    """Base of :class:`..contract.System`; a system whose maps need no reference has these defaults.

    Attributes:
        keeps_reference: whether :meth:`reference_section` gives something.
    """

    keeps_reference: ClassVar[bool] = False

    def reference_section(self, members: Sequence[nn.Module], samples: TrainingSamples) -> dict[str, Any]:
        """A card's section ``reference``; empty: the system keeps none.

        Args:
            members: in evaluation mode.
            samples: they learnt from, without copies.
        """
        return {}

    def give_reference(self, members: Sequence[nn.Module], section: Mapping[str, Any]) -> None:
        """Members take what a checked card's section keeps."""

    def reference_problems(self, section: Mapping[str, Any], architecture: Any, members: int) -> list[str]:
        """What is wrong with a card's section, one sentence each."""
        return ["The model card keeps a reference, which its system does not know."]

    def referenced(self, predictor: Predictor, judged: Predictor, images: np.ndarray, masks: np.ndarray) -> Predictor:
        """A model that a judged one is compared with, such as one drawn anew: where it lacks a reference of its own,
        that of some samples, if the judged one has any.

        Args:
            predictor: stays as it is.
            judged: the model whose maps are checked.
            images: ``[N, channels, *size]``.
            masks: bool ``[N, 1, *size]``.
        """
        return predictor
