"""Files outside of 3D Slicer: images and masks in, maps and tables out. SimpleITK is imported when it is needed."""

from .folder import ResultFolder
from .names import file_name_of
from .segmentations import read_lesions
from .volumes import read_volume
from .writing import write_map, write_segmentation, write_table

__all__ = [
    "ResultFolder",
    "file_name_of",
    "read_lesions",
    "read_volume",
    "write_map",
    "write_segmentation",
    "write_table",
]
