"""The steps of ``pulsarcam train``: members, protocols, checks of the maps, report, and last of all the bundle."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...cohort.labels.lesion_label import LesionLabel
from ...cohort.tables.table import CohortTable
from ...core.task import PATIENT, SHRINKAGE
from ...core.vocabulary import ALL, BASELINE, FOLDS
from ...systems.registry import DEFAULT
from ..console import warn
from ..learning import system_of_options
from .run_folder import RunFolder, Stages, remove_leftovers
from .stages import JUDGING, MAPS, REPORT, TRAINING, WRITING

if TYPE_CHECKING:
    from ...study.run import Study
    from ...study.settings import StudySettings
    from ...systems.bundles.bundle import ModelBundle
    from ...systems.contract import System
    from ...systems.learning.learner import Trained, TrainingSamples
    from ...training.bundles.card import Origin
    from ...training.trial import TrialResult

STUDY, LABEL_CONTROLS, PREPARED = "study", "label-controls", "prepared"
"""Folders within that of the run."""

FIRST_MRI_ONLY = "the protocols learn from the first MRI, and this model does not"
EARLY = "They ran all epochs: inside a protocol no patients are set aside to stop early by"


@dataclass
class TrainRun:
    """One run of the command.

    Attributes:
        options: of the command line.
        system: whose network is trained.
        settings: of the first member's training.
        name: of the model.
        output, report: folders of the bundle and of the report; no report without protocols.
        kept: the run's folder.
        stages: tells how far it is.
    """

    options: argparse.Namespace
    system: System
    settings: Trained
    name: str
    output: Path
    report: Path | None
    kept: RunFolder
    stages: Stages

    def refuse(self, cohort: CohortTable, labels: Sequence[LesionLabel]) -> None:
        """What cannot be trained on or judged, by the table and its labels alone.

        Raises:
            InputError: it cannot.
        """
        from ...training.units.cohort_cases import usable_rows
        from ...training.units.holdout import check_learnable

        rows = usable_rows(cohort, labels, self.options.time_point, self.system)
        own = {"share": self.options.validation_share, "seed": self.options.seed}
        members = self.options.members if self._folds else 0
        whose = [row.patient for row, _ in rows]
        check_learnable([label for _, label in rows], whose, self.system.task, **own, members=members)
        self._judged_by(cohort, labels)

    @property
    def _folds(self) -> bool:
        """Whether each member leaves out a fold of its own."""
        return getattr(self.settings, "members_learn", ALL) == FOLDS and self.options.members > 1

    def run(self, cohort: CohortTable, labels: list[LesionLabel]) -> None:
        """Everything, from a checked cohort.

        Raises:
            PulsarCAMError: the cohort cannot be trained on, or a folder cannot be written.
        """
        from ...training.bundles.card import card_fields
        from ...training.units.cohort_cases import usable_rows

        rows = usable_rows(cohort, labels, self.options.time_point, self.system)
        judged_by = self._protocols(cohort, labels)
        samples, validation = self._samples(rows)
        trained = self._members(samples, validation)
        fields = card_fields(self._origin(cohort, labels, rows), trained, samples, validation)
        study = self._study(cohort, labels, judged_by, fields)
        if self.options.sanity:
            fields["explanation_checks"] = self._checks(cohort, rows, fields, trained, samples, validation)
        if study:
            self._report(study, trained)
        with self.stages.stage(WRITING):
            bundle = self._save(trained, fields)
        self._end(bundle)

    def _protocols(self, cohort: CohortTable, labels: list[LesionLabel]) -> StudySettings | None:
        """Settings of the study, if one is wanted and can be run; asked before anything is trained."""
        if self.options.protocols and self.options.time_point != BASELINE:
            warn(f"No protocol was run: {FIRST_MRI_ONLY}.")
        found = self._judged_by(cohort, labels)
        if found is not None:
            from ..study.command import tell_of_input_controls

            tell_of_input_controls(found, self.options.quiet)
        return found

    def _judged_by(self, cohort: CohortTable, labels: Sequence[LesionLabel]) -> StudySettings | None:
        """The same without a word.

        Raises:
            InputError: a protocol cannot be run.
        """
        if not self.options.protocols or self.options.time_point != BASELINE:
            return None
        from ...study.prepare import check_study
        from ...training.permuted_label_control import undisturbed
        from ..study.command import study_settings_of

        found = study_settings_of(argparse.Namespace(**vars(self.options)))
        found = replace(found, training=undisturbed(found.training))
        check_study(cohort, labels, found)
        return found

    def _samples(self, rows: list) -> tuple[TrainingSamples, TrainingSamples]:
        from ...study.running import preparing
        from ...training.units.cohort_cases import cohort_cases
        from ...training.units.holdout import hold_out_patients
        from ...training.units.samples import collect_samples, told_once

        warnings: list[str] = []
        with self.stages.stage(preparing(self.system)) as tell:
            units = cohort_cases(rows, tell, self.system)
            samples = collect_samples(
                units, self.system, self.settings, warnings.append, store=self.kept.folder / PREPARED,
                at_once=self.options.jobs,
            )  # fmt: skip
        self._warned = told_once(warnings)
        for sentence in self._warned:
            warn(sentence)
        return hold_out_patients(samples, self.options.validation_share, self.options.seed, self.system.task)

    def _members(self, samples: TrainingSamples, validation: TrainingSamples) -> list[TrialResult]:
        from ...training.members import train_members

        members = [self.settings.with_seed(self.settings.seed + number) for number in range(self.options.members)]
        aside: Any = validation if len(validation) else None
        known: Any = samples
        if self._folds:
            from ...training.units.holdout import folds_of_members

            folds = folds_of_members(samples, len(members), self.settings.seed, self.system.task)
            known, aside = zip(*folds, strict=True)
        with self.stages.stage(TRAINING) as tell:
            return train_members(known, aside, members, self.kept.folder, jobs=self.options.jobs, progress=tell)

    def _study(self, cohort, labels, settings: StudySettings | None, fields: dict[str, Any]) -> Study | None:
        """Run it, and put its figures into the card."""
        if settings is None:
            if self.options.protocols:
                fields["protocols"] = {"about": f"Not run: {FIRST_MRI_ONLY}"}
            return None
        from ...study.figures.card_section import protocols_section
        from ...study.figures.summary import summarise
        from ...study.input_controls.words import input_controls_section
        from ...study.run import run_study

        study = run_study(
            cohort, labels, settings, self.kept.folder / STUDY, at_once=self.options.jobs,
            progress=lambda name: self.stages.stage(JUDGING.format(name)),
            on_warning=lambda sentence: None if sentence in self._warned else warn(sentence),
        )  # fmt: skip
        summary = summarise(study)
        section = protocols_section(summary, study.facts)
        controls = input_controls_section(summary)
        if controls:
            fields["performance"]["input_controls"] = controls
        if self.options.patience:
            section["about"] = f"{section['about']}. {EARLY}"
        fields["protocols"] = section
        return study

    def _checks(
        self, cohort: CohortTable, rows: list, fields, trained, samples: TrainingSamples, validation: TrainingSamples
    ) -> dict:
        """The checks of the maps, on patients that were set aside where there are some."""
        from ...systems.bundles.bundle import bundle_of
        from ...trust.cohort_subjects import cohort_subjects
        from ...trust.judging import LabelControl, card_section, judge_explanations

        bundle = bundle_of([each.model() for each in trained], fields, self.output)
        aside = set(validation.patients.tolist())
        shown = [(row, response) for row, response in rows if not aside or row.patient in aside]
        with self.stages.stage(MAPS) as tell:
            subjects = cohort_subjects(shown, Path(cohort.path).parent, self.system, self.settings.preprocessing)
            control = LabelControl(
                self.options.label_control, lambda _: samples, self.options.label_epochs,
                self.kept.folder / LABEL_CONTROLS,
            )  # fmt: skip
            found = judge_explanations(bundle, subjects, control=control, progress=tell)
        whose = "patients set aside, whom no member learnt from" if aside else "patients it was trained on"
        what = "" if found["unit"] == PATIENT else f"{found['lesions']} {found['unit']}s of "
        return card_section(found, f"On {what}{found['patients']} {whose}")

    def _report(self, study: Study, trained: list[TrialResult]) -> None:
        from ...outputs.study import write_study_report

        remove_leftovers(self.report)
        with self.stages.stage(REPORT) as tell:
            write_study_report(study, self.report, overwrite=True, progress=tell, members=trained, on_warning=warn)

    def _save(self, trained: list[TrialResult], fields: dict[str, Any]) -> ModelBundle:
        from ...systems.bundles.bundle import save_bundle

        return save_bundle(self.output, [each.model() for each in trained], fields, overwrite=self.options.overwrite)

    def _end(self, bundle: ModelBundle) -> None:
        for sentence in self.system.training_notes(bundle.card.fields["training"]):
            warn(sentence)
        self.stages.done()
        kept = self.options.keep_run or getattr(self.options, "pictures_every", 0)
        if not kept:
            self.kept.remove()
        if not self.options.quiet:
            print(summary(bundle, self.report, self.kept.folder if kept else None))

    def _origin(self, cohort: CohortTable, labels: list[LesionLabel], rows: list) -> Origin:
        from ...io.hashing import sha256_of
        from ...training.bundles.card import Origin
        from ...training.units.cohort_cases import inputs_digest

        of_patients = self.system.task.unit == PATIENT
        used = {(row.patient, "" if of_patients else row.lesion) for row, _ in rows}
        sources = Counter(label.source for label in labels if (label.patient, label.lesion) in used)
        return Origin(
            name=self.name,
            title=self.options.title or self.name,
            synthetic=any(row.truth for row in cohort.rows),
            time_point=self.options.time_point,
            shrinkage=self.options.shrinkage,
            command=command_of(self.options),
            sources=dict(sources),
            inputs_sha256=inputs_digest(rows, self.system),
            table_sha256=sha256_of(cohort.path),
            licence=self.options.licence,
        )


NOT_SAID = (
    *("command", "debug", "cohort", "output", "name", "title", "licence", "jobs", "resume", "overwrite"),
    *("keep_run", "quiet", "pictures_every", "threshold", "inner_folds", "tune", "models", "foreign"),
)
OF_PROTOCOLS = ("protocols", "trials", "paper_trials", "controls", "folds", "study_seed", "input_controls")
OF_CHECKS = ("label_control", "label_epochs")


def command_of(options: argparse.Namespace) -> str:
    """How to repeat it, without names of files; only what the system's settings have."""
    skipped = [*NOT_SAID, *(() if options.protocols else OF_PROTOCOLS), *(() if options.sanity else OF_CHECKS)]
    skipped += [] if system_of_options(options).task.label.kind == SHRINKAGE else ["shrinkage"]
    parts = ["pulsarcam train COHORT -o OUT", *([] if options.protocols else ["--protocols none"])]
    for key, value in vars(options).items():
        if key in skipped or value is None or value is False or (key == "system" and value == DEFAULT):
            continue
        text = "" if value is True else f" {_option(value) or repr('')}"
        parts.append(f"--{key.replace('_', '-')}{text}")
    return " ".join(parts)


def _option(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(v if isinstance(v, str) else f"{v:g}" for v in value)
    return str(value)


def summary(bundle: ModelBundle, report: Path | None, kept: Path | None) -> str:
    """What was made: the verdict, and a small table."""
    from ...outputs.training_end import as_lines, end_rows

    card = bundle.card
    rows = [*end_rows(card), ("Bundle", str(bundle.folder))]
    if report and "text" in card.fields.get("protocols", {}):
        rows.append(("Report", str(report / "index.html")))
    rows.append(("The whole card", f"pulsarcam bundle show {bundle.folder}"))
    if kept:
        rows.append(("Run", f"{kept} (curves, pictures and the study)"))
    return as_lines(card.verdict.sentence, rows)
