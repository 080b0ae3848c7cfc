"""What response means: the one rule for generated and for real lesions."""

from __future__ import annotations

from typing import Any

EXACTLY = 1e-9
"""Relative difference up to which a volume is exactly at the threshold: 0.08 is 80 % of 0.1 in decimals, and must not
become less than that by the rounding of 0.8 * 0.1 in binary."""


def responds(first_cm3: float, followup_cm3: float, shrinkage: float = 0.2) -> int:
    """1 (response) when the follow-up volume is strictly below ``1 - shrinkage`` of the first volume, else 0.

    Args:
        first_cm3: volume at baseline, above 0.
        followup_cm3: volume at follow-up, same unit.
        shrinkage: share of the first volume that must be lost; 0.2 as Peng et al. 2025. A lesion that lost exactly
            this share does not respond.

    Examples:
        >>> responds(2.0, 1.5), responds(2.0, 1.6), responds(2.0, 2.4)
        (1, 0, 0)
        >>> responds(2.0, 1.5, shrinkage=0.3)
        0
    """
    return int(followup_cm3 < (1 - shrinkage) * first_cm3 * (1 - EXACTLY))


def shrinkage_section(shrinkage: float) -> dict[str, Any]:
    """The rule as the section ``response`` of a model's card."""
    return {
        "definition": f"response: the lesion's volume at follow-up is below {100 * (1 - shrinkage):g} % of its volume "
        "at baseline",
        "shrinkage_threshold": round(1 - shrinkage, 6),
    }
