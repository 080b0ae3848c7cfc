"""Options that several commands share: places, numbers, and those made of the fields of settings."""
