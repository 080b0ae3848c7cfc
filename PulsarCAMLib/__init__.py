"""PulsarCAM's library: everything that is not 3D Slicer.

Plain arrays in, plain arrays out. Importing this package imports neither torch nor Slicer; each sub-package
is one noun of the flow: lesions -> models -> explanation -> scene.
"""

__version__ = "0.1.0"
