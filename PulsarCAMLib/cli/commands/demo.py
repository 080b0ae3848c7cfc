"""``pulsarcam demo``: a generated scan with several lesions, explained like any other."""

from __future__ import annotations

from pathlib import Path

from ..console import Progress, Timings, table, warn
from ..explain.one_case import Job, explain, summary_of

LESIONS = 4

REAL_IMAGES = {
    "t1c_brain1": ("brain1_image.nrrd", "brain1_label.nrrd", None),
    "brats_gli_00001": ("t1c.nii.gz", "seg-BraTS23_1.nii.gz", (3,)),
    "dicom_mr_rtstruct": ("STS_008/image", "STS_008/MR_T1_mask.nii.gz", None),
}
"""Folder of a real test image: MRI, mask, label values (None: all)."""


def run(options) -> None:
    """The command."""
    from ...core.requirements import FOR_DICOM, require
    from ...io.result_folder import ResultFolder

    output = Path(options.output)
    folder = ResultFolder(output, options.overwrite)
    if options.dicom:
        require(FOR_DICOM, extra="dicom")
    common = {"model": options.model, "threads": options.threads}
    with folder:
        with Progress(options.quiet) as progress:
            truth = write_scan(folder.made / "scan", options.seed, progress, options.dicom)
            files = ("mri.nrrd", "lesions.seg.nrrd")
            volume, lesions = (folder.made / "scan" / name for name in files)
            if options.dicom:
                volume, lesions = folder.made / "scan/dicom", None
            job = Job(volume, lesions, folder.made / "result", scene=options.scene and _can_write_scenes(),
                      dicom=options.dicom, **common)  # fmt: skip
            rows, result = explain(job, progress, Timings())
        if options.dicom:
            _show_study(volume)
        print(result.verdict.sentence)
        print("A generated scan with synthetic lesions; “truth” is computed from the generated follow-up:")
        columns = summary_of(result, rows) | {"truth": "truth"}
        print(table([row | {"truth": truth[row["lesion"]]} for row in rows], columns))
        for sentence in result.warnings:
            warn(sentence)
        images = Path(options.images) if options.images else None
        for name in _present(images):
            print(f"\n{name}:")
            _explain_image(images / name, folder.made / name, REAL_IMAGES[name], common, options.quiet)
        folder.write_marker({"demo": True, "seed": options.seed})
    print(f"\nModel: {result.card.origin}. Research use only, not for diagnosis or treatment decisions.")
    print(_where_to_look(output, result, job, _present(images)))


def write_scan(folder: Path, seed: int, progress: Progress, as_dicom: bool = False) -> dict[str, str]:
    """Generate a patient and write the MRI, its lesions and the planted truth as NRRD, or as a DICOM study besides.

    Returns:
        Lesion name to its true class.
    """
    from ...cohort.synthetic.patients import generate_patient
    from ...cohort.synthetic.settings import CohortSettings
    from ...core.lesion import Lesion
    from ...outputs.segmentations import write_segmentation
    from ...outputs.volumes import write_volume
    from ...systems.registry import system_of

    progress.part(0, 0.05)(0, "Generating a scan")
    settings = CohortSettings(seed=seed, lesions=(LESIONS, LESIONS))
    patient = generate_patient(settings, 0, images=("baseline",))
    scan = patient.scans["baseline"]
    folder.mkdir()
    facts = {"synthetic": "true"}
    lesions = [Lesion.from_mask(each.name, scan.mask(each.label)) for each in patient.lesions]
    write_volume(folder / "mri.nrrd", scan.image, scan.geometry, facts)
    write_segmentation(folder / "lesions.seg.nrrd", lesions, scan.geometry, facts)
    write_volume(folder / "planted_truth.nrrd", scan.planted, scan.geometry, facts)
    if as_dicom:
        from ...cohort.synthetic.dose_and_clinical import planned_dose
        from ...outputs.dicom.study import write_study

        dose = planned_dose(settings, 0, scan)
        place = (scan.image, scan.geometry, lesions, dose.values, dose.geometry)
        write_study(folder / "dicom", *place, patient=f"PULSARCAM-DEMO-{seed}")
    return {each.name: system_of().task.names[each.response] for each in patient.lesions}


def _show_study(folder: Path) -> None:
    """What ``pulsarcam dicom list`` says of the generated study."""
    from ...io.dicom.folder import take_stock
    from .dicom import COLUMNS, rows_of

    print("A generated DICOM study; what goes with what:")
    print(table(rows_of(take_stock(folder)), COLUMNS))


def _explain_image(source: Path, output: Path, files: tuple, common: dict, quiet: bool) -> None:
    volume, segmentation, labels = files
    job = Job(source / volume, source / segmentation, output, labels=labels, **common)
    with Progress(quiet) as progress:
        rows, result = explain(job, progress, Timings())
    print(table(rows, summary_of(result, rows)))
    for sentence in result.warnings:
        warn(sentence)


def _present(images: Path | None) -> list[str]:
    if images is None:
        return []
    found = [name for name, files in REAL_IMAGES.items() if (images / name / files[0]).exists()]
    if not found:
        warn(f"{images} holds none of {', '.join(REAL_IMAGES)}; only the generated scan was explained.")
    return found


def _can_write_scenes() -> bool:
    from importlib.util import find_spec

    return find_spec("slicer") is not None


def _where_to_look(output: Path, result, job: Job, images: list[str]) -> str:
    heat_map = f"{result.default_method}_{result.task.explained}_mean.nrrd"
    lines = {
        f"{output}/result/pictures/": "one overlay picture (PNG) per lesion",
        f"{output}/result/{heat_map}": "heat map on the MRI's own voxels",
        f"{output}/result/lesions.csv": "one row per lesion, units in the column names",
        f"{output}/scan/": "the generated MRI, its lesions and the planted truth",
    }
    if job.dicom:
        lines[f"{output}/scan/dicom/"] = "the same as a DICOM study: MR, RTSTRUCT, RTDOSE"
        lines[f"{output}/result/dicom/"] = "results as DICOM: RTSTRUCT, SEG, parametric maps, structured report"
    if job.scene:
        lines[f"{output}/result/scene.mrb"] = "everything at once: open it in 3D Slicer"
    lines |= {f"{output}/{name}/": "the same for a real image" for name in images}
    width = max(map(len, lines))
    return "Where to look:\n" + "\n".join(f"  {path:<{width}}  {text}" for path, text in lines.items())
