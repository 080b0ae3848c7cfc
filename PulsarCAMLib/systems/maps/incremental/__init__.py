"""Exact answers of a network to many small changes of one image, computing anew only what each of them changes."""
