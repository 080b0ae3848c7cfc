"""What Slicer's Python really offers, and a checker that holds the panel, the library and the stand-in to it."""
