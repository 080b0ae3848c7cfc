"""A study: models judged on a cohort under stated protocols, each beside its control with permuted labels.

A study runs as prepare -> plan -> run, each stage a value: ``prepare`` (a folder before its first training),
``plan`` (every trial and control), ``run``; then ``figures`` (its summary, and what the figures say).

Below them: ``splits`` (protocols), ``models`` (what takes part, and choices inside the training lesions), ``jobs``
(many trainings over processes and machines), ``records`` (of one). Importing this package does not import torch.
"""
