"""What the checks of maps ask of every system, and answers that hold for networks in general."""
