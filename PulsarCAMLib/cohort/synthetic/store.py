"""A synthetic cohort as ordinary files: NRRD images and label maps, and a table.

Layout: ``cohort.csv``, ``recipe.json``, ``result.json`` (the list of all files) and one folder per patient with, per
time point, ``<time>.nrrd`` (image),
``<time>-label.nrrd`` (one value per lesion), ``<time>.seg.nrrd`` (the same as named segments for 3D Slicer),
``<time>-planted.nrrd`` and ``<time>-confounders.nrrd`` (the truth), and ``<time>-dose.nrrd`` where doses are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ...core.errors import OutputError
from ...core.geometry.volume import VolumeGeometry
from ...core.vocabulary import ADDED_TEXTURE, FOLLOWUP
from ...io.csv_files import write_rows
from ...io.result_folder import ResultFolder
from .background import Background
from .dose_and_clinical import PlannedDose, clinical_facts, planned_dose
from .patients import SyntheticLesion, SyntheticPatient, SyntheticScan, generate_patient
from .rules import PLACES, rule_of
from .settings import CohortSettings

TABLE, RECIPE = "cohort.csv", "recipe.json"

COLUMNS = (
    "patient",
    "lesion",
    "time_point",
    "image",
    "segmentation",
    "segment",
    "followup_image",
    "followup_segmentation",
    "volume_cm3",
    "followup_volume_cm3",
    "truth_label_map",
    "truth_label_value",
    "truth_planted",
    "truth_planted_share",
    "truth_planted_map",
    "truth_confounder_map",
    "note_difficulty",
    "note_scanner",
    "note_spacing_mm",
)
"""One row per lesion and pre-treatment MRI, in the words of :mod:`PulsarCAMLib.cohort.tables.columns`.

The response is not among them: it is computed from the volumes, by the threshold that is asked for.
"""

DOSE_COLUMNS = ("dose", "clinical_prescription_gy", "truth_prescribed_share")
FOLLOWUP_COLUMNS = ("followup_image", "followup_segmentation")
RULE_COLUMNS = ("truth_rule", "truth_place")
"""Of cohorts under another rule than the first: which, and where the truth lies, in words."""

CLINICAL_COLUMNS = ("clinical_age", "clinical_primary")

SEGMENT_COLORS = ((0.89, 0.47, 0.36), (0.36, 0.66, 0.89), (0.55, 0.78, 0.35), (0.85, 0.72, 0.30))


def write_cohort(
    folder: str | Path,
    settings: CohortSettings,
    *,
    overwrite: bool = False,
    progress: Callable[[float, str], None] | None = None,
    dose: bool = False,
    clinical: bool = False,
    background: Background | None = None,
    followup_images: bool = True,
) -> Path:
    """Generate a cohort and write it; the folder appears when it is complete, or not at all.

    Args:
        folder: to be made.
        settings: the recipe.
        overwrite: replace an earlier cohort at the same place, with nothing of the user's own in it.
        progress: called after each patient with the share done and a text.
        dose: also plan a dose on every MRI before treatment, see :mod:`.dose_and_clinical`.
        clinical: also give clinical columns.
        background: an MRI to put the lesions into, instead of heads made up.
        followup_images: False leaves the files of the follow-up out, which saves half of the time; its volumes stay in
            the table, and the response is computed from them.

    Returns:
        Path of the cohort table.

    Raises:
        InputError: the background has no room for lesions.
        OutputError: the folder is in the way, or cannot be written.
    """
    own = (progress, dose, clinical, background, followup_images)
    return write_cohort_folder(folder, lambda to: _write_into(to, settings, *own), overwrite)


def write_cohort_folder(folder: str | Path, fill: Callable[[Path], None], overwrite: bool = False) -> Path:
    """A folder with a cohort that ``fill`` writes into it; it appears when it is complete, or not at all.

    Returns:
        Path of the cohort table.

    Raises:
        OutputError: the folder is in the way, or cannot be written.
    """
    with ResultFolder(folder, overwrite) as kept:
        try:
            fill(kept.made)
        except (OSError, RuntimeError) as error:  # SimpleITK tells of a full disk by the latter
            raise OutputError(f"The cohort could not be written to {kept.folder}: {error}.") from error
        kept.write_marker({"cohort": "synthetic"})
    return kept.folder / TABLE


def _write_into(
    folder: Path,
    settings: CohortSettings,
    progress: Callable[[float, str], None] | None,
    dose: bool,
    clinical: bool,
    background: Background | None,
    followup_images: bool,
) -> None:
    of_rule = () if settings.rule == ADDED_TEXTURE else RULE_COLUMNS
    columns = (*COLUMNS, *of_rule, *(DOSE_COLUMNS if dose else ()), *(CLINICAL_COLUMNS if clinical else ()))
    if not followup_images:
        columns = tuple(name for name in columns if name not in FOLLOWUP_COLUMNS)
    rows: list[dict[str, object]] = []
    for index in range(settings.patients):
        kept = settings.time_points if followup_images else tuple(t for t in settings.time_points if t != FOLLOWUP)
        patient = generate_patient(settings, index, kept, background)
        _write_scans(folder / patient.name, patient)
        doses = _write_doses(folder / patient.name, patient, settings, index) if dose else {}
        facts = clinical_facts(settings, index) if clinical else {}
        rows += [row | facts for row in _rows(patient, settings, doses)]
        if progress:
            progress((index + 1) / settings.patients, f"patient {index + 1} of {settings.patients}")
    write_rows(folder / TABLE, columns, rows)
    recipe = {"synthetic": True, **asdict(settings), "numbers": asdict(settings.numbers)}
    recipe |= {"dose": dose, "clinical": clinical}
    rule = rule_of(settings)
    recipe["truth"] = {"decides": rule.title, "place": PLACES[rule.place], "alike_in_both_classes": rule.matched}
    recipe |= {} if background is None else {"background": background.facts()}
    (folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


def _rows(patient: SyntheticPatient, settings: CohortSettings, doses: dict[str, PlannedDose]):
    times = [time for time in settings.time_points if time != "followup"]
    for lesion in patient.lesions:
        for time in times:
            row = _row(patient, lesion, patient.scans[time], settings)
            if settings.rule != ADDED_TEXTURE:
                row |= {"truth_rule": settings.rule, "truth_place": PLACES[rule_of(settings).place]}
            yield row | (_dose_cells(row["image"], lesion, doses[time]) if time in doses else {})


def _dose_cells(image: str, lesion: SyntheticLesion, dose: PlannedDose) -> dict:
    return {
        "dose": image.replace(".nrrd", "-dose.nrrd"),
        "clinical_prescription_gy": dose.prescriptions_gy[lesion.label],
        "truth_prescribed_share": f"{dose.shares[lesion.label]:.4f}",
    }


def _row(patient: SyntheticPatient, lesion: SyntheticLesion, scan: SyntheticScan, settings: CohortSettings) -> dict:
    at = f"{patient.name}/{scan.time_point}"
    return {
        "patient": patient.name,
        "lesion": lesion.name,
        "time_point": scan.time_point,
        "image": f"{at}.nrrd",
        "segmentation": f"{at}.seg.nrrd",
        "segment": lesion.name,
        "followup_image": f"{patient.name}/followup.nrrd",
        "followup_segmentation": f"{patient.name}/followup.seg.nrrd",
        "volume_cm3": f"{scan.volume_cm3(lesion.label):.6f}",
        "followup_volume_cm3": f"{lesion.followup_volume_cm3:.6f}",
        "truth_label_map": f"{at}-label.nrrd",
        "truth_label_value": lesion.label,
        "truth_planted": int(lesion.planted),
        "truth_planted_share": f"{lesion.planted_share:.4f}",
        "truth_planted_map": f"{at}-planted.nrrd",
        "truth_confounder_map": f"{at}-confounders.nrrd",
        "note_difficulty": settings.difficulty,
        **{f"note_{key}": value for key, value in scan.scanner.describe().items()},
    }


def _write_scans(folder: Path, patient: SyntheticPatient) -> None:
    import SimpleITK as sitk

    folder.mkdir()
    for time, scan in patient.scans.items():
        if scan.image is None:
            continue
        arrays = {"": scan.image, "-label": scan.lesions, "-planted": scan.planted, "-confounders": scan.confounders}
        for ending, array in arrays.items():
            sitk.WriteImage(scan.geometry.to_sitk(array), str(folder / f"{time}{ending}.nrrd"), True)
        segments = {lesion.label: lesion.name for lesion in patient.lesions}
        image = segmentation_image(scan.lesions, scan.geometry, segments)
        sitk.WriteImage(image, str(folder / f"{time}.seg.nrrd"), True)


def _write_doses(
    folder: Path, patient: SyntheticPatient, settings: CohortSettings, index: int
) -> dict[str, PlannedDose]:
    """Doses planned on the MRIs before treatment, by time point."""
    import SimpleITK as sitk

    doses = {}
    for time, scan in patient.scans.items():
        if time != "followup":
            doses[time] = dose = planned_dose(settings, index, scan)
            sitk.WriteImage(dose.geometry.to_sitk(dose.values), str(folder / f"{time}-dose.nrrd"), True)
    return doses


def segmentation_image(labels: np.ndarray, geometry: VolumeGeometry, names: dict[int, str]):
    """SimpleITK image that becomes a 3D Slicer segmentation when written as ``.seg.nrrd``.

    Args:
        labels: uint8 ``[k, j, i]``, one value per segment.
        geometry: its place.
        names: of the segments, by value.
    """
    image = geometry.to_sitk(labels.astype(np.uint8))
    extent = " ".join(f"0 {n - 1}" for n in labels.shape[::-1])
    fields = {
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    for number, (value, name) in enumerate(names.items()):
        color = " ".join(str(c) for c in SEGMENT_COLORS[number % len(SEGMENT_COLORS)])
        own = {"ID": f"lesion-{value}", "Name": name, "Color": color, "NameAutoGenerated": "0"}
        own |= {"ColorAutoGenerated": "0", "Extent": extent, "LabelValue": str(value), "Layer": "0", "Tags": "|"}
        fields |= {f"Segment{number}_{key}": text for key, text in own.items()}
    for key, text in fields.items():
        image.SetMetaData(key, text)
    return image
