"""What the report's columns, methods and scales mean, in words."""

from __future__ import annotations

from ...core.display import Threshold
from ...core.map_methods import SIGNED
from ...systems.card import ModelCard

METHODS = {
    "pixelwise": "Each cell's feature values times their gradients: the share of the logit that the cell carries. What "
    "no cell carries is the rest.",
    SIGNED: "The pixel-wise map with both signs: positive where the lesion speaks for response, negative where it "
    "speaks for non-response.",
    "gradcam": "The feature maps added up, each weighted by the mean of its gradient over the whole patch. One weight "
    "a map: it tells less about where than the pixel-wise map does.",
    "gradcam++": "Like Grad-CAM, with weights that count only gradients of the shown class's sign and are bounded (for "
    "the exponential of the score). Values have no unit.",
    "gradcam++-sigmoid": "Grad-CAM++ to the letter of its equation, on the probability; often empty for the predicted "
    "class.",
    "pixelwise-probability": "The pixel-wise map of the probability instead of the logit.",
    "gradcam-probability": "Grad-CAM of the probability instead of the logit.",
}


def definitions_of(card: ModelCard, method: str, threshold: Threshold, margin_mm: float) -> list[tuple[str, str]]:
    """Term and meaning of everything that the report shows."""
    response = card.fields["response"].get("definition")
    spread = (
        f"Standard deviation of the probability over the {card.members} members of the ensemble. It tells how much "
    )
    section = "middle" if card.preprocessing.answering_slice == "middle" else "largest"
    return [
        ("Response", _capital(str(response or "the lesion shrinks by the model's definition"))),
        (
            "Probability of response",
            f"The model's answer on the lesion's {section} section, averaged over the ensemble. Lesions are sorted by "
            "it: the one least likely to shrink comes first. It is a model's output, not a clinical probability.",
        ),
        ("± spread", spread + "the members disagree, not how often they are wrong."),
        (
            "Predicted class",
            f"Response from a probability of {card.decision_threshold:g} on (the tick in the bar), else non-response.",
        ),
        ("Volume", "Number of voxels of the contour (GTV) on the MRI's grid, times the volume of a voxel."),
        (
            "Activated volume",
            f"Part of the lesion whose map is {threshold}, and its percentage of the lesion.",
        ),
        (
            "Core, margin",
            f"Activated volume deeper than {margin_mm:g} mm under the surface of the contour, and within that shell.",
        ),
        (
            "Logit",
            "The score before it becomes a probability; above 0 speaks for response. Below it, what the pixel-wise map "
            "places in the lesion, and the rest, which no place in the lesion carries. The map shows the first only.",
        ),
        ("Centre", "Centre of mass of the contour; R, A, S millimetres as 3D Slicer shows them."),
        ("This map", METHODS.get(method, "")),
        (
            "Heat maps in general",
            "A map shows what moved this model's answer. It does not show biology, and a colourful map does not make "
            "the answer right.",
        ),
    ]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:].rstrip(".") + "."
