"""What is told of a planned dose. Nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.settings import Settings, option

PHYSICAL, EQD2, BED = "physical", "eqd2", "bed"
QUANTITIES = (PHYSICAL, EQD2, BED)

LEAST_DOSE_VOXELS = 10.0
"""Nothing is said of a region smaller than this: at 14 voxels D98 of a ball errs by 0.4 % of the prescription and D2 by
1.8 %, at 4 voxels by 3 % and 13 %."""


@dataclass(frozen=True)
class DoseTold(Settings):
    """What is told of a planned dose.

    Attributes:
        prescription_gy: prescribed dose, in the quantity that is told; None: not known, and no conformity is told.
        quantity: :data:`PHYSICAL`; or :data:`EQD2` or :data:`BED`, in which courses of other fractions add up.
        alpha_beta_gy: of the linear-quadratic model, for these.
        thresholds_gy: doses x of "V x": the share of a region that gets at least x Gy.
        least_voxels: nothing is said of a region smaller than so many voxels of the dose.

    Raises:
        InputError: a number out of range.
    """

    who = "a planned dose"

    prescription_gy: float | None = option(
        None,
        "--prescription",
        "prescribed dose, in the quantity that is told; without it no conformity and no gradient index (none)",
        metavar="GY",
        unit="Gy",
        at_least=0.1,
        at_most=1000,
    )
    quantity: str = option(
        PHYSICAL,
        "--dose-quantity",
        "the dose as planned, or its biological equivalent in fractions of 2 Gy (eqd2) or effective dose (bed), in "
        "which courses of different fractions add up",
        choices=QUANTITIES,
    )
    alpha_beta_gy: float = option(
        10.0,
        "--alpha-beta",
        "alpha/beta of the linear-quadratic model, for these two",
        metavar="GY",
        unit="Gy",
        at_least=0.1,
        at_most=100,
    )
    thresholds_gy: tuple[float, ...] = option(
        (10.0, 12.0, 20.0),
        "--dose-levels",
        "doses x of Vx, the share of a region that gets at least x Gy",
        metavar="GY,GY",
        above=0,
        at_most=1000,
        must="they must lie between 0 and 1000 Gy",
    )
    least_voxels: float = option(
        LEAST_DOSE_VOXELS,
        "--least-dose-voxels",
        "say nothing of a region smaller than so many voxels of the dose",
        metavar="N",
        at_least=1,
        at_most=10_000,
    )

    @property
    def words(self) -> str:
        """Of the quantity, as in "Gy EQD2 (alpha/beta 10 Gy)"."""
        if self.quantity == PHYSICAL:
            return "Gy"
        return f"Gy {self.quantity.upper()} (alpha/beta {self.alpha_beta_gy:g} Gy)"
