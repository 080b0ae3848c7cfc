"""What speaks against painting: of the model, of its map, and of every lesion's answer. Stated limits, in one place.

Painting a map that need not be true, or an answer that another contour would change, is worse than painting none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..core.errors import Cure
from ..explanation.plain import UNCERTAIN, plain_answer
from ..explanation.result import CaseResult, UnitResult
from ..systems.bundles.verdict import CHANCE, CONTROL, UNKNOWN

UNBELIEVED = (UNKNOWN, CHANCE, CONTROL)
"""Verdicts on a model that may not paint: not measured, no better than guessing, no better than its control."""

MOST_MOVED_MM = 4.0
"""By half a voxel's change of contour or grid the centre of the map may move so far: a cell of the usual network."""

LEAST_OVERLAP = 0.5
"""Dice overlap of the members' boosts with that of their mean, on average; below, they paint different places."""

DOUBTFUL_OVERLAP = 0.7
"""Below this it is told."""

ANYWAY = Cure(
    "paint in spite of it only if you know why",
    "with --paint-anyway",
    panel="paint in spite of it only if you know why (anyway=True)",
)


def against_model(result: CaseResult, method: str) -> list[str]:
    """Sentences on the model and its map; empty where both may be believed."""
    card, found = result.card, []
    if card.synthetic:
        found.append("The model learnt from SYNTHETIC lesions only, so its maps say nothing about patients.")
    if result.verdict.level in UNBELIEVED:
        found.append(result.verdict.sentence)
    title = result.method(method).title
    passed = _passed(card.fields.get("explanation_checks"), method)
    if passed is None:
        found.append(f"Whether the map {title} of this model is true was never checked (pulsarcam sanity does it).")
    elif not passed:
        found.append(f"The map {title} fails the checks of this model's maps (pulsarcam bundle show tells which).")
    return found


def _passed(section: object, method: str) -> bool | None:
    """Whether a map passed its checks as the card tells; None: it was not checked."""
    maps = section.get("maps") if isinstance(section, Mapping) else None
    entry = maps.get(method) if isinstance(maps, Mapping) else None
    passed = entry.get("passed") if isinstance(entry, Mapping) else None
    return passed if isinstance(passed, bool) else None


def against_lesion(unit: UnitResult, overlap: float | None) -> Iterator[str]:
    """Clauses on why a lesion's answer or map may not be painted.

    Args:
        unit: the lesion.
        overlap: of the members' boosts with that of their mean; None: one member, or no boost.
    """
    found = unit.stability
    if found is not None and not found.is_stable:
        yield f"its answer is not stable ({found.in_words()})"
    if found is not None and found.centre_moves_mm > MOST_MOVED_MM:
        yield (
            f"the centre of its map moves by {found.centre_moves_mm:.1f} mm when contour or grid lie half a voxel "
            f"otherwise, more than {MOST_MOVED_MM:g} mm"
        )
    for way in unit.left_out.told_of if unit.left_out is not None else ():
        yield (
            f"with {way.title} its logit of {unit.left_out.logit:.2f} moves by {unit.left_out.row()[way.column]:+.2f}, "
            "so where in the lesion its map lies means little"
        )
    if overlap is not None and overlap < LEAST_OVERLAP:
        yield (
            f"the members of the ensemble paint different places (mean overlap {overlap:.2f}, below {LEAST_OVERLAP:g})"
        )


def doubts_on_lesion(unit: UnitResult, overlap: float | None, result: CaseResult, has_boost: bool) -> Iterator[str]:
    """Clauses on what the reader should know of a lesion that is painted."""
    if not has_boost:
        yield "it gets no boost, for nothing of it is activated, large enough and far enough from organs"
    if unit.stability is None:
        yield "how stable its answer is was not asked"
    if len(unit.probabilities) < 2:
        yield "the model has one member, so there is no spread"
    elif overlap is not None and LEAST_OVERLAP <= overlap < DOUBTFUL_OVERLAP:
        yield f"the members of the ensemble agree only in part on where (mean overlap {overlap:.2f})"
    if plain_answer(unit, result.card).answer == UNCERTAIN:
        yield "its answer is uncertain"


def why_no_spread(row: Mapping[str, object]) -> str:
    """Why a spread of zero does not say that the members agree on a place, a clause; empty where there is a spread.

    Args:
        row: of the table of lesions, of one that is painted.

    Examples:
        >>> why_no_spread({"boost_cm3": 0.2, "overlap": None, "highest_spread_gy": 0.0})
        'the model has one member'
        >>> why_no_spread({"boost_cm3": 0.2, "overlap": 1.0, "highest_spread_gy": 0.0})
        ''
    """
    if row["boost_cm3"]:
        return "the model has one member" if row["overlap"] is None else ""
    return "" if row["highest_spread_gy"] else "no member paints a boost, which is no certainty about any place"


def mean_overlap(members: np.ndarray, mean: np.ndarray) -> float | None:
    """Mean Dice overlap of the members' boosts ``[K, k, j, i]`` with that of their mean; None where there is none.

    Examples:
        >>> one, none = np.array([[[True, True, False]]]), np.array([[[False, False, False]]])
        >>> mean_overlap(np.stack([one, ~one]), one)
        0.5
        >>> mean_overlap(np.stack([one]), one) is mean_overlap(np.stack([one, one]), none) is None
        True
    """
    if len(members) < 2 or not mean.any():
        return None
    dice = [2 * np.count_nonzero(each & mean) / (np.count_nonzero(each) + np.count_nonzero(mean)) for each in members]
    return float(np.mean(dice))
