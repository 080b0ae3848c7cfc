"""What a network takes of one unit, and the way back: contracts that every system's samples keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # names of systems are listed before NumPy is there
    import numpy as np

    from ..core.geometry.volume import VolumeGeometry
    from ..core.lesion import Lesion


@dataclass(frozen=True, eq=False)
class PastedMap:
    """A map on a block of the reference grid.

    Attributes:
        values: float32 ``[k, j, i]``.
        offset: array index ``(k, j, i)`` of the block; the lesion's own box when restricted to the lesion.
    """

    values: np.ndarray
    offset: tuple[int, int, int]

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where :attr:`values` lie in the reference image's array."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.offset, self.values.shape, strict=True))
        return k, j, i

    def add_to(self, volume: np.ndarray) -> None:
        """Put the map into a whole volume; where maps overlap the value of larger magnitude stays."""
        import numpy as np

        block = volume[self.box]
        np.copyto(block, self.values, where=np.abs(self.values) > np.abs(block))


class Placement(Protocol):
    """The way back: where the samples of one unit lie."""

    def paste(
        self, maps: np.ndarray, geometry: VolumeGeometry, restrict: bool = True, role: str | None = None
    ) -> PastedMap:
        """Maps ``[n, *size]`` on the samples, brought to the grid ``geometry``; with ``restrict`` zero off the unit.

        Args:
            maps: on the samples.
            geometry: of the input that is named, or of a part of its space.
            restrict: zero off the unit.
            role: name of an input that was registered to the others; None: the one whose grid maps are written on.

        Raises:
            InputError: the maps have another size, or the case has no such input.
        """

    def way_to(self, role: str) -> np.ndarray | None:
        """4x4 matrix from LPS millimetres of the reference image to those of an input's own; None: they are the same.

        Raises:
            InputError: the case has no such input.
        """

    def centres_lps(self) -> np.ndarray:
        """LPS millimetres ``[n, 3]`` of the middle of the unit on each sample."""


class Samples(Placement, Protocol):
    """What a network takes of one unit (a lesion or a patient), and the way back.

    Attributes:
        name: of the unit, as the user knows it.
        lesion: the unit on the reference grid; for a patient the voxels that count (brain, or the whole image).
        images: float32 ``[n, channels, *size]``.
        masks: bool ``[n, 1, *size]``: where maps are looked at.
        main: index of the sample whose answer is the unit's.
        warnings: sentences for the user.
    """

    @property
    def name(self) -> str: ...

    @property
    def lesion(self) -> Lesion: ...

    @property
    def images(self) -> np.ndarray: ...

    @property
    def masks(self) -> np.ndarray: ...

    @property
    def main(self) -> int: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def facts(self) -> dict[str, object]:
        """What a table of units tells of the samples: column to value."""

    def sample_facts(self, n: int) -> dict[str, object]:
        """What a table of samples tells of one: column to value."""

    def cell_mm(self, cells: int) -> float:
        """Side in millimetres of a map's cell where a sample has ``cells`` along its last axis."""


@runtime_checkable
class Sliced(Protocol):
    """Samples that are slices: what they have besides, so that pictures show the answering slice as it was cut.

    Pictures of other samples show the slice of the reference image in which the map is strongest.
    """

    def plane(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """LPS millimetres of the middle of the unit on sample n, and its axes as the columns of a ``[3, 3]`` array."""

    @property
    def areas_mm2(self) -> np.ndarray:
        """Area of the unit on each sample ``[n]``."""


@runtime_checkable
class SoftEdged(Protocol):
    """Samples whose network is told how much of a pixel lies in the unit."""

    @property
    def mask_levels(self) -> np.ndarray:
        """``[n, 1, *size]``, bool or float32 in 0..1."""


def network_masks(samples: Samples) -> np.ndarray:
    """What the network is told of the unit ``[n, 1, *size]``; :attr:`Samples.masks` says what is looked at."""
    return samples.mask_levels if isinstance(samples, SoftEdged) else samples.masks


@dataclass(frozen=True, eq=False)
class Turned:
    """A sample turned a little.

    Attributes:
        image: float32 ``[channels, *size]``.
        mask: ``[1, *size]``, as the network is told of it; inside where it is at least one half.
        back: brings values ``[*size]`` on the turned sample onto the original one.
    """

    image: np.ndarray
    mask: np.ndarray
    back: Callable[[np.ndarray], np.ndarray]
