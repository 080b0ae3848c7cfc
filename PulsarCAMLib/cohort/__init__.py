"""Cohorts: patients, lesions and their response; from a table, or synthetic with a truth known voxel by voxel."""

from .checks import check_cohort
from .findings import Finding, errors_in
from .importers.openbtai import import_openbtai
from .labels.cohort_labels import label_cohort
from .labels.lesion_label import LesionLabel
from .labels.response import responds
from .synthetic.patients import (
    SyntheticLesion,
    SyntheticPatient,
    SyntheticScan,
    generate_cohort,
    generate_patient,
    response_from_volumes,
)
from .synthetic.settings import DIFFICULTIES, CohortSettings, Factors
from .synthetic.store import write_cohort
from .tables.table import CohortRow, CohortTable, numbered, patient_numbers, read_cohort, save_cohort_table

__all__ = [
    "DIFFICULTIES",
    "CohortRow",
    "CohortSettings",
    "CohortTable",
    "Factors",
    "Finding",
    "LesionLabel",
    "SyntheticLesion",
    "SyntheticPatient",
    "SyntheticScan",
    "check_cohort",
    "errors_in",
    "generate_cohort",
    "generate_patient",
    "import_openbtai",
    "label_cohort",
    "numbered",
    "patient_numbers",
    "read_cohort",
    "responds",
    "response_from_volumes",
    "save_cohort_table",
    "write_cohort",
]
