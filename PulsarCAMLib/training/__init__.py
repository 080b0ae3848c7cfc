"""Training: the paper's loss, rotated copies, one loop, and the command that builds the shipped bundle.

Importing this package does not import torch; its modules ``losses``, ``loop`` and ``build_demo`` do.
"""
