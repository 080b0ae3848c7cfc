"""Class activation maps in closed form, relative ones, one slice opened up, and what the checks of maps are told."""
