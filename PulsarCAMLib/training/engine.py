"""A training that can be stopped after any epoch, put away as plain tensors, and continued as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ..core.errors import Cancelled, InputError
from ..systems.autoencoder.losses import Losses
from ..systems.autoencoder.memory import keep_freed_memory
from ..systems.autoencoder.network import AutoencoderClassifier
from ..systems.autoencoder.passes import Pass, TensorData, backward, backward_of_classifier, masked_features
from ..systems.autoencoder.samples import Samples
from ..systems.autoencoder.settled_norm import settle_norm
from ..systems.autoencoder.training_settings import TrainingSettings
from .validation import measure

Progress = Callable[[float, str], None]
Row = dict[str, float]

_CLASSIFIER = ("dense", "norm", "logit")


class Engine:
    """One model in training. To be used inside :func:`own_random_numbers`.

    Attributes:
        settings: of the training.
        model: the model, as it is after :attr:`epoch`.
        epoch: epochs done, through all phases.
        history: one row per epoch: mean of each loss term, accuracy, and on some epochs validation figures.
        best: epoch, its validation loss and weights, where training may stop early.
        at_rest: whether the state is that of an epoch's end.
        samples, data: to train on, as arrays and as tensors.
        validation: of other patients; None: none.
    """

    def __init__(self, settings: TrainingSettings, samples: Samples, validation: Samples | None) -> None:
        self.device = device_of(settings)
        self.settings = settings
        self.samples = samples
        self.validation = validation if validation is not None and len(validation) else None
        self._check(samples)
        model = AutoencoderClassifier(settings.architecture, settings.preprocessing.mask_rule)
        if settings.initial_weights != "glorot":
            model.reset_parameters(settings.initial_weights)
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.data = TensorData.of(
            samples,
            self.device,
            settings.imbalance == "weighted",
            mask_rule=settings.preprocessing.mask_rule,
            reconstruct=settings.reconstruct,
        )
        self.order = torch.Generator().manual_seed(settings.seed)
        self.epoch = 0
        self.at_rest = True
        self.history: list[Row] = []
        self.best: tuple[int, float, dict[str, Tensor]] | None = None
        self._masked: Tensor | None = None
        self.begin(settings.phases[0])

    def _check(self, samples: Samples) -> None:
        if len(np.unique(samples.labels)) < 2:
            raise InputError("All lesions of the training cohort have the same response; there is nothing to learn.")
        if self.settings.patience and (self.validation is None or len(np.unique(self.validation.labels)) < 2):
            raise InputError(
                "Stopping early needs responding and non-responding lesions of validation patients; set some patients "
                "aside or train for a fixed number of epochs."
            )

    def begin(self, phase: str) -> None:
        """Start a phase with an optimiser of its own; outside of :attr:`phase` nothing moves."""
        self.phase = phase
        chosen = []
        for name, parameter in self.model.named_parameters():
            of_classifier = name.split(".")[0] in _CLASSIFIER
            if phase == "joint" or of_classifier == (phase == "classifier"):
                chosen.append(parameter)
        s = self.settings
        self.optimiser = torch.optim.AdamW(
            chosen, lr=s.learning_rate, betas=s.betas, eps=s.epsilon, weight_decay=s.weight_decay
        )
        self._masked = masked_features(self.model, self.data) if phase == "classifier" else None

    @property
    def done(self) -> bool:
        """Whether the last epoch has been, or training has stopped early."""
        patience = self.settings.patience
        early = patience is not None and self.best is not None and self.epoch - self.best[0] >= patience
        return early or self.epoch >= self.settings.all_epochs

    def run(
        self,
        after_epoch: Callable[[Engine], None] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Train to the end.

        Args:
            after_epoch: called with this engine, whose state then is that of the epoch's end.
            progress: called after each epoch with the share done and a text.
            cancelled: asked after each epoch, when ``after_epoch`` has been; True stops.

        Raises:
            Cancelled: ``cancelled`` said so.
        """
        if self.device.type == "cpu":
            keep_freed_memory()
        total = self.settings.all_epochs
        while not self.done:
            self.at_rest = False
            self._one_epoch()
            self.at_rest = True
            if after_epoch:
                after_epoch(self)
            if progress:
                text = f"epoch {self.epoch} of {total}, loss {self.history[-1]['total']:.3f}"
                progress(1.0 if self.done else self.epoch / total, text)
            if cancelled and not self.done and cancelled():
                raise Cancelled(f"Training was stopped after epoch {self.epoch} of {total}.")
        self.at_rest = False
        if self.best is not None:
            self.model.load_state_dict(self.best[2])
            if self.settings.settle_norm:
                settle_norm(self.model, self.data)
        self.model.eval()

    def _one_epoch(self) -> None:
        self.epoch += 1
        s = self.settings
        phase = s.phase_of(self.epoch)
        if phase != self.phase:
            self.begin(phase)
        self.model.train()
        row = {"epoch": float(self.epoch), **self._pass_over_all()}
        if s.settle_norm and self.epoch == s.all_epochs and not s.patience:
            settle_norm(self.model, self.data)
        last = self.epoch in (s.epochs, s.all_epochs)
        if self.validation is not None and (self.epoch % s.validate_every == 0 or last):
            found = measure(self.model, self.validation, s.loss, s.reconstruct)
            row |= {f"validation_{name}": value for name, value in found.items()}
        self.history.append(row)
        self._remember_the_best(row)

    def _pass_over_all(self) -> Row:
        """One epoch of the phase; means over samples."""
        sums, right, seen = np.zeros(len(Losses._fields)), 0, 0
        shuffled = self._order()
        for index in shuffled.split(self.settings.batch_size):
            if len(index) < 2:  # batch norm cannot take the statistics of a single sample
                continue
            self.optimiser.zero_grad(set_to_none=True)
            found = self._backward(index)
            self.optimiser.step()
            sums += len(index) * found.losses.double().cpu().numpy()
            if found.logits is not None:
                right += int(((found.logits > 0) == (self.data.labels[index] == 1)).sum())
                seen += len(index)
        row = dict(zip(Losses._fields, (sums / len(shuffled)).tolist(), strict=True))
        return row | ({"accuracy": right / seen} if seen else {})

    def _order(self) -> Tensor:
        count = len(self.data)
        if self.settings.imbalance != "balanced":
            return torch.randperm(count, generator=self.order)
        labels = self.data.labels.long().cpu()
        chance = 1.0 / torch.bincount(labels, minlength=2)[labels].double()
        return torch.multinomial(chance, count, replacement=True, generator=self.order)

    def _backward(self, index: Tensor) -> Pass:
        if self.phase == "classifier":
            return backward_of_classifier(self.model, self._masked, self.data, index, self.settings)
        return backward(self.model, self.data, index, self.settings, self.phase)

    def _remember_the_best(self, row: Row) -> None:
        loss = row.get("validation_classification")
        if self.settings.patience is None or loss is None or self.phase == "autoencoder":
            return
        if self.best is None or loss < self.best[1]:
            self.best = (self.epoch, loss, {k: v.detach().clone() for k, v in self.model.state_dict().items()})


def device_of(settings: TrainingSettings) -> torch.device:
    """The device that the settings mean here.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise InputError("PyTorch finds no GPU here; choose the device “auto” or “cpu”.")
    return torch.device("cuda" if there and settings.device != "cpu" else "cpu")


@contextmanager
def own_random_numbers(settings: TrainingSettings) -> Iterator[None]:
    """Seed torch's generators and set its threads; what the caller had of both comes back afterwards.

    Initial weights and dropout use torch's global generators.
    """
    threads = torch.get_num_threads()
    devices = [torch.cuda.current_device()] if device_of(settings).type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
