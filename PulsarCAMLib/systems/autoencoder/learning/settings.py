"""How one model is trained: every choice in one frozen value that goes into the card. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....core.settings import LARGEST_SEED, MOST_EPOCHS, MOST_SEED, Settings, option
from ....core.vocabulary import DEVICES, IMBALANCE
from ...learning.plain_settings import PhasedSettings
from ..model.architecture import Architecture
from ..samples.preprocessing import Preprocessing

PAPER_ROTATIONS = (10.0, 15.0, 30.0, 45.0, 90.0)
"""Degrees; with the original slice they make six samples of a lesion."""

LARGEST_ROTATION = 360.0
_SAME_ROTATION_DIGITS = 6


def rotation_problem(rotations: Sequence[float]) -> str | None:
    """What is wrong with the degrees of the copies: the original, or another copy, would count twice."""
    turns: dict[float, float] = {}
    for angle in rotations:
        if not abs(angle) < LARGEST_ROTATION:  # nan is not either
            return f"the rotation {angle:g} is not between -360 and 360 degrees"
        turn = round(angle % 360, _SAME_ROTATION_DIGITS) % 360
        if turn == 0:
            return f"the rotation {angle:g} is the original, which is among the samples anyway; leave it out"
        if turn in turns:
            return f"the rotations {turns[turn]:g} and {angle:g} are the same; leave one out"
        turns[turn] = angle
    return None


@dataclass(frozen=True)
class LossWeights(Settings):
    """Weights of the four terms; the defaults are the paper's.

    Raises:
        InputError: a weight is negative or not finite, or all are 0.
    """

    who = "the loss"

    reconstruction: float = 0.6
    similarity: float = 0.2
    outside: float = 0.2
    classification: float = 1.0

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        weights = tuple(vars(self).values())
        if not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
            yield f"The weights of the loss must be numbers from 0 on, not all of them 0, not {weights}."


@dataclass(frozen=True)
class TrainingSettings(PhasedSettings):
    """How a member is trained; the defaults are the paper's, and our readings where the paper is silent.

    Attributes:
        epochs: passes over the augmented cohort; fixed (reading 20). Sequential training makes as many for the
            autoencoder and then for the classifier.
        batch_size: samples per step; the last batch of an epoch is smaller.
        learning_rate, weight_decay, betas, epsilon: of AdamW (decay decoupled, scaled by the learning rate).
        loss: weights of the four terms.
        rotations: degrees of the rotated copies of every lesion; the original comes on top.
        architecture: filters, activation of the dense layer, order of the batch norm, dropout (readings 1, 7, 8).
        preprocessing: pixel size in the plane, crop, intensities, slice (readings 9 to 12).
        mode: ``"joint"``: autoencoder and classifier together; ``"sequential"``: first the autoencoder, then the
            classifier on its frozen encoder (in the paper the worse one).
        imbalance: ``"none"`` (reading 18); ``"weighted"``: the classification loss counts both classes the same;
            ``"balanced"``: every epoch draws both classes equally often, with replacement.
        patience: epochs without a smaller classification loss on VALIDATION patients after which training stops and
            the best epoch's weights are taken; None: never (reading 20).
        seed: of initial weights, order of samples and dropout.
        validate_every: epochs between two points of the validation curves.
        settle_norm: after the last epoch, take the batch norm's statistics anew over all samples. Its running average
            is of the last 100 steps, over which the weights still move: without this, some members call almost every
            lesion by one class although they rank lesions well. Not in the paper; the shipped model uses it.
        micro_batch: samples convolved at once, so that their feature maps stay in the cache; the step is still that of
            the whole batch, for batch norm comes after all of them. 0: the whole batch in one plain autograd pass,
            whose numbers differ by rounding only.
        threads: processor cores of one training; more than one is hardly faster and not the same sums.
        device: ``"auto"``: a GPU when there is one; ``"cpu"``; ``"cuda"``.
        checkpoint_seconds: time between two checkpoints; has no influence on the weights.
        pictures_every: epochs between two pictures of reconstructions and feature maps; 0: none.
        initial_weights: ``"glorot"``: uniform after Glorot with zero biases, as Keras (reading 21); ``"torch"``: as
            PyTorch's layers start by default.
        reconstruct: ``"crop"``: the autoencoder learns to give the whole crop (reading 14); ``"gtv"``: the GTV, with
            black around it, which is all that the masked features can carry.
    """

    who = "the training"

    epochs: int = option(150, "--epochs", at_least=1, most_typed=MOST_EPOCHS)
    batch_size: int = option(64, "--batch-size", at_least=2, most_typed=65536)
    learning_rate: float = option(5e-4, "--learning-rate", above=0, below=1)
    weight_decay: float = option(1e-4, "--weight-decay", at_least=0)
    betas: tuple[float, float] = option((0.9, 0.999), at_least=0, below=1)
    epsilon: float = option(1e-8, above=0)
    loss: LossWeights = option(
        LossWeights, "--loss-weights", "of image cross-entropy, SSIM, activity outside the GTV, and classifier",
        metavar="A,B,C,D",
    )  # fmt: skip
    rotations: tuple[float, ...] = option(PAPER_ROTATIONS, "--rotations", "of the copies", problem=rotation_problem)
    architecture: Architecture = option(Architecture)
    preprocessing: Preprocessing = option(Preprocessing)
    mode: str = option("joint", "--mode", choices=("joint", "sequential"))
    imbalance: str = option("none", "--imbalance", choices=tuple(IMBALANCE))
    patience: int | None = option(
        None, "--patience", "stop after N epochs without a better validation loss (never)", metavar="N",
        section="ensemble", after="seed", at_least=1,
    )  # fmt: skip
    seed: int = option(
        0, "--seed", "of the first member, and of the split", section="ensemble", at_least=0, at_most=LARGEST_SEED,
        most_typed=MOST_SEED,
    )  # fmt: skip
    validate_every: int = option(1, at_least=1)
    settle_norm: bool = option(
        False, "--settle-norm", "take batch norm's statistics anew at the end, as the shipped model"
    )
    micro_batch: int = option(16, at_least=0)
    threads: int = option(1, at_least=1)
    device: str = option("auto", "--device", choices=DEVICES)
    checkpoint_seconds: float = option(10.0, influence=False, at_least=0)
    pictures_every: int = option(
        0, "--pictures-every", "reconstructions every N epochs; keeps the run (none)", metavar="N", section="running",
        influence=False, at_least=0,
    )  # fmt: skip
    initial_weights: str = option(
        "glorot", "--initial-weights", "as Keras or as PyTorch starts", after="loss", choices=("glorot", "torch"),
        untold=True,
    )  # fmt: skip
    reconstruct: str = option(
        "crop", "--reconstruct", "what the autoencoder learns to give: the whole crop, or the GTV on black",
        after="loss", choices=("crop", "gtv"), untold=True,
    )  # fmt: skip

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if self.preprocessing.patch_size != self.architecture.patch_size:
            yield "The training's preprocessing and architecture disagree on the patch size."

    @property
    def phases(self) -> tuple[str, ...]:
        """What is trained, one after the other, each for :attr:`epochs`."""
        return ("joint",) if self.mode == "joint" else ("autoencoder", "classifier")
