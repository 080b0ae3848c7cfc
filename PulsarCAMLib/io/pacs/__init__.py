"""A PACS: studies are found, fetched and sent, by DICOM's own protocol (:mod:`.dimse`) or DICOMweb (:mod:`.web`)."""
