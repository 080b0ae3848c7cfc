"""What a system is: everything that the rest of the house asks of one, and the defaults of a plain 3D network.

A new system is a folder (or a file) with one subclass of :class:`System`, an instance of which is registered
(:func:`PulsarCAMLib.systems.registry.register`). Importing it must not import torch: methods import it when called.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.display import DisplaySettings
from ..core.errors import BundleError, InputError
from ..core.inputs import InputRole, TableColumn
from ..core.map_method import MapMethod
from ..core.task import LESION, Task
from ..core.vocabulary import MAJORITY
from .answers import Explained, LoopedPredictor, NetworkEvidence, Predictor
from .bundles.references import References
from .bundles.sizes import NoSizes
from .input_controls import InputControls
from .map_checks.asked import MapChecks
from .perturbing import Perturbations
from .roles import InputRoles
from .samples import PastedMap, Placement, Samples, Sliced, SoftEdged, Turned, network_masks
from .subsets import InputSubsets
from .units import ComputedLabel, Copy, LabelledUnit

if TYPE_CHECKING:  # names of systems, classes and methods are listed before NumPy is there
    from pathlib import Path

    import numpy as np
    import torch
    from torch import Tensor, nn

    from ..core.case import Case
    from .bundles.card import ModelCard
    from .learning.learner import Learner, TrainingSamples


__all__ = [
    "ComputedLabel",
    "Copy",
    "Explained",
    "LabelledUnit",
    "LoopedPredictor",
    "NetworkEvidence",
    "NoSizes",
    "PastedMap",
    "Placement",
    "Predictor",
    "Samples",
    "Sliced",
    "SoftEdged",
    "System",
    "Turned",
    "network_masks",
]


class System(InputRoles, MapChecks, InputSubsets, Perturbations, InputControls, References):
    """One published way of answering. See :mod:`.map_checks.asked`, :mod:`.subsets`, :mod:`.perturbing`, :mod:`.roles`,
    :mod:`.input_controls`, :mod:`.bundles.references`.

    Attributes:
        name: of cards: ``card.fields["architecture"]["name"]``.
        title, about: for people.
        task: what is asked.
        inputs: by role; the first MRI's grid is where maps are written.
        columns: of a cohort table, besides those of the inputs and of the label.
        maps: methods of explanation, in the order in which they are offered.
        preprocessing: dataclass with ``to_card``, ``from_card`` and ``in_words``: how a case becomes samples.
        architecture: dataclass with ``to_card`` and ``from_card``: sizes of the network.
        settings: dataclass of a training; see :class:`.learning.learner.Trained`.
        samples_word: what the network takes of a unit, small and as in "cutting patches".
        can_decode: whether :meth:`decoded` gives something.
        can_inspect: whether :meth:`inspect` shows what lies between a sample and its maps.
        requirements: packages, as pip writes them, that its network needs besides PyTorch.
        has_numbers: whether :meth:`unit_numbers` gives something.
        judges: whether :meth:`judged` says anything.
        synthetic: dataclass of settings: the recipe of a cohort with known truth, for :meth:`make_synthetic`; its
            ``patients`` and ``seed`` at least; None: the system makes none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    task: ClassVar[Task]
    inputs: ClassVar[tuple[InputRole, ...]]
    columns: ClassVar[tuple[TableColumn, ...]] = ()
    maps: ClassVar[tuple[MapMethod, ...]]
    preprocessing: ClassVar[Any]
    architecture: ClassVar[Any] = NoSizes
    settings: ClassVar[Any]
    samples_word: ClassVar[str] = "input"
    can_decode: ClassVar[bool] = False
    can_inspect: ClassVar[bool] = False
    requirements: ClassVar[tuple[str, ...]] = ()
    has_numbers: ClassVar[bool] = False
    judges: ClassVar[bool] = False
    synthetic: ClassVar[Any] = None

    def prepare(self, case: Case, preprocessing: Any, tell: Callable[[float, str], None]) -> Sequence[Samples]:
        """Samples of every unit of a case.

        Args:
            case: with every needed role.
            preprocessing: of the model's card.
            tell: called with a fraction and a text; an error that it raises ends the work.

        Raises:
            InputError: a needed role is missing, or an image cannot be used.
        """
        raise NotImplementedError

    def judged(self, case: Case, preprocessing: Any) -> list[str]:
        """What :meth:`prepare` would say against a case, without preparing it: what a cohort's check tells of it.

        Raises:
            InputError: the case cannot be used.
        """
        return []

    def copies(self, unit: LabelledUnit, settings: Any, *, only_original: bool = False) -> Iterator[Copy]:
        """Samples to train on; the unit as it is comes first."""
        raise NotImplementedError

    def computed_labels(
        self, visits: Sequence[Mapping[str, Any]], rule: str, *, read_files: bool = True
    ) -> list[ComputedLabel]:
        """Classes of a patient's visits, of a task whose labels are :data:`~PulsarCAMLib.core.task.COMPUTED`.

        Args:
            visits: in their order, each a cohort table's cells by column; what is empty is absent.
            rule: name in the task's ``label.rules``.
            read_files: whether masks that the table names are to be measured.
        """
        raise NotImplementedError

    def unit_numbers(self, visits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, float]]:
        """Numbers of a patient's visits by which baselines answer, see :attr:`has_numbers`; what is unknown is absent.

        ``class_by_rule`` is the number of the class by the system's rule on sizes, the others are theirs to name.

        Args:
            visits: as :meth:`computed_labels`.
        """
        raise NotImplementedError

    def slow_to_prepare(self, settings: Any) -> bool:
        """Whether :meth:`copies` takes seconds a unit, so that several processes pay; default: no."""
        return False

    def samples_identity(self, settings: Any) -> Any:
        """What of a training's settings decides :meth:`copies`, as plain JSON values; default: everything."""
        return settings.to_card()

    def network(self, architecture: Any, preprocessing: Any) -> nn.Module:
        """A network with fresh weights: ``network(images, masks)`` gives logits; built on the device "meta", too."""
        raise NotImplementedError

    def training_settings(self, **given: Any) -> Any:
        """Settings of a training: the defaults, but for what is given.

        Raises:
            InputError: a value is not usable.
        """
        own = {"preprocessing": self.preprocessing()} if "preprocessing" not in given else {}
        if "architecture" not in given:
            own["architecture"] = NoSizes(self.name) if self.architecture is NoSizes else self.architecture()
        return self.settings(**own, **given)

    def learner(self, settings: Any, samples: TrainingSamples, device: torch.device) -> Learner:
        """A fresh network that learns from samples; default: by :meth:`loss` and nothing else."""
        from .learning.plain_learner import PlainLearner

        return PlainLearner(self, settings, samples, device)

    def checkpointed_parts(self, member: nn.Module) -> Sequence[nn.Module]:
        """Parts of a network that may compute their features again instead of keeping them; default: its children."""
        return list(member.children())

    def member_logits(self, member: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
        """Logits ``[n]`` of the positive class or ``[n, classes]`` of one member, as it is."""
        return member(images, masks)

    def training_facts(self, members: Sequence[nn.Module], samples: TrainingSamples) -> dict[str, Any]:
        """What a card's section ``training`` tells of trained members besides their curves; plain JSON values.

        Args:
            members: in evaluation mode.
            samples: they learnt from, without copies.
        """
        return {}

    def training_notes(self, training: Mapping[str, Any]) -> list[str]:
        """Sentences on a card's section ``training`` that whoever trains must see."""
        return []

    def disagreements(self, preprocessing: Any, architecture: Any) -> list[str]:
        """Why a card's preprocessing and architecture do not go together, one sentence each."""
        return []

    def check_members(self, members: Sequence[nn.Module], preprocessing: Any) -> None:
        """Refuse members that do not go with a card's preprocessing.

        Raises:
            BundleError: they do not.
        """

    def probe_input(self, architecture: Any, preprocessing: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """Images and masks by formula, to which a bundle's card keeps the members' answers; None: it keeps none."""
        return None

    def predictor(self, members: Sequence[nn.Module]) -> Predictor:
        """All members; a system may bring a faster way than the default."""
        return LoopedPredictor(members)

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss of a batch. Default: cross entropy.

        Args:
            logits: ``[n, classes]``.
            labels: int ``[n]``, or shares of the classes ``[n, classes]`` where labels are soft.
            weights: ``[n]``, how much each sample counts; None: all the same.
        """
        from torch.nn import functional

        if weights is None:
            return functional.cross_entropy(logits, labels)
        each = functional.cross_entropy(logits, labels, reduction="none")
        return (weights * each).sum() / weights.sum()

    def explain(
        self,
        predictor: Predictor,
        images: np.ndarray,
        masks: np.ndarray,
        methods: Sequence[str],
        after_chunk: Callable[[float], None] | None = None,
        inputs: Mapping[str, tuple[int, ...]] | None = None,
        choices: Mapping[str, Any] | None = None,
        ended: Callable[[str], None] | None = None,
    ) -> Explained:
        """Answers and maps of N samples; a system may bring a faster way than the default.

        Args:
            predictor: of :meth:`predictor`.
            images: float32 ``[N, channels, *size]``.
            masks: bool ``[N, 1, *size]``.
            methods: names from :attr:`maps`.
            after_chunk: is told how many samples are done, and parts of one; an error that it raises ends the work.
            inputs: of :meth:`input_channels`, to have maps of every input of its own, too.
            choices: settings of methods by their names, see ``MapMethod.choices``; only where they are not the usual
                ones, so that a system none of whose methods has any need not take them.
            ended: is told what is missing in maps that were ended early; goes with ``choices``.
        """
        from .maps.run import explain_one_by_one

        return explain_one_by_one(self, predictor, images, masks, methods, after_chunk, inputs or {}, choices, ended)

    def visit_pairs(self, preprocessing: Any) -> tuple[tuple[int, int], ...]:
        """Channels that show the same at two visits, for what stands in by the other visit; default: there are none."""
        return ()

    def channel_roles(self, preprocessing: Any) -> tuple[tuple[str, ...], ...]:
        """For every channel the names of the inputs that it shows; default: one for each input that is no mask.

        Where a channel is made of two (their difference, say), both are named: they share its maps.
        """
        return tuple((role.name,) for role in self.shown_inputs)

    def input_channels(self, preprocessing: Any, present: Collection[str]) -> dict[str, tuple[int, ...]]:
        """Channels of every input that a case has; empty where it has one only, whose maps are those of all."""
        found: dict[str, tuple[int, ...]] = {}
        for channel, names in enumerate(self.channel_roles(preprocessing)):
            for name in names:
                if name in present:
                    found[name] = (*found.get(name, ()), channel)
        return found if len(found) > 1 else {}

    def decoded(self, member: Any, images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """What a network with a decoder makes of the first of some samples: reconstruction ``[*size]``, and features
        ``[features, *cells]``; None: it has none. See :attr:`can_decode`.
        """
        return None

    def learnt_features(self, member: Any, images: np.ndarray, masks: np.ndarray) -> np.ndarray | None:
        """What a member has learnt to see in samples, ``[n, f]``, before it makes an answer of it; None: not told.

        Models of other outcomes learn from it, such as that of the volume change. Default: what the last linear layer
        takes.
        """
        from .last_layer import before_the_answer

        return before_the_answer(self, member, images, masks)

    def explained_layer(self, network: nn.Module) -> nn.Module:
        """The layer whose features Grad-CAM weighs; needed by systems that offer it.

        Raises:
            BundleError: it was not said.
        """
        raise BundleError(
            f"The system {self.name} offers a map of a layer's features and does not say of which layer; give it "
            "explained_layer, or take that map out."
        )

    def explained_layers(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """The same by depth, for class activation maps at several; the usual one is called ""."""
        return {"": self.explained_layer(network)}

    def inspect(
        self, bundle: Any, unit: Any, sample: int | None = None, member: int | None = None, place: str = ""
    ) -> Any:
        """Everything between one sample of a ``UnitResult`` and its maps, for a window; see :attr:`can_inspect`.

        Args:
            bundle: the model that made the result.
            unit: the ``UnitResult``.
            sample: index of the sample; None: the one that answers.
            member: index of one member; None: the ensemble.
            place: where the sample lies, in words for the window.

        Raises:
            InputError: this system shows no such thing, or there is no such sample or member.
        """
        raise InputError(f"{self.title} does not show what lies between an image and its maps.")

    def answer_facts(self, unit: Any, sample: int) -> dict[str, float]:
        """What tables tell of an answer besides probabilities: column to value, of one sample of a ``UnitResult``."""
        return {}

    def network_words(self, architecture: Any) -> str:
        """One member in a line, for a card in readable form."""
        return self.title

    def answer_words(self, card: ModelCard) -> list[tuple[str, str]]:
        """Term and meaning, for reports: what the classes are, and what a probability is."""
        words = [(each.name[:1].upper() + each.name[1:], each.about) for each in self.task.classes]
        voting = card.ensemble_rule == MAJORITY
        how = "share of the ensemble's members that call the class" if voting else "averaged over the ensemble"
        about = f"The model's answer, {how}. It is a model's output, not a clinical probability"
        return [*words, ("Probability", about)]

    def fact_words(self) -> list[tuple[str, str]]:
        """Term and meaning of what :meth:`answer_facts` tells, for reports."""
        return []

    def result_notes(self, units: Sequence[Any]) -> list[str]:
        """Sentences on a result that the user must see, besides those on empty maps."""
        return []

    def make_synthetic(self, folder: Path, recipe: Any, tell: Callable[[float, str], None]) -> None:
        """Fill an empty folder with a cohort of known truth: ``cohort.csv``, and the files that it names.

        Args:
            folder: empty; it becomes the cohort's when this returns, and vanishes when this raises.
            recipe: of the kind :attr:`synthetic`.
            tell: called with the share done and a text; an error that it raises ends the work.
        """
        raise NotImplementedError

    @property
    def measures(self) -> Mapping[str, str]:
        """How large a unit is: columns of tables that are shown beside the answer where there are such, with titles.

        Of a lesion its own volume; whoever looks at a whole head says what is measured in it, see ``Samples.facts``.
        """
        return {"volume_cm3": "Volume cm³"} if self.task.unit == LESION else {}

    def method(self, name: str) -> MapMethod:
        """The method of that name.

        Raises:
            InputError: this system has none; the names of those that it has are told.
        """
        for each in self.maps:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.maps)
        raise InputError(f"The method must be one of {known}; it is {name!r}.")

    @property
    def usual_maps(self) -> tuple[str, ...]:
        """Names of the methods that are computed for every case and have a map for each class."""
        return tuple(each.name for each in self.maps if each.always and not each.signed)

    @property
    def checked_maps(self) -> tuple[str, ...]:
        """Names of the methods that are checked unless others are asked for: the usual ones, then signed ones."""
        return (*self.usual_maps, *(each.name for each in self.maps if each.always and each.signed))

    def display_settings(self, **chosen: Any) -> DisplaySettings:
        """How a result is shown: as chosen; what is None or not named as usual."""
        usual: dict[str, Any] = {"method": self.usual_maps[0], "target": self.task.explained}
        return DisplaySettings(**usual | {name: value for name, value in chosen.items() if value is not None})
