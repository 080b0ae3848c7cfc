"""What groups of features are called: by the user, and in the names of their columns."""

from __future__ import annotations

GROUPS = {"radiomics": "radiomics", "gradients": "gradient", "dose": "dose", "clinical": "clinical"}
"""As typed, to how the names of its features begin."""
