"""What a system with a plain 3D network is built on. Its name and inputs are known before NumPy is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ...core.errors import InputError
from ...core.inputs import BRAIN, DOSE, MASK
from ...core.task import LESION
from ..contract import Copy, LabelledUnit, Samples, System
from ..learning.plain_settings import PlainSettings
from .channels import Channel, channels_of, pairs_of
from .preprocessing import ATLAS, HALFWAY, NONE, TOOL, VolumePreprocessing

if TYPE_CHECKING:
    import numpy as np

    from ...core.case import Case
    from ...core.geometry.volume import VolumeGeometry
    from ...core.lesion import Lesion
    from .space import Space


class VolumeSystem(System):
    """A system whose network takes one volume of every unit.

    It need only give ``name``, ``title``, ``task``, ``inputs``, ``maps``, :meth:`network` (logits ``[n, classes]`` of
    images ``[n, channels, k, j, i]``, see :meth:`channels`) and, for Grad-CAM, :meth:`explained_layer`.
    """

    judges: ClassVar[bool] = True
    preprocessing: ClassVar[Any] = VolumePreprocessing
    settings: ClassVar[Any] = PlainSettings

    def channels(self, preprocessing: Any) -> tuple[Channel, ...]:
        """What the network sees, and whose image each channel is; as many as its first layer takes."""
        return channels_of(self.inputs, preprocessing)

    def channel_roles(self, preprocessing: Any) -> tuple[tuple[str, ...], ...]:
        """Names of the inputs that each of :meth:`channels` shows."""
        return tuple(tuple(role.name for role in channel.roles) for channel in self.channels(preprocessing))

    def visit_pairs(self, preprocessing: Any) -> tuple[tuple[int, int], ...]:
        """MRIs of one column of the cohort table at two time points, each alone in its channel."""
        return pairs_of(self.channels(preprocessing))

    def prepare(self, case: Case, preprocessing: Any, tell: Callable[[float, str], None]) -> list[Samples]:
        """One sample of every lesion, or of the patient."""
        from .align import common_space
        from .samples import volume_samples

        if self.task.unit == LESION and not case.lesions:
            raise InputError("There is no lesion: choose at least one segment.")
        self._refuse_missing(case)
        space = common_space(self.inputs, case, preprocessing, tell)
        units = self._units(case, self.task.unit, space)
        found: list[Samples] = []
        for n, unit in enumerate(units):
            tell(n / len(units), f"Preparing {unit.name}")
            found.append(volume_samples(self, case, unit, preprocessing, space))
        return found

    def slow_to_prepare(self, settings: Any) -> bool:
        """Registration, the brain's tool and N4 are."""
        wanted = settings.preprocessing
        return wanted.registration in (HALFWAY, ATLAS) or wanted.brain == TOOL or wanted.bias_correction

    def copies(self, unit: LabelledUnit, settings: Any, *, only_original: bool = False) -> Iterator[Copy]:
        """The unit as it is."""
        from .align import common_space
        from .samples import volume_samples

        self._refuse_missing(unit.case)
        space = common_space(self.inputs, unit.case, settings.preprocessing)
        for each in self._units(unit.case, unit.name, space):
            sample = volume_samples(self, unit.case, each, settings.preprocessing, space)
            yield Copy(sample.images[0], sample.masks[0], 0.0, sample.warnings)

    def probe_input(self, architecture: Any, preprocessing: Any) -> tuple[np.ndarray, np.ndarray]:
        """Waves in balls: three volumes by formula, the same on every machine."""
        import numpy as np

        size = preprocessing.size
        channels = len(self.channels(preprocessing))
        z, y, x = (np.moveaxis(np.mgrid[: size[0], : size[1], : size[2]], 0, -1) / np.array(size)).transpose(3, 0, 1, 2)
        waves = [np.sin(2 * np.pi * (2 * x + (n + 1) * y + n * z)) for n in range(3 + channels)]
        images = np.stack([np.stack(waves[n : n + channels]) for n in range(3)])
        masks = np.stack([(x - 0.5) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2 < r**2 for r in (0.2, 0.35, 0.5)])[:, None]
        return images.astype(np.float32), masks

    def on_sample(self, truth: np.ndarray, geometry: VolumeGeometry, samples: Any) -> np.ndarray:
        """From one half of a voxel on; what is smaller keeps the voxels that hold most of it."""
        import numpy as np

        from ...lesions.resampling import resample

        way = samples.places[samples.reference].way if samples.reference in samples.places else None
        shares = resample(geometry.to_sitk(truth.astype(np.float32)), samples.grid, matrix=way)
        shares = np.where(samples.masks[samples.main, 0], shares, np.float32(0))
        return (shares > 0) & (shares >= min(0.5, float(shares.max())))

    def unused_inputs(self, preprocessing: Any) -> tuple[str, ...]:
        """Masks of the brain where intensities are judged without, and doses that the network does not see."""
        seen = {name for names in self.channel_roles(preprocessing) for name in names}
        brains = (role.name for role in self.inputs if role.kind == BRAIN and preprocessing.brain == NONE)
        return (*brains, *(role.name for role in self.inputs if role.kind == DOSE and role.name not in seen))

    def judged(self, case: Case, preprocessing: Any) -> list[str]:
        """Places, sizes, values, brains and likeness, by the functions that :meth:`prepare` calls."""
        from .align import judge

        self._refuse_missing(case)
        return judge(self.inputs, case, preprocessing)

    def _units(self, case: Case, patient: str, space: Space) -> tuple[Lesion, ...]:
        """Every lesion, or the patient under a name."""
        from .samples import patient_unit

        if self.task.unit == LESION:
            return case.lesions
        lead = next((p for p, role in space.leads.items() if role == (case.reference or next(iter(case.images)))), "")
        brain = space.brains.get(lead)
        return (patient_unit(case, patient) if brain is None else replace(brain, name=patient),)

    def _refuse_missing(self, case: Case) -> None:
        for role in self.needed_inputs:
            there = bool(case.lesions) if role.kind == MASK else role.name in case.images
            if not there:
                raise InputError(
                    f"The {role.title} is missing ({role.about or role.kind}); name it, for {self.title} gives no "
                    "answer without it."
                )
