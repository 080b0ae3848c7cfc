"""How a network learns: samples in memory, and what the training engine asks of a system's learner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .channels import taken

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

TOTAL = "total"
"""What is minimised: the first of a learner's losses."""


@dataclass(frozen=True, eq=False)
class StoredArray:
    """Rows of an array that lies in a file: choosing rows reads nothing; a slice, a number or ``np.array`` does.

    Attributes:
        path: of a file with the values, row after row; it stays where it is while this is in use.
        row_shape: of one row.
        dtype: of the values.
        rows: which, in their order.
        offset: bytes in front of the first row.
        count: rows of the file; None: all that follows.
        channels: which of the first axis of a row, see :func:`.channels.taken`; None: all.
    """

    path: Path
    row_shape: tuple[int, ...]
    dtype: np.dtype
    rows: np.ndarray
    offset: int = 0
    count: int | None = None
    channels: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array has it."""
        own = self.row_shape if self.channels is None else (len(self.channels), *self.row_shape[1:])
        return (len(self.rows), *own)

    @property
    def ndim(self) -> int:
        """As an array has it."""
        return 1 + len(self.row_shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> Any:
        rows = self.rows[chosen]
        if isinstance(chosen, (slice, int, np.integer)):
            return taken(self._values[rows], self.channels, np.ndim(rows))
        return replace(self, rows=rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(taken(self._values[self.rows], self.channels, 1), dtype=dtype)

    @property
    def _values(self) -> np.ndarray:
        shape = None if self.count is None else (self.count, *self.row_shape)
        return np.memmap(self.path, self.dtype, "r", self.offset, shape).reshape(-1, *self.row_shape)


@dataclass(frozen=True, eq=False)
class TrainingSamples:
    """A cohort in memory, or its images and masks in files that are read where they are wanted.

    Attributes:
        images: float32 ``[N, channels, *size]``; an array or a :class:`StoredArray`.
        masks: ``[N, 1, *size]``, as the network is told of the units: bool, or float32 in 0..1; the same.
        labels: int64 ``[N]``, numbers of classes in the task's order.
        patients: ``[N]``, whose; splits are made by patient.
        units: ``[N]``, name of the unit (lesion) within the patient.
        changes: float ``[N]``, 0 for a unit as it is; see :class:`..contract.Copy`.
        confidence: ``[N]``, how sure the label is, 0 to 1; None: nobody said.
    """

    images: Any
    masks: Any
    labels: np.ndarray
    patients: np.ndarray
    units: np.ndarray
    changes: np.ndarray
    confidence: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: np.ndarray) -> TrainingSamples:
        """Some of the samples, by index or bool array."""
        chosen_of: dict[str, Any] = {n: None if values is None else values[chosen] for n, values in vars(self).items()}
        return TrainingSamples(**chosen_of)

    def seeing(self, channels: tuple[int, ...]) -> TrainingSamples:
        """The same with some channels of the images, see :func:`.channels.taken`; nothing is read for it."""
        images = self.images
        own = replace(images, channels=channels) if isinstance(images, StoredArray) else taken(images, channels, 1)
        return replace(self, images=own)

    def originals(self) -> TrainingSamples:
        """The samples that are not changed: one per unit."""
        return self.where(self.changes == 0)

    def of_patients(self, names: Iterable[str]) -> TrainingSamples:
        """All samples of some patients."""
        return self.where(np.isin(self.patients, list(names)))


@dataclass(frozen=True, eq=False)
class Pass:
    """What a batch gave.

    Attributes:
        losses: values without gradients, in the order of :attr:`Learner.losses`.
        logits: ``[n]`` or ``[n, classes]`` without gradients; None where no class was called.
    """

    losses: Tensor
    logits: Tensor | None


class Learner(Protocol):
    """One network, its samples on its device, and how a batch changes it. Made within the engine's random numbers."""

    @property
    def model(self) -> nn.Module:
        """In training; what it is after an epoch is all that the learner knows."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of the terms, columns of the curves; the first is :data:`TOTAL`."""

    def begin(self, phase: str) -> list[nn.Parameter]:
        """Start a phase of the settings' ``phases``; gives the parameters that move in it."""

    def start_epoch(self, epoch: int) -> None:
        """An epoch begins; epochs count from 1."""

    def order(self, generator: Generator) -> Tensor:
        """Indices of the samples of one epoch, in the order in which they are learnt from."""

    def backward(self, index: Tensor) -> Pass:
        """Loss of a batch; its gradients are added to those of the model's parameters."""

    def right(self, logits: Tensor, index: Tensor) -> int:
        """How many samples of a batch are called by their class."""

    def measure(self, samples: TrainingSamples) -> dict[str, float]:
        """The losses and more, in evaluation mode, on samples that are not learnt from."""

    def judged_by(self, phase: str) -> str | None:
        """The figure of :meth:`measure` by whose smallest value training stops early; None: not in this phase."""

    def settle(self) -> None:
        """What is to be done to the model once its weights are final."""

    def draw(self, folder: Path, epoch: int, samples: TrainingSamples, *, last: bool) -> None:
        """Pictures of how it comes along, where the settings ask for them after this epoch."""


class Trained(Protocol):
    """Settings of a training, of whatever system; frozen dataclasses such as :class:`.plain_settings.PlainSettings`.

    ``architecture`` (whose card names the system), ``preprocessing``, ``epochs`` of each of ``phases``, ``batch_size``,
    ``learning_rate``, ``weight_decay``, ``betas`` and ``epsilon`` of AdamW, ``patience``, ``seed``, ``validate_every``,
    ``threads``, ``device``, ``checkpoint_seconds``.
    """

    architecture: Any
    preprocessing: Any
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    betas: tuple[float, float]
    epsilon: float
    patience: int | None
    seed: int
    validate_every: int
    threads: int
    device: str
    checkpoint_seconds: float

    @property
    def phases(self) -> tuple[str, ...]:
        """What is trained, one after the other, each for ``epochs``."""

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""

    def phase_of(self, epoch: int) -> str:
        """Phase of an epoch; epochs count from 1 through all phases."""

    def with_seed(self, seed: int) -> Trained:
        """The same training from another random start."""

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values."""

    def identity(self) -> str:
        """Hash of everything that decides the weights, as far as settings do."""
