"""``pulsarcam explain``: files in, a folder of results out."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from .. import __version__
from ..core.display import Threshold
from ..core.errors import PulsarCAMError
from ..core.map_methods import CLASSES, METHODS, SIGNED, TARGETS
from ..core.vocabulary import NORMALISATIONS
from .comparing import write_compared
from .console import Progress, Timings, table, warn

SUMMARY = {
    "lesion": "lesion",
    "volume_cm3": "cm3",
    "probability_response": "p(response)",
    "probability_spread": "+/-",
    "predicted_class": "predicted",
    "activated_share": "activated",
}


@dataclass(frozen=True)
class Job:
    """One run; fields as the options of ``pulsarcam explain --help``."""

    volume: Path
    segmentation: Path
    output: Path
    model: str = "synthetic-demo"
    methods: tuple[str, ...] = METHODS[:1]
    targets: tuple[str, ...] = TARGETS[:1]
    normalisation: str = NORMALISATIONS[0]
    threshold: Threshold = field(default_factory=Threshold)
    margin_mm: float = 2.0
    parts: str = "auto"
    labels: tuple[int, ...] | None = None
    segments: tuple[str, ...] | None = None
    series: str | None = None
    compare: bool = False
    sigma_mm: float = 1.0
    shell_mm: float = 1.0
    report: bool = False
    scene: bool = False
    pictures: bool = True
    overwrite: bool = False
    threads: int | None = None

    @property
    def maps(self) -> list[tuple[str, str]]:
        """Method and class of every map that is written; the signed map has no class."""
        wanted = [(m, "" if m == SIGNED else t) for m in self.methods for t in self.targets]
        return list(dict.fromkeys(wanted))

    @property
    def class_maps(self) -> list[tuple[str, str]]:
        """Those of :attr:`maps` that have a class, for tables and regions; never empty."""
        return [pair for pair in self.maps if pair[1]] or [(METHODS[0], target) for target in self.targets]


def run(options) -> None:
    """The command."""
    methods = options.method or [METHODS[0]]
    methods = [m for name in methods for m in (METHODS if name == "all" else (name,))]
    job = Job(
        volume=Path(options.volume),
        segmentation=Path(options.segmentation),
        output=Path(options.output),
        model=options.model,
        methods=tuple(dict.fromkeys(methods)),
        targets=CLASSES if options.target == "both" else (options.target,),
        normalisation=options.normalisation,
        threshold=options.threshold,
        margin_mm=options.margin_mm,
        parts=options.parts,
        labels=options.labels,
        segments=options.segments,
        series=options.series,
        compare=options.compare,
        sigma_mm=options.sigma_mm,
        shell_mm=options.shell_mm,
        report=options.report,
        scene=options.scene,
        pictures=options.pictures,
        overwrite=options.overwrite,
        threads=options.threads,
    )
    timings = Timings()
    with Progress(options.quiet) as progress:
        rows, result = explain(job, progress, timings)
    for sentence in result.warnings:
        warn(sentence)
    if not options.quiet:
        print(table(rows, SUMMARY))
        print(f"Model: {result.card.origin}. Research use only, not for diagnosis or treatment decisions.")
        print(f"Results: {job.output}")
    if options.timings:
        timings.show()


def explain(job: Job, progress: Progress, timings: Timings):
    """Read, explain, write.

    Returns:
        Rows of the lesion table for the first map, and the ``CaseResult``.

    Raises:
        PulsarCAMError: one sentence; nothing was written.
    """
    from ..io.result_folder import ResultFolder

    folder = ResultFolder(job.output, job.overwrite)
    folder.check()
    progress.part(0, 0.02)(0, "Starting")
    with timings.step("importing"):
        _prepare_threads(job)
        _import_all(job)
    from ..explanation.explain import explain_scan
    from ..io.volumes import read_volume
    from ..lesions.from_files import read_lesions
    from ..systems.bundle import find_bundle

    with timings.step("reading"):
        bundle = find_bundle(job.model)
        _ = bundle.ensemble
        progress.part(0.05, 0.1)(0, "Reading the MRI")
        volume, geometry = read_volume(job.volume, job.series)
        progress.part(0.1, 0.15)(0, "Reading the lesions")
        lesions, notes = read_lesions(job.segmentation, geometry, job.parts, job.labels, job.segments)
    with timings.step("computing"):
        methods = tuple(dict.fromkeys((*METHODS, *(m for m in job.methods if m != SIGNED))))
        result = explain_scan(
            volume, geometry, lesions, bundle, methods=methods, warnings=notes, progress=progress.part(0.15, 0.5)
        )
    with folder:
        rows = _write_all(job, folder, result, volume, progress, timings)
    return rows, result


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


def _write_all(job: Job, folder, result, volume, progress: Progress, timings: Timings) -> list[dict]:
    from ..explanation.tables import sample_table, unit_table
    from ..io.writing import write_segmentation, write_table

    facts = result.card.facts()
    tell = progress.part(0.5, 0.7)
    with timings.step("writing maps"):
        for n, (method, target) in enumerate(job.maps):
            tell(n / len(job.maps), f"Writing {method}")
            _write_maps(job, folder.made, result, method, target, facts)
    with timings.step("writing tables, regions"):
        rows = []
        for method, target in job.class_maps:
            found = unit_table(result, method, target, job.threshold, job.margin_mm)
            rows.append(found)
            described = facts | {"method": method, "class": target, "threshold": job.threshold}
            path = folder.made / f"{method}_{target}_regions.seg.nrrd"
            write_segmentation(path, result.sub_regions(method, target, job.threshold), result.geometry, described)
        write_table(folder.made / "lesions.csv", [row for found in rows for row in found])
        write_table(folder.made / "slices.csv", sample_table(result))
    compared = None
    if job.compare:
        with timings.step("comparing"):
            compared = write_compared(job, folder.made, result, volume, progress.part(0.7, 0.75))
    if job.pictures:
        with timings.step("drawing"):
            _draw_all(job, folder.made / "pictures", result, volume, progress.part(0.75, 0.9))
    if job.report:
        with timings.step("writing the report"):
            _write_report(job, folder.made / "report.html", result, volume, compared, progress.part(0.9, 0.95))
    if job.scene:
        progress.part(0.95, 1)(0, "Writing the scene")
        with timings.step("writing the scene"):
            from ..scene.headless.save_scene import save_scene

            save_scene(folder.made / "scene.mrb", volume, result, _scene_settings(job), comparison=compared)
    with timings.step("hashing the input"):
        folder.write_marker(_provenance(job, result))
    return rows[0]


def _write_maps(job: Job, folder: Path, result, method: str, target: str, facts: dict) -> None:
    from ..io.writing import write_map
    from ..outputs.pictures.content import UNITS

    base = "_".join(part for part in (method, target) if part)
    units = UNITS.get(method, "no unit") if job.normalisation == "none" else f"share of the {job.normalisation} maximum"
    for statistic in ("mean", "std"):
        values = result.heat_map(method, target or TARGETS[0], statistic, job.normalisation)
        described = facts | {"method": method, "class": target or "both", "statistic": statistic, "units": units}
        described["normalisation"] = job.normalisation
        write_map(folder / f"{base}_{statistic}.nrrd", values, result.geometry, described)


def _draw_all(job: Job, folder: Path, result, volume, tell) -> None:
    from ..io.names import file_name_of
    from ..outputs.pictures.content import picture_of
    from ..outputs.pictures.drawing import drawing_pool

    folder.mkdir()
    total, done = len(result.lesions) * len(job.methods), 0
    with drawing_pool(total, job.threads) as draw:
        for n, lesion in enumerate(result.lesions, start=1):
            for method in job.methods:
                tell(done / total, f"Drawing {lesion.name}")
                picture = picture_of(result, lesion, volume, method, job.targets[0], job.normalisation)
                draw(picture, folder / f"{n:02d}-{file_name_of(lesion.name)}_{method}.png")
                done += 1


def _write_report(job: Job, path: Path, result, volume, compared, tell) -> None:
    from ..outputs.pages.page import write_report

    method, target = job.class_maps[0]
    shown = {"method": method, "target": target, "threshold": job.threshold, "normalisation": job.normalisation}
    write_report(result, volume, path, **shown, margin_mm=job.margin_mm, comparison=compared, progress=tell)


def _scene_settings(job: Job) -> list:
    from ..core.display import DisplaySettings

    return [
        DisplaySettings(
            method,
            target or TARGETS[0],
            normalisation=job.normalisation,
            threshold=job.threshold,
            margin_mm=job.margin_mm,
        )
        for method, target in job.maps
    ]


def _provenance(job: Job, result) -> dict:
    """What ``result.json`` says: no path, no file name (it may be a patient's name), nothing of the images' headers."""
    import numpy
    import SimpleITK as sitk
    import torch

    from ..io.hashing import sha256_of

    card = result.card
    return {
        "pulsarcam": __version__,
        "research_use_only": True,
        "model": {
            "name": card.name,
            "title": card.title,
            "version": card.fields["version"],
            "sha256": card.sha256,
            "synthetic": card.synthetic,
            "members": card.members,
            "origin": card.origin,
            "response": dict(card.fields["response"]),
        },
        "input": {"volume_sha256": sha256_of(job.volume), "segmentation_sha256": sha256_of(job.segmentation)},
        "options": {
            "methods": list(job.methods),
            "classes": list(job.targets),
            "normalisation": job.normalisation,
            "threshold": {"kind": job.threshold.kind, "value": job.threshold.value},
            "margin_mm": job.margin_mm,
            "compare": {"sigma_mm": job.sigma_mm, "shell_mm": job.shell_mm} if job.compare else None,
            "parts": job.parts,
            "labels": job.labels,
            "segments": job.segments,
        },
        "lesions": len(result.lesions),
        "warnings": list(result.warnings),
        "versions": {
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "SimpleITK": sitk.Version_VersionString(),
            "torch": torch.__version__,
        },
    }
