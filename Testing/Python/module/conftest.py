"""The open panel, with a model that is small."""

from __future__ import annotations

import pytest


@pytest.fixture
def panel(a_desktop, a_model):
    return a_desktop.open_panel()


@pytest.fixture(autouse=True)
def _quick(two_ways):
    """See :func:`two_ways`."""
