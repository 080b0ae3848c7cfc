"""A study in a folder: prepared once, continued as often as it is stopped, read again without any training."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from ..cohort import CohortTable, LesionLabel
from ..cohort.columns import BASELINE, SECOND
from ..errors import InputError, OutputError
from .cam import CAM, CamContender, save_samples
from .contenders import Contender
from .inner import Tuned
from .jobs import Job, Progress, dask_workers, run_jobs
from .lesions import TIME_POINTS, StudyLesions
from .records import TrialRecord, read_record, trial_folder
from .settings import StudySettings
from .splits import PAPER, protocol_splits

FORMAT, FORMAT_VERSION = "PulsarCAM study", 1
STUDY, LESIONS, SAMPLES = "study.json", "lesions.csv", "samples.npz"
CUTTING, FEATURE_STAGE, TRAINING = "cutting patches ({})", "computing features", "training"

Stages = Callable[[str], AbstractContextManager[Progress | None]]


@dataclass(frozen=True, eq=False)
class Study:
    """A study that was run, or is being run, in a folder.

    Attributes:
        folder: of the study.
        settings: of the study.
        lesions: that take part.
        facts: the whole of ``study.json``: hashes, versions, seconds, warnings, whether the lesions are generated.
        records: finished trials in the order of models, protocols, trials, controls.
        missing: how many trials are not finished.
    """

    folder: Path
    settings: StudySettings
    lesions: StudyLesions
    facts: dict[str, Any]
    records: tuple[TrialRecord, ...]
    missing: int = 0

    def of(self, model: str, protocol: str, control: bool = False) -> list[TrialRecord]:
        """The trials, or the controls, of a model under a protocol."""
        return [r for r in self.records if (r.model, r.protocol, r.control) == (model, protocol, control)]

    def folder_of(self, record: TrialRecord) -> Path:
        """Where a trial is kept."""
        return trial_folder(self.folder, record.model, record)


def run_study(
    cohort: CohortTable,
    labels: Sequence[LesionLabel],
    settings: StudySettings,
    folder: str | Path,
    *,
    at_once: int = 1,
    scheduler: str | None = None,
    progress: Stages | None = None,
    cancelled: Callable[[], bool] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Study:
    """Run a study, or what is left of one that was begun in this folder.

    Args:
        cohort: checked; see :func:`~PulsarCAMLib.cohort.check_cohort`.
        labels: of :func:`~PulsarCAMLib.cohort.label_cohort`.
        settings: of the study.
        folder: of the study alone; made if it is not there.
        at_once, scheduler: see :func:`~.jobs.run_jobs`.
        progress: gives a context for a stage by its name, which yields a callback for the share done and a text.
        cancelled: True stops; the study can be continued.
        tell: is called with each warning.

    Raises:
        InputError: lesions, settings or folder cannot be used.
        OutputError: the folder cannot be written.
        Cancelled: ``cancelled`` said so.
    """
    folder = Path(folder).absolute()
    progress = progress or (lambda _stage: nullcontext())
    lesions, facts = _prepared(cohort, labels, settings, folder, at_once, scheduler, progress, tell)
    jobs = [job for _, job in _jobs(settings, lesions, facts, folder)]
    began = time.monotonic()
    with progress(TRAINING) as stage:
        records = run_jobs(jobs, at_once=at_once, scheduler=scheduler, progress=stage, cancelled=cancelled)
    spent = facts["seconds"].get("training", 0.0) + time.monotonic() - began
    facts["seconds"]["training"] = round(spent, 1)
    _write(folder, facts)
    return Study(folder, settings, lesions, facts, tuple(records))


def open_study(folder: str | Path) -> Study:
    """A study from its folder, finished or not; nothing is trained.

    Raises:
        InputError: there is none, or it is damaged.
    """
    folder = Path(folder).absolute()
    facts = read_facts(folder)
    if facts is None:
        raise InputError(f"There is no study in {folder}; run one with: pulsarcam study COHORT -o {folder.name}")
    settings = StudySettings.from_card(facts["settings"])
    lesions = StudyLesions.from_csv(folder / LESIONS)
    found = [read_record(job.folder, job.identity()) for _, job in _jobs(settings, lesions, facts, folder)]
    records = tuple(record for record in found if record)
    return Study(folder, settings, lesions, facts, records, len(found) - len(records))


def read_facts(folder: Path) -> dict[str, Any] | None:
    """``study.json``; None where there is none.

    Raises:
        InputError: it is damaged or of another version.
    """
    path = Path(folder) / STUDY
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != FORMAT or facts["format_version"] != FORMAT_VERSION:
            raise ValueError("another format")
        return {**facts, "settings": dict(facts["settings"]), "sha256": dict(facts["sha256"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged or of another version; run the study in another folder.") from error


def contenders_of(settings: StudySettings, facts: dict[str, Any], folder: Path) -> list[Contender]:
    """The models that take part, in the order of the settings.

    Raises:
        InputError: a model is not known.
    """
    found: dict[str, Contender] = {}
    if CAM in settings.models:
        found[CAM] = _cam(settings, facts["sha256"]["samples"], folder / SAMPLES)
    others = settings.feature_models
    if others:
        from .features import FEATURES, contenders

        made = contenders(others, settings.features, folder / FEATURES, folder / LESIONS)
        found |= {each.name: each for each in made}
    return [found[name] for name in settings.models]


def _cam(settings: StudySettings, sha256: str, samples: Path) -> Contender:
    plain = CamContender(samples, sha256, settings.training)
    if not settings.tune:
        return plain
    candidates, words = [], []
    for values in product(*settings.tune.values()):
        chosen = dict(zip(settings.tune, values, strict=True))
        candidates.append(replace(plain, settings=tuned_settings(settings.training, chosen)))
        words.append(", ".join(f"{name} {value:g}" for name, value in chosen.items()))
    return Tuned.among(candidates, words, settings.inner_folds)


def tuned_settings(training: Any, chosen: dict[str, float]) -> Any:
    """Training settings with some values replaced: of the training itself or of its architecture.

    Raises:
        InputError: a name is not one of theirs.
    """
    counts = ("epochs", "batch_size", "filters", "features", "dense_units")
    shares = ("learning_rate", "weight_decay", "dropout")
    own, network = {}, {}
    for name, value in chosen.items():
        if name not in (*counts, *shares):
            raise InputError(f"{name!r} cannot be tuned; choose from {', '.join((*counts, *shares))}.")
        place = own if hasattr(training, name) else network
        place[name] = int(value) if name in counts else float(value)
    architecture = replace(training.architecture, **network)
    return replace(training, **own, architecture=architecture)


def _jobs(settings: StudySettings, lesions: StudyLesions, facts: dict[str, Any], folder: Path):
    """(model, job) in the order of protocols, models, trials, controls; real trials of all models come first."""
    contenders = contenders_of(settings, facts, folder)
    found = []
    for protocol in settings.protocols:
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        for split in protocol_splits(lesions, protocol, **numbers, folds=settings.folds, seed=settings.seed):
            for contender in contenders:
                own = _asked_of(contender, split)
                if own:
                    rule = (settings.threshold, settings.inner_folds)
                    found.append((contender.name, Job(contender, own, lesions.patients, folder, *rule)))
    return found


def _asked_of(contender: Contender, split):
    """A split as far as a contender can be asked; None where it cannot be at all.

    A model that learns from both MRIs has seen what the paper's protocol tests.
    """
    if split.protocol == PAPER and BASELINE not in contender.time_points:
        return None
    asked = tuple(part for part in split.asked if part[0] in contender.time_points)
    return replace(split, asked=asked) if asked else None


def study_rows(cohort: CohortTable, labels: Sequence[LesionLabel]) -> tuple[list, list]:
    """Rows with their responses: the lesions that take part on their first MRI, and those that have a second one.

    Raises:
        InputError: no lesion can take part.
    """
    from ..training.cohort_cases import usable_rows

    baseline = usable_rows(cohort, labels, BASELINE)
    known = {row.key for row, _ in baseline}
    later = any(row.time_point == SECOND for row in cohort.rows)
    second = [part for part in usable_rows(cohort, labels, SECOND) if part[0].key in known] if later else []
    return baseline, second


def check_study(cohort: CohortTable, labels: Sequence[LesionLabel], settings: StudySettings) -> StudyLesions:
    """The lesions of a study that can be run; to be asked before hours of other work.

    Raises:
        InputError: the lesions cannot be split as a protocol wants it.
    """
    return _usable(StudyLesions.of(*study_rows(cohort, labels)), settings)


def _usable(lesions: StudyLesions, settings: StudySettings) -> StudyLesions:
    """These lesions, unless a protocol cannot split them so that there is something to learn, or a setting cannot be
    tuned.
    """
    for protocol in settings.protocols:
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        for split in protocol_splits(lesions, protocol, **numbers, folds=settings.folds, seed=settings.seed):
            if CAM in settings.models and len(set(split.labels[split.train].tolist())) < 2:
                raise InputError(
                    f"In {split.place} of the protocol “{protocol}” all lesions that are left to learn from have the "
                    "same response, for the others are of too few patients; leave this protocol out."
                )
    _cam(settings, "", Path())
    return lesions


def _prepared(cohort, labels, settings: StudySettings, folder: Path, at_once: int, scheduler, progress, tell):
    """Lesions, patches and features in the folder; all that is there already is left as it is.

    ``study.json`` tells of other settings only when the trials that are there are found to go with them.
    """
    from ..files.hashing import sha256_of
    from ..training.cohort_cases import inputs_digest

    baseline, second = study_rows(cohort, labels)
    lesions = _usable(StudyLesions.of(baseline, second), settings)
    hashes = {"table": sha256_of(cohort.path), "images_and_masks": inputs_digest([*baseline, *second])}
    facts = read_facts(folder)
    if facts is not None:
        _check_same(facts, settings, lesions, hashes, folder)
    else:
        _make(folder)
        began = time.monotonic()
        hashes["samples"], warnings = _patches(baseline, second, lesions, settings, folder, progress, tell)
        _write_text(folder / LESIONS, lesions.to_csv())
        facts = _facts(settings, lesions, hashes, warnings, any(row.truth for row in cohort.rows))
        facts["seconds"] = {"patches": round(time.monotonic() - began, 2)}
        _write(folder, facts)
    with _features_kept_if_refused(folder):
        if settings.feature_models:
            _features(cohort, lesions, settings, facts, folder, at_once, scheduler, progress, tell)
        for _, job in _jobs(settings, lesions, facts, folder):
            read_record(job.folder, job.identity())
    facts["settings"] = settings.to_card()
    _write(folder, facts)
    return lesions, facts


def _features(cohort, lesions, settings, facts, folder: Path, at_once: int, scheduler, progress, tell) -> None:
    from .features import prepare_features

    began = time.monotonic()
    spread = partial(dask_workers, scheduler)
    with progress(FEATURE_STAGE) as stage:
        own = (settings.feature_models, settings.features, folder)
        running = {"at_once": -1 if scheduler else at_once, "spread": spread, "stage": stage, "tell": tell}
        facts["sha256"]["features"] = prepare_features(cohort, lesions, *own, **running)
    facts["seconds"]["features"] = round(facts["seconds"].get("features", 0.0) + time.monotonic() - began, 2)


@contextmanager
def _features_kept_if_refused(folder: Path) -> Iterator[None]:
    """Trials that are refused shall still find the features that they were made from."""
    from ..training.checkpoint import write_durably
    from .features import FEATURES, SETTINGS_FILE

    paths = [path for name in (FEATURES, SETTINGS_FILE) if (path := folder / name).is_file()]
    before = {path: path.read_bytes() for path in paths}
    try:
        yield
    except InputError:
        for path, content in before.items():
            write_durably(path, content)
        raise


def _patches(baseline, second, lesions: StudyLesions, settings: StudySettings, folder: Path, progress, tell):
    import numpy as np

    from ..training.augmentation import Samples, collect_samples
    from ..training.cohort_cases import cohort_cases

    index = {point: {int(row): at for at, row in enumerate(lesions.rows[point])} for point in TIME_POINTS}
    sets, warnings = {}, []
    for point, rows, rotations in ((BASELINE, baseline, settings.training.rotations), (SECOND, second, ())):
        if not rows:
            continue
        numbered = {row.key: index[point][row.row] for row, _ in rows}
        with progress(CUTTING.format(point)) as stage:
            cases = cohort_cases(rows, stage)
            found = collect_samples(cases, settings.training.preprocessing, rotations, warnings.append)
        pairs = zip(found.patients.tolist(), found.lesions.tolist(), strict=True)
        own = np.array([numbered[pair] for pair in pairs])
        order = np.lexsort((np.arange(len(own)), own))
        numbers = {**vars(found), "lesions": own, "patients": lesions.patients[own]}
        sets[point] = Samples(**numbers).where(order)
    for sentence in warnings if tell else ():
        tell(sentence)
    return save_samples(folder / SAMPLES, sets), len(warnings)


def _facts(settings, lesions: StudyLesions, hashes: dict, warnings: int, synthetic: bool) -> dict[str, Any]:
    from ..training.trial import software

    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "identity": settings.identity(),
        "settings": settings.to_card(),
        "synthetic": synthetic,
        "lesions": len(lesions),
        "patients": int(lesions.patients.max()),
        "responses": int(lesions.labels.sum()),
        "second_mri": int(lesions.having(SECOND).sum()),
        "slices_with_warnings": warnings,
        "sha256": hashes,
        "software": {**software(), "python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
    }


def _check_same(
    facts: dict[str, Any], settings: StudySettings, lesions: StudyLesions, hashes: dict[str, str], folder: Path
) -> None:
    same_data = all(facts["sha256"].get(name) == value for name, value in hashes.items())
    # Responses come from volumes at follow-up, too, which no hash is kept of.
    same_data = same_data and StudyLesions.from_csv(folder / LESIONS).to_csv() == lesions.to_csv()
    if facts["identity"] != settings.identity() or not same_data:
        raise InputError(
            f"{folder} holds a study of other data, or with another seed, other folds, shrinkage or preprocessing; "
            "continue that one as it was begun, or choose another folder."
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [
            path for path in folder.iterdir() if path.name not in (LESIONS, SAMPLES) and path.suffix != ".partial"
        ]
    except OSError as error:
        raise OutputError(f"The study's folder {folder} cannot be made ({error.strerror}); choose another.") from error
    if others:
        raise OutputError(f"{folder} has other files in it and is no study; choose a new or empty folder.")


def _write(folder: Path, facts: dict[str, Any]) -> None:
    _write_text(folder / STUDY, json.dumps(facts, indent=1) + "\n")


def _write_text(path: Path, text: str) -> None:
    from ..training.checkpoint import write_durably

    write_durably(path, text.encode())
