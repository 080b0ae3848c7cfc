"""Recurrence or radiation-induced contrast enhancement after radiotherapy of glioblastoma (arXiv 2603.11827)."""
