"""Feature models: scikit-learn pipelines on a table of features, fitted on training lesions and nothing else."""
