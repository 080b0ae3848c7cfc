"""Training of any system's network: one engine that can be stopped anywhere, and bundles made of what it trained.

From below: ``units`` (of a table, as arrays in memory), ``engine`` (epochs, by the system's own learner), ``trial``
(one training in a folder, finished once), ``members`` (an ensemble of trials), ``bundles`` (probabilities and the
model's card). Importing this package does not import torch; most of its modules do.
"""
