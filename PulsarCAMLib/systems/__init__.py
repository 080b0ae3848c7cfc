"""Systems: published ways of answering, each in a folder of its own, and the bundles that their models are kept in.

Importing this package does not import torch.
"""

from .bundle import ModelBundle, find_bundle, installed_bundles, load_bundle, save_bundle
from .card import ModelCard

__all__ = ["ModelBundle", "ModelCard", "find_bundle", "installed_bundles", "load_bundle", "save_bundle"]
