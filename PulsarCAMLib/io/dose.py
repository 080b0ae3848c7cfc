"""Planned dose in Gy: a DICOM RTDOSE object, or a volume.

RTDOSE is read through pydicom: SimpleITK gives its stored integers without Dose Grid Scaling, and no word about units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.visible import shortened, visible
from .apart import apart
from .dicom import UNEVEN_MM, modality
from .dicom.files import quiet
from .dicom.own import RESULT, own_kind
from .headers import is_made_here
from .headers.limits import check_axes, check_origin, check_spacing
from .plain_files import is_file, plain_file
from .volumes import SMALL_VOXELS, read_volume, roughness, seen, why_mask

HIGHEST_GY = 1000.0
"""No plan gives more; such a volume is in cGy, or its scaling was lost."""

HIGHEST_USUAL_GY = 200.0
"""Beyond, a dose is believed only if it is as smooth as doses are."""

ROUGH = 0.75
"""Of :func:`.volumes.roughness`: planned doses have about 0.55, images of any kind more than this."""

ROUNDED = 1e-6
"""Values below zero by this share of the highest one were rounded on their way; they are zero."""

MOST_LABELS = 10.0
"""Few different values up to this are a mask's; plans of few values have more Gy."""

LONGEST = 20
"""Letters of a damaged word of a header that a sentence repeats; the words of the standard are shorter."""

WHOLE_PLAN = ("PLAN", "MULTI_PLAN", "PLAN_OVERVIEW", "FRACTION", "RECORD", "")
"""Dose Summation Types that hold what the patient gets; the others are single beams, shots or sessions."""


MOST_BESIDE = 500
"""Files beside a dose among which its plan is looked for."""


@dataclass(frozen=True, eq=False)
class DoseFile:
    """A planned dose, and what its file says about it.

    Attributes:
        dose: in Gy, float32 ``[k, j, i]``.
        geometry: its place.
        frame: UID of its frame of reference; empty: not known.
        fractions: that its plan (RTPLAN), which lies beside it, has for it; None: not known.
    """

    dose: np.ndarray
    geometry: VolumeGeometry
    frame: str = ""
    fractions: int | None = None


def read_dose_file(path: str | Path) -> DoseFile:
    """A planned dose with its frame of reference and number of fractions.

    Raises:
        InputError, GeometryError: as :func:`read_dose`, or it is what PulsarCAM painted.
    """
    refuse_painted(path)
    dose, geometry = read_dose(path)
    file = _one_file(plain_file(path, folder=True))
    if not is_file(file) or modality(file) != "RTDOSE":
        return DoseFile(dose, geometry)
    import pydicom

    with quiet():
        data = pydicom.dcmread(file, stop_before_pixels=True)
    beside = sorted(file.parent.iterdir())[:MOST_BESIDE] if _plans_of(data) else ()
    return DoseFile(dose, geometry, str(data.get("FrameOfReferenceUID", "") or ""), _fractions_of(data, beside))


def planned_fractions(file: Path, file_of: Callable[[str], str]) -> int | None:
    """Fractions that an RTDOSE's plan has for it; None where that is not known.

    Args:
        file: the RTDOSE.
        file_of: path of an instance by its SOP instance UID, empty where it is not known.
    """
    import pydicom

    if not is_file(file) or modality(file) != "RTDOSE":
        return None
    try:
        with quiet():
            data = pydicom.dcmread(file, stop_before_pixels=True)
    except Exception:  # pydicom raises many kinds; a damaged dose is told where it is read
        return None
    return _fractions_of(data, [Path(path) for path in map(file_of, sorted(_plans_of(data))) if path])


def _plans_of(dose: Any) -> set[str]:
    """SOP instance UIDs of the plans that a dose is of."""
    return {str(each.get("ReferencedSOPInstanceUID", "")) for each in dose.get("ReferencedRTPlanSequence") or ()}


def _fractions_of(dose: Any, places: Iterable[Path]) -> int | None:
    """Fractions planned (DICOM PS3.3 C.8.8.13) of the fraction group that a dose is of.

    None where no plan lies in these places, or the plan has several groups and the dose names none of them.
    """
    import pydicom

    plans = _plans_of(dose)
    for path in places:
        if not is_file(path) or modality(path) != "RTPLAN":
            continue
        try:
            with quiet():
                plan = pydicom.dcmread(path, stop_before_pixels=True)
                groups = list(plan.get("FractionGroupSequence") or ())
                named = {
                    int(group.ReferencedFractionGroupNumber)
                    for each in dose.get("ReferencedRTPlanSequence") or ()
                    for group in each.get("ReferencedFractionGroupSequence") or ()
                }
                if str(plan.get("SOPInstanceUID", "")) not in plans:
                    continue
                taken = [each for each in groups if not named or int(each.FractionGroupNumber) in named]
                count = int(taken[0].NumberOfFractionsPlanned) if len(taken) == 1 else 0
        except Exception:  # pydicom raises many kinds; a damaged plan tells no number
            continue
        return count if count > 0 else None
    return None


def refuse_painted(path: str | Path) -> None:
    """Refuse a prescription, its spread, or another map that PulsarCAM wrote: nobody has planned it.

    Raises:
        InputError: it is one, or no file that may be read.
    """
    file = _one_file(plain_file(path, folder=True))
    name, is_own = f"The dose {visible(file.name)}", False
    if modality(file) != "RTDOSE":
        with suppress(OSError):  # said where it is read
            is_own = is_made_here(file, name)
    else:
        import pydicom

        try:
            with quiet():
                is_own = own_kind(pydicom.dcmread(file, stop_before_pixels=True)) == RESULT
        except Exception:  # pydicom raises many kinds; the reader says what is wrong
            return
    if is_own:
        raise InputError(f"{name} was made by PulsarCAM (a painting or a map) and is no planned dose; give the plan's.")


@apart
def read_dose(path: str | Path) -> tuple[np.ndarray, VolumeGeometry]:
    """A planned dose.

    Args:
        path: an RTDOSE file, a folder with exactly one, or a volume in Gy (NRRD, NIfTI, MetaImage).

    Returns:
        Dose in Gy, float32 ``[k, j, i]``, and its place.

    Raises:
        InputError: no dose, relative units, the dose of a single beam, one plane only, or values that cannot be Gy.
        GeometryError: the planes are not evenly spaced, or the axes not perpendicular.
    """
    path = _one_file(plain_file(path, folder=True))
    dose, geometry = _read_rtdose(path) if is_file(path) and modality(path) == "RTDOSE" else _read_plain(path)
    return checked_dose(f"The dose {visible(path.name)}", dose), geometry


def checked_dose(name: str, dose: np.ndarray) -> np.ndarray:
    """A planned dose in Gy, without what rounding has left below zero; refused where voxels cannot be one.

    Args:
        name: of the dose, as in "The dose a.nrrd".
        dose: ``[k, j, i]``; it is not changed.

    Raises:
        InputError: not finite, below zero, zero everywhere, a mask, an image, or more than patients are ever given.
    """
    if not np.isfinite(dose).all():
        raise InputError(f"{name} holds NaN or infinite values; export it again.")
    if dose.min() < -ROUNDED * dose.max():
        raise InputError(
            f"{name} has values below zero, so it is not a planned dose in Gy; was an image named instead?"
        )
    if dose.max() == 0:
        raise InputError(f"{name} is zero everywhere; export it again.")
    if dose.max() <= MOST_LABELS and (told := why_mask(dose, name, "a planned dose")):
        raise InputError(told)
    if dose.max() > HIGHEST_USUAL_GY and is_rough(dose):
        raise InputError(
            f"{name} reaches {dose.max():.0f} and changes from voxel to voxel as an image does, so it is no planned "
            "dose in Gy; was the MRI named instead?"
        )
    if dose.max() > HIGHEST_GY:
        raise InputError(f"{name} reaches {dose.max():.0f} Gy, so it is in cGy or its scaling was lost; give it in Gy.")
    return np.maximum(dose, 0) if dose.min() < 0 else dose


def is_rough(dose: np.ndarray) -> bool:
    """Whether ``[k, j, i]`` changes from voxel to voxel as images do, and no planned dose."""
    if dose.size < SMALL_VOXELS or min(dose.shape) < 3:
        return False
    return max(roughness(seen(dose), axis) for axis in (1, 2)) > ROUGH


def doubts_on_dose(dose: np.ndarray, what: str) -> Iterator[str]:
    """What speaks against a dose and is no proof, in sentences that begin with ``what``."""
    if is_rough(dose):
        yield (
            f"{what} changes from voxel to voxel as an image does, and a planned dose is smoother; was the MRI or "
            "another image named instead?"
        )


def _one_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [each for each in sorted(path.iterdir()) if is_file(each) and modality(each) == "RTDOSE"]
    if len(found) != 1:
        name, count = visible(path.name), len(found) or "no"
        raise InputError(f"The folder {name} holds {count} RTDOSE objects; name the file itself.")
    return found[0]


def _read_plain(path: Path) -> tuple[np.ndarray, VolumeGeometry]:
    volume, geometry = read_volume(path)
    return volume.astype(np.float32), geometry


def _read_rtdose(path: Path) -> tuple[np.ndarray, VolumeGeometry]:
    import pydicom

    name = visible(path.name)
    try:
        with quiet(), np.errstate(all="ignore"):
            data = pydicom.dcmread(path)
            _refuse_other_doses(name, data)
            dose = data.pixel_array * float(data.DoseGridScaling)
            planes, rows, columns = dose.shape
            return dose.astype(np.float32), _place_of(name, data, (planes, rows, columns))
    except InputError:
        raise
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise InputError(f"The RTDOSE {name} is damaged or incomplete; export it again.") from error


def _refuse_other_doses(name: str, data) -> None:
    units, kind = str(data.get("DoseUnits", "")), str(data.get("DoseType", ""))
    part = str(data.get("DoseSummationType", "") or "")
    said = {each: shortened(visible(each), LONGEST) for each in (units, part)}
    if units != "GY":
        raise InputError(
            f"The RTDOSE {name} gives its dose in {said[units] or 'no'} units, not in Gy; export the absolute dose."
        )
    if kind == "ERROR":
        raise InputError(f"The RTDOSE {name} is a difference of doses (Dose Type ERROR); export the planned dose.")
    if part not in WHOLE_PLAN:
        raise InputError(
            f"The RTDOSE {name} holds a part of the dose ({said[part]}), not the plan's; export the plan's dose."
        )
    if int(data.get("NumberOfFrames") or 1) < 2:
        raise InputError(f"The RTDOSE {name} holds a single plane; export the dose of the whole volume.")


def _place_of(name: str, data, shape: tuple[int, int, int]) -> VolumeGeometry:
    """Place of the dose planes, DICOM PS3.3 C.8.8.3.2.

    Offsets that begin with zero run along the normal of the planes; offsets that begin with the z of the first plane
    are z coordinates of the patient.
    """
    offsets = np.asarray(data.GridFrameOffsetVector, dtype=float)
    position = np.asarray(data.ImagePositionPatient, dtype=float)
    along_row, along_column = np.reshape(np.asarray(data.ImageOrientationPatient, dtype=float), (2, 3))
    normal = np.cross(along_row, along_column)
    steps = np.diff(offsets)
    step = float(np.median(steps))
    if len(offsets) != shape[0] or not np.isfinite(offsets).all() or abs(step) < 1e-6:
        raise InputError(f"The RTDOSE {name} does not say where its planes lie; export it again.")
    if np.abs(steps - step).max() > max(UNEVEN_MM, 0.02 * abs(step)):
        raise GeometryError(
            f"The planes of the RTDOSE {name} are not evenly spaced ({np.abs(steps).min():.2f} to "
            f"{np.abs(steps).max():.2f} mm); export it with an even dose grid."
        )
    if abs(offsets[0]) > 1e-6:
        if abs(offsets[0] - position[2]) > UNEVEN_MM or abs(abs(normal[2]) - 1) > 1e-3:
            raise InputError(f"The RTDOSE {name} does not say where its planes lie; export it again.")
        normal = np.array([0.0, 0.0, 1.0])
    row_mm, column_mm = (float(value) for value in data.PixelSpacing)
    axes = np.stack([along_row, along_column, normal * np.sign(step)], axis=1)
    check_axes(axes, f"The RTDOSE {name}")
    check_spacing((column_mm, row_mm, abs(step)), f"The RTDOSE {name}")
    check_origin(position, f"The RTDOSE {name}")
    return VolumeGeometry(shape, (column_mm, row_mm, abs(step)), tuple(position), tuple(map(tuple, axes)))
