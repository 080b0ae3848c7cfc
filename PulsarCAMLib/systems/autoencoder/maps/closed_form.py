"""Class activation maps in closed form (the paper's equations as method.md 1.5, 2.1, 2.2 and 2.3 settle them).

With A ``[members, n, features, cells]`` the masked features, g = ds/dA gated by the mask, s the logit of response:

========================  ==========================================================================================
``pixelwise``             S = sum_k g_k A_k (HiResCAM); response ReLU(S), non-response ReLU(-S); sum(S) + rest = s
``gradcam``               S = sum_k mean(g_k) A_k; response ReLU(S), non-response ReLU(-S)
``gradcam++``             exp score: w_k = sum ReLU(+-g_k) / (2 + (sum A_k)(+-g_k)); ReLU(sum_k w_k A_k)
``pixelwise-relative``    S = sum_k g_k (A_k - R_k M); as ``pixelwise``; sum(S) + rest = s, the rest is that of R
``gradcam-relative``      S = sum_k mean(g_k) (A_k - R_k M); as ``gradcam``
``gradcam++-sigmoid``     the paper's eq. 4 to the letter, on the probability; often empty (method.md 2.3)
``pixelwise-probability`` ``pixelwise`` of the probability: times sigma'(s)
``gradcam-probability``   ``gradcam`` of the probability: times sigma'(s)
========================  ==========================================================================================

R_k are reference features, of the training lesions or of the lesion itself (:mod:`.relative`, method.md 2.7).

Raw maps: no scaling, no smoothing. ``gradcam++`` leaves out the common factor exp(+-s) of its score, which changes a
map by one number per slice and would overflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ....core.map_method import MapMethod
from ..task import NON_RESPONSE, RESPONSE
from .relative import COHORT, SECTION, USUAL, RelativeSettings, in_words

if TYPE_CHECKING:
    from torch import Tensor

SIGNS = {NON_RESPONSE: -1.0, RESPONSE: 1.0}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What every map is made from.

    Attributes:
        logits: s ``[members, n]``.
        masked: A ``[members, n, features, cells]``.
        gradient: ds/dA gated by the mask, same shape: times M, which is ds/dP.
        cells: M ``[n, cells]`` where it may lie between 0 and 1; None: it is 0 or 1 everywhere.
        inside: M ``[n, cells]`` in any case; relative maps need it.
        cohort: R ``[members, features]`` of the training lesions; None: the model keeps none.
        choices: settings of methods by their names, where they are not the usual ones.
    """

    logits: Tensor
    masked: Tensor
    gradient: Tensor
    cells: Tensor | None = None
    inside: Tensor | None = None
    cohort: Tensor | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def signed(self) -> Tensor:
        """S ``[members, n, cells]``: each cell's share of the logit; what it leaves is the rest, s - sum(S)."""
        return self.shares_of(self.masked)

    def shares_of(self, masked: Tensor) -> Tensor:
        """Sum over k of gradient times features that are gated by the mask as A is, ``[members, n, cells]``."""
        # einsum would turn this into many tiny matrix products, seven times slower.
        found = (self.gradient * masked).sum(dim=2)  # paper Eq. 5 before its ReLU (method.md 2.2)
        # M is in both factors, and belongs there once.
        return found if self.cells is None else found / self.cells.where(self.cells > 0, 1)

    @cached_property
    def weights(self) -> Tensor:
        """Grad-CAM's w_k ``[members, n, features]``, averaged over all cells (Z = 256)."""
        return self.gradient.mean(dim=3)  # paper Eq. 2 (method.md 2.2)

    @cached_property
    def signed_gradcam(self) -> Tensor:
        """Grad-CAM before its ReLU ``[members, n, cells]``."""
        return _weighted(self.weights, self.masked)

    @cached_property
    def totals(self) -> Tensor:
        """sum A_k over the cells ``[members, n, features]``."""
        return self.masked.sum(dim=3)

    def beyond_reference(self, method: str) -> Tensor:
        """A - R M of a relative method as its choices say, in the shape of A (method.md 2.7)."""
        wanted: RelativeSettings = self.choices.get(method, USUAL)
        return self._beyond_cohort if wanted.used(self.cohort is not None) == COHORT else self._beyond_own_mean

    @cached_property
    def _beyond_cohort(self) -> Tensor:
        assert self.cohort is not None  # refused before
        return self._beyond(self.cohort[:, None])

    @cached_property
    def _beyond_own_mean(self) -> Tensor:
        assert self.inside is not None  # whoever asks for relative maps gives it
        count = self.inside.sum(dim=1, keepdim=True)
        return self._beyond(self.totals / count.where(count > 0, count.new_ones(())))  # nothing inside: 0

    def _beyond(self, reference: Tensor) -> Tensor:
        """Subtracted first, so that a lesion like its reference has exactly nothing; R ``[members, n or 1, K]``."""
        assert self.inside is not None
        return self.masked - reference.unsqueeze(3) * self.inside.unsqueeze(1)


def _weighted(weights: Tensor, masked: Tensor) -> Tensor:
    """Sum over k of w_k A_k ``[members, n, cells]``."""
    return weights.unsqueeze(2).matmul(masked).squeeze(2)  # paper Eq. 1 before its ReLU


def _probability_slope(logits: Tensor) -> Tensor:
    """sigma'(s) without cancellation, ``[members, n, 1]``."""
    return (logits.sigmoid() * (-logits).sigmoid()).unsqueeze(2)


def _both_signs(signed: Tensor) -> dict[str, Tensor]:
    return {NON_RESPONSE: (-signed).relu_(), RESPONSE: signed.relu()}


def _pixelwise(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(evidence.signed)


def _gradcam(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(evidence.signed_gradcam)


def _pixelwise_relative(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(evidence.shares_of(evidence.beyond_reference("pixelwise-relative")))  # method.md 2.7


def _gradcam_relative(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(_weighted(evidence.weights, evidence.beyond_reference("gradcam-relative")))  # method.md 2.7


def _pixelwise_probability(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(_probability_slope(evidence.logits) * evidence.signed)


def _gradcam_probability(evidence: Evidence) -> dict[str, Tensor]:
    return _both_signs(_probability_slope(evidence.logits) * evidence.signed_gradcam)


def _gradcam_plus_plus(evidence: Evidence) -> dict[str, Tensor]:
    g, total = evidence.gradient, evidence.totals.unsqueeze(3)
    # |g| serves both classes: where +-g passes the ReLU it is |g|.
    quotient = g / g.abs().mul_(total).add_(2)  # alpha g: paper Eq. 4 of exp(s), inside Eq. 3 (method.md 2.3)
    weights = {NON_RESPONSE: -quotient.clamp(max=0).sum(dim=3), RESPONSE: quotient.clamp_(min=0).sum(dim=3)}
    return {name: _weighted(w, evidence.masked).relu_() for name, w in weights.items()}


def _gradcam_plus_plus_sigmoid(evidence: Evidence) -> dict[str, Tensor]:
    """alpha = 1 / (2 + r sum(A) g), r = (1 - 3 q^2) / (2 q), q = tanh(s / 2); 0 where undefined."""
    q = (evidence.logits / 2).tanh()[..., None, None]
    # Multiplying by 2q keeps q = 0 (p = 1/2, alpha = 0) out of the quotient.
    total = evidence.totals.unsqueeze(3)
    below = 4 * q + (1 - 3 * q * q) * total * evidence.gradient
    alpha = (2 * q / below).where((below != 0) & (evidence.gradient != 0), below.new_zeros(()))  # paper Eq. 4
    maps = {}
    for name, sign in SIGNS.items():
        weights = (alpha * (sign * evidence.gradient).relu()).sum(dim=3)  # paper Eq. 3
        maps[name] = (_probability_slope(evidence.logits) * _weighted(weights, evidence.masked)).relu()
    return maps


SIGNED = "pixelwise-signed"
LOGIT_SHARE = "contribution to the logit"

_RELATIVE: dict[str, Any] = {"choices": RelativeSettings, "section": SECTION, "made": in_words}

METHODS = (
    MapMethod(
        name="pixelwise",
        title="Pixel-wise CAM",
        unit=LOGIT_SHARE,
        equation="ReLU(sum_k A_ij^k ds/dA_ij^k)",
        about="Each cell's feature values times their gradients: the share of the logit that the cell "
        "carries. What no cell carries is the rest.",
        compute=_pixelwise,
        saved_name="PIXELWISE",
    ),
    MapMethod(
        name="gradcam",
        title="Grad-CAM",
        unit="Grad-CAM weight, logit scale",
        equation="ReLU(sum_k w_k A^k), w_k = mean_ij(ds/dA_ij^k)",
        about="The feature maps added up, each weighted by the mean of its gradient over the whole patch. "
        "One weight a map: it tells less about where than the pixel-wise map does.",
        compute=_gradcam,
        saved_name="GRADCAM",
    ),
    MapMethod(
        name="gradcam++",
        title="Grad-CAM++",
        unit="Grad-CAM++ weight, no unit",
        equation="ReLU(sum_k w_k A^k), w_k = sum_ij alpha_ij^k ReLU(ds/dA_ij^k)",
        about="Like Grad-CAM, with weights that count only gradients of the shown class's sign and are "
        "bounded (for the exponential of the score). Values have no unit.",
        compute=_gradcam_plus_plus,
        saved_name="GRADCAMPP",
    ),
    MapMethod(
        name="pixelwise-relative",
        title="Pixel-wise CAM, relative",
        unit=LOGIT_SHARE,
        equation="ReLU(sum_k (A_ij^k - R^k) ds/dA_ij^k)",
        about="The pixel-wise map of the features less those of a reference: the mean of the training lesions, or of "
        "the lesion itself. What a lesion lacks is shown, too; what no cell carries is, but for kinks of the network, "
        "the logit of a lesion that looks like the reference everywhere.",
        compute=_pixelwise_relative,
        saved_name="PIXELWISE_RELATIVE",
        lesson="What the lesion has more or less of than usual; a missing part can be lit, too",
        **_RELATIVE,
    ),
    MapMethod(
        name="gradcam-relative",
        title="Grad-CAM, relative",
        unit="Grad-CAM weight, logit scale",
        equation="ReLU(sum_k w_k (A^k - R^k)), w_k = mean_ij(ds/dA_ij^k)",
        about="Grad-CAM of the features less those of a reference: the mean of the training lesions, or of the lesion "
        "itself. What a lesion lacks is shown, too.",
        compute=_gradcam_relative,
        saved_name="GRADCAM_RELATIVE",
        lesson="Grad-CAM of what the lesion has more or less of than usual",
        **_RELATIVE,
    ),
    MapMethod(
        name="gradcam++-sigmoid",
        title="Grad-CAM++ (eq. 4 on the sigmoid)",
        unit="no unit",
        equation="eq. 4 to the letter, on the probability",
        about="Grad-CAM++ to the letter of its equation, on the probability; often empty for the predicted class.",
        compute=_gradcam_plus_plus_sigmoid,
        always=False,
        offered=False,
    ),
    MapMethod(
        name="pixelwise-probability",
        title="Pixel-wise CAM of the probability",
        unit="no unit",
        equation="pixel-wise, times sigma'(s)",
        about="The pixel-wise map of the probability instead of the logit.",
        compute=_pixelwise_probability,
        always=False,
        offered=False,
    ),
    MapMethod(
        name="gradcam-probability",
        title="Grad-CAM of the probability",
        unit="no unit",
        equation="Grad-CAM, times sigma'(s)",
        about="Grad-CAM of the probability instead of the logit.",
        compute=_gradcam_probability,
        always=False,
        offered=False,
    ),
    MapMethod(
        name=SIGNED,
        title="Pixel-wise CAM, signed",
        unit=LOGIT_SHARE,
        equation="sum_k A_ij^k ds/dA_ij^k: positive for response, negative for non-response",
        about="The pixel-wise map with both signs: positive where the lesion speaks for response, negative "
        "where it speaks for non-response.",
        compute=lambda evidence: {"": evidence.signed},
        signed=True,
        saved_name="SIGNED",
    ),
)
"""In the order in which they are offered; new ones need nothing but an entry here."""


def class_maps(evidence: Evidence, method: str) -> dict[str, Tensor]:
    """Maps of one method by class, each ``[members, n, cells]``, not negative unless the method is signed."""
    return next(each for each in METHODS if each.name == method).compute(evidence)
