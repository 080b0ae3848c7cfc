"""Cohort tables as files: CSV and XLSX cell by cell, the columns' vocabulary, and rows of typed values."""
