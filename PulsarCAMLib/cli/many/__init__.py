"""``pulsarcam explain`` for many patients: of a cohort table, or of a folder of DICOM files."""
