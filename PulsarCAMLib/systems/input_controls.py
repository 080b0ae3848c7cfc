"""Where an answer comes from: what is taken away from a network's input, of a whole training or of one unit.

Every :class:`.contract.System` has these; one whose input has parts that can be taken away says which in its folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..core.input_control import InputControl, LeaveOut

if TYPE_CHECKING:  # names of systems are listed before NumPy is there
    import numpy as np


class InputControls:
    """Base of :class:`.contract.System`.

    Attributes:
        input_controls: models that see less than the network; none unless a system says so.
        leave_outs: parts of a unit's input that are replaced before the network is asked again; likewise. Of systems
            with one logit only.
    """

    input_controls: ClassVar[tuple[InputControl, ...]] = ()
    leave_outs: ClassVar[tuple[LeaveOut, ...]] = ()

    def controlled(
        self, name: str, images: np.ndarray, masks: np.ndarray, numbers: np.ndarray, preprocessing: Any
    ) -> np.ndarray:
        """Samples as a control's network sees them, ``[n, channels, *size]``.

        Args:
            name: in :attr:`input_controls`, no column.
            images, masks: as the network learns from them, see :class:`.learning.learner.TrainingSamples`.
            numbers: ``[n]``, of the samples, from which whatever is random is drawn.
            preprocessing: of the model.
        """
        raise NotImplementedError

    def control_column(self, name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The number by which a control that is a column answers, of every sample ``[n]``.

        Args:
            name: in :attr:`input_controls`, a column.
            images, masks: as :meth:`controlled`.
        """
        raise NotImplementedError

    def left_out(self, name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Samples with a part replaced, ``[n, channels, *size]``; the same for a sample whatever the others are.

        Args:
            name: in :attr:`leave_outs`.
            images, masks: of :class:`.samples.Samples`, as they were prepared.
        """
        raise NotImplementedError

    def input_control(self, name: str) -> InputControl | None:
        """That of a name; None: there is none."""
        return next((each for each in self.input_controls if each.name == name), None)
