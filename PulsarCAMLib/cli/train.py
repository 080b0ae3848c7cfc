"""``pulsarcam train``: a cohort table in, a documented model bundle out."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .console import table as as_table, warn

RUN, RUN_FORMAT = "run.json", "PulsarCAM training run"
NEEDS = ("torch>=2.2,<3", "safetensors>=0.4", "scikit-learn>=1.4", "joblib>=1.3")


def run(options) -> None:
    """The command."""
    from ..requirements import require

    require(NEEDS, extra="train")
    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    run_folder = output.with_name(output.name + ".training")
    name = options.name or _name_of(output)
    settings = settings_of(options)
    _check_places(output, run_folder, options)
    with TimedBar(options.quiet) as bar:
        cohort, labels = _checked(options, bar)
        _train(options, settings, name, (output, run_folder), (cohort, labels), bar)


def _train(options, settings, name: str, places: tuple[Path, Path], cohort: tuple, bar: TimedBar) -> None:
    from ..models import save_bundle
    from ..training.augmentation import collect_samples
    from ..training.card import card_fields
    from ..training.cohort_cases import cohort_cases, usable_rows
    from ..training.holdout import hold_out_patients
    from ..training.members import train_members

    output, run_folder = places
    rows = usable_rows(*cohort, options.time_point)
    warnings: list[str] = []
    with bar.stage("cutting patches") as tell:
        cases = cohort_cases(rows, tell)
        samples = collect_samples(cases, settings.preprocessing, settings.rotations, warnings.append)
    for sentence in warnings:
        warn(sentence)
    samples, validation = hold_out_patients(samples, options.validation_share, options.seed)
    members = [settings.with_seed(settings.seed + number) for number in range(options.members)]
    _begin_run(run_folder)
    with bar.stage("training") as tell, _resumable(run_folder):
        aside = validation if len(validation) else None
        trained = train_members(samples, aside, members, run_folder, jobs=options.jobs, progress=tell)
        origin = _origin(options, name, cohort, rows)
        fields = card_fields(origin, trained, samples, validation)
        bundle = save_bundle(output, [each.model() for each in trained], fields, overwrite=options.overwrite)
    for number, dead in enumerate(fields["training"]["dead_feature_maps"], start=1):
        if dead:
            listed = ", ".join(map(str, dead))
            warn(f"Member {number} has lost feature map {listed}: zero in every lesion; its maps rest on the others.")
    kept = options.keep_run or options.pictures_every
    if not kept:
        shutil.rmtree(run_folder, ignore_errors=True)
    if not options.quiet:
        bar.clear()
        print(_summary(bundle, run_folder if kept else None))


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


def _checked(options, bar: TimedBar):
    """The table and its labels; all findings are shown first.

    Raises:
        InputError: the table has errors.
    """
    from ..cohort import check_cohort, errors_in, label_cohort, read_cohort
    from ..cohort.findings import HEADINGS
    from ..errors import InputError

    cohort = read_cohort(options.cohort)
    with bar.stage("checking the cohort") as tell:
        findings = check_cohort(cohort, threshold=options.shrinkage, progress=tell)
    errors = errors_in(findings)
    if findings:
        bar.clear()
        print(as_table([finding.as_row() for finding in findings], HEADINGS), file=sys.stderr)
    if errors:
        raise InputError(
            f"The cohort has {len(errors)} error{'s' * (len(errors) > 1)}, listed above; nothing was trained."
        )
    with bar.stage("labelling lesions") as tell:
        return cohort, label_cohort(cohort, options.shrinkage, progress=tell)


def _check_places(output: Path, run_folder: Path, options) -> None:
    """Refuse now what would have to be refused after hours.

    Raises:
        OutputError: something is in the way, or there is nothing to be continued from what is there.
    """
    from ..errors import OutputError
    from ..models.bundle import CARD_FILE

    if os.path.lexists(output):
        if not options.overwrite:
            raise OutputError(f"{output} exists already; choose another name or add --overwrite to replace it.")
        if not (output / CARD_FILE).is_file():
            raise OutputError(f"{output} is not a model bundle, so it is never replaced; choose another name.")
    if os.path.lexists(run_folder):
        if not _is_run(run_folder):
            raise OutputError(f"{run_folder} is in the way and not a training of PulsarCAM; choose another name.")
        if not options.resume:
            raise OutputError(
                f"{run_folder} holds a training that was not finished or was kept; add --resume to continue it, or "
                "delete that folder."
            )
    parent = next(folder for folder in output.parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise OutputError(f"{parent} cannot be written; choose another folder.")


def _is_run(folder: Path) -> bool:
    try:
        return json.loads((folder / RUN).read_text(encoding="utf-8")).get("format") == RUN_FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def _begin_run(folder: Path) -> None:
    from ..errors import OutputError
    from ..training.checkpoint import write_durably

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another place.") from error
    write_durably(folder / RUN, (json.dumps({"format": RUN_FORMAT, "format_version": 1}) + "\n").encode())


@contextmanager
def _resumable(run_folder: Path) -> Iterator[None]:
    """Say what an interruption leaves."""
    from ..errors import Cancelled

    try:
        yield
    except KeyboardInterrupt:
        raise Cancelled(
            f"interrupted; no model was written, and what is trained so far is kept in {run_folder}: the same command "
            "with --resume goes on from there."
        ) from None


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


class TimedBar:
    """A bar on stderr with the time left, one per stage, shown on a terminal only."""

    def __init__(self, quiet: bool) -> None:
        self._off = quiet or not sys.stderr.isatty()
        self._bar = None

    def __enter__(self) -> TimedBar:
        return self

    def __exit__(self, *_error) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @contextmanager
    def stage(self, name: str) -> Iterator:
        """A callback whose 0..1 fills a bar of its own; what was done before, as in a resumed run, does not count."""
        from tqdm import tqdm

        layout = "{percentage:3.0f}% |{bar}| {desc} [{elapsed}, {remaining} left]"
        self.clear()
        bar = self._bar = tqdm(total=100, desc=name, file=sys.stderr, disable=self._off, leave=False, bar_format=layout)
        told = False

        def tell(fraction: float, text: str) -> None:
            nonlocal told
            if not told and not self._off:
                bar.initial = bar.n = 100 * fraction
            told = True
            bar.set_description_str(f"{name}: {text}", refresh=False)
            bar.update(100 * fraction - bar.n)

        try:
            yield tell
        finally:
            self.clear()


def _name_of(output: Path) -> str:
    from ..files.names import file_name_of

    return file_name_of(output.name, "model").lower().lstrip("._-") or "model"
