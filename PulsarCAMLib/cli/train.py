"""``pulsarcam train``: a cohort table in, a documented model bundle out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .console import table as as_table, warn
from .run_folder import SUFFIX, RunFolder, Stages, check_places

NEEDS = ("torch>=2.2,<3", "safetensors>=0.4", "scikit-learn>=1.4", "joblib>=1.3")

CHECKING, LABELLING, CUTTING, TRAINING = "checking the cohort", "labelling lesions", "cutting patches", "training"


def run(options) -> None:
    """The command."""
    from ..requirements import require

    require(NEEDS, extra="train")
    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    run_folder = output.with_name(output.name + SUFFIX)
    name = options.name or _name_of(output)
    settings = settings_of(options)
    check_places(output, run_folder, overwrite=options.overwrite, resume=options.resume)
    with RunFolder(run_folder) as kept, Stages(run_folder, stages_of(options), options.quiet) as stages:
        cohort, labels = checked_cohort(options, stages)
        _train(options, settings, name, (output, kept), (cohort, labels), stages)


def stages_of(options) -> dict[str, float]:
    """The stages of a run and about how long each takes, in trainings."""
    return {CHECKING: 0.3, LABELLING: 0.1, CUTTING: 0.3, TRAINING: float(options.members)}


def _train(options, settings, name: str, places: tuple[Path, RunFolder], cohort: tuple, stages: Stages) -> None:
    from ..models import save_bundle
    from ..training.augmentation import collect_samples
    from ..training.card import card_fields
    from ..training.cohort_cases import cohort_cases, usable_rows
    from ..training.holdout import hold_out_patients
    from ..training.members import train_members

    output, kept = places
    rows = usable_rows(*cohort, options.time_point)
    warnings: list[str] = []
    with stages.stage(CUTTING) as tell:
        cases = cohort_cases(rows, tell)
        samples = collect_samples(cases, settings.preprocessing, settings.rotations, warnings.append)
    for sentence in warnings:
        warn(sentence)
    samples, validation = hold_out_patients(samples, options.validation_share, options.seed)
    members = [settings.with_seed(settings.seed + number) for number in range(options.members)]
    kept.worth_keeping = True
    with stages.stage(TRAINING) as tell:
        aside = validation if len(validation) else None
        trained = train_members(samples, aside, members, kept.folder, jobs=options.jobs, progress=tell)
        origin = _origin(options, name, cohort, rows)
        fields = card_fields(origin, trained, samples, validation)
        bundle = save_bundle(output, [each.model() for each in trained], fields, overwrite=options.overwrite)
    for number, dead in enumerate(fields["training"]["dead_feature_maps"], start=1):
        if dead:
            listed = ", ".join(map(str, dead))
            warn(f"Member {number} has lost feature map {listed}: zero in every lesion; its maps rest on the others.")
    stages.done()
    keep = options.keep_run or options.pictures_every
    if not keep:
        kept.remove()
    if not options.quiet:
        print(_summary(bundle, kept.folder if keep else None))


def settings_of(options):
    """The training settings that the options mean."""
    from ..lesions import Preprocessing
    from ..models import Architecture
    from ..training.settings import TrainingSettings

    o = options
    return TrainingSettings(
        epochs=o.epochs,
        batch_size=o.batch_size,
        learning_rate=o.learning_rate,
        weight_decay=o.weight_decay,
        rotations=o.rotations,
        architecture=Architecture(
            filters=o.filters, dense_activation=o.dense_activation, norm=o.norm, dropout=o.dropout
        ),
        preprocessing=Preprocessing(plane=o.plane, in_plane_spacing_mm=o.spacing_mm),
        mode=o.mode,
        imbalance=o.imbalance,
        patience=o.patience,
        seed=o.seed,
        settle_norm=o.settle_norm,
        device=o.device,
        pictures_every=o.pictures_every,
    )


def checked_cohort(options, stages: Stages):
    """The table and its labels; all findings are shown first.

    Raises:
        InputError: the table has errors.
    """
    from ..cohort import check_cohort, errors_in, label_cohort, read_cohort
    from ..cohort.findings import HEADINGS
    from ..errors import InputError

    cohort = read_cohort(options.cohort)
    with stages.stage(CHECKING) as tell:
        findings = check_cohort(cohort, threshold=options.shrinkage, progress=tell)
    errors = errors_in(findings)
    if findings:
        stages.clear()
        print(as_table([finding.as_row() for finding in findings], HEADINGS), file=sys.stderr)
    if errors:
        raise InputError(
            f"The cohort has {len(errors)} error{'s' * (len(errors) > 1)}, listed above; nothing was trained."
        )
    with stages.stage(LABELLING) as tell:
        return cohort, label_cohort(cohort, options.shrinkage, progress=tell)


def _origin(options, name: str, cohort: tuple, rows: list):
    from collections import Counter

    from ..files.hashing import sha256_of
    from ..training.card import Origin
    from ..training.cohort_cases import inputs_digest

    table, labels = cohort
    used = {row.key for row, _ in rows}
    sources = Counter(label.source for label in labels if (label.patient, label.lesion) in used)
    return Origin(
        name=name,
        title=options.title or name,
        synthetic=any(row.truth for row in table.rows),
        time_point=options.time_point,
        shrinkage=options.shrinkage,
        command=_command(options),
        sources=dict(sources),
        inputs_sha256=inputs_digest(rows),
        table_sha256=sha256_of(table.path),
        licence=options.licence,
    )


def _command(options) -> str:
    """How to repeat it, without names of files."""
    parts = ["pulsarcam train COHORT -o OUT"]
    skipped = ("command", "debug", "cohort", "output", "name", "title", "licence", "jobs", "resume", "overwrite")
    for key, value in vars(options).items():
        if key in (*skipped, "keep_run", "quiet", "pictures_every") or value is None or value is False:
            continue
        text = ",".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)
        parts.append(f"--{key.replace('_', '-')}" + ("" if value is True else f" {text}"))
    return " ".join(parts)


def _summary(bundle, kept: Path | None) -> str:
    fields = bundle.card.fields
    performance = fields["performance"]
    lines = [f"Model “{bundle.card.name}” of {bundle.card.members} members: {bundle.folder}"]
    lines.append(f"Trained on {fields['training']['data']}.")
    if "validation" in performance:
        lines.append(f"Validation patients: {performance['validation']['text']}.")
    lines.append(f"{performance['about'].rstrip('.')}.")
    if kept:
        lines.append(f"Curves and pictures: {kept}")
    return "\n".join(lines)


def _name_of(output: Path) -> str:
    from ..files.names import file_name_of

    return file_name_of(output.name, "model").lower().lstrip("._-") or "model"
