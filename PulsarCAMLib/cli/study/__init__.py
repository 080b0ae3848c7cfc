"""``pulsarcam study`` and ``pulsarcam evaluate``."""
