"""RICE-Net as a system: recurrence or radiation change from two MRIs and the dose (arXiv 2603.11827).

A 3D ResNet-18 with its inputs as channels; five of them, each trained on four fifths of the patients, answer together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ...core.errors import InputError
from ...core.inputs import InputRole
from ...core.map_method import MapMethod
from ...core.requirements import FOR_3D
from ...core.task import Task
from ..contract import Copy, LabelledUnit, Samples
from ..maps.cams import GRADCAM, GRADCAM_PLUS_PLUS, HIRESCAM, SHALLOW, at_depth
from ..maps.gradients import INTEGRATED_GRADIENTS, SALIENCY, SMOOTHGRAD
from ..maps.occlusion import OCCLUSION
from ..volumes.channels import Channel
from ..volumes.system import VolumeSystem
from .architecture import ResNetSizes
from .preprocessing import RicePreprocessing
from .recipe import RiceCohort
from .settings import RiceSettings
from .task import CHANNELS, EVENT, INPUTS, NAME, POSTOP, RTDOSE, TASK

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from ...core.case import Case
    from .network import RiceNetwork

ONE_FRACTION_GY = 10.0
"""A largest dose below this is of one fraction, or in other units: radiotherapy of glioblastoma gives 40 Gy or more."""

LARGEST_PROBE = 24
"""Voxels along each side of the input to which a bundle keeps its members' answers; the network takes any size."""


class RiceNet(VolumeSystem):
    """See :class:`..contract.System`."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "RICE-Net"
    about: ClassVar[str] = "recurrence or radiation change from two MRIs and the dose (arXiv 2603.11827)"
    task: ClassVar[Task] = TASK
    inputs: ClassVar[tuple[InputRole, ...]] = INPUTS
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
    preprocessing: ClassVar[Any] = RicePreprocessing
    architecture: ClassVar[Any] = ResNetSizes
    settings: ClassVar[Any] = RiceSettings
    synthetic: ClassVar[Any] = RiceCohort
    requirements: ClassVar[tuple[str, ...]] = FOR_3D
    beside: ClassVar[tuple[str, ...]] = (RTDOSE,)

    def channels(self, preprocessing: RicePreprocessing) -> tuple[Channel, ...]:
        """The inputs that the card names, in the order of the paper."""
        roles = {role.name: role for role in self.inputs}
        return tuple(Channel(roles[name]) for name in CHANNELS if name in preprocessing.inputs)

    def visit_pairs(self, preprocessing: RicePreprocessing) -> tuple[tuple[int, int], ...]:
        """The two contrast-enhanced MRIs, which have columns of their own."""
        names = [channel.role.name for channel in self.channels(preprocessing)]
        return ((names.index(POSTOP), names.index(EVENT)),) if {POSTOP, EVENT} <= set(names) else ()

    def shown_only(self, preprocessing: RicePreprocessing, words: Sequence[str]) -> RicePreprocessing:
        """A network of fewer channels, as in the paper's table."""
        return replace(preprocessing, inputs=tuple(words))

    def prepare(self, case: Case, preprocessing: Any, tell: Callable[[float, str], None]) -> list[Samples]:
        """One sample of the patient, who must have the images that the model learnt from."""
        self._refuse_unusable(case, preprocessing)
        return super().prepare(case, preprocessing, tell)

    def judged(self, case: Case, preprocessing: Any) -> list[str]:
        """The same before anything is prepared."""
        self._refuse_unusable(case, preprocessing)
        return super().judged(case, preprocessing)

    def copies(self, unit: LabelledUnit, settings: Any, *, only_original: bool = False) -> Iterator[Copy]:
        """The patient as they are."""
        try:
            self._refuse_unusable(unit.case, settings.preprocessing)
        except InputError as error:
            raise InputError(f"Patient {unit.name}: {error}") from error
        yield from super().copies(unit, settings, only_original=only_original)

    def samples_identity(self, settings: Any) -> Any:
        """Preprocessing alone: the network and how it learns have no say in its samples."""
        return settings.to_card()["preprocessing"]

    def network(self, architecture: ResNetSizes, preprocessing: RicePreprocessing) -> RiceNetwork:
        """A member with fresh weights."""
        from .network import RiceNetwork

        return RiceNetwork(len(self.channels(preprocessing)), len(self.task.classes), architecture)

    def checkpointed_parts(self, member: Any) -> Sequence[nn.Module]:
        """Every residual block."""
        return [block for layer in member.layers for block in layer]

    def explained_layer(self, network: nn.Module) -> nn.Module:
        """The last layer, as usual."""
        return self.explained_layers(network)[""]

    def explained_layers(self, network: Any) -> Mapping[str, nn.Module]:
        """The fourth layer, and the second one, whose cells are a quarter as long."""
        return {"": network.layers[3], SHALLOW: network.layers[1]}

    def probe_input(self, architecture: Any, preprocessing: Any) -> Any:
        """Waves in balls, of a size at which a check takes moments."""
        k, j, i = (min(n, LARGEST_PROBE) for n in preprocessing.size)
        return super().probe_input(architecture, replace(preprocessing, size=(k, j, i)))

    def network_words(self, architecture: ResNetSizes) -> str:
        """Its sizes."""
        widths, blocks = ("-".join(map(str, each)) for each in (architecture.widths, architecture.blocks))
        return f"3D ResNet of {blocks} blocks with {widths} feature maps"

    def make_synthetic(self, folder: Path, recipe: Any, tell: Callable[[float, str], None]) -> None:
        """Heads with recurrence or with enhancement that follows the dose."""
        from .synthetic import make_cohort

        make_cohort(folder, recipe, tell)

    def _refuse_unusable(self, case: Case, preprocessing: RicePreprocessing) -> None:
        """An image that the network was trained with must be there, for zeros would be another question; a dose must
        be one of a whole course.
        """
        for channel in self.channels(preprocessing):
            role = channel.role
            if role.name not in case.images:
                raise InputError(
                    f"The {role.title} is missing ({role.about}), which this model was trained with; name it, or use a "
                    "model without it."
                )
            voxels = case.images[role.name].voxels
            if role.name == RTDOSE and 0 < voxels.max() < ONE_FRACTION_GY:
                raise InputError(
                    f"The radiation dose reaches {voxels.max():.3g} Gy only, which is one fraction or no Gy; multiply "
                    "it by the number of fractions (or the unit) first."
                )


SYSTEM = RICE_NET = RiceNet()
