"""Spatial registrations (REG): the rigid matrix from one frame of reference to another.

Source: DICOM PS3.3 C.20.2. Every item takes coordinates of its own frame to those of the registered one, which is the
object's; so the way from one item's frame to another's leads through that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.visible import visible
from ..headers.limits import FARTHEST_MM, damaged
from ..plain_files import plain_file
from .files import quiet, text_of

DEFORMABLE = "1.2.840.10008.5.1.4.1.1.66.3"

RIGID_TOLERANCE = 1e-3
"""Largest difference of the matrix's columns from perpendicular unit vectors that is taken for rounding."""


def read_registration(path: str | Path, source: str, target: str) -> np.ndarray | None:
    """The 4x4 matrix that takes LPS millimetres of one frame of reference to those of another.

    Args:
        path: of the REG object.
        source, target: UIDs of the frames.

    Returns:
        None where the object does not bring these two together.

    Raises:
        InputError: damaged, deformable, or with a matrix that scales, shears or mirrors.
    """
    import pydicom

    path = plain_file(path)
    name = f"The registration {visible(path.name)}"
    try:
        with quiet():
            data = pydicom.dcmread(path, force=True)
            if text_of(data, "SOPClassUID") == DEFORMABLE:
                raise InputError(
                    f"{name} is deformable, and is not applied: contours would no longer be those that were drawn; "
                    "bring them to the MRI in 3D Slicer."
                )
            found = _matrices(data)
    except InputError:
        raise
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(name, "its elements cannot be read") from error
    if source not in found or target not in found:
        return None
    for matrix in (found[source], found[target]):
        _refuse_other(matrix, name)
    return np.linalg.inv(found[target]) @ found[source]


def _matrices(data: Any) -> dict[str, np.ndarray]:
    """Frame of reference to the matrix that leads to the registered one."""
    found = {text_of(data, "FrameOfReferenceUID"): np.eye(4)}
    for item in data.RegistrationSequence:
        whole = np.eye(4)
        for each in item.get("MatrixRegistrationSequence") or ():
            for part in each.MatrixSequence:  # applied one after the other
                values = np.array([float(v) for v in part.FrameOfReferenceTransformationMatrix])
                whole = values.reshape(4, 4) @ whole
        if uid := text_of(item, "FrameOfReferenceUID"):
            found[uid] = whole
    return found


def _refuse_other(matrix: np.ndarray, name: str) -> None:
    turn = matrix[:3, :3]
    if not np.isfinite(matrix).all() or np.abs(matrix[:3, 3]).max() > FARTHEST_MM:
        raise damaged(name, "its matrix holds no numbers of millimetres")
    off = float(np.abs(turn.T @ turn - np.eye(3)).max())
    if off > RIGID_TOLERANCE or np.linalg.det(turn) < 0 or np.abs(matrix[3] - [0, 0, 0, 1]).max() > RIGID_TOLERANCE:
        raise InputError(
            f"{name} is not rigid (it scales, shears or mirrors), and is not applied; bring the contours to the MRI in "
            "3D Slicer."
        )
