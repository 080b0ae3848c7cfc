"""Dose painting from heat maps: what would be prescribed where, how sure that is, and how a dose fits it. Research."""
