"""Dose painting for scripts; research use only, not a plan."""
