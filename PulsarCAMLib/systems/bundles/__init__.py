"""Model bundles on disk: card, weights, whether one is what it says, installing, and what its answers are worth."""
