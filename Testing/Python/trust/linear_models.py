"""Hand-made models whose exact map is known."""

import numpy as np
import torch

from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

ARCHITECTURE = Architecture(filters=1, features=1, dense_units=1, dense_activation="linear")


def linear_member(weights, bias=0.0, sees=1.0, floor=0.0):
    """Logit = sum over cells of weight times the cell's brightest pixel; cells outside the GTV count nothing.

    ``sees`` scales the image, ``floor`` is added to every feature: with sees 0 the model ignores the image.
    """
    member = AutoencoderClassifier(ARCHITECTURE)
    with torch.no_grad():
        for each in (member.encode_1, member.encode_2):
            each.weight.zero_()
            each.weight[0, 0, 1, 1] = 1
            each.bias.zero_()
        member.encode_2.weight *= sees
        member.encode_2.bias += floor
        member.dense.weight.copy_(torch.as_tensor(np.asarray(weights, np.float32)).reshape(1, -1))
        member.dense.bias.zero_()
        member.norm.running_var.fill_(1 - member.norm.eps)
        member.logit.weight.fill_(1)
        member.logit.bias.fill_(bias)
    return member.eval()


def linear_ensemble(*weights, **options):
    return Ensemble([linear_member(each, **options) for each in weights])


def exact_map(image, inside, weights):
    """The signed map of such a model on pixels ``[64, 64]``; the sum over pixels is 16 logits."""
    cells = np.where(inside, image, 0).reshape(16, 4, 16, 4).max(axis=(1, 3)) * weights
    return np.kron(cells, np.ones((4, 4)))
