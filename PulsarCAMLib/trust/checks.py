"""All checks of one model on a set of lesions: one number per lesion, map and check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..agreement.similarity import is_constant, spearman, top_dice
from ..core.errors import InputError
from .localisation import localisation
from .maps import MAPS, MODEL_MAPS, SYSTEM, Mapped, mapped
from .perturbation import perturbations, shuffled
from .randomisation import STAGES, randomised, stage_name
from .removal import as_smooth, removal_scores
from .subjects import Subject

if TYPE_CHECKING:
    from ..systems.autoencoder.ensemble import Ensemble
    from ..systems.bundle import ModelBundle

LABELS = "labels permuted"
SHUFFLED = "image shuffled"
SIZE = ", either sign"
"""Score of a stage: mean size of the correlation, so that maps which merely turn their sign do not average to 0."""


@dataclass(frozen=True)
class Settings:
    """How the checks are made.

    Attributes:
        draws: random models per stage.
        steps: of deletion and insertion.
        random_orders: per lesion, the baseline of deletion and insertion.
        infill: what stands in for removed pixels: "blurred", "mean", or a number.
        noise: standard deviation, as a share of the patch's own.
        seed: of everything random.
    """

    draws: int = 10
    steps: int = 16
    random_orders: int = 5
    infill: str | float = "blurred"
    noise: float = 0.1
    seed: int = 0


@dataclass(eq=False)
class Checks:
    """What was measured on N lesions; NaN where a check does not apply.

    Attributes:
        subjects: the lesions.
        responds: bool ``[N]``, predicted class; all maps are of this class, also after randomisation.
        logits: ``[members, N]``.
        settings: of the checks.
        scores: (map, score) to ``[N]``.
        random_logits: stage to ``[draws, N]``, mean over the members.
        input_matters: bool ``[N]``, whether shuffling the lesion's pixels changes its logit at all.
    """

    subjects: Sequence[Subject]
    responds: np.ndarray
    logits: np.ndarray
    settings: Settings
    scores: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    random_logits: dict[str, np.ndarray] = field(default_factory=dict)
    input_matters: np.ndarray | None = None

    @property
    def patients(self) -> np.ndarray:
        """``[N]``, whose lesion it is."""
        return np.array([s.patient for s in self.subjects])


def check_explanations(
    bundle: ModelBundle,
    subjects: Sequence[Subject],
    settings: Settings | None = None,
    *,
    label_controls: Sequence[Ensemble] = (),
    progress: Callable[[float, str], None] | None = None,
) -> Checks:
    """Make every check.

    Args:
        bundle: the model.
        subjects: lesions cut with the model's preprocessing.
        settings: of the checks.
        label_controls: models trained like this one, but on labels that were permuted; they see the same patches.
        progress: is told the fraction done and what is being done.

    Raises:
        InputError: no lesion.
    """
    if not subjects:
        raise InputError("There is no lesion to check explanations on.")
    refuse_other_systems(bundle)
    settings = settings or Settings()
    work = _Work(bundle.ensemble, bundle.card.temperature, bundle.card.decision_threshold, subjects, settings)
    tell = progress or (lambda fraction, text: None)
    tell(0.0, "members of the ensemble")
    work.agreement()
    work.find_planted()
    for n, layers in enumerate(STAGES):
        tell(0.02 + 0.38 * n / len(STAGES), f"randomising {stage_name(layers)}")
        draws = [randomised(bundle.ensemble, layers, settings.seed, draw) for draw in range(settings.draws)]
        work.compare_models(stage_name(layers), draws)
    if label_controls:
        work.compare_models(LABELS, label_controls)
    tell(0.4, "small perturbations")
    work.perturb()
    work.shuffle()
    for n in range(len(subjects)):
        tell(0.5 + 0.5 * n / len(subjects), f"deletion and insertion, lesion {n + 1} of {len(subjects)}")
        work.remove(n)
    tell(1.0, "done")
    return work.found


def refuse_other_systems(bundle: ModelBundle) -> None:
    """Raise InputError unless the checks can be made of this model: they need two classes and samples in a plane."""
    system = bundle.card.system
    if system.name != SYSTEM.name:
        raise InputError(
            f"The maps of “{bundle.card.title}” cannot be checked: so far that is done for the {SYSTEM.title} only, "
            f"not for the system {system.title}; choose a model of that one."
        )


class _Work:
    """The original maps, and every check that is held against them."""

    def __init__(
        self, ensemble: Ensemble, temperature: float, threshold: float, subjects: Sequence[Subject], settings: Settings
    ) -> None:
        self.ensemble, self.temperature, self.settings = ensemble, temperature, settings
        self.rng = np.random.default_rng(settings.seed)
        self.images = np.stack([s.image for s in subjects])
        self.masks = np.stack([s.mask for s in subjects])
        logits = mapped(ensemble, self.images, self.masks, np.ones(len(subjects), bool), self.rng).logits
        with np.errstate(over="ignore"):
            chances = 1 / (1 + np.exp(-logits.astype(np.float64) / temperature))
        self.found = Checks(subjects, chances.mean(axis=0) >= threshold, logits, settings)
        self.original = self._mapped(ensemble, self.images, self.masks)
        for name in MAPS:
            values = [float(is_constant(v[m[0]])) for v, m in zip(self.original.maps[name], self.masks, strict=True)]
            self.found.scores[name, "constant"] = np.array(values)

    def _mapped(self, ensemble: Ensemble, images: np.ndarray, masks: np.ndarray) -> Mapped:
        return mapped(ensemble, images, masks, self.found.responds, self.rng)

    def agreement(self) -> None:
        """Members of the ensemble with each other: rank correlation of every pair, and spread over the mean map."""
        from ..core.upsampling import upsample

        size = self.images.shape[-1]
        for name in MODEL_MAPS:
            pairs, spread = [], []
            for n, mask in enumerate(self.masks[:, 0]):
                each = upsample(self.original.members[name][:, n], size)[:, mask]
                found = [spearman(a, b) for k, a in enumerate(each) for b in each[:k]]
                pairs.append(np.mean(found) if found else np.nan)
                strength = np.abs(each.mean(axis=0)).mean()
                spread.append(each.std(axis=0).mean() / strength if found and strength > 0 else np.nan)
            self.found.scores[name, "members"] = np.array(pairs, dtype=float)
            self.found.scores[name, "spread"] = np.array(spread, dtype=float)

    def find_planted(self) -> None:
        """Localisation of planted tissue by the maps for non-response, on the answering slice."""
        against = mapped(self.ensemble, self.images, self.masks, np.zeros(len(self.images), bool), self.rng).maps
        subjects = self.found.subjects
        for name in MAPS:
            rows = [
                (np.nan,) * 3
                if s.planted is None
                else localisation(against[name][n], s.planted, s.mask[0])[:3]
                for n, s in enumerate(subjects)
            ]  # fmt: skip
            for measure, column in zip(("auroc", "dice", "pointing"), np.array(rows, dtype=float).T, strict=True):
                self.found.scores[name, measure] = column

    def compare_models(self, stage: str, ensembles: Sequence[Ensemble]) -> None:
        """Similarity of other models' maps to the original ones, mean over these models."""
        logits = []
        sums = {(name, score): np.zeros(len(self.images)) for name in MAPS for score in ("", SIZE, " dice")}
        for ensemble in ensembles:
            other = self._mapped(ensemble, self.images, self.masks)
            logits.append(other.logits.mean(axis=0))
            for name in MAPS:
                for n, inside in enumerate(self.masks[:, 0]):
                    a, b = self.original.maps[name][n][inside], other.maps[name][n][inside]
                    alike = spearman(a, b)
                    sums[name, ""][n] += alike
                    sums[name, SIZE][n] += abs(alike)
                    sums[name, " dice"][n] += top_dice(a, b)
        for (name, score), total in sums.items():
            self.found.scores[name, stage + score] = total / len(ensembles)
        self.found.random_logits[stage] = np.array(logits)

    def perturb(self) -> None:
        """Similarity after small shifts, rotations and noise, mean over each kind."""
        kinds: dict[tuple[str, str], list[np.ndarray]] = {}
        for seen in perturbations(self.found.subjects, self.settings.noise, self.rng):
            other = self._mapped(self.ensemble, seen.images, seen.masks)
            both = [
                m & (seen.back(n, seen.masks[n, 0].astype(np.float32)) >= 0.5) for n, m in enumerate(self.masks[:, 0])
            ]
            for name in MAPS:
                values = [
                    spearman(self.original.maps[name][n][inside], seen.back(n, other.maps[name][n])[inside])
                    for n, inside in enumerate(both)
                ]
                kinds.setdefault((name, seen.kind), []).append(np.array(values))
        for key, values in kinds.items():
            self.found.scores[key] = np.mean(values, axis=0)

    def shuffle(self) -> None:
        """Similarity after the lesion's pixels have changed places: a map of the image cannot stay the same."""
        images = shuffled(self.images, self.masks, self.rng)
        other = self._mapped(self.ensemble, images, self.masks)
        self.found.input_matters = np.abs(other.logits - self.found.logits).max(axis=0) > 0
        for name in MAPS:
            pairs = zip(self.original.maps[name], other.maps[name], self.masks[:, 0], strict=True)
            self.found.scores[name, SHUFFLED] = np.array([spearman(a[m], b[m]) for a, b, m in pairs])

    def remove(self, n: int) -> None:
        """Deletion and insertion of one lesion."""
        cells = self.ensemble.architecture.cells
        gains = removal_scores(
            self.ensemble,
            self.images[n, 0],
            self.masks[n, 0],
            {
                name: maps[n] if name in MODEL_MAPS else as_smooth(maps[n], cells)
                for name, maps in self.original.maps.items()
            },
            self.rng,
            random_orders=self.settings.random_orders,
            responds=bool(self.found.responds[n]),
            kind=self.settings.infill,
            steps=self.settings.steps,
            temperature=self.temperature,
        )
        for name, each in gains.items():
            for score, gain in each.items():
                column = self.found.scores.setdefault((name, score), np.full(len(self.images), np.nan))
                column[n] = gain


__all__ = ["LABELS", "SHUFFLED", "SIZE", "Checks", "Settings", "check_explanations"]
