"""What the autoencoder-classifier may answer from: names and words here, arrays in :mod:`.controlled`."""

from __future__ import annotations

from ...core.input_control import OF_SAMPLE, VOLUME, InputControl, LeaveOut

MASK_ONLY, OUTSIDE_ONLY, INSIDE_ONLY, SHUFFLED = "mask-only", "outside-only", "inside-only", "shuffled-inside"
MEAN_ONLY, VOLUME_ONLY = "mean-only", "volume-only"

CONTROLS = (
    InputControl(
        MASK_ONLY, "mask only", "The image is the mask, 1 inside the contour and 0 outside: shape and size, no MRI.",
        "the network need not look at the MRI at all, and its heat maps mean nothing",
    ),
    InputControl(
        OUTSIDE_ONLY, "outside only", "The inside of the contour is 0, and the rest is normalised without it.",
        "the network need not look at the lesion, and a map inside the contour need not show why (one that is given "
        "nothing from outside can be trained: see the page on training, inputs that cannot leak)",
    ),
    InputControl(
        INSIDE_ONLY, "inside only", "Outside the contour is 0, and the rest is normalised without it.",
        "the network does not need what surrounds the lesion",
    ),
    InputControl(
        SHUFFLED, "shuffled inside", "The pixels inside the contour change places: intensities without structure.",
        "the network does not need structure in the lesion, and where in it a map lies means little",
    ),
    InputControl(
        MEAN_ONLY, "mean intensity only", "Logistic regression on the mean normalised intensity inside the contour.",
        "the network need not know more than how bright the lesion is, and where in it a map lies means little",
        OF_SAMPLE,
    ),
    InputControl(
        VOLUME_ONLY, "volume only", "Logistic regression on the lesion's volume alone.",
        "the network need not know more than how large the lesion is, and its heat maps mean nothing", VOLUME,
    ),
)  # fmt: skip
"""Beside the network, on its splits."""

OUTSIDE, STRUCTURE = "outside", "shuffled"

LEAVE_OUTS = (
    LeaveOut(
        OUTSIDE, "tissue outside the contour replaced", "Outside replaced", 0.5, 0.5, True,
        "Tissue outside the contour has a say in the answers for {names}: by so much the logit moves when it is "
        "replaced; a map inside the contour cannot show it.",
        "Change of the logit when every pixel outside the contour takes the value of the nearest one inside; the scale "
        "of intensities stays. In bold: at least half of the logit, and 0.5; tissue outside then decides, too.",
    ),
    LeaveOut(
        STRUCTURE, "pixels inside shuffled", "Inside shuffled", 0.25, 0.0, False,
        "Structure inside the contour has little say in the answers for {names}: by so little the logit moves when "
        "the pixels there are shuffled; where in the lesion a map lies then means little.",
        "Change of the logit when the pixels inside the contour change places by chance. In bold: less than a quarter "
        "of the logit; the answer then needs intensities and no structure, and where a map lies means little.",
    ),
)  # fmt: skip
"""Of every lesion: two more passes of its answering slice."""
