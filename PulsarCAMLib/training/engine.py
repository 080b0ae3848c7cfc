"""A training that can be stopped after any epoch, put away as plain tensors, and continued as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ..core.errors import Cancelled, InputError
from ..systems.answers import checked_logits
from ..systems.learning.learner import TOTAL, Learner, Trained, TrainingSamples
from ..systems.registry import system_of_settings
from .schedule import Schedule
from .words import all_classes

OPTIMISERS: dict[str, type[torch.optim.Optimizer]] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}

Progress = Callable[[float, str], None]
Row = dict[str, float]


class Engine:
    """One model in training. To be used inside :func:`own_random_numbers`.

    Attributes:
        settings: of the training.
        learner: the system's own; see :class:`PulsarCAMLib.systems.learning.learner.Learner`.
        model: the model, as it is after :attr:`epoch`.
        epoch: epochs done, through all phases.
        history: one row per epoch: mean of each loss term, accuracy, and on some epochs validation figures.
        best: epoch, its validation loss and weights, where training may stop early.
        schedule: of the learning rate.
        at_rest: whether the state is that of an epoch's end.
        samples: to train on.
        validation: of other patients; None: none.
    """

    def __init__(self, settings: Trained, samples: TrainingSamples, validation: TrainingSamples | None) -> None:
        self.device = device_of(settings)
        self.settings, self.system = settings, system_of_settings(settings)
        self.samples = samples
        self.validation = validation if validation is not None and len(validation) else None
        self._check(samples)
        self.learner: Learner = self.system.learner(settings, samples, self.device)
        self.model = self.learner.model
        self._ask_once()
        self.order = torch.Generator().manual_seed(settings.seed)
        self.epoch = 0
        self.at_rest = True
        self.history: list[Row] = []
        self.best: tuple[int, float, dict[str, Tensor]] | None = None
        self.schedule = Schedule(getattr(settings, "schedule", "constant"), settings.learning_rate, settings.epochs)
        self.begin(settings.phases[0])

    def _check(self, samples: TrainingSamples) -> None:
        task = self.system.task
        if len(np.unique(samples.labels)) < 2:
            raise InputError(
                f"All {task.unit}s of the training cohort have the same {task.label.column}; there is nothing to learn."
            )
        if self.settings.patience and (self.validation is None or len(np.unique(self.validation.labels)) < 2):
            raise InputError(
                f"Stopping early needs {all_classes(task)} {task.unit}s of validation patients; set some patients "
                "aside or train for a fixed number of epochs."
            )

    def _ask_once(self) -> None:
        """One sample through the fresh network: a slip in a system is told before anything is trained.

        Raises:
            BundleError: the network fails, or its logits are not those of the task.
        """
        given = self.samples.images[:1], self.samples.masks[:1]
        first = (torch.from_numpy(np.array(each)).to(self.device) for each in given)
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            checked_logits(self.system, *first, lambda *given: self.system.member_logits(self.model, *given))
        self.model.train(training)

    def begin(self, phase: str) -> None:
        """Start a phase with an optimiser of its own (AdamW by default); outside of :attr:`phase` nothing moves."""
        self.phase, s = phase, self.settings
        kind = OPTIMISERS[getattr(s, "optimiser", "adamw")]
        self.optimiser = kind(
            self.learner.begin(phase), lr=s.learning_rate, betas=s.betas, eps=s.epsilon, weight_decay=s.weight_decay
        )

    @property
    def kept_epoch(self) -> int:
        """Whose weights training ends with: the best one's by validation, or by the schedule, or the last one's."""
        if self.best is not None:
            return self.best[0]
        if self.schedule.best is not None:
            return int(min(self.history, key=lambda row: row[TOTAL])["epoch"])
        return self.epoch

    @property
    def done(self) -> bool:
        """Whether the last epoch has been, or training has stopped early."""
        patience = self.settings.patience
        early = patience is not None and self.best is not None and self.epoch - self.best[0] >= patience
        return early or self.schedule.over or self.epoch >= self.settings.all_epochs

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
        total = self.settings.all_epochs
        while not self.done:
            self.at_rest = False
            self._one_epoch()
            self.at_rest = True
            if after_epoch:
                after_epoch(self)
            if progress:
                text = f"epoch {self.epoch} of {total}, loss {self.history[-1][TOTAL]:.3f}"
                progress(1.0 if self.done else self.epoch / total, text)
            if cancelled and not self.done and cancelled():
                raise Cancelled(f"Training was stopped after epoch {self.epoch} of {total}.")
        self.at_rest = False
        if self.best is None and self.schedule.best is not None:
            self.model.load_state_dict(self.schedule.best[1])
        if self.best is not None:
            self.model.load_state_dict(self.best[2])
            self.learner.settle()
        self.model.eval()

    def _one_epoch(self) -> None:
        self.epoch += 1
        s = self.settings
        phase = s.phase_of(self.epoch)
        if phase != self.phase:
            self.begin(phase)
        self.schedule.before_epoch(self.epoch, self.optimiser)
        self.learner.start_epoch(self.epoch)
        self.model.train()
        row = {"epoch": float(self.epoch), **self._pass_over_all()}
        if self.epoch == s.all_epochs and not s.patience:
            self.learner.settle()
        last = self.epoch in (s.epochs, s.all_epochs)
        if self.validation is not None and (self.epoch % s.validate_every == 0 or last):
            found = self.learner.measure(self.validation)
            row |= {f"validation_{name}": value for name, value in found.items()}
        self.history.append(row)
        self._remember_the_best(row)
        self.schedule.after_epoch(row[TOTAL], self.model)

    def _pass_over_all(self) -> Row:
        """One epoch of the phase; means over samples."""
        sums, right, seen = np.zeros(len(self.learner.losses)), 0, 0
        shuffled = self.learner.order(self.order)
        for index in shuffled.split(self.settings.batch_size):
            if len(index) < 2:  # batch norm cannot take the statistics of a single sample
                continue
            self.optimiser.zero_grad(set_to_none=True)
            found = self.learner.backward(index)
            self.optimiser.step()
            sums += len(index) * found.losses.double().cpu().numpy()
            if found.logits is not None:
                right += self.learner.right(found.logits, index)
                seen += len(index)
        row = dict(zip(self.learner.losses, (sums / len(shuffled)).tolist(), strict=True))
        return row | ({"accuracy": right / seen} if seen else {})

    def _remember_the_best(self, row: Row) -> None:
        figure = self.learner.judged_by(self.phase)
        loss = row.get(f"validation_{figure}")
        if self.settings.patience is None or loss is None:
            return
        if self.best is None or loss < self.best[1]:
            self.best = (self.epoch, loss, {k: v.detach().clone() for k, v in self.model.state_dict().items()})


def device_of(settings: Trained) -> torch.device:
    """The device that the settings mean here.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise InputError("PyTorch finds no GPU here; choose the device “auto” or “cpu”.")
    return torch.device("cuda" if there and settings.device != "cpu" else "cpu")


@contextmanager
def own_random_numbers(settings: Trained) -> Iterator[None]:
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
