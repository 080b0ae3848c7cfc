"""Models: the autoencoder-classifier, ensembles of it, and the bundles they are kept in.

Importing this package does not import torch; :class:`~.autoencoder.AutoencoderClassifier` and
:class:`~.ensemble.Ensemble` live in modules of their own that do.
"""

from .architecture import Architecture
from .bundle import ModelBundle, find_bundle, installed_bundles, load_bundle, save_bundle
from .card import ModelCard

__all__ = [
    "Architecture",
    "ModelBundle",
    "ModelCard",
    "find_bundle",
    "installed_bundles",
    "load_bundle",
    "save_bundle",
]
