"""Training of any system's network: one engine that can be stopped anywhere, and bundles made of what it trained.

From below: ``cohort_cases`` (units of a table), ``samples`` (arrays in memory), ``engine`` (epochs, by the system's own
learner), ``trial`` (one training in a folder, finished once), ``members`` (an ensemble of trials), ``card`` (its model
card). Importing this package does not import torch; most of its modules do.
"""
