"""How lesions become the model's input: part of the model, kept in its card."""

from __future__ import annotations

from dataclasses import dataclass

from ....core.errors import BundleError
from ....core.settings import Settings, option
from ..model.architecture import patch_size_problem

BY_INDEX, AS_BEFORE = "by-index", "as-before"
"""Rules of the lattice."""

CROP, GTV, HEAD = "crop", "gtv", "head"
"""Of which intensities the percentiles are."""

KEPT, CONSTANT = "kept", "constant"
"""What becomes of the pixels outside the contour."""
SHARES, SHARP = "shares", "sharp"
"""What the network is told of a mask."""


def percentiles_problem(percentiles: tuple[float, ...]) -> str | None:
    """Why nothing can be stretched between these two percentiles."""
    low, high = percentiles
    return None if 0 <= low < high <= 100 else f"{low:g},{high:g} does not rise between 0 and 100"


@dataclass(frozen=True)
class Preprocessing(Settings):
    """Everything between an MRI with a mask and the numbers a model sees.

    Attributes:
        patch_size: side of the square patch in pixels.
        plane: ``"volume"``: the MRI's own slices, turned into the standard display orientation by flips and swaps
            only; or a true anatomical plane, for which the MRI is resampled.
        in_plane_spacing_mm: pixel size; None keeps the MRI's own in-plane voxels.
        percentiles: intensities at these percentiles of each crop become 0 and 1; the rest is clipped.
        mask_rule: how the mask comes to the bottleneck: ``"any"``, a cell is on if any of its 16 pixels is; ``"half"``,
            if at least 8 are, or, on a slice where that would leave nothing, if no other cell has more.
        large_lesion: ``"scale"``: every lesion at the same pixel size; one that does not fit the patch is shrunk as a
            whole until it does, and flagged. ``"fill"``: every lesion is enlarged or shrunk until its widest section
            fills the patch but for a margin of 2 pixels on each side, 60 of 64 (94 %).
        answering_slice: the slice whose answer is the lesion's: ``"largest-area"``; ties go to the middle. ``"middle"``
            of the slices that hold the lesion; of two middle ones the larger.
        lattice: where pixels lie among the voxels, see :mod:`.working_grid`: ``"by-index"``, so that no last digit of a
            header decides it; ``"as-before"``, of models whose card does not say it.
        normalise: whose percentiles: ``"crop"``: of each slice's crop, as the paper is read; ``"gtv"``: of the
            MRI's voxels inside the contour, on all its slices; ``"head"``: of the whole MRI's foreground.
        outside: ``"kept"``; or ``"constant"``: pixels outside the contour are 0 for the network, and none inside is
            interpolated from beyond the contour, see :mod:`.intensities`.
        mask_edges: ``"shares"``: the network is told how much of a pixel lies in the GTV, see :mod:`.mask_levels`;
            ``"sharp"``: whether its centre does, of models whose card does not say it. On voxels both are the same.
    """

    who = "the preprocessing"
    error = BundleError
    unknown = "this version does not know it ({})"

    patch_size: int = option(64, at_least=16, problem=patch_size_problem)
    plane: str = option(
        "volume", "--plane", after="in_plane_spacing_mm", choices=("volume", "axial", "coronal", "sagittal")
    )
    in_plane_spacing_mm: float | None = option(
        1.0, "--spacing-mm", "pixel size, or 'native'", metavar="MM", words={"native": None}, unit="mm",
        at_least=0.05, at_most=20,
    )  # fmt: skip
    percentiles: tuple[float, float] = option(
        (1.0, 99.0), "--percentiles", "of each crop's intensities, which become 0 and 1", metavar="LOW,HIGH",
        problem=percentiles_problem,
    )  # fmt: skip
    mask_rule: str = option(
        "any", "--mask-rule", "a bottleneck cell is on if any, or at least half, of its 16 pixels lie in the GTV",
        choices=("any", "half"),
    )  # fmt: skip
    large_lesion: str = option(
        "scale", "--lesion-size",
        "crop: one pixel size, only too large lesions are shrunk; resize: every lesion fills the patch",
        choices=("scale", "fill"), words={"crop": "scale", "resize": "fill"},
    )  # fmt: skip
    answering_slice: str = option(
        "largest-area", "--answering-slice", "of the lesion, which is trained on and answers for it",
        choices=("largest-area", "middle"),
    )  # fmt: skip
    lattice: str = option(
        BY_INDEX, "--lattice",
        "where pixels lie among the MRI's voxels; as-before: as in version 0.1, jumps with a last digit",
        choices=(BY_INDEX, AS_BEFORE), unsaid=AS_BEFORE,
    )  # fmt: skip
    normalise: str = option(
        CROP, "--normalise",
        "whose percentiles: those of each crop, of what lies inside the contour, or of the whole head; the first tells "
        "the network how bright the surroundings are", choices=(CROP, GTV, HEAD), unsaid=CROP,
    )  # fmt: skip
    outside: str = option(
        KEPT, "--outside", "pixels outside the contour; constant: the network sees none of them",
        choices=(KEPT, CONSTANT), unsaid=KEPT,
    )  # fmt: skip
    mask_edges: str = option(
        SHARES, "--mask-edges",
        "what the network is told of a pixel that the contour crosses: how much of it lies inside, or whether its "
        "centre does",
        choices=(SHARES, SHARP), unsaid=SHARP,
    )  # fmt: skip

    def in_words(self) -> str:
        """One line for people."""
        spacing = f"{self.in_plane_spacing_mm:g} mm" if self.in_plane_spacing_mm else "the MRI's own size"
        filled = "that every lesion is scaled to fill" if self.large_lesion == "fill" else f"of {spacing}"
        low, high = self.percentiles
        cell = "any of its pixels is" if self.mask_rule == "any" else "at least half of its pixels are"
        return (
            f"{self.patch_size} x {self.patch_size} pixels {filled}, plane: {self.plane}, percentiles {low:g} to "
            f"{high:g} become 0 to 1; a bottleneck cell is on if {cell} in the GTV; answering slice: "
            f"{self.answering_slice.replace('-', ' ')}; lattice: {self.lattice.replace('-', ' ')}; mask edges: "
            f"{self.mask_edges}{self._of_outside()}"
        )

    def _of_outside(self) -> str:
        """What a network cannot know of the surroundings; nothing where all is as in the paper."""
        whose = {GTV: "; percentiles of the GTV's own voxels", HEAD: "; percentiles of the whole head"}
        return whose.get(self.normalise, "") + ("; outside the contour 0" if self.outside == CONSTANT else "")
