"""``pulsarcam train``."""
