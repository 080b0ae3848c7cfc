"""MRML nodes to arrays and back: the only room beside the desktop that imports Slicer.

Import its modules by name (``PulsarCAMLib.scene.run``); this file imports nothing, so that PulsarCAMLib can be
imported without Slicer. The whole flow on nodes is :mod:`.run`; it reads with ``reading``, writes with ``writing``;
``showing`` is how it looks, ``headless`` a scene without the desktop.
"""
