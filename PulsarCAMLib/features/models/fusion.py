"""Late fusion: several models' probabilities for the same lesions made one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.errors import InputError

NEEDS = ("all", "any")


def fused(probabilities: Sequence[np.ndarray], needs: str = "all") -> np.ndarray:
    """Mean of the members' probabilities, lesion by lesion.

    Args:
        probabilities: ``[m]`` of each member, of the positive class, for the same lesions in the same order, from the
            same split; NaN where a member gave no answer.
        needs: ``"all"``: NaN where any member gave no answer, so that every lesion is answered by the same model and
            the figures compare; ``"any"``: the mean of those that did, NaN only where none did.

    Returns:
        float64 ``[m]``.

    Raises:
        InputError: no member, members for different lesions, or an unknown rule.
    """
    if needs not in NEEDS:
        raise InputError(f"A fusion needs {' or '.join(NEEDS)} of its members' answers, not {needs!r}.")
    members = [np.asarray(each, dtype=float) for each in probabilities]
    if not members or any(each.ndim != 1 or each.shape != members[0].shape for each in members):
        raise InputError("A fusion needs the probabilities of one model or more, all for the same lesions.")
    stacked = np.stack(members)
    answered = np.isfinite(stacked)
    counts = answered.sum(axis=0)
    enough = counts == len(members) if needs == "all" else counts > 0
    total = np.where(answered, stacked, 0.0).sum(axis=0)
    return np.divide(total, counts, out=np.full(total.shape, np.nan), where=enough)
