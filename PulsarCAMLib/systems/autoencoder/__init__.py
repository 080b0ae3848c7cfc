"""The autoencoder-classifier on lesion slices of Peng, Jiang and Timmerman (2025): everything that only it knows.

From below: ``preprocessing`` and ``patches`` (samples and their way back), ``network`` and ``ensemble``, ``maps`` and
``compute`` (closed forms), ``losses`` and ``passes`` (training). Importing this package does not import torch.
"""
