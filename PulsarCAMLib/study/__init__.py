"""A study: models judged on a cohort under stated protocols, each beside its control with permuted labels.

From below: ``lesions`` (who takes part, without names), ``splits`` (protocols), ``models`` (models that take part),
``inner`` (choices inside the training lesions), ``jobs`` (many trainings over processes and machines), ``run`` (a study
in a folder), ``summary`` (its figures). Importing this package does not import torch.
"""
