"""``pulsarcam explain``: files in, a folder of results out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.beside import beside
from ...core.display import Threshold
from ...core.settings import plain
from ...core.vocabulary import DEFAULT_MARGIN_MM, NORMALISATIONS
from ..commands.dicom import from_folder
from ..console import Progress, Timings, note
from .comparing import Above, compare, read_maps
from .dicom_out import objects_of, refuse_dicom_out
from .dosing import dose_in_words, find_dose, read_courses, tell_dose
from .inputs import DicomFrames, read_case, refuse_roles
from .loading import import_all, import_torch, prepare_threads, use_threads
from .map_choices import choices_of
from .painting import Wish, paint_wanted, read_beside
from .wanted import Wanted, costs, wanted_of

if TYPE_CHECKING:
    from ...core.case import Case
    from ...core.progress import OnProgress
    from ...explanation.result import CaseResult
    from ...io.dicom.folder import Inventory
    from ...outputs.contract import Content, Output
    from ...painting.paint import Painting
    from ...systems.bundles.bundle import ModelBundle
    from ...systems.bundles.card import ModelCard

DEFAULT_MODEL = "synthetic-demo"


@dataclass(frozen=True)
class Known:
    """What is known already and need not come from the files that a job names, as where many patients are explained.

    Attributes:
        bundle: the model.
        read: gives the case.
        hashes: of what is read, by what it is.
        facts: for ``result.json``.
        inventory: of the DICOM folder that the job names.
        keep: makes of a sentence that belongs on the terminal one that is kept with the result's warnings instead;
            None: it is shown, unless nobody wants to be told.
    """

    bundle: ModelBundle | None = None
    read: Callable[[Job, ModelCard, OnProgress], Case] | None = None
    hashes: Mapping[str, str] | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    inventory: Inventory | None = None
    keep: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Job:
    """One run; fields as the options of ``pulsarcam explain --help``.

    Attributes:
        inputs: further images by role.
        chosen: of masks of other visits by role and "segments" or "labels", where not those of the segmentation.
        transforms: role and file of a transform from a common space, of images that are not to be registered.
        aligned: all images lie right as they are.
        methods: names; none: the first of the model's system; "all" stands for those that are always computed.
        targets: classes; none: the one that the model's task explains; "both" or "all" stands for every class.
        stability: tell how far answers move by half a voxel; None: as is usual with the model's system.
        error_rate: of the classes that cannot be ruled out; None: that of the model's card.
        tells_costs: say beforehand what takes long.
        settings_of_maps: parsed options of map methods that have settings of their own.
        frames: which frames of reference images and contours are in, of a DICOM folder whose files were paired.
        dicom: write DICOM objects, too.
        map_inputs: inputs whose maps of their own are written, or "each"; none: only maps of all together.
        compare_with: name and file of further maps that heat maps are compared with.
        compare_above: name of such a map, and which part of it overlaps are told with.
        paint: a dose painting that is wanted, too; None: none.
        doses: planned doses that are told of, added up; none: those that the model itself takes.
        fractions: that they are given in.
        doses_asked: they were named, and not only found beside the images.
    """

    volume: Path
    segmentation: Path | None
    output: Path
    inputs: Mapping[str, Path] = field(default_factory=dict)
    transforms: tuple[tuple[str, Path], ...] = ()
    aligned: bool = False
    model: str = DEFAULT_MODEL
    methods: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    map_inputs: tuple[str, ...] = ()
    normalisation: str = NORMALISATIONS[0]
    threshold: Threshold = field(default_factory=Threshold)
    margin_mm: float = DEFAULT_MARGIN_MM
    parts: str = "auto"
    labels: tuple[int, ...] | None = None
    segments: tuple[str, ...] | None = None
    chosen: Mapping[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    series: str | None = None
    structures: str | None = None
    frames: DicomFrames = field(default_factory=DicomFrames)
    compare: bool = False
    compare_with: tuple[tuple[str, Path], ...] = ()
    compare_above: tuple[tuple[str, Above], ...] = ()
    paint: Wish | None = None
    sigma_mm: float = 1.0
    shell_mm: float = 1.0
    report: bool = False
    scene: bool = False
    dicom: bool = False
    pictures: bool = True
    overwrite: bool = False
    threads: int | None = None
    stability: bool | None = None
    error_rate: float | None = None
    tells_costs: bool = False
    settings_of_maps: Namespace = field(default_factory=Namespace)
    doses: tuple[Path, ...] = ()
    fractions: tuple[int, ...] = ()
    doses_asked: bool = True


def summary_of(result: CaseResult, rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Columns of the table of units that the console shows, with their headings; measures as far as there are some."""
    task, measured = result.task, result.system.measures
    plain = str.maketrans("²³", "23")
    return {
        task.unit: task.unit,
        **{
            column: title.removeprefix("Volume ").translate(plain).lower()
            for column, title in measured.items()
            if all(column in row for row in rows)
        },
        **{task.probability_column(name): task.short_probability_title(name) for name in task.told},
        "probability_spread": "+/-",
        "predicted_class": "predicted",
        **({"classes_not_ruled_out": "not ruled out"} if result.units[0].conformal else {}),
        "activated_share": "activated",
    }


def left_out_columns(result: CaseResult) -> dict[str, str]:
    """Columns of how far the logit moves without parts of the input, with their headings; none where nobody asked."""
    found = result.units[0].left_out
    return {} if found is None else {"logit": "logit"} | {way.column: way.heading.lower() for way in found.ways}


def explain(
    job: Job,
    progress: Progress,
    timings: Timings,
    known: Known = Known(),
    on_painted: Callable[[Painting], None] = lambda painting: None,
) -> tuple[list[dict], CaseResult]:
    """Read, explain, write.

    Args:
        job: what is asked.
        progress, timings: are told how far it is, and where the time went.
        known: what is known already.
        on_painted: is given the dose painting, where one was asked for.

    Returns:
        Rows of the table of units for the first map, and the result.

    Raises:
        PulsarCAMError: one sentence; nothing was written.
    """
    from ...io.result_folder import ResultFolder

    folder = ResultFolder(job.output, job.overwrite)
    folder.check()
    progress.part(0, 0.02)(0, "Starting")
    from ...systems.bundles.bundle import find_bundle

    with timings.step("reading"):
        bundle = known.bundle or find_bundle(job.model)
        if known.read is None:
            say = note if job.tells_costs else lambda sentence: None
            job = from_folder(job, bundle.card.system, say, known.inventory)
            refuse_roles(job, bundle.card)
    with timings.step("importing"):
        prepare_threads(job)
        import_all(job)
    with beside(lambda stopped: import_torch(), job.threads) as torch_is_there:
        with timings.step("reading"):
            wanted = wanted_of(job, bundle.card)
            choices = choices_of(job.settings_of_maps, bundle.card, wanted.methods)
            case = (known.read or read_case)(job, bundle.card, progress.part(0.05, 0.15))
            _refuse_other_patients(job, case)
            others, beside_it = read_maps(job, case), read_beside(job, case)
            refuse_dicom_out(job, wanted, case)
            kept: list[str] = []
            courses = read_courses(job, case, _say(job, known, kept))
            case = replace(case, warnings=(*case.warnings, *kept))
        with timings.step("importing"):
            torch_is_there()
    with timings.step("reading"):
        use_threads(job)
        _ = bundle.ensemble
    from ...explanation.explain import explain_case

    system = bundle.card.system
    for sentence in costs(wanted, bundle, choices) if job.tells_costs else ():
        note(sentence)
    with timings.step("computing"):
        always = [each.name for each in system.maps if each.signed and each.always]
        methods = tuple(dict.fromkeys((*system.usual_maps, *(m for m in wanted.methods if m not in always))))
        own = {"choices": choices, "on_cost": note if job.tells_costs else None, "stability": job.stability}
        own |= {"error_rate": job.error_rate}
        result = explain_case(case, bundle, methods=methods, progress=progress.part(0.15, 0.5), **own)
        painting = paint_wanted(job, wanted, result, beside_it, progress.part(0.49, 0.5))
    if painting is not None:
        on_painted(painting)
    with folder:
        shown = replace(wanted, choices=choices)
        rows = _write_all(job, shown, folder, case, result, (others, painting, courses), progress, timings, known)
    return rows, result


def _refuse_other_patients(job: Job, case) -> None:
    source = case.reference_image.source
    if source is None:
        return
    from ...io.dicom.instances import refuse_other_patients

    lesions = [] if job.segmentation is None else [("The lesions' file", job.segmentation)]
    images = [(f"The {name}", path) for name, path in job.inputs.items()]
    refuse_other_patients(job.volume, source, [*lesions, *images, *(("The dose", path) for path in job.doses)])


def _say(job: Job, known: Known, kept: list[str]) -> Callable[[str], None]:
    """What is done with a sentence for the terminal; where it is kept with the result, it is added to ``kept``."""
    keep = known.keep
    if keep is not None:
        return lambda sentence: kept.append(keep(sentence))
    return note if job.tells_costs else lambda sentence: None


def _write_all(
    job: Job, wanted: Wanted, folder, case, result, further, progress: Progress, timings: Timings, known: Known
) -> list[dict]:
    from ...explanation.tables import unit_table
    from ...outputs.contract import Content
    from ...outputs.result_json import record_of

    compared, (others, painting, courses) = None, further
    if job.compare:
        with timings.step("comparing"):
            compared = compare(job, wanted, result, case, others, progress.part(0.5, 0.59))
    content = Content(case, result, wanted.maps, wanted.regions, result.card.facts(), compared, painting)
    with beside(lambda stopped: find_dose(job, wanted, result, courses, stopped), job.threads) as found:
        for output, low, high in _outputs(job):
            with timings.step(output.title):
                output.write(folder.made, content, progress.part(low, high))
        progress.part(0.88, 0.89)(0, "Dose of the lesions")
        with timings.step("telling the dose"):
            kept: list[str] = []
            dose = tell_dose(job, found, _say(job, known, kept))
    result = replace(result, warnings=(*result.warnings, *kept))
    content = replace(content, result=result, dose=dose)
    for output, low, high in _outputs_with_dose(job):
        with timings.step(output.title):
            output.write(folder.made, content, progress.part(low, high))
    if job.scene:
        progress.part(0.95, 1)(0, "Writing the scene")
        with timings.step("writing the scene"):
            _write_scene(folder.made / "scene.mrb", content)
    with timings.step("hashing the input"):
        hashes = hashes_of(job) if known.hashes is None else known.hashes
        folder.write_marker({**record_of(result, hashes, options_in_words(job, wanted), dose), **known.facts})
    first = wanted.regions[0]
    return unit_table(result, first.method, content.large(first), first.threshold, first.margin_mm, first.input)


def _outputs(job: Job) -> list[tuple[Output, float, float]]:
    """What is written while the dose is being found, each with its part of the progress bar."""
    from ...outputs.painting import PaintingFiles, PaintingPicture
    from ...outputs.registration import Registrations
    from ...outputs.segmentations import SubRegions
    from ...outputs.tables import ComparisonTables, InputTables, UnitTables
    from ...outputs.volumes import GradientMaps, HeatMaps

    found: list[tuple[Output, float, float]] = [
        (HeatMaps(), 0.6, 0.73),
        (SubRegions(), 0.73, 0.75),
        (UnitTables(), 0.75, 0.755),
        (InputTables(), 0.755, 0.76),
        (ComparisonTables(), 0.76, 0.77),
        (GradientMaps(), 0.77, 0.773),
        (PaintingFiles(), 0.773, 0.775),
        (Registrations(job.pictures), 0.775, 0.78),
    ]
    if job.pictures:
        from ...outputs.pictures.files import Pictures

        found += [(Pictures(job.threads), 0.78, 0.87), (PaintingPicture(), 0.87, 0.88)]
    return found


def _outputs_with_dose(job: Job) -> list[tuple[Output, float, float]]:
    """What tells of the dose, too."""
    from ...outputs.dose import DoseCurves, DoseTables

    found: list[tuple[Output, float, float]] = [(DoseTables(), 0.89, 0.89)]
    if job.pictures:
        found.append((DoseCurves(), 0.89, 0.9))
    if job.dicom:
        found.append((objects_of(job), 0.9, 0.95))
    if job.report:
        from ...outputs.pages.page import Report

        found.append((Report(), 0.9, 0.95))
    return found


def _write_scene(path: Path, content: Content) -> None:
    from ...scene.headless.save_scene import save_scene

    case = content.case
    first = case.reference or next(iter(case.images))
    others = {role: image for role, image in case.images.items() if role != first}
    image = case.reference_image.voxels
    made = {"comparison": content.comparison, "painting": content.painting, "dose": content.dose}
    save_scene(path, image, content.result, content.large_first, **made, images=others)


def hashes_of(job: Job) -> dict[str, str]:
    """Which files were read, without saying whose."""
    from ...io.hashing import sha256_of

    files = {"volume": job.volume, "segmentation": job.segmentation, **job.inputs}
    files |= {f"{name}_transform": path for name, path in job.transforms}
    files |= {f"{name}_map": path for name, path in job.compare_with}
    files |= {"painting_dose": job.paint.dose, "painting_organs": job.paint.organs} if job.paint else {}
    files |= {f"registration_{n}": path for n, path in enumerate(job.frames.files, start=1)}
    files |= {f"dose_{n}": path for n, path in enumerate(job.doses, start=1)}
    return {f"{name}_sha256": sha256_of(path) for name, path in files.items() if path}


def _compared(job: Job) -> dict[str, object]:
    limits = dict(job.compare_above)
    above = {name: {k: v for k, v in vars(limits[name]).items() if v is not None} for name, _ in job.compare_with
             if name in limits}  # fmt: skip
    maps = {"maps": [name for name, _ in job.compare_with], "above": above} if job.compare_with else {}
    return {"sigma_mm": job.sigma_mm, "shell_mm": job.shell_mm, **maps}


def options_in_words(job: Job, wanted: Wanted) -> dict[str, object]:
    return {
        "methods": list(wanted.methods),
        "classes": list(wanted.targets),
        **({"inputs": list(job.map_inputs)} if job.map_inputs else {}),
        **(
            {"settings_of_maps": {name: plain(each) for name, each in wanted.choices.items()}} if wanted.choices else {}
        ),
        "normalisation": job.normalisation,
        "threshold": {"kind": job.threshold.kind, "value": job.threshold.value},
        "margin_mm": job.margin_mm,
        "compare": _compared(job) if job.compare else None,
        **({"painting": job.paint.settings.to_card()} if job.paint else {}),
        **dose_in_words(job),
        "parts": job.parts,
        "labels": job.labels,
        "segments": job.segments,
        **{f"{name}_{what}": list(chosen) for (name, what), chosen in job.chosen.items()},
    }
