"""What makes a model of what was trained: calibrated probabilities, its card, and what a bundle may be given later."""
