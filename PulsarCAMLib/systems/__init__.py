"""Systems: published ways of answering, each in a folder of its own, and the bundles that their models are kept in.

From below: ``contract`` (what a system is), ``samples``, ``answers``, ``maps`` and ``learning`` (its parts, and
defaults for networks in general), ``registry`` (which there are), ``bundles`` (models on disk). ``autoencoder``,
``rano`` and ``ricenet`` are systems, ``volumes`` the base of the last two. Importing this package imports no torch.
"""

from .bundles.bundle import ModelBundle, find_bundle, installed_bundles, load_bundle, save_bundle
from .bundles.card import ModelCard

__all__ = ["ModelBundle", "ModelCard", "find_bundle", "installed_bundles", "load_bundle", "save_bundle"]
