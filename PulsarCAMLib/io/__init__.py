"""Files outside of 3D Slicer, in and out: volumes, DICOM, dose; atomic writing, locking, hashes, progress of a run.

SimpleITK is imported when it is needed.
"""
