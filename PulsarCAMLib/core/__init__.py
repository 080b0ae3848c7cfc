"""What every room stands on: errors, geometry, the vocabulary, settings; nothing here needs torch."""
