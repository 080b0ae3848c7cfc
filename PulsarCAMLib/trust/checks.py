"""All checks of one model on a set of units (lesions, patients): one number per unit, map and check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agreement.similarity import is_constant, spearman, top_dice
from ..core.errors import InputError
from ..core.geometry.upsampling import upsample_to
from ..core.vocabulary import MAJORITY
from .answers import called, chances, ranking
from .cost import cost_of_checks
from .localisation import localisation
from .maps import Explainer, Found, MapNames, map_names, regions_of
from .perturbation import perturbations, shuffled
from .randomisation import randomised, stages_of
from .removal import as_smooth, removal_scores
from .subjects import Subject

if TYPE_CHECKING:
    from ..systems.bundles.bundle import ModelBundle
    from ..systems.contract import Predictor

LABELS = "labels permuted"
SHUFFLED = "image shuffled"
SIZE = ", either sign"
"""Score of a stage: mean size of the correlation, so that maps which merely turn their sign do not average to 0."""


@dataclass(frozen=True)
class Settings:
    """How the checks are made.

    Attributes:
        draws: random models per stage; None: as many as the system says.
        steps: of deletion and insertion.
        random_orders: per unit, the baseline of deletion and insertion.
        infill: what stands in for removed pixels: "blurred", "mean", or a number.
        noise: standard deviation, as a share of each channel's own.
        seed: of everything random.
    """

    draws: int | None = None
    steps: int = 16
    random_orders: int = 5
    infill: str | float = "blurred"
    noise: float = 0.1
    seed: int = 0


@dataclass(eq=False)
class Checks:
    """What was measured on N units; NaN where a check does not apply.

    Attributes:
        subjects: the units.
        names: of the maps.
        shown: int ``[N]``, number of the predicted class; all maps are of this class, also after randomisation.
        logits: ``[members, N]`` or ``[members, N, classes]``.
        settings: of the checks.
        stages: names of the sets of randomised layers.
        scores: (map, score) to ``[N]``.
        random_ranking: stage to ``[draws, N]`` or ``[draws, N, classes]``, what an AUC ranks by.
        input_matters: bool ``[N]``, whether shuffling the unit's pixels changes its logits at all.
        channel_changes: title of a channel to ``[N]``, by how much the probability of the predicted class changes (NaN
            where no logit changes at all) when its pixels alone are shuffled; where there are several.
    """

    subjects: Sequence[Subject]
    names: MapNames
    shown: np.ndarray
    logits: np.ndarray
    settings: Settings
    stages: tuple[str, ...] = ()
    scores: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    random_ranking: dict[str, np.ndarray] = field(default_factory=dict)
    input_matters: np.ndarray | None = None
    channel_changes: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def patients(self) -> np.ndarray:
        """``[N]``, whose unit it is."""
        return np.array([s.patient for s in self.subjects])


def check_explanations(
    bundle: ModelBundle,
    subjects: Sequence[Subject],
    settings: Settings | None = None,
    *,
    methods: Sequence[str] | None = None,
    label_controls: Sequence[Predictor] = (),
    choices: Mapping[str, Any] | None = None,
    on_cost: Callable[[str], None] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Checks:
    """Make every check.

    Args:
        bundle: the model.
        subjects: units, prepared with the model's preprocessing.
        settings: of the checks.
        methods: names of the maps to be checked; None: the system's usual ones.
        label_controls: models trained like this one, but on labels that were permuted; they see the same samples.
        choices: settings of methods that are not the usual ones; see ``MapMethod.choices``.
        on_cost: is told how long it will take, where that is long, before the first map.
        progress: is told the fraction done and what is being done.

    Raises:
        InputError: no unit, samples of different sizes, or a method that the system does not have.
    """
    system = bundle.card.system
    unit = system.task.unit
    if not subjects:
        raise InputError(f"There is no {unit} to check explanations on.")
    settings = settings or Settings()
    settings = settings if settings.draws else replace(settings, draws=system.random_draws)
    channels = system.channel_titles(bundle.card.preprocessing, subjects[0].image.shape[0])
    names = map_names(system, channels, methods, choices)
    tell = progress or (lambda fraction, text: None)
    if on_cost:
        tell(0.0, "measuring what the checks cost")
    if on_cost and (cost := cost_of_checks(bundle, subjects, settings, names, len(label_controls)).in_words()):
        on_cost(cost)
    work = _Work(bundle, subjects, settings, names)
    tell(0.0, "members of the ensemble")
    work.agreement()
    work.find_planted()
    stages = stages_of(system.layers(bundle.ensemble.members[0]))
    work.found.stages = tuple(stages)
    for n, (stage, layers) in enumerate(stages.items()):
        tell(0.02 + 0.38 * n / len(stages), f"randomising {stage}")
        work.compare_models(
            stage,
            (randomised(system, bundle.ensemble, layers, settings.seed, draw) for draw in range(settings.draws or 1)),
        )
    if label_controls:
        work.compare_models(LABELS, label_controls)
    tell(0.4, "small perturbations")
    work.perturb()
    work.shuffle()
    for n in range(len(subjects)):
        tell(0.5 + 0.5 * n / len(subjects), f"deletion and insertion, {unit} {n + 1} of {len(subjects)}")
        work.remove(n)
    tell(1.0, "done")
    return work.found


class _Work:
    """The original maps, and every check that is held against them."""

    def __init__(self, bundle: ModelBundle, subjects: Sequence[Subject], settings: Settings, names: MapNames) -> None:
        self.card, self.system, self.predictor = bundle.card, bundle.card.system, bundle.ensemble
        self.settings, self.rng = settings, np.random.default_rng(settings.seed)
        if len({s.image.shape for s in subjects}) > 1:
            raise InputError(f"The {self.system.task.unit}s have samples of different sizes; they cannot be compared.")
        self.images = np.stack([s.image for s in subjects])
        self.masks = np.stack([s.mask for s in subjects])
        self.told = np.stack([s.told for s in subjects])
        self.names = names
        self.explainer = Explainer(self.names, self.rng)
        self.answers = self.system.answers(self.predictor, self.images, self.told)
        self.explainer.random(len(subjects), self.size)  # drawn once more since the first version: numbers stay
        shown = called(
            self.answers, self.system.task, self.card.temperature, self.card.decision_threshold,
            majority=self.card.ensemble_rule == MAJORITY,
        )  # fmt: skip
        self.found = Checks(subjects, self.names, shown, self.answers, settings)
        self.members = self._found(self.predictor, self.images, self.told)
        self.found.logits = self.members.logits
        self.original = self.explainer.maps(self.members, self.images, self.masks)
        for name in self.names.every:
            values = [float(is_constant(v[m[0]])) for v, m in zip(self.original[name], self.masks, strict=True)]
            self.found.scores[name, "constant"] = np.array(values)

    @property
    def size(self) -> tuple[int, ...]:
        """Of a sample."""
        return self.images.shape[2:]

    def _found(self, predictor: Predictor, images: np.ndarray, masks: np.ndarray) -> Found:
        return self.explainer.found(predictor, images, masks, self.found.shown)

    def _mapped(
        self, predictor: Predictor, images: np.ndarray, masks: np.ndarray, inside: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Logits, and every map; ``masks`` as the network is told of the units, ``inside`` their pixels."""
        found = self._found(predictor, images, masks)
        return found.logits, self.explainer.maps(found, images, inside)

    def agreement(self) -> None:
        """Members of the ensemble with each other: rank correlation of every pair, and spread over the mean map."""
        for name in self.names.model:
            pairs, spread = [], []
            for n, mask in enumerate(self.masks[:, 0]):
                each = upsample_to(self.members.members[name][:, n], self.size)[:, mask]
                found = [spearman(a, b) for k, a in enumerate(each) for b in each[:k]]
                pairs.append(np.mean(found) if found else np.nan)
                strength = np.abs(each.mean(axis=0)).mean()
                spread.append(each.std(axis=0).mean() / strength if found and strength > 0 else np.nan)
            self.found.scores[name, "members"] = np.array(pairs, dtype=float)
            self.found.scores[name, "spread"] = np.array(spread, dtype=float)

    def find_planted(self) -> None:
        """Localisation of planted tissue by the maps for the class that is explained, on the answering sample."""
        subjects, task = self.found.subjects, self.system.task
        rows = {name: [(np.nan,) * 3] * len(subjects) for name in self.names.every}
        known = [n for n, s in enumerate(subjects) if s.planted is not None]
        if known:
            explained = np.full(len(subjects), task.index(task.explained))
            found = self.explainer.found(self.predictor, self.images, self.told, explained)
            maps = self.explainer.maps(found, self.images, self.masks)
            for n in known:
                for name in self.names.every:
                    rows[name][n] = localisation(maps[name][n], subjects[n].planted, subjects[n].mask[0])[:3]
        else:
            self.explainer.random(len(subjects), self.size)
        for name in self.names.every:
            for measure, column in zip(("auroc", "dice", "pointing"), np.array(rows[name], dtype=float).T, strict=True):
                self.found.scores[name, measure] = column

    def compare_models(self, stage: str, predictors: Iterable[Predictor]) -> None:
        """Similarity of other models' maps to the original ones, mean over these models."""
        ranked: list[np.ndarray] = []
        sums = {(name, score): np.zeros(len(self.images)) for name in self.names.every for score in ("", SIZE, " dice")}
        for predictor in predictors:
            compared = self.system.referenced(predictor, self.predictor, self.images, self.told)
            logits, other = self._mapped(compared, self.images, self.told, self.masks)
            ranked.append(ranking(logits, self.system.task))
            for name in self.names.every:
                for n, inside in enumerate(self.masks[:, 0]):
                    a, b = self.original[name][n][inside], other[name][n][inside]
                    alike = spearman(a, b)
                    sums[name, ""][n] += alike
                    sums[name, SIZE][n] += abs(alike)
                    sums[name, " dice"][n] += top_dice(a, b)
        for (name, score), total in sums.items():
            self.found.scores[name, stage + score] = total / len(ranked)
        self.found.random_ranking[stage] = np.array(ranked)

    def perturb(self) -> None:
        """Similarity after small shifts, rotations and noise, mean over each kind."""
        kinds: dict[tuple[str, str], list[np.ndarray]] = {}
        for seen in perturbations(self.system, self.found.subjects, self.settings.noise, self.rng):
            _, other = self._mapped(self.predictor, seen.images, seen.masks, seen.masks >= 0.5)
            both = [
                m & (seen.back(n, seen.masks[n, 0].astype(np.float32)) >= 0.5) for n, m in enumerate(self.masks[:, 0])
            ]
            for name in self.names.every:
                values = [
                    spearman(self.original[name][n][inside], seen.back(n, other[name][n])[inside])
                    for n, inside in enumerate(both)
                ]
                kinds.setdefault((name, seen.kind), []).append(np.array(values))
        for key, values in kinds.items():
            self.found.scores[key] = np.mean(values, axis=0)

    def shuffle(self) -> None:
        """Similarity after the unit's pixels have changed places: a map of the image cannot stay the same."""
        images = shuffled(self.images, self.masks, self.rng)
        logits, other = self._mapped(self.predictor, images, self.told, self.masks)
        self.found.input_matters = self._changed(logits, self.found.logits)
        for name in self.names.every:
            pairs = zip(self.original[name], other[name], self.masks[:, 0], strict=True)
            self.found.scores[name, SHUFFLED] = np.array([spearman(a[m], b[m]) for a, b, m in pairs])
        if len(self.names.channels) > 1:
            own = np.random.default_rng(self.settings.seed)
            for number, title in enumerate(self.names.channels):
                images = shuffled(self.images, self.masks, own, number)
                logits = self.system.answers(self.predictor, images, self.told)
                apart = np.abs(self._chances(logits) - self._chances(self.answers))
                self.found.channel_changes[title] = np.where(self._changed(logits, self.answers), apart, np.nan)

    def _chances(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each unit's predicted class ``[N]``."""
        task = self.system.task
        every = [chances(logits, n, task, self.card.temperature).mean(axis=0) for n in range(len(task.classes))]
        return np.stack(every)[self.found.shown, np.arange(logits.shape[1])]

    @staticmethod
    def _changed(logits: np.ndarray, before: np.ndarray) -> np.ndarray:
        apart = np.abs(logits - before)
        return apart.max(axis=tuple(axis for axis in range(apart.ndim) if axis != 1)) > 0

    def remove(self, n: int) -> None:
        """Deletion and insertion of one unit."""
        regions = regions_of(self.size)
        gains = removal_scores(
            self.system,
            self.predictor,
            self.images[n],
            self.masks[n, 0],
            {name: maps[n] if self._is_smooth(name) else as_smooth(maps[n], regions)
             for name, maps in self.original.items()},
            self.rng,
            random_orders=self.settings.random_orders,
            shown=int(self.found.shown[n]),
            kind=self.settings.infill,
            steps=self.settings.steps,
            temperature=self.card.temperature,
            told=self.told[n],
        )  # fmt: skip
        for name, each in gains.items():
            for score, gain in each.items():
                column = self.found.scores.setdefault((name, score), np.full(len(self.images), np.nan))
                column[n] = gain

    def _is_smooth(self, name: str) -> bool:
        """Whether the model's map has no more cells than there are regions."""
        if name not in self.members.members:
            return False
        cells = self.members.members[name].shape[2:]
        return all(own <= most for own, most in zip(cells, regions_of(self.size), strict=True))


__all__ = ["LABELS", "SHUFFLED", "SIZE", "Checks", "Settings", "check_explanations"]
