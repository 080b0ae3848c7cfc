"""MRML nodes to arrays and back: the only sub-package that imports Slicer.

Import its modules by name (``PulsarCAMLib.scene.inputs``); this file imports nothing, so that PulsarCAMLib can be
imported without Slicer.
"""
