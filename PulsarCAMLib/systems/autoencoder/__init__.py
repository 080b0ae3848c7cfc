"""The autoencoder-classifier on lesion slices of Peng, Jiang and Timmerman (2025): everything that only it knows.

From below: ``task`` and ``controls`` (what is asked), ``samples`` (patches and their way back), ``model`` (network and
ensemble), ``maps`` (closed forms), ``learning`` (losses and passes), ``system`` (all of it behind the contract).
Importing this package does not import torch.
"""
