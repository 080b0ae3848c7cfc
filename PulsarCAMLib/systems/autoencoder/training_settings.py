"""How one model is trained: every choice in one frozen value that goes into the card. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace

from ...core.errors import InputError, PulsarCAMError
from .architecture import Architecture
from .preprocessing import Preprocessing

PAPER_ROTATIONS = (10.0, 15.0, 30.0, 45.0, 90.0)
"""Degrees; with the original slice they make six samples of a lesion."""

LARGEST_ROTATION = 360.0
LARGEST_SEED = 2**64 - 1
_SAME_ROTATION_DIGITS = 6

MODES = ("joint", "sequential")
IMBALANCE = ("none", "weighted", "balanced")
DEVICES = ("auto", "cpu", "cuda")
INITIAL_WEIGHTS = ("glorot", "torch")
RECONSTRUCT = ("crop", "gtv")

_LATER = ("initial_weights", "reconstruct")
"""Fields that older settings lack: left out where they are the default, so that the same training has the same hash."""

_WITHOUT_INFLUENCE = ("checkpoint_seconds", "pictures_every")
"""Settings that change what is kept of a run and not what comes out of it."""


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
class LossWeights:
    """Weights of the four terms; the defaults are the paper's.

    Raises:
        InputError: a weight is negative or not finite, or all are 0.
    """

    reconstruction: float = 0.6
    similarity: float = 0.2
    outside: float = 0.2
    classification: float = 1.0

    def __post_init__(self) -> None:
        weights = tuple(vars(self).values())
        if not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
            raise InputError(f"The weights of the loss must be numbers from 0 on, not all of them 0, not {weights}.")


@dataclass(frozen=True)
class TrainingSettings:
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

    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    loss: LossWeights = field(default_factory=LossWeights)
    rotations: tuple[float, ...] = PAPER_ROTATIONS
    architecture: Architecture = field(default_factory=Architecture)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    mode: str = "joint"
    imbalance: str = "none"
    patience: int | None = None
    seed: int = 0
    validate_every: int = 1
    settle_norm: bool = False
    micro_batch: int = 16
    threads: int = 1
    device: str = "auto"
    checkpoint_seconds: float = 10.0
    pictures_every: int = 0
    initial_weights: str = "glorot"
    reconstruct: str = "crop"

    def __post_init__(self) -> None:
        for name in ("betas", "rotations"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if self.epochs < 1 or self.batch_size < 2 or self.validate_every < 1:
            raise InputError("Training needs at least one epoch and batches of two samples or more.")
        for name, known in (
            ("mode", MODES), ("imbalance", IMBALANCE), ("device", DEVICES),
            ("initial_weights", INITIAL_WEIGHTS), ("reconstruct", RECONSTRUCT),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise InputError(f"The training's {name} {getattr(self, name)!r} is unknown; use {', '.join(known)}.")
        sizes = (self.micro_batch, self.seed, self.pictures_every, self.checkpoint_seconds, self.weight_decay)
        none_negative = all(0 <= size < float("inf") for size in sizes)  # nan is neither
        if not none_negative or self.threads < 1 or (self.patience is not None and self.patience < 1):
            raise InputError("Training takes no negative numbers, at least one thread and a patience of one or more.")
        if self.seed > LARGEST_SEED:
            raise InputError(
                f"The training's seed {self.seed} is above {LARGEST_SEED}, PyTorch's largest; use a smaller one."
            )
        problem = rotation_problem(self.rotations)
        if problem:
            raise InputError(f"The training cannot be done: {problem}.")
        if not 0 < self.learning_rate < 1 or not all(0 <= beta < 1 for beta in self.betas) or self.epsilon <= 0:
            raise InputError("Training needs a learning rate between 0 and 1, betas below 1 and a positive epsilon.")
        if self.preprocessing.patch_size != self.architecture.patch_size:
            raise InputError("The training's preprocessing and architecture disagree on the patch size.")

    @property
    def phases(self) -> tuple[str, ...]:
        """What is trained, one after the other, each for :attr:`epochs`."""
        return ("joint",) if self.mode == "joint" else ("autoencoder", "classifier")

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""
        return self.epochs * len(self.phases)

    def phase_of(self, epoch: int) -> str:
        """Phase of an epoch; epochs count from 1 through all phases."""
        return self.phases[(epoch - 1) // self.epochs]

    def with_seed(self, seed: int) -> TrainingSettings:
        """The same training from another random start."""
        return replace(self, seed=seed)

    def to_card(self) -> dict:
        """As plain JSON values; :meth:`from_card` reads them."""
        plain = asdict(self) | {"betas": list(self.betas), "rotations": list(self.rotations)}
        for each in fields(self):
            if each.name in _LATER and plain[each.name] == each.default:
                del plain[each.name]
        own = {"architecture": self.architecture.to_card(), "preprocessing": self.preprocessing.to_card()}
        return plain | own

    @classmethod
    def from_card(cls, card: dict) -> TrainingSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        names = {f.name for f in fields(cls)}
        if not names - set(_LATER) <= set(card) <= names:
            raise InputError(
                f"Training settings must have exactly these fields, not others: {', '.join(sorted(names))}."
            )
        parts = {
            "loss": lambda values: LossWeights(**values),
            "architecture": Architecture.from_card,
            "preprocessing": Preprocessing.from_card,
        }
        try:
            return cls(**{key: parts[key](value) if key in parts else value for key, value in card.items()})
        except (TypeError, ValueError) as error:
            raise InputError(f"The training settings have a value of the wrong kind ({error}).") from error
        except PulsarCAMError as error:
            raise InputError(str(error)) from error

    def identity(self) -> str:
        """Hash of everything that decides the weights, as far as settings do."""
        card = {key: value for key, value in self.to_card().items() if key not in _WITHOUT_INFLUENCE}
        return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
