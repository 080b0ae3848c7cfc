"""What a synthetic cohort is made of: numbers first, named difficulties over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from ...core.settings import Settings, option
from ...core.vocabulary import ADDED_TEXTURE, BASELINE, FOLLOWUP, RULES, SECOND

TIME_POINTS = (BASELINE, SECOND, FOLLOWUP)
"""Pre-treatment MRI, optional second pre-treatment MRI some weeks later, MRI that decides the response."""


@dataclass(frozen=True)
class Factors:
    """The numbers that make a cohort easy or hard.

    Intensities are in units of the contrast between air (0) and bright enhancing tissue (1).

    Attributes:
        texture_amplitude: standard deviation of the resistant tissue's fine texture.
        texture_wavelength_mm: shortest and longest wavelength of that texture.
        coarse_amplitude: standard deviation of the coarse heterogeneity that every lesion has.
        noise: lowest and highest standard deviation of the receiver noise.
        resistant_share: share of the lesion's volume that is resistant tissue, in a resistant lesion.
        small_share: the same in a lesion with only a small nest of resistant tissue.
        small_nest: how often a lesion that is not resistant has such a nest.
        shrinkage: share of its volume that the sensitive tissue keeps at follow-up.
        growth: how far the resistant tissue grows outwards until follow-up, in equivalent radii of the lesion (so
            that size does not tell the outcome).
        unexplained: how often a lesion grows for reasons that no image shows.
        confounders: expected number of each kind of confounder in a lesion.
        outcome_follows_tissue: False makes the outcome independent of the planted tissue.
    """

    texture_amplitude: float = 0.18
    texture_wavelength_mm: tuple[float, float] = (3.8, 5.0)
    coarse_amplitude: float = 0.08
    noise: tuple[float, float] = (0.015, 0.035)
    resistant_share: tuple[float, float] = (0.22, 0.45)
    small_share: tuple[float, float] = (0.03, 0.06)
    small_nest: float = 0.15
    shrinkage: tuple[float, float] = (0.20, 0.60)
    growth: tuple[float, float] = (0.21, 0.40)
    unexplained: float = 0.015
    confounders: float = 1.0
    outcome_follows_tissue: bool = True


_STANDARD = Factors()
DIFFICULTIES: Mapping[str, Factors] = MappingProxyType(
    {
        "easy": replace(
            _STANDARD,
            texture_amplitude=0.23,
            noise=(0.01, 0.02),
            resistant_share=(0.30, 0.50),
            small_nest=0.0,
            growth=(0.27, 0.42),
            unexplained=0.0,
            confounders=0.5,
        ),
        "standard": _STANDARD,
        "hard": replace(
            _STANDARD,
            texture_amplitude=0.12,
            texture_wavelength_mm=(3.4, 5.6),
            coarse_amplitude=0.11,
            noise=(0.03, 0.06),
            resistant_share=(0.18, 0.40),
            small_nest=0.4,
            growth=(0.13, 0.38),
            unexplained=0.08,
            confounders=1.5,
        ),
        "none": replace(_STANDARD, outcome_follows_tissue=False),
    }
)
"""Named difficulties; "none" plants the same tissue as "standard" but the outcome does not depend on it."""


@dataclass(frozen=True)
class CohortSettings(Settings):
    """Recipe of a cohort; the same recipe always gives the same patients.

    Attributes:
        patients: how many patients.
        seed: of the whole cohort; patient k depends on the seed and on k only, not on ``patients``.
        difficulty: a name in :data:`DIFFICULTIES`.
        factors: numbers that replace single ones of the named difficulty.
        lesions: fewest and most lesions of a patient.
        diameter_mm: smallest and largest equivalent diameter of a lesion.
        second_mri: also make a second pre-treatment MRI of every patient.
        shrinkage_threshold: a lesion responds when its follow-up volume is strictly below this share of its first.
        rule: what decides the outcome, a name in :data:`~PulsarCAMLib.cohort.synthetic.rules.RULES`.
        near_contour: bright tissue 0.5 to 5 mm outside the contour. Under the rule "outside" it is the tissue that
            decides (else that lies farther away); under every other it lies around a random half of the lesions.
        labels_alike: all lesions of a patient have one outcome, as where it is the patient that decides.

    Raises:
        InputError: an unknown difficulty, rule or factor, or numbers out of range.
    """

    who = "a synthetic cohort"

    patients: int = option(20, at_least=1)
    seed: int = option(0, at_least=0)
    difficulty: str = option("standard", choices=tuple(DIFFICULTIES))
    factors: Mapping[str, object] = field(default_factory=dict)
    lesions: tuple[int, int] = (1, 4)
    diameter_mm: tuple[float, float] = (16.0, 36.0)
    second_mri: bool = False
    shrinkage_threshold: float = 0.8
    rule: str = option(ADDED_TEXTURE, choices=tuple(RULES))
    near_contour: bool = False
    labels_alike: bool = False

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        unknown = set(self.factors) - {each.name for each in fields(Factors)}
        if unknown:
            yield f"The synthetic cohort has no factor named {', '.join(sorted(unknown))}."
        if not 1 <= self.lesions[0] <= self.lesions[1] <= 6:
            fewest, most = self.lesions
            yield f"A synthetic patient has 1 to 6 lesions, the fewest first; not {fewest} to {most}."
        if not 6 <= self.diameter_mm[0] <= self.diameter_mm[1] <= 44:
            least, largest = self.diameter_mm
            yield f"Synthetic lesions are 6 to 44 mm wide, the smallest first; not {least:g} to {largest:g}."

    @property
    def numbers(self) -> Factors:
        """The factors in force: those of the named difficulty with the replacements."""
        return replace(DIFFICULTIES[self.difficulty], **self.factors)

    @property
    def time_points(self) -> tuple[str, ...]:
        """Time points that a patient of this cohort has."""
        return TIME_POINTS if self.second_mri else (TIME_POINTS[0], TIME_POINTS[2])
