"""What runs only in Slicer's desktop: installing packages, sample data.

Its modules import ``slicer`` inside functions, so that they can be imported anywhere.
"""
