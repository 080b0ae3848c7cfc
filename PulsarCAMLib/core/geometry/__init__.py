"""Where things are: a volume's grid in millimetres, a slice's place, and from a network's cells to its samples."""
