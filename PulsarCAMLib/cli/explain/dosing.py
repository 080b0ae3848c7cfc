"""The planned dose that ``pulsarcam explain`` tells of: options, files, and the statements on every lesion."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import Cure, GeometryError, InputError
from ...core.inputs import DOSE
from ...dose.settings import DoseTold
from ..console import warn
from ..options.numbers import whole_number
from ..options.places import InputPath
from ..options.setting_options import add_settings, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.case import Case
    from ...core.geometry.volume import VolumeGeometry
    from ...core.progress import IsCancelled
    from ...dose.case import CaseDose
    from ...dose.courses import Course
    from ...explanation.result import CaseResult
    from ...io.dicom.folder import Inventory
    from ...io.dicom.pairing import Chosen
    from ...io.dose import DoseFile
    from .one_case import Job
    from .wanted import Wanted

WRITTEN = """\
  dose.csv, dose_contrast.csv                 what each lesion gets, its activated part and the rest, and whether they
                                              differ (--dose)
  dose_curves.csv, dose_curves.png            cumulative dose-volume curves of them (--dose)
"""
MOST_FRACTIONS = 100


def add_dosing(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("planned dose")
    group.add_argument(
        "--dose", action="append", type=InputPath, metavar="FILE", default=[],
        help="planned dose in Gy in the MRI's space: RTDOSE, NRRD, NIfTI, MetaImage; several are added up. Of a DICOM "
        "folder that holds one dose for the MRI, that one is taken",
    )  # fmt: skip
    group.add_argument(
        "--fractions", action="append", type=whole_number(1, MOST_FRACTIONS), metavar="N", default=[],
        help="equal fractions that a dose is given in, once for each dose, in their order (as its plan says, where "
        "an RTPLAN lies beside it)",
    )  # fmt: skip
    add_settings(group, DoseTold)


def with_dose(job: Job, inventory: Inventory, chosen: Chosen, say: Callable[[str], None]) -> Job:
    """The job with the one dose of a DICOM folder that lies on the series; as it was where that would be a guess.

    Args:
        job: as asked for; doses that it names go first.
        inventory: of the folder.
        chosen: series and structure set.
        say: told what is taken.
    """
    if job.doses:
        return job
    frames = {*chosen.pair.series.frames, *(chosen.pair.structures.frames if chosen.matrix is not None else ())}
    patient = chosen.pair.series.patient
    found = [d for d in inventory.doses if d.patient == patient and set(d.frames) & frames]
    if len(found) > 1:
        listed = ", ".join(f"dose {each.number}" for each in found)
        say(f"Nothing is told of the dose: {listed} lie on this series. Name those to add up with --dose FILE.")
    imaged = {series.patient for series in inventory.series} - {patient}  # whose doses are theirs, and no question
    for each in [d for d in inventory.doses if not found and d.patient not in imaged]:
        theirs = each.patient != patient
        why = "is of another patient" if theirs else "lies in another frame of reference, with no registration of both"
        say(f"Nothing is told of dose {each.number} (RTDOSE): it {why}.")
    if len(found) != 1:
        return job
    say(f"Taken: dose {found[0].number} (RTDOSE), in the same frame of reference.")
    wanted = bool(job.fractions) or settings_from(DoseTold, job.settings_of_maps) != DoseTold()
    return replace(job, doses=(found[0].first.path,), doses_asked=job.doses_asked and wanted)


def read_courses(job: Job, case: Case, say: Callable[[str], None]) -> list[Course]:
    """Planned doses in the space of the reference image; those of the model's own input where no other is named.

    Raises:
        InputError: one cannot be used, there are more numbers of fractions than doses, or a biological dose is asked
            for without them. A dose that was found and not named is left out instead, and that is said.
        GeometryError: one lies in another frame of reference.
    """
    settings = settings_from(DoseTold, job.settings_of_maps)
    try:
        courses = _courses(job, case, say)
        if courses:
            from ...dose.courses import refuse_unknown

            refuse_unknown(courses, settings)
    except InputError as error:
        if _asked(job, settings):
            raise
        say(f"Nothing is told of the dose that was found: {error}")
        return []
    if not courses and _asked(job, settings):
        raise InputError("There is no planned dose to tell of", Cure("give it", "with --dose FILE"))
    if courses and not case.lesions and job.doses and job.doses_asked:
        raise InputError("There are no lesions to tell the dose of; leave out --dose.")
    return courses if case.lesions else []


def _asked(job: Job, settings: DoseTold) -> bool:
    """Whether somebody wants the dose told, and is not only given it."""
    return job.doses_asked and bool(job.doses or job.fractions or settings != DoseTold())


def _courses(job: Job, case: Case, say: Callable[[str], None]) -> list[Course]:
    from ...dose.courses import Course
    from ...io.dose import DoseFile, doubts_on_dose, read_dose_file
    from ...io.plain_files import is_same, shown_path

    for path in job.doses:
        if is_same(path, job.volume) or (job.segmentation and is_same(path, job.segmentation)):
            raise InputError(f"The dose is the file of the MRI or of the lesions, {shown_path(path)}; name the dose.")
    if job.doses:
        files = [read_dose_file(path) for path in job.doses]
        names = [path.name for path in job.doses]
        for n, file in enumerate(files, start=1):
            for text in doubts_on_dose(file.dose, f"Dose {n}"):
                say(text)
    else:
        roles = [name for name in case.images if _is_dose(name)]
        files = [DoseFile(case.images[name].voxels, case.images[name].geometry) for name in roles]
        names = [""] * len(files)
    if len(job.fractions) > len(files):
        raise InputError(
            f"There are {len(job.fractions)} numbers of fractions and {len(files) or 'no'} doses; give one for each."
        )
    found = []
    for n, file in enumerate(files):
        geometry = place_of(file, f"Dose {n + 1}", job, case)
        given = job.fractions[n] if n < len(job.fractions) else None
        source = "given" if given else "plan" if file.fractions else ""
        found.append(Course(file.dose, geometry, given or file.fractions, source, names[n]))
    return found


def place_of(file: DoseFile, name: str, job: Job, case: Case) -> VolumeGeometry:
    """Where a dose lies in the space of the reference image.

    Args:
        file: the dose.
        name: of it, as in "Dose 1".
        job: with the registration of its DICOM folder, if there is one.
        case: what is explained.

    Raises:
        GeometryError: it is in another frame of reference.
    """
    from ...core.geometry.volume import VolumeGeometry

    image = case.reference_image
    frame = image.source.frame_of_reference_uid if image.source else ""
    if not (frame and file.frame and file.frame != frame):
        return file.geometry
    matrix = job.frames.registration
    if matrix is None or file.frame not in job.frames.contours:
        raise GeometryError(
            f"{name} is in another frame of reference than the MRI, so it is not known where it lies on it; give the "
            "folder that holds the registration (REG), too, or register the dose."
        )
    return VolumeGeometry.from_ijk_to_lps(matrix @ file.geometry.ijk_to_lps, file.geometry.shape)


def _is_dose(name: str) -> bool:
    from ...systems.registry import systems

    return any(role.name == name and role.kind == DOSE for system in systems() for role in system.inputs)


def dose_in_words(job: Job) -> dict[str, object]:
    """How the dose is told, for ``result.json``; nothing where none was named or found."""
    if not job.doses:
        return {}
    return {"dose": settings_from(DoseTold, job.settings_of_maps).to_card() | {"fractions": list(job.fractions)}}


def find_dose(
    job: Job, wanted: Wanted, result: CaseResult, courses: list[Course], stopped: IsCancelled
) -> CaseDose | None:
    """What the lesions and their activated parts get; None without a dose.

    Raises:
        InputError: it cannot be told.
        Cancelled: the work was stopped.
    """
    if not courses:
        return None
    from ...dose.case import dose_of_case

    settings = settings_from(DoseTold, job.settings_of_maps)
    return dose_of_case(result, courses, wanted.regions, settings, cancelled=stopped)


def tell_dose(job: Job, found: Callable[[], CaseDose | None], say: Callable[[str], None]) -> CaseDose | None:
    """What :func:`find_dose` found, once it has; a dose that nobody asked for may say nothing, and that is said."""
    try:
        dose = found()
    except InputError as error:
        if _asked(job, settings_from(DoseTold, job.settings_of_maps)):
            raise
        say(f"Nothing is told of the dose: {error}")
        return None
    for sentence in dose.doubts if dose else ():
        (warn if job.tells_costs else say)(f"Dose: {sentence}")
    return dose
