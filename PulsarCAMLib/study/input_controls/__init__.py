"""Where a network's answer comes from: models that see less, on its splits, and what follows if they do as well."""
