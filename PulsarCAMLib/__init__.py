"""PulsarCAM's library: everything that is not 3D Slicer's panel itself.

Plain arrays in, plain arrays out. Importing this package imports neither torch nor Slicer. Its folders are rooms, one
noun of the flow each; a room imports only from rooms before it (``[tool.importlinter]`` in pyproject.toml)::

    core -> io -> lesions -> systems -> explanation -> cohort -> evaluation -> training -> features -> agreement
         -> dose -> painting -> trust -> study -> outputs -> scene -> cli -> desktop
"""

__version__ = "0.1.0"
