"""``pulsarcam explain``: files in, a folder of results out."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.display import Threshold
from ..core.errors import InputError, PulsarCAMError
from ..core.map_method import EXPENSIVE
from ..core.pluralize import pluralize
from ..core.settings import plain
from ..core.vocabulary import DEFAULT_MARGIN_MM, EACH, NORMALISATIONS
from .comparing import compare
from .console import Progress, Timings, note, table, warn
from .dicom import from_folder
from .inputs import DicomFrames, read_case, refuse_roles
from .map_choices import choices_of

if TYPE_CHECKING:
    from ..core.display import DisplaySettings
    from ..explanation.result import CaseResult
    from ..outputs.contract import Content, Output
    from ..systems.bundle import ModelBundle
    from ..systems.card import ModelCard

ALL, BOTH = "all", "both"
DEFAULT_MODEL = "synthetic-demo"


@dataclass(frozen=True)
class Job:
    """One run; fields as the options of ``pulsarcam explain --help``.

    Attributes:
        inputs: further images by role.
        transforms: role and file of a transform from a common space, of images that are not to be registered.
        aligned: all images lie right as they are.
        methods: names; none: the first of the model's system; "all" stands for those that are always computed.
        targets: classes; none: the one that the model's task explains; "both" or "all" stands for every class.
        stability: tell how far answers move by half a voxel; None: as is usual with the model's system.
        error_rate: of the classes that cannot be ruled out; None: that of the model's card.
        tells_costs: say beforehand what takes long.
        settings_of_maps: parsed options of map methods that have settings of their own.
        frames: which frames of reference images and contours are in, of a DICOM folder whose files were paired.
        map_inputs: inputs whose maps of their own are written, or "each"; none: only maps of all together.
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
    series: str | None = None
    structures: str | None = None
    frames: DicomFrames = field(default_factory=DicomFrames)
    compare: bool = False
    sigma_mm: float = 1.0
    shell_mm: float = 1.0
    report: bool = False
    scene: bool = False
    pictures: bool = True
    overwrite: bool = False
    threads: int | None = None
    stability: bool | None = None
    error_rate: float | None = None
    tells_costs: bool = False
    settings_of_maps: Namespace = field(default_factory=Namespace)


@dataclass(frozen=True)
class Wanted:
    """What a job asks for, in the words of the model's system.

    Attributes:
        methods: names.
        targets: classes of the task, or "predicted".
        maps: how every map is shown.
        regions: of what regions and tables are made: those with a class.
        choices: settings of methods that are not the usual ones.
    """

    methods: tuple[str, ...]
    targets: tuple[str, ...]
    maps: tuple[DisplaySettings, ...]
    regions: tuple[DisplaySettings, ...]
    choices: Mapping[str, Any] = field(default_factory=dict)


def run(options) -> None:
    """The command."""
    job = Job(
        volume=Path(options.volume),
        segmentation=Path(options.segmentation) if options.segmentation else None,
        output=Path(options.output),
        inputs={role: Path(path) for role, path in options.inputs.items()},
        transforms=tuple((name, Path(path)) for name, path in getattr(options, "transform", ())),
        aligned=getattr(options, "aligned", False),
        model=options.model,
        methods=tuple(options.method or ()),
        targets=(options.target,) if options.target else (),
        map_inputs=tuple(options.input or ()),
        normalisation=options.normalisation,
        threshold=options.threshold,
        margin_mm=options.margin_mm,
        parts=options.parts,
        labels=options.labels,
        segments=options.segments,
        series=options.series,
        structures=options.structures,
        compare=options.compare,
        sigma_mm=options.sigma_mm,
        shell_mm=options.shell_mm,
        report=options.report,
        scene=options.scene,
        pictures=options.pictures,
        overwrite=options.overwrite,
        threads=options.threads,
        stability=options.stability,
        error_rate=options.error_rate,
        tells_costs=not options.quiet,
        settings_of_maps=options,
    )
    timings = Timings()
    with Progress(options.quiet) as progress:
        rows, result = explain(job, progress, timings)
    for sentence in result.verdict.warnings(result.warnings) if options.quiet else result.warnings:
        warn(sentence)
    if not options.quiet:
        print("\n".join([result.verdict.sentence, *(each.sentence for each in result.plain)]))
        print(table(rows, summary_of(result, rows) | left_out_columns(result)))
        print(f"Model: {result.card.origin}. Research use only, not for diagnosis or treatment decisions.")
        print(f"Results: {job.output}")
    if options.timings:
        timings.show()


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


def explain(job: Job, progress: Progress, timings: Timings) -> tuple[list[dict], CaseResult]:
    """Read, explain, write.

    Returns:
        Rows of the table of units for the first map, and the result.

    Raises:
        PulsarCAMError: one sentence; nothing was written.
    """
    from ..io.result_folder import ResultFolder

    folder = ResultFolder(job.output, job.overwrite)
    folder.check()
    progress.part(0, 0.02)(0, "Starting")
    from ..systems.bundle import find_bundle

    with timings.step("reading"):
        bundle = find_bundle(job.model)
        job = from_folder(job, bundle.card.system, note if job.tells_costs else lambda sentence: None)
        refuse_roles(job, bundle.card)
    with timings.step("importing"):
        _prepare_threads(job)
        _import_all(job)
    from ..explanation.explain import explain_case

    with timings.step("reading"):
        _ = bundle.ensemble
        system = bundle.card.system
        wanted = wanted_of(job, bundle.card)
        choices = choices_of(job.settings_of_maps, bundle.card, wanted.methods)
        case = read_case(job, bundle.card, progress.part(0.05, 0.15))
    for sentence in _costs(wanted, bundle, choices) if job.tells_costs else ():
        note(sentence)
    with timings.step("computing"):
        always = [each.name for each in system.maps if each.signed and each.always]
        methods = tuple(dict.fromkeys((*system.usual_maps, *(m for m in wanted.methods if m not in always))))
        own = {"choices": choices, "on_cost": note if job.tells_costs else None, "stability": job.stability}
        own |= {"error_rate": job.error_rate}
        result = explain_case(case, bundle, methods=methods, progress=progress.part(0.15, 0.5), **own)
    with folder:
        rows = _write_all(job, replace(wanted, choices=choices), folder, case, result, progress, timings)
    return rows, result


def _costs(wanted: Wanted, bundle: ModelBundle, choices: Mapping[str, Any] | None = None) -> Iterator[str]:
    """What takes long, before it starts; with settings of one's own it is measured when the images are there."""
    system, members = bundle.card.system, pluralize(bundle.card.members, "member")
    for each in (system.method(name) for name in wanted.methods):
        cost = each.passes(len(system.task.classes))
        if cost >= EXPENSIVE and each.name not in (choices or {}):
            yield (
                f"{each.title} takes about {cost:.0f} passes through each of {members} for everything that "
                "it is asked about; Ctrl-C ends it and leaves nothing."
            )


def wanted_of(job: Job, card: ModelCard) -> Wanted:
    """Methods, classes and inputs of a job, checked against the model.

    Raises:
        InputError: the system has no such method, or its task no such class.
    """
    from ..core.display import DisplaySettings, check_choice

    system = card.system
    task, usual = system.task, system.usual_maps
    named = [m for name in job.methods or usual[:1] for m in (usual if name == ALL else (name,))]
    methods = tuple(dict.fromkeys(named))
    signed = {name for name in methods if system.method(name).signed}
    targets = tuple(
        t for name in job.targets or (task.explained,) for t in (task.names if name in (ALL, BOTH) else (name,))
    )
    for target in targets:
        check_choice("class", target, task.targets)

    def shown(method: str, target: str, of_input: str = "") -> DisplaySettings:
        return DisplaySettings(
            method,
            target,
            normalisation=job.normalisation,
            threshold=job.threshold,
            margin_mm=job.margin_mm,
            input=of_input,
        )

    inputs = map_inputs_of(job, card, methods)
    pairs = dict.fromkeys((m, task.explained if m in signed else t) for m in methods for t in targets)
    maps = tuple(shown(*pair, each) for pair in pairs for each in inputs[pair[0]])
    with_class = tuple(each for each in maps if each.method not in signed)
    return Wanted(methods, targets, maps, with_class or tuple(shown(usual[0], target) for target in targets))


def map_inputs_of(job: Job, card: ModelCard, methods: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For every method the inputs whose maps are written; "" stands for all together.

    Raises:
        InputError: the model takes no such input, none was given, or no method has maps of single inputs.
    """
    system, first = card.system, card.system.image_inputs[0].name
    known = dict.fromkeys(name for names in system.channel_roles(card.preprocessing) for name in names)
    there = tuple(role.name for role in system.mapped_inputs(card.preprocessing, {first, *job.inputs}))
    named = tuple(dict.fromkeys(name for name in job.map_inputs if name != EACH))
    for name in named:
        if name not in known:
            raise InputError(f"The model sees no {name}, so it has no maps of it; it sees {', '.join(known)}.")
        if name not in (first, *job.inputs):
            raise InputError(f"There are no maps of the {name}, for none was given; give it with --{name} FILE.")
    if not there:
        return dict.fromkeys(methods, ("",))
    able = [name for name in methods if system.method(name).by_input]
    if job.map_inputs and not able:
        others = ", ".join(method.name for method in system.maps if method.by_input)
        raise InputError(
            f"There are no maps of single inputs by {', '.join(methods)}; "
            + (f"choose {others} with --method." if others else "leave out --input.")
        )
    chosen = ("", *there) if EACH in job.map_inputs else named or ("",)
    return {name: chosen if name in able else ("",) for name in methods}


def _prepare_threads(job: Job) -> None:
    """Before the libraries are imported, for they read this once."""
    if job.threads and "torch" not in sys.modules:
        os.environ["OMP_NUM_THREADS"] = str(job.threads)


def _import_all(job: Job) -> None:
    """Everything heavy, here, so that missing packages are named before any work is done."""
    try:
        import scipy.ndimage  # noqa: F401
        import SimpleITK as sitk
        import torch

        if job.pictures or job.report:
            from ..outputs.pictures import overlay  # noqa: F401
    except ImportError as error:
        raise PulsarCAMError(
            f"The package {error.name} is missing; install PulsarCAM's packages with: pip install pulsarcam."
        ) from error
    if job.scene and find_spec("slicer") is None:
        raise PulsarCAMError("--scene needs the slicer-core package; install it with: pip install 'pulsarcam[slicer]'.")
    if job.threads:
        torch.set_num_threads(job.threads)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job.threads)


def _write_all(job: Job, wanted: Wanted, folder, case, result, progress: Progress, timings: Timings) -> list[dict]:
    from ..explanation.tables import unit_table
    from ..outputs.contract import Content
    from ..outputs.result_json import record_of

    compared = None
    if job.compare:
        with timings.step("comparing"):
            compared = compare(job, wanted, result, case, progress.part(0.5, 0.6))
    content = Content(case, result, wanted.maps, wanted.regions, result.card.facts(), compared)
    for output, low, high in _outputs(job):
        with timings.step(output.title):
            output.write(folder.made, content, progress.part(low, high))
    if job.scene:
        progress.part(0.95, 1)(0, "Writing the scene")
        with timings.step("writing the scene"):
            _write_scene(folder.made / "scene.mrb", content)
    with timings.step("hashing the input"):
        folder.write_marker(record_of(result, _hashes(job), _options(job, wanted)))
    first = wanted.regions[0]
    return unit_table(result, first.method, content.large(first), first.threshold, first.margin_mm, first.input)


def _outputs(job: Job) -> list[tuple[Output, float, float]]:
    """What is written, each with its part of the progress bar."""
    from ..outputs.registration import Registrations
    from ..outputs.segmentations import SubRegions
    from ..outputs.tables import ComparisonTables, InputTables, UnitTables
    from ..outputs.volumes import GradientMaps, HeatMaps

    found: list[tuple[Output, float, float]] = [
        (HeatMaps(), 0.6, 0.73),
        (SubRegions(), 0.73, 0.75),
        (UnitTables(), 0.75, 0.755),
        (InputTables(), 0.755, 0.76),
        (ComparisonTables(), 0.76, 0.77),
        (GradientMaps(), 0.77, 0.775),
        (Registrations(job.pictures), 0.775, 0.78),
    ]
    if job.pictures:
        from ..outputs.pictures.files import Pictures

        found.append((Pictures(job.threads), 0.78, 0.9))
    if job.report:
        from ..outputs.pages.page import Report

        found.append((Report(), 0.9, 0.95))
    return found


def _write_scene(path: Path, content: Content) -> None:
    from ..scene.headless.save_scene import save_scene

    case = content.case
    first = case.reference or next(iter(case.images))
    others = {role: image for role, image in case.images.items() if role != first}
    image = case.reference_image.voxels
    save_scene(path, image, content.result, content.large_first, comparison=content.comparison, images=others)


def _hashes(job: Job) -> dict[str, str]:
    """Which files were read, without saying whose."""
    from ..io.hashing import sha256_of

    files = {"volume": job.volume, "segmentation": job.segmentation, **job.inputs}
    files |= {f"{name}_transform": path for name, path in job.transforms}
    files |= {f"registration_{n}": path for n, path in enumerate(job.frames.files, start=1)}
    return {f"{name}_sha256": sha256_of(path) for name, path in files.items() if path}


def _options(job: Job, wanted: Wanted) -> dict[str, object]:
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
        "compare": {"sigma_mm": job.sigma_mm, "shell_mm": job.shell_mm} if job.compare else None,
        "parts": job.parts,
        "labels": job.labels,
        "segments": job.segments,
    }
