"""``pulsarcam study`` and ``pulsarcam evaluate`` from a table on disk to a report, as a stranger would use them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from making_files import files_in

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.cli.study.command import study_settings_of
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.vocabulary import FEATURE_MODELS
from PulsarCAMLib.features.models.model import feature_study_models
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.study.run import open_study

QUICK = ("--epochs", "1", "--filters", "2", "--rotations", "90", "--batch-size", "8", "--folds", "3", "--trials", "3")
SMALL = (*QUICK, "--paper-trials", "1", "--controls", "1")

pytestmark = pytest.mark.usefixtures("few_resamples")


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=6, seed=3, lesions=(2, 3), second_mri=True)
    return synthetic_cohort(settings)


@pytest.fixture(scope="module")
def run(cohort, few_resamples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "run"
    models = ("--models", "cam,gradients")
    assert main(["study", str(cohort), "-o", str(folder), "--protocols", "paper,patients", *models, *SMALL]) == 0
    return folder


def test_one_command_gives_records_and_a_report_that_says_synthetic(run):
    study = open_study(run)
    controls = [record for record in study.records if record.model in study.settings.controlled]
    assert {record.model for record in controls} == {"cam[mean-only]", "cam[volume-only]"}
    assert (len(study.records) - len(controls), len(controls), study.missing) == (12, 6, 0)
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert "SYNTHETIC" in page
    results = json.loads((run / "report" / "results.json").read_text(encoding="utf-8"))
    assert results


def test_the_report_is_made_again_without_the_cohort_and_without_training(run, tmp_path, monkeypatch, capsys):
    from PulsarCAMLib.training import trial

    monkeypatch.setattr(trial, "Engine", None)
    assert main(["evaluate", str(run), "-o", str(tmp_path / "again")]) == 0
    assert "AUC" in capsys.readouterr().out
    names = files_in(tmp_path / "again")
    assert "index.html" in names
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (run / "report" / name).read_bytes(), name


def test_all_figures_can_be_had_as_json(run, capsys):
    assert main(["evaluate", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_killed_study_goes_on_and_ends_with_the_same_answers(cohort, run, tmp_path):
    """Not only the weights: every probability of every trial."""
    folder = tmp_path / "run"
    options = ["--protocols", "paper,patients", *SMALL, "--quiet", "--no-report"]
    command = [sys.executable, "-m", "PulsarCAMLib.cli", "study", str(cohort), "-o", str(folder), *options]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(folder.glob("trials/*/*/*/result.json")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert open_study(folder).missing, "it was killed before it was done"
    assert main(["study", str(cohort), "-o", str(folder), *options]) == 0
    whole = [record for record in open_study(run).records if record.model == "cam"]
    again = [record for record in open_study(folder).records if record.model == "cam"]
    for one, other in zip(whole, again, strict=True):
        assert one.to_json("") == other.to_json("")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--protocols", "magic"), 2, "magic"),
        (
            ("--models", "cam,magic"),
            2,
            "'magic' is no model; there are cam, majority, volume-rule, growth and, on features, rad",
        ),
        (("--models", "cam+radiomics"), 2, "write cam,radiomics"),
        (("--models", "delta"), 2, "as in radiomics+delta"),
        (("--gi-limit", "4"), 3, "fill in the column dose"),
        (("--feature-settings", "mine.json"), 3, "--feature-settings has nothing to set"),
        (("--tune", "filters"), 2, "filters=8,16"),
        (("--tune", "colour=1,2"), 3, "cannot be tuned"),
        (("--models", "dose"), 3, "No lesion of the cohort has features"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(cohort, tmp_path, capsys, options, code, words):
    assert main(["study", str(cohort), "-o", str(tmp_path / "run"), *SMALL, *options]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def settings_of(*options):
    parsed = make_parser().parse_args(["study", "cohort.csv", "-o", "run", *map(str, options)])
    return study_settings_of(parsed)


@pytest.mark.parametrize("name", [*FEATURE_MODELS, "radiomics+dose", "gradients+delta", "combined+delta"])
def test_every_documented_model_can_be_named(name):
    settings = settings_of("--models", f"cam,{name}", "--input-controls", "none")
    assert settings.models == ("cam", name)
    (made,) = feature_study_models([name], "features.csv", "lesions.csv")
    assert made.groups


def test_the_usual_settings_of_a_study_are_those_of_old():
    found = settings_of("--models", "cam,gradients")
    assert (found.training.imbalance, found.features["model"]["imbalance"]) == ("none", "weighted")
    assert found.gi_limit is None
    assert found.features["model"] == FeatureModelSettings().to_card()


@pytest.mark.parametrize(("word", "features"), [("none", "none"), ("weighted", "weighted"), ("balanced", "resampled")])
def test_one_switch_tells_all_models_of_unequal_classes(word, features):
    found = settings_of("--models", "cam,gradients", "--imbalance", word)
    assert (found.training.imbalance, found.features["model"]["imbalance"]) == (word, features)


def test_the_section_model_of_the_settings_reaches_the_models_and_has_the_last_word(tmp_path):
    path = tmp_path / "mine.json"
    chosen = {"classifier": "random-forest", "selection": "mutual-information", "imbalance": "none"}
    head = {"format": "PulsarCAM feature settings", "format_version": 1}
    path.write_text(json.dumps(head | {"settings": {"model": chosen, "gradient": {"margin_mm": 3}}}))
    found = settings_of("--models", "gradients", "--imbalance", "balanced", "--feature-settings", path)
    assert found.features["model"] == FeatureModelSettings(**chosen).to_card()
    assert found.features["table"]["gradient"]["margin_mm"] == 3
    assert found.training.imbalance == "balanced"


def test_a_study_with_a_model_of_ones_own_keeps_and_shows_it(cohort, undrawn, tmp_path):
    path, folder = tmp_path / "mine.json", tmp_path / "run"
    model = {"classifier": "svm", "selection": "none", "inner_folds": 2}
    content = {"format": "PulsarCAM feature settings", "format_version": 1, "settings": {"model": model}}
    path.write_text(json.dumps(content))
    command = ["study", str(cohort), "-o", str(folder), "--models", "gradients", "--protocols", "patients", *SMALL]
    assert main([*command, "--feature-settings", str(path), "--quiet"]) == 0
    kept = json.loads((folder / "features.settings.json").read_text(encoding="utf-8"))["settings"]["model"]
    assert kept == FeatureModelSettings(**model).to_card()
    again = tmp_path / "again.json"
    again.write_text((folder / "features.settings.json").read_text(encoding="utf-8"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("result.json") if "trials" in path.parts}
    assert len(before) == 4
    assert main([*command, "--feature-settings", str(again), "--quiet"]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "svm model" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert main([*command, "--quiet"]) == 3, "another model is another study of these trials"


def test_a_cohort_without_a_second_mri_is_told_what_to_do(synthetic_cohort, undrawn, tmp_path, capsys):
    table = synthetic_cohort(CohortSettings(patients=5, seed=3, lesions=(2, 3)))
    assert main(["study", str(table), "-o", str(tmp_path / "run"), *SMALL]) == 3
    assert "second MRI" in capsys.readouterr().err
    assert main(["study", str(table), "-o", str(tmp_path / "new"), "--protocols", "patients", *SMALL, "--quiet"]) == 0


def test_there_is_nothing_to_evaluate_in_another_folder(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path)]) == 3
    assert "no study" in capsys.readouterr().err
