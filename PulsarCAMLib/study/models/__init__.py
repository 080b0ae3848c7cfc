"""What takes part in a study: the network on its samples, models on features, and what both have to beat."""
