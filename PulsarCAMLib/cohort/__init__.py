"""Cohorts: patients, lesions and their response; here the synthetic ones, whose truth is known voxel by voxel."""

from .settings import DIFFICULTIES, CohortSettings, Factors
from .store import write_cohort
from .synthetic import (
    SyntheticLesion,
    SyntheticPatient,
    SyntheticScan,
    generate_cohort,
    generate_patient,
    response_from_volumes,
)

__all__ = [
    "DIFFICULTIES",
    "CohortSettings",
    "Factors",
    "SyntheticLesion",
    "SyntheticPatient",
    "SyntheticScan",
    "generate_cohort",
    "generate_patient",
    "response_from_volumes",
    "write_cohort",
]
