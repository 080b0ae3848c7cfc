"""What the checks of maps (room ``trust``) ask of a system, with answers that hold for networks in general.

Every :class:`..contract.System` has these; one that knows better, or has a faster way, overrides them in its own
folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # names of systems are listed before NumPy is there
    import numpy as np
    from torch import nn

    from ...core.case import Case
    from ...core.geometry.volume import VolumeGeometry
    from ..answers import Predictor
    from ..samples import Samples, Turned

TURNS_DEG = (-5.0, 5.0)
"""Small turns that must not change what a map says."""

PIECE_BYTES = 2**26
"""Samples that are asked at once take no more memory than this."""


class MapChecks:
    """Base of :class:`..contract.System`.

    Attributes:
        random_draws: random models for each set of layers, unless another number is asked for.
    """

    random_draws: ClassVar[int] = 3

    def layers(self, member: nn.Module) -> tuple[str, ...]:
        """What is drawn anew together, from the output to the input: names of modules, several joined by "+".

        Default: the network's parts in the order in which they were registered, which is nearly always that of the
        pass; a network with few parts is looked at one level deeper, neighbours of one with many are joined.
        """
        from .layers import layers_of

        return layers_of(member)

    def with_new_layers(
        self, members: Sequence[nn.Module], layers: Sequence[str], seed: int, draw: int = 0
    ) -> list[nn.Module]:
        """Copies of members with some layers drawn anew, each member on its own.

        Args:
            members: stay as they are.
            layers: of :meth:`layers`.
            seed, draw: the same pair gives the same weights; a layer does not depend on which others are drawn.
        """
        from .layers import with_new_layers

        return with_new_layers(members, self.layers(members[0]), layers, seed, draw)

    def answering_samples(self, case: Case, preprocessing: Any) -> Samples:
        """Samples of a case with one unit; those beside the one that answers may be left out.

        Raises:
            InputError: as ``prepare``.
        """
        return self.prepare(case, preprocessing, lambda _share, _text: None)[0]  # type: ignore[attr-defined]

    def turned(self, case: Case, samples: Samples, preprocessing: Any) -> Iterator[Turned]:
        """The answering sample at each of :data:`TURNS_DEG`; default: turned in the plane of its last two axes."""
        from .turning import turned_in_plane

        yield from (turned_in_plane(samples.images[samples.main], samples.masks[samples.main], d) for d in TURNS_DEG)

    def on_sample(self, truth: np.ndarray, geometry: VolumeGeometry, samples: Samples) -> np.ndarray | None:
        """A mask of the reference image on the answering sample.

        Args:
            truth: bool ``[k, j, i]`` on the grid ``geometry``.
            geometry: of the reference image.
            samples: of the unit.

        Returns:
            bool ``[*size]``, within the unit; None: this system does not say where its samples lie.
        """
        return None

    def in_range(self, images: np.ndarray) -> np.ndarray:
        """Changed images ``[N, channels, *size]``, brought back to values that the network can be given."""
        return images

    def channel_titles(self, preprocessing: Any, channels: int) -> tuple[str, ...]:
        """What each channel of a sample shows, for people."""
        roles = {role.name: role.title for role in self.image_inputs}  # type: ignore[attr-defined]
        shown = self.channel_roles(preprocessing)  # type: ignore[attr-defined]
        if len(shown) == channels:
            return tuple(" − ".join(roles[name] for name in names) for names in shown)
        return tuple(f"channel {number}" for number in range(1, channels + 1))

    def answers(self, predictor: Predictor, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Logits ``[K, N]`` or ``[K, N, classes]`` of many samples, a few at a time."""
        import numpy
        import torch

        size, found = max(1, PIECE_BYTES // (32 * max(1, images[:1].nbytes))), []
        with torch.inference_mode():
            for start in range(0, len(images), size):
                part = slice(start, start + size)
                given = (torch.from_numpy(numpy.ascontiguousarray(each[part])) for each in (images, masks))
                found.append(predictor.logits(*given).float().cpu().numpy())
        return numpy.concatenate(found, axis=1)
