"""A folder of many DICOM patients as a cohort table: which series is which visit, and its voxels without names."""
