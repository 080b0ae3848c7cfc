"""``pulsarcam train`` from a table on disk to a bundle, and what is left when it is stopped."""

import csv
import json

import pytest
from making_files import files_in

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.learning import settings_of
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.cli.study.command import study_settings_of
from PulsarCAMLib.cli.train.stages import stages_of
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.io.progress_file import DONE, RunProgress, read_progress
from PulsarCAMLib.systems.autoencoder.learning.learner import AutoencoderLearner
from PulsarCAMLib.systems.autoencoder.learning.settings import LossWeights, TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.bundles.bundle import load_bundle

QUICK = ("--protocols", "none", "--epochs", "2", "--filters", "2", "--rotations", "90", "--batch-size", "8",
         "--validation-share", "0.4")  # fmt: skip


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=5, seed=3, lesions=(2, 3))
    return synthetic_cohort(settings)


@pytest.fixture(scope="module")
def bundle(cohort, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "My Model"
    assert main(["train", str(cohort), "-o", str(out), "--members", "2", *QUICK]) == 0
    return load_bundle(out)


def test_the_card_carries_settings_counts_curves_versions_seeds_hashes_and_performance(bundle):
    card = bundle.card.fields
    training = card["training"]
    assert (bundle.card.name, bundle.card.members, bundle.card.synthetic) == ("my_model", 2, True)
    assert (training["seeds"], training["epochs"]) == ([0, 1], [2, 2])
    assert training["settings"]["architecture"]["filters"] == bundle.card.architecture.filters == 2
    counts = training["counts"]
    assert counts["training"]["patients"] + counts["validation"]["patients"] == 5
    assert counts["training"]["samples"] == 2 * counts["training"]["lesions"]
    assert [len(curve["total"]) for curve in training["curves"]] == [2, 2]
    assert {"accuracy", "validation_total", "validation_auc"} <= set(training["curves"][0])
    assert all(len(value) == 64 for value in training["sha256"].values())
    assert training["software"]["torch"]
    assert len(training["dead_feature_maps"]) == 2
    assert 0 <= card["performance"]["validation"]["auc"] <= 1
    assert "validation patients" in card["performance"]["about"]
    assert card["response"]["shrinkage_threshold"] == 0.8
    assert "80 %" in card["response"]["definition"]


OPEN_POINTS = (
    *("--feature-maps", "3", "--dense-units", "7", "--percentiles", "0,100", "--mask-rule", "half"),
    *("--lesion-size", "resize", "--answering-slice", "middle", "--loss-weights", "0.5,0.3,0.1,2"),
    *("--reconstruct", "gtv", "--initial-weights", "torch"),
)


def settings_meant(*arguments):
    options = make_parser().parse_args([*arguments, *(("-o", "out") if "-o" not in arguments else ())])
    return study_settings_of(options).training if options.command == "study" else settings_of(options)


@pytest.mark.parametrize("command", ["train", "study"])
def test_what_the_paper_leaves_open_is_an_option_of_every_command_that_trains(command):
    assert settings_meant(command, "cohort.csv") == TrainingSettings()
    assert settings_meant(command, "cohort.csv", *OPEN_POINTS) == TrainingSettings(
        architecture=Architecture(features=3, dense_units=7),
        preprocessing=Preprocessing(
            percentiles=(0, 100), mask_rule="half", large_lesion="fill", answering_slice="middle"
        ),
        loss=LossWeights(0.5, 0.3, 0.1, 2),
        reconstruct="gtv",
        initial_weights="torch",
    )


def test_a_bundle_trained_otherwise_says_so_and_explains_so(cohort, tmp_path, capsys):
    out = tmp_path / "otherwise"
    assert main(["train", str(cohort), "-o", str(out), "--members", "1", *QUICK, *OPEN_POINTS, "--quiet"]) == 0
    made = load_bundle(out)
    own, training = made.card.preprocessing, made.card.fields["training"]
    assert (own.mask_rule, own.large_lesion, own.answering_slice) == ("half", "fill", "middle")
    assert (made.card.architecture.features, made.card.architecture.dense_units) == (3, 7)
    assert made.ensemble.mask_rule == "half"
    trained = TrainingSettings.from_card(training["settings"])
    assert (trained.reconstruct, trained.initial_weights) == ("gtv", "torch")
    assert trained.loss == LossWeights(0.5, 0.3, 0.1, 2)
    assert settings_meant(*training["command"].removeprefix("pulsarcam ").split()) == trained, "it can be repeated"

    patient = next(path for path in cohort.parent.iterdir() if path.is_dir())
    scan = [str(patient / name) for name in ("baseline.nrrd", "baseline.seg.nrrd")]
    assert main(["explain", *scan, "-o", str(tmp_path / "out"), "--no-pictures", "--model", str(out)]) == 0
    assert "does not fit" not in capsys.readouterr().err
    with (tmp_path / "out" / "slices.csv").open() as file:
        rows = list(csv.DictReader(file))
    for lesion in {row["lesion"] for row in rows}:
        answers = [row["answers"] == "1" for row in rows if row["lesion"] == lesion]
        assert sum(answers) == 1
        assert answers.index(True) in ((len(answers) - 1) // 2, len(answers) // 2)


def test_the_card_names_no_patient_and_no_file(bundle, cohort):
    text = (bundle.folder / "card.json").read_text()
    with cohort.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert row["patient"] not in text
        assert row["image"] not in text
    assert str(cohort.parent) not in text
    assert "cohort.csv" not in text


def test_nothing_but_the_bundle_is_left_and_the_bundle_explains(bundle, cohort, tmp_path):
    assert files_in(bundle.folder.parent) == ["My Model/card.json", "My Model/weights.safetensors"]
    patient = next(path for path in cohort.parent.iterdir() if path.is_dir())
    arguments = [patient / "baseline.nrrd", patient / "baseline.seg.nrrd", "-o", tmp_path / "out", "--no-pictures"]
    assert main(["explain", *map(str, arguments), "--model", str(bundle.folder)]) == 0


def test_an_interrupted_run_leaves_no_bundle_and_is_resumed_to_the_same_weights(
    bundle, cohort, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "my_model"
    command = ["train", str(cohort), "-o", str(out), "--members", "2", *QUICK]
    real, steps = AutoencoderLearner.backward, []

    def interrupted(self, index):
        steps.append(1)
        if len(steps) == 7:
            raise KeyboardInterrupt
        return real(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(AutoencoderLearner, "backward", interrupted)
        assert main(command) == 130
    assert "--resume goes on from there" in capsys.readouterr().err
    assert not out.exists()
    assert (tmp_path / "my_model.training" / "member-001").is_dir()
    state = read_progress(tmp_path / "my_model.training")
    assert state.stage == "training"
    assert 0 < state.overall < 1

    assert main(command) == 5
    assert "add --resume" in capsys.readouterr().err
    assert main([*command, "--seed", "5", "--resume"]) == 3
    assert "other settings or other data" in capsys.readouterr().err
    assert main([*command, "--resume", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert load_bundle(out).card.sha256 == bundle.card.sha256
    assert files_in(tmp_path) == ["my_model/card.json", "my_model/weights.safetensors"]


def test_an_existing_bundle_is_kept_unless_told_otherwise_and_other_folders_always(bundle, cohort, tmp_path, capsys):
    assert main(["train", str(cohort), "-o", str(bundle.folder)]) == 5
    (tmp_path / "mine").mkdir()
    assert main(["train", str(cohort), "-o", str(tmp_path / "mine"), "--overwrite"]) == 5
    assert "never replaced" in capsys.readouterr().err
    (tmp_path / "x.training").mkdir()
    assert main(["train", str(cohort), "-o", str(tmp_path / "x"), "--resume"]) == 5
    assert "not a training of PulsarCAM" in capsys.readouterr().err


def test_all_errors_of_the_table_are_said_at_once_and_nothing_is_trained(cohort, tmp_path, capsys):
    lines = cohort.read_text().splitlines()
    table = tmp_path / "cohort.csv"
    table.write_text("\n".join([*lines, lines[1], lines[2].replace("baseline.nrrd", "gone.nrrd")]) + "\n")
    assert main(["train", str(table), "-o", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "errors, listed above; nothing was trained." in said
    assert said.count("error ") > 2
    assert files_in(tmp_path) == ["cohort.csv"]


def test_an_interruption_before_anything_is_trained_leaves_nothing(cohort, tmp_path, monkeypatch, capsys):
    def interrupted(*_arguments, **_options):
        assert read_progress(tmp_path / "new" / "out.training").stage == "checking the cohort"
        raise KeyboardInterrupt

    monkeypatch.setattr("PulsarCAMLib.cohort.checks.check_cohort", interrupted)
    assert main(["train", str(cohort), "-o", str(tmp_path / "new" / "out")]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_run_with_its_curves_can_be_kept(cohort, tmp_path):
    extra = ("--members", "1", "--keep-run", "--pictures-every", "2", "--validation-share", "0")
    assert main(["train", str(cohort), "-o", str(tmp_path / "m"), *QUICK, *extra]) == 0
    kept = files_in(tmp_path / "m.training")
    assert {"member-001/history.csv", "member-001/pictures/epoch-0002.png", "member-001/result.json"} <= set(kept)
    assert read_progress(tmp_path / "m.training") == RunProgress(DONE, 1.0, 1.0, "")
    card = json.loads((tmp_path / "m" / "card.json").read_text())
    assert card["performance"] == {"about": "Not measured: no patients of both classes were set aside."}
    assert card["decision"]["temperature"] == 1


@pytest.mark.parametrize(
    "wrong", [["--epochs", "0"], ["--spacing-mm", "far"], ["--shrinkage", "1"], ["--name", "Größe"], ["--mode", "both"]]
)
def test_options_out_of_range_are_wrong_usage(wrong, capsys):
    assert main(["train", "a.csv", "-o", "b", *wrong]) == 2
    assert "error: argument" in capsys.readouterr().err


def test_two_trainings_in_one_folder_are_refused(cohort, tmp_path, capsys):
    from PulsarCAMLib.cli.train.run_folder import RUN, RUN_FORMAT
    from PulsarCAMLib.io.locking import only_one

    run = tmp_path / "model.training"
    run.mkdir()
    (run / RUN).write_text(json.dumps({"format": RUN_FORMAT, "format_version": 1}))
    with only_one(run, "training"):
        assert (
            main(["train", str(cohort), "-o", str(tmp_path / "model"), "--resume", "--protocols", "none", *QUICK]) == 3
        )
    assert "Another process is running the training" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("system", "what"), [("autoencoder-classifier", "cutting patches"), ("rano", "preparing input")]
)
def test_stages_are_named_by_what_the_system_takes(system, what):
    options = ["--system", system, "--protocols", "patients", "-o", "model"]
    stages = stages_of(make_parser(system).parse_args(["train", "cohort.csv", *options]))
    assert what in stages
    assert f"judging: {what} (baseline)" in stages
    assert (f"judging: {what} (second)" in stages) == (system == "autoencoder-classifier"), (
        "of two visits there is no second one"
    )


def test_an_older_bundle_gets_the_reference_that_training_would_have_kept(bundle, cohort, tmp_path, capsys):
    kept = dict(bundle.card.fields["reference"])
    trained = bundle.card.fields["training"]["counts"]["training"]["lesions"]
    assert kept["lesions"] == trained
    assert len(kept["features"]) == 2
    assert kept["cells"] > trained
    older = tmp_path / "older"
    older.mkdir()
    fields = {name: value for name, value in bundle.card.fields.items() if name != "reference"}
    (older / "card.json").write_text(json.dumps(fields))
    (older / "weights.safetensors").write_bytes(bundle.weights)
    given = ["bundle", "add-reference", str(older), str(cohort), "-o", str(tmp_path / "new")]
    assert main([*given, "--validation-share", "0.4"]) == 0
    said = capsys.readouterr()
    assert "the table is the one that the model was trained on" in said.out
    assert "set aside" not in said.err
    made = load_bundle(tmp_path / "new")
    assert made.weights == bundle.weights
    added = made.card.fields["reference"]
    assert {name: added[name] for name in kept} == kept
    assert main(given) == 5, "nothing is replaced unasked"
    assert main([*given, "--overwrite", "--quiet"]) == 0
    assert f"was trained on {trained} lesions, and the reference is of" in capsys.readouterr().err
    second = ["bundle", "add-reference", str(tmp_path / "new"), str(cohort), "-o", str(tmp_path / "third")]
    assert main(second) == 4
    assert "keeps a reference already of" in (said := capsys.readouterr().err)
    assert "replace it in the new bundle with --overwrite" in said
    assert not (tmp_path / "third").exists()
    assert main([*second, "--validation-share", "0.4", "--overwrite", "--quiet"]) == 0
    third, given = load_bundle(tmp_path / "third").card, load_bundle(tmp_path / "new").card
    assert third.sha256 == given.sha256
    assert third.facts()["referenceHash"] != given.facts()["referenceHash"], "the same weights, other relative maps"
    assert "referenceHash" not in load_bundle(older).card.facts()


def test_a_bundle_is_calibrated_on_others_than_its_own_patients(bundle, cohort, tmp_path, capsys):
    folder = tmp_path / "plain"
    folder.mkdir()
    fields = {name: value for name, value in bundle.card.fields.items() if name != "conformal"}
    (folder / "card.json").write_text(json.dumps(fields))
    (folder / "weights.safetensors").write_bytes(bundle.weights)
    given = ["bundle", "calibrate", str(folder), str(cohort), "-o", str(tmp_path / "new"), "--quiet"]
    assert main(given) == 3
    assert "has learnt from this very table" in capsys.readouterr().err
    fields["training"] = fields["training"] | {"sha256": {}}
    (folder / "card.json").write_text(json.dumps(fields))
    assert main(given) == 0
    assert "see that it has not" in capsys.readouterr().err
    made = load_bundle(tmp_path / "new")
    assert made.weights == bundle.weights
    section = made.card.fields["conformal"]
    rows = list(csv.DictReader(cohort.open(encoding="utf-8-sig")))
    assert section["patients"] == len(section["scores"]) == len({row["patient"] for row in rows})
    assert "calibrated after the training" in section["about"]
    assert made.card.conformal.scores == tuple(section["scores"])
    again = ["bundle", "calibrate", str(tmp_path / "new"), str(cohort), "-o", str(tmp_path / "third"), "--quiet"]
    assert main(again) == 4
    assert "is calibrated already, on" in capsys.readouterr().err
