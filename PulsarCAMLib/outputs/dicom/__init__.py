"""What goes back to planning system and archive: DICOM objects of a result, for the patient that it belongs to."""
