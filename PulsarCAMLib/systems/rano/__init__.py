"""RANO response of glioblastoma from two consecutive MRIs: criteria, measurements, and the 3D network that learns them.

From below: ``criteria`` (the published rules on numbers), ``measurements`` (numbers from masks), ``labels`` (rules on
the visits of a cohort table), ``task``, ``synthetic`` (a cohort with known truth), ``system``. Importing this package
imports neither torch nor MONAI.
"""
