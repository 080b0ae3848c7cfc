"""How lesions become the model's input: part of the model, kept in its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from ...core.errors import BundleError

PLANES = ("volume", "axial", "coronal", "sagittal")
MASK_RULES = ("any", "half")
LARGE_LESION = ("scale", "fill")
ANSWERING_SLICE = ("largest-area", "middle")


@dataclass(frozen=True)
class Preprocessing:
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
    """

    patch_size: int = 64
    plane: str = "volume"
    in_plane_spacing_mm: float | None = 1.0
    percentiles: tuple[float, float] = (1.0, 99.0)
    mask_rule: str = "any"
    large_lesion: str = "scale"
    answering_slice: str = "largest-area"

    def __post_init__(self) -> None:
        low, high = (float(p) for p in self.percentiles)
        object.__setattr__(self, "percentiles", (low, high))
        spacing = self.in_plane_spacing_mm
        faults = [
            (self.patch_size < 16 or self.patch_size % 4, f"patch_size {self.patch_size} (a multiple of 4 from 16 on)"),
            (self.plane not in PLANES, f"plane {self.plane!r} ({', '.join(PLANES)})"),
            (spacing is not None and not 0.05 <= spacing <= 20, f"in_plane_spacing_mm {spacing} (0.05 to 20, or null)"),
            (not 0 <= low < high <= 100, f"percentiles {self.percentiles} (rising, 0 to 100)"),
        ]
        for name, known in (
            ("mask_rule", MASK_RULES), ("large_lesion", LARGE_LESION), ("answering_slice", ANSWERING_SLICE)
        ):  # fmt: skip
            value = getattr(self, name)
            faults.append((value not in known, f"{name} {value!r} ({', '.join(known)})"))
        wrong = "; ".join(text for bad, text in faults if bad)
        if wrong:
            raise BundleError(f"Unknown preprocessing: {wrong}.")

    def in_words(self) -> str:
        """One line for people."""
        spacing = f"{self.in_plane_spacing_mm:g} mm" if self.in_plane_spacing_mm else "the MRI's own size"
        filled = "that every lesion is scaled to fill" if self.large_lesion == "fill" else f"of {spacing}"
        low, high = self.percentiles
        cell = "any of its pixels is" if self.mask_rule == "any" else "at least half of its pixels are"
        return (
            f"{self.patch_size} x {self.patch_size} pixels {filled}, plane: {self.plane}, percentiles {low:g} to "
            f"{high:g} become 0 to 1; a bottleneck cell is on if {cell} in the GTV; answering slice: "
            f"{self.answering_slice.replace('-', ' ')}"
        )

    def to_card(self) -> dict:
        """As plain JSON values."""
        card = asdict(self)
        card["percentiles"] = list(self.percentiles)
        return card

    @classmethod
    def from_card(cls, card: dict) -> Preprocessing:
        """From a model card; every field must be there and none may be unknown.

        Raises:
            BundleError: a field is missing, unknown or has a value that this version does not know.
        """
        names = {f.name for f in fields(cls)}
        if set(card) != names:
            lacking, unknown = sorted(names - set(card)) or "nothing", sorted(set(card) - names) or "nothing"
            raise BundleError(f"The card's preprocessing lacks {lacking} and has unknown {unknown}.")
        try:
            return cls(**card)
        except (TypeError, ValueError) as error:
            raise BundleError(f"The card's preprocessing has a value of the wrong kind ({error}).") from error
