"""From an MRI and a lesion to patches, and the way back: settings, lattice, sections of a lesion, intensities, GTV."""
