"""Where slices of an image lie in the scene, as its slice views show it."""

from __future__ import annotations

import numpy as np
import vtk

from ...core.geometry.slice_place import SlicePlace, place_of_slice
from .segments import to_world


def place_in_scene(volume_node, number: int, ras) -> SlicePlace:
    """Number and position of a slice, below no transform.

    Args:
        volume_node: the image.
        number: of the slice, counted from 1.
        ras: a point of the slice in the image's own RAS millimetres.
    """
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    normal = [matrix.GetElement(row, 2) for row in range(3)]
    place = np.array(to_world(volume_node, ras))
    onward = np.array(to_world(volume_node, np.add(ras, normal)))
    image = volume_node.GetImageData()
    return place_of_slice(number, image.GetDimensions()[2] if image is not None else 0, onward - place, place)
