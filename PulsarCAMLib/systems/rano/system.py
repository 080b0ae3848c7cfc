"""RANO response as a system: complete or partial response, stable or progressive disease from two consecutive MRIs.

arXiv 2504.18268: a 3D DenseNet264 on T1, T2 and FLAIR of this visit and the one before, as interleaved channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from ...core.errors import InputError
from ...core.inputs import InputRole, TableColumn
from ...core.map_method import MapMethod
from ...core.requirements import FOR_3D
from ...core.task import Task
from ..contract import ComputedLabel, Copy, LabelledUnit, Samples
from ..maps.cams import GRADCAM, GRADCAM_PLUS_PLUS, HIRESCAM, SHALLOW, at_depth
from ..maps.gradients import INTEGRATED_GRADIENTS, SALIENCY, SMOOTHGRAD
from ..maps.occlusion import OCCLUSION
from ..volumes.channels import Channel, channels_of
from ..volumes.system import VolumeSystem
from .architecture import DenseNetSizes
from .columns import COLUMNS
from .preprocessing import BOTH_VISITS, RanoPreprocessing
from .recipe import RanoCohort
from .settings import RanoSettings
from .task import EARLIER, INPUTS, MODALITIES, NAME, NOW, TASK

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import nn

    from ...core.case import Case
    from ..bundles.card import ModelCard
    from .network import RanoNetwork

VISIT_TITLES = {NOW: "this visit", EARLIER: "the visit before"}

LARGEST_PROBE = 32
"""Voxels along each side of the input to which a bundle keeps its members' answers; the network takes any size."""


class Rano(VolumeSystem):
    """See :class:`..contract.System`."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "RANO response"
    about: ClassVar[str] = "response category of glioblastoma from two consecutive MRIs (arXiv 2504.18268)"
    task: ClassVar[Task] = TASK
    inputs: ClassVar[tuple[InputRole, ...]] = INPUTS
    columns: ClassVar[tuple[TableColumn, ...]] = COLUMNS
    maps: ClassVar[tuple[MapMethod, ...]] = (
        SALIENCY,
        GRADCAM,
        GRADCAM_PLUS_PLUS,
        HIRESCAM,
        *(at_depth(method, SHALLOW) for method in (GRADCAM, GRADCAM_PLUS_PLUS, HIRESCAM)),
        SMOOTHGRAD,
        INTEGRATED_GRADIENTS,
        OCCLUSION,
    )
    preprocessing: ClassVar[Any] = RanoPreprocessing
    architecture: ClassVar[Any] = DenseNetSizes
    settings: ClassVar[Any] = RanoSettings
    synthetic: ClassVar[Any] = RanoCohort
    has_numbers: ClassVar[bool] = True
    requirements: ClassVar[tuple[str, ...]] = FOR_3D

    def channels(self, preprocessing: RanoPreprocessing) -> tuple[Channel, ...]:
        """T1 now, T1 before, T2 now, T2 before, and so on, or their differences; only what the network is shown."""
        return channels_of(preprocessing.seen(self.inputs), preprocessing)

    def subset_words(self, preprocessing: RanoPreprocessing) -> Mapping[str, str]:
        """Modalities, of both visits unless one is named, and the visits."""
        visits = VISIT_TITLES if preprocessing.visits == BOTH_VISITS and not preprocessing.subtraction else {}
        return {name: MODALITIES[name] for name in preprocessing.modalities} | visits

    def usual_subsets(self, preprocessing: RanoPreprocessing) -> tuple[str, ...]:
        """Modalities as the paper combines them, and each visit without the other."""
        names, words = preprocessing.modalities, self.subset_words(preprocessing)
        some = ["+".join(part) for size in range(1, len(names)) for part in combinations(names, size)]
        return (*some, *(word for word in words if word in VISIT_TITLES))

    def plain_subset(self, preprocessing: RanoPreprocessing, words: Sequence[str]) -> tuple[str, ...]:
        """All modalities, or both visits, go without saying."""
        parts = [[word for word in known if word in words] for known in (preprocessing.modalities, VISIT_TITLES)]
        wholes = (len(preprocessing.modalities), len(VISIT_TITLES))
        return tuple(word for part, whole in zip(parts, wholes, strict=True) if len(part) < whole for word in part)

    def shown_only(self, preprocessing: RanoPreprocessing, words: Sequence[str]) -> RanoPreprocessing:
        """A network of fewer channels, as in the paper's table."""
        modalities = tuple(word for word in words if word in MODALITIES) or preprocessing.modalities
        visits = next((word for word in words if word in VISIT_TITLES), preprocessing.visits)
        return replace(preprocessing, modalities=modalities, visits=visits)

    def prepare(self, case: Case, preprocessing: Any, tell: Callable[[float, str], None]) -> list[Samples]:
        """One sample of the visit, whose images must be those that the model learnt from.

        Where the case has masks of the tumour, now or before, tables tell diameters, products and volumes as well.
        """
        self._refuse_unseen(case, preprocessing)
        found = super().prepare(case, preprocessing, tell)
        if not case.lesions and not case.outlined:
            return found
        from .measured_samples import measured

        return [measured(sample, case, self) for sample in found]

    def judged(self, case: Case, preprocessing: Any) -> list[str]:
        """The same before anything is prepared."""
        self._refuse_unseen(case, preprocessing)
        return super().judged(case, preprocessing)

    def copies(self, unit: LabelledUnit, settings: Any, *, only_original: bool = False) -> Iterator[Copy]:
        """The visit as it is."""
        self._refuse_unseen(unit.case, settings.preprocessing)
        yield from super().copies(unit, settings, only_original=only_original)

    def samples_identity(self, settings: Any) -> Any:
        """Preprocessing alone: the network and how it learns have no say in its samples."""
        return settings.to_card()["preprocessing"]

    def network(self, architecture: DenseNetSizes, preprocessing: RanoPreprocessing) -> RanoNetwork:
        """A member with fresh weights."""
        from .network import RanoNetwork

        return RanoNetwork(len(self.channels(preprocessing)), len(self.task.classes), architecture)

    def checkpointed_parts(self, member: Any) -> Sequence[nn.Module]:
        """Dense blocks, which keep most of the features."""
        parts: list[nn.Module] = member.blocks
        return parts

    def explained_layer(self, network: nn.Module) -> nn.Module:
        """The last dense block, as published."""
        return self.explained_layers(network)[""]

    def explained_layers(self, network: Any) -> Mapping[str, nn.Module]:
        """The last dense block, and the one before it, whose cells are half as long."""
        return {"": network.blocks[-1], SHALLOW: network.blocks[-2]}

    def probe_input(self, architecture: Any, preprocessing: Any) -> tuple[np.ndarray, np.ndarray]:
        """Waves in balls, of a size at which a check takes moments."""
        k, j, i = (min(n, LARGEST_PROBE) for n in preprocessing.size)
        return super().probe_input(architecture, replace(preprocessing, size=(k, j, i)))

    def network_words(self, architecture: DenseNetSizes) -> str:
        """Its sizes."""
        a = architecture
        blocks = "-".join(map(str, a.blocks))
        return (
            f"3D {a.network} (dense blocks of {blocks} layers), {a.first_features} first features, growth {a.growth}, "
            f"dropout {a.dropout:g}"
        )

    @property
    def measures(self) -> Mapping[str, str]:
        """Of the tumour where it is outlined; the head's own volume says nothing."""
        return {
            "tumour_volume_cm3": "Tumour cm³",
            "tumour_before_volume_cm3": "Before cm³",
            "tumour_product_mm2": "Product mm²",
            "tumour_before_product_mm2": "Before mm²",
        }

    def fact_words(self) -> list[tuple[str, str]]:
        """What is measured on the outlined tumour."""
        return [
            ("Tumour cm³", "Volume of the outlined enhancing tumour, not of the head; Before: of the visit before."),
            (
                "Product mm²",
                "Sum of the products of perpendicular diameters of an outline's five largest lesions.",
            ),
        ]

    def answer_words(self, card: ModelCard) -> list[tuple[str, str]]:
        """The categories as everybody writes them."""
        words = [(each.name.upper(), each.about) for each in self.task.classes]
        return [*words, super().answer_words(card)[-1]]

    def computed_labels(
        self, visits: Sequence[Mapping[str, Any]], rule: str, *, read_files: bool = True
    ) -> list[ComputedLabel]:
        """By RANO 2010 or 2.0."""
        from .labels import labels_of

        return labels_of(visits, rule, read_files=read_files)

    def unit_numbers(self, visits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, float]]:
        """How products and volumes have changed, and the category by volumes."""
        from .numbers import numbers_of

        return list(numbers_of(visits))

    def make_synthetic(self, folder: Path, recipe: Any, tell: Callable[[float, str], None]) -> None:
        """Follow-ups with growth, shrinkage, new and vanished tumour."""
        from .synthetic import make_cohort

        make_cohort(folder, recipe, tell)

    def _refuse_unseen(self, case: Case, preprocessing: RanoPreprocessing) -> None:
        """An image that the network was trained with must be there: zeros would be another question."""
        for role in preprocessing.seen(self.inputs):
            if role.name not in case.images:
                raise InputError(
                    f"The model was trained with {role.title} ({role.about}) and this case has none; name it, or use a "
                    "model without it."
                )


SYSTEM = RANO = Rano()
