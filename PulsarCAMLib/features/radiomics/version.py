"""Which version of the library computes the radiomics features here."""

from __future__ import annotations

import importlib.metadata


def library_version() -> str:
    """Version of mirp; "" when it is not installed."""
    try:
        return importlib.metadata.version("mirp")
    except importlib.metadata.PackageNotFoundError:
        return ""
