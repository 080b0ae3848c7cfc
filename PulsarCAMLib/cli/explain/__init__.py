"""``pulsarcam explain``: the command, the files it takes, and what it adds where it is asked to."""
