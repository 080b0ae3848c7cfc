"""The panel's section “Train on a cohort”: a model trained in a process of its own."""
