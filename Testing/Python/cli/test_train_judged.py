"""``pulsarcam train`` with protocols and checks of the maps: what goes into card and report, and how it is resumed."""

import csv
from functools import partial

import pytest
from making_files import files_in

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.io.progress_file import read_progress
from PulsarCAMLib.io.result_folder import ResultFolder
from PulsarCAMLib.outputs.pages.card_text import card_blocks, unreadable_parts
from PulsarCAMLib.study import run as study_run
from PulsarCAMLib.systems.bundles.bundle import load_bundle
from PulsarCAMLib.systems.bundles.checking import check_bundle
from PulsarCAMLib.trust import checks

QUICK = ("--members", "1", "--epochs", "1", "--filters", "2", "--rotations", "90", "--batch-size", "8")
JUDGED = (*QUICK, "--protocols", "patients,paper", "--trials", "2", "--paper-trials", "1", "--controls", "1",
          "--folds", "2", "--validation-share", "0.4")  # fmt: skip
SANITY = ("--sanity", "--label-control", "1")


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=5, seed=3, lesions=(2, 3), second_mri=True)
    return synthetic_cohort(settings)


@pytest.fixture(scope="module", autouse=True)
def light():
    """Few draws, and a report that says only whose it is; both have tests of their own."""

    def written(study, folder, *, overwrite, members, **_):
        curves = [name for each in members for name in each.history[-1]]
        told = f"{len(study.records)} trials, {study.missing} missing, {curves.count('validation_accuracy')} members"
        with ResultFolder(folder, overwrite) as kept:
            (kept.made / "index.html").write_text(told)
            kept.write_marker({})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PulsarCAMLib.outputs.study.write_study_report", written)
        few = partial(checks.Settings, draws=1, steps=2, random_orders=1)
        patch.setattr(checks, "Settings", few)
        yield


@pytest.fixture(scope="module")
def stopped(cohort, tmp_path_factory):
    """Stopped by Ctrl-C between two trials of the study, and what was there then."""
    out = tmp_path_factory.mktemp("made") / "m"
    command = ["train", str(cohort), "-o", str(out), *JUDGED, *SANITY]
    real = study_run.run_jobs

    def interrupted(jobs, **options):
        real(jobs[:2], **options)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_run, "run_jobs", interrupted)
        assert main(command) == 130
    run = out.with_name("m.training")
    return command, out, files_in(run), read_progress(run)


@pytest.fixture(scope="module")
def bundle(stopped):
    command, out, _, _ = stopped
    (out.parent / ".m.report.abcd1234.partial").mkdir()  # a kill while the report was written
    assert main([*command, "--resume"]) == 0
    return load_bundle(out)


def test_a_stop_within_the_study_keeps_members_and_trials_and_writes_neither_bundle_nor_report(stopped):
    _, _, kept, state = stopped
    assert "member-001/result.json" in kept
    assert "study/trials/cam/patients/trial-001/result.json" in kept
    assert state.stage == "judging: training"


def test_resumed_it_ends_with_bundle_and_report_and_nothing_else(bundle):
    left = {name.split("/")[0] for name in files_in(bundle.folder.parent)}
    assert left == {"m", "m.report"}
    assert sorted(path.name for path in bundle.folder.parent.iterdir()) == ["m", "m.report"]
    assert check_bundle(bundle.folder) == []
    assert (bundle.folder.parent / "m.report" / "index.html").read_text() == "9 trials, 0 missing, 1 members"


def test_the_card_has_every_protocol_beside_its_control(bundle):
    section = bundle.card.fields["protocols"]
    asked = [(e["protocol"], e["time_point"], e["trials"], e["controls"]) for e in section["table"]]
    own = [line for line, entry in zip(asked, section["table"], strict=True) if entry["model"] == "cam"]
    assert own == [("patients", "baseline", 2, 1), ("patients", "second", 2, 1), ("paper", "second", 1, 1)]
    assert set(asked) - set(own) == {("patients", "baseline", 2, 0), ("patients", "second", 2, 0)}
    controls = bundle.card.fields["performance"]["input_controls"]
    assert [each["name"] for each in controls] == ["mean-only", "volume-only"]
    assert all(0 <= each["auc"] <= 1 and each["patients"] <= 5 for each in controls)
    assert section["missing"] == 0
    assert "--protocols patients,paper" in bundle.card.fields["training"]["command"]
    assert "--sanity" in bundle.card.fields["training"]["command"]


def test_the_card_has_the_checks_of_the_maps_on_patients_set_aside(bundle):
    section = bundle.card.fields["explanation_checks"]
    assert "whom no member learnt from" in section["about"]
    assert section["patients"] == bundle.card.fields["training"]["counts"]["validation"]["patients"]
    assert section["label_control"]["models"] == 1
    assert set(section["not_measured"]) == {"members"}


def test_the_whole_card_is_readable_and_names_nobody(bundle, cohort):
    assert unreadable_parts(bundle.card) == []
    assert {"Protocols", "Are the maps true?"} <= {block.title for block in card_blocks(bundle.card)}
    text = (bundle.folder / "card.json").read_text(encoding="utf-8")
    with cohort.open() as file:
        assert not any(row["patient"] in text or row["image"] in text for row in csv.DictReader(file))


def test_a_report_that_is_there_is_refused_before_anything_is_done(bundle, cohort, capsys):
    other = bundle.folder.parent / "m2"
    (bundle.folder.parent / "m2.report").mkdir()
    (bundle.folder.parent / "m2.report" / "mine.txt").write_text("x")
    assert main(["train", str(cohort), "-o", str(other), *JUDGED]) == 5
    assert "never replaced" in capsys.readouterr().err
    assert not other.with_name("m2.training").exists()


def test_a_cohort_too_small_for_a_protocol_is_refused_before_anything_is_trained(cohort, tmp_path, capsys):
    assert main(["train", str(cohort), "-o", str(tmp_path / "m"), *QUICK, "--folds", "9"]) == 3
    assert "too few for the protocol “patients”" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_the_second_mri_is_not_judged_by_protocols_of_the_first(cohort, tmp_path, capsys):
    extra = ("--time-point", "second", "--folds", "2", "--validation-share", "0")
    assert main(["train", str(cohort), "-o", str(tmp_path / "m"), *QUICK, *extra]) == 0
    assert "No protocol was run" in capsys.readouterr().err
    assert load_bundle(tmp_path / "m").card.fields["protocols"]["about"].startswith("Not run")
    assert files_in(tmp_path) == ["m/card.json", "m/weights.safetensors"]
