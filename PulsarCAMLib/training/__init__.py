"""Training: the paper's loss, rotated copies, one engine that can be stopped anywhere, and bundles made of its models.

From below: ``settings`` (every choice), ``augmentation`` (samples), ``losses`` and ``passes`` (one batch), ``engine``
(epochs), ``trial`` (one training in a folder, finished once), ``members`` (an ensemble of trials), ``card`` (its model
card). Importing this package does not import torch; most of its modules do.
"""
