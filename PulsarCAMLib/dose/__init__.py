"""What lesions and their activated parts get of a planned dose: courses, solids, histograms, isodoses, the contrast."""
