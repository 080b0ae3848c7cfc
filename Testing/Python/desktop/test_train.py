"""What lies beneath “Train on a cohort”: the command line that is meant, the job that runs, words and curves."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from PulsarCAMScenarios.looking import tip_of
from PulsarCAMScenarios.stranger import Stranger

from PulsarCAMLib.cli import job as child
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.core.errors import DependencyError
from PulsarCAMLib.io.progress_file import RunProgress


@pytest.fixture
def panel(a_desktop, a_model, tmp_path, monkeypatch):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "models"))
    made = a_desktop.open_panel()
    (tmp_path / "My cohort.csv").write_text("patient,lesion\n")
    made.ui.trainTablePathLineEdit.currentPath = str(tmp_path / "My cohort.csv")
    made.ui.trainCollapsibleButton.collapsed = False
    return made


def ended(folder: Path, code: int | None = 0, output: str = "", errors: str = "", facts: dict | None = None) -> Path:
    """The folder of a job that has ended; without a code: that was killed."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(facts or {}))
    (folder / child.OUTPUT).write_text(output)
    (folder / child.ERRORS).write_text(errors)
    if code is not None:
        (folder / child.END).write_text(json.dumps({"code": code}))
    return folder


def test_a_chosen_table_proposes_folder_and_name(panel, tmp_path):
    assert panel.state.trainFolder == str(tmp_path)
    assert panel.ui.trainNameLineEdit.text == "my-cohort-model"
    panel.ui.trainTablePathLineEdit.currentPath = str(tmp_path / "other.csv")
    assert panel.state.trainName == "my-cohort-model", "what the person has is kept"


def test_a_table_that_is_taken_back_is_not_trained_on(panel, tmp_path):
    """CTK says nothing of a path that is emptied or has another ending: the last one would stay without a word."""
    assert panel.ui.trainButton.enabled
    for text, said in (("", "Choose the cohort table first"), ("/nowhere/table.txt", "is not there any more")):
        panel.ui.trainTablePathLineEdit.currentPath = str(tmp_path / "My cohort.csv")
        panel.ui.trainTablePathLineEdit.currentPath = text
        assert panel.state.trainTable == text
        assert said in tip_of(panel.ui.trainButton)
    panel.ui.trainFolderPathLineEdit.currentPath = ""
    assert panel.state.trainFolder == ""


def test_typing_is_not_undone_while_it_is_no_path_yet(panel):
    panel.ui.trainTablePathLineEdit.currentPath = "/da"
    panel.ui.trainTablePathLineEdit.currentPath = "/data/cohort"
    panel.refresh()
    assert panel.ui.trainTablePathLineEdit.currentPath == "/data/cohort"


def test_a_table_in_capitals_is_a_table(panel, tmp_path):
    (tmp_path / "COHORT.CSV").write_text("patient,lesion\n")
    panel.ui.trainTablePathLineEdit.currentPath = str(tmp_path / "COHORT.CSV")
    assert panel.state.trainTable == str(tmp_path / "COHORT.CSV")


def test_the_command_line_is_what_the_command_takes(panel, tmp_path):
    state = panel.state
    state.trainShrinkage, state.trainValidation, state.trainPatience, state.trainTitle = 30.0, 0.0, 7, "-- mine"
    for name in ("trainPaper", "trainLesions", "trainPatients", "trainLeaveOneOut"):
        setattr(state, name, False)
    options = make_parser().parse_args(panel.train.arguments())
    assert (options.cohort, options.output) == (str(tmp_path / "My cohort.csv"), str(tmp_path / "my-cohort-model"))
    assert (options.shrinkage, options.validation_share, options.patience) == (0.3, 0.0, 7)
    assert (options.name, options.title) == ("my-cohort-model", "-- mine")
    assert (options.members, options.epochs, options.filters) == (5, 150, 16)
    assert (options.imbalance, options.device, options.jobs, options.seed) == ("none", "auto", 1, 0)
    assert not options.resume


def test_the_command_line_for_another_system_has_its_name_and_nothing_that_it_lacks(panel, tmp_path):
    from PulsarCAMLib.cli.learning import settings_of
    from PulsarCAMLib.desktop.train.parameters import check_arguments_of
    from PulsarCAMLib.systems.registry import register, system_of, unregister

    state, usual = panel.state, panel.train.arguments()
    register(grader := Stranger())
    try:
        panel.models._system = state.model, grader
        panel.refresh()
        state.trainEpochs, state.trainLesions = 7, True
        panel.models._system = state.model, grader
        arguments = panel.train.arguments()
        options = make_parser().parse_args(arguments)
        assert (options.system, settings_of(options).epochs) == ("grader", 7)
        assert options.protocols == ("patients",), "other lesions than other patients there are not"
        assert not {each.split("=")[0] for each in arguments} & {"--shrinkage", "--filters"}
        assert check_arguments_of(state, grader)[3:] == ["--system=grader"]
    finally:
        unregister(grader.name)
    state.trainEpochs, state.trainLesions = 150, False
    panel.models._system = state.model, system_of()
    assert panel.train.arguments() == usual
    assert check_arguments_of(state, system_of())[3:] == ["--shrinkage=0.2"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s, p: setattr(s, "trainTable", ""), "Choose the cohort table first"),
        (lambda s, p: setattr(s, "trainTable", str(p / "gone.csv")), "The cohort table is not there any more"),
        (lambda s, p: setattr(s, "trainName", ""), "Choose a folder and a name for the model first"),
        (lambda s, p: setattr(s, "trainFolder", str(p / "gone")), "The folder for the model is not there"),
        (lambda s, p: setattr(s, "trainName", "My Own Model"), "The name may have only small letters"),
        (lambda s, p: (p / "my-cohort-model").mkdir() or s.Modified(), "has something of that name already"),
        (lambda s, p: setattr(s, "trainName", "synthetic-demo"), "installed already: choose another name"),
    ],
)
def test_train_says_what_is_missing(panel, tmp_path, change, said):
    assert panel.ui.trainButton.enabled
    change(panel.state, tmp_path)
    assert not panel.ui.trainButton.enabled
    assert said in tip_of(panel.ui.trainButton)
    assert said in panel.ui.trainStatusLabel.text


def test_options_come_back_from_a_runs_folder_without_names_of_files(panel, tmp_path):
    from PulsarCAMLib.desktop.train.parameters import Balance, keep_options, kept_options, restore, values_of

    state = panel.state
    state.trainEpochs, state.trainBalance, state.trainShrinkage = 7, Balance.BALANCED, 33.0
    keep_options(tmp_path, values_of(state))
    text = (tmp_path / "panel.json").read_text()
    assert not [word for word in ("cohort", str(tmp_path), "my-cohort-model") if word in text]
    state.trainEpochs, state.trainBalance = 1, Balance.NONE
    restore(state, kept_options(tmp_path) | {"trainMembers": 1000, "trainSeed": "x", "unknown": 1})
    assert (state.trainEpochs, state.trainBalance, state.trainShrinkage) == (7, Balance.BALANCED, 33.0)
    assert (state.trainMembers, state.trainSeed) == (5, 0)
    assert kept_options(tmp_path / "nowhere") == {}


def test_a_job_says_why_it_failed_in_one_sentence(a_desktop, tmp_path):
    from PulsarCAMLib.desktop.jobs import Job

    said = "pulsarcam: warning: Row 3 is odd.\npulsarcam: error: There is no table.\n"
    job = Job(ended(tmp_path / "a", 3, "done", said))
    assert (job.code, job.poll(), job.output(), job.error()) == (3, False, "done", "There is no table.")
    assert job.warnings() == ["Row 3 is odd."]
    crashed = Job(ended(tmp_path / "b", 1, errors="Traceback (most recent call last):\n  File\nOSError: no disk\n"))
    assert crashed.error() == "The process failed (OSError: no disk); the error log has the details."
    assert "memory" in Job(ended(tmp_path / "c", 1)).error()


def test_a_job_without_a_sign_of_life_is_dead(a_desktop, tmp_path, monkeypatch):
    from PulsarCAMLib.desktop import jobs

    job = jobs.Job(ended(tmp_path / "a", None))
    assert job.poll()
    monkeypatch.setattr(jobs, "SILENT_SECONDS", -1.0)
    assert job.code == -1


def test_a_job_that_does_not_stop_is_ended_by_force(a_desktop, tmp_path, monkeypatch):
    from PulsarCAMLib.desktop import jobs

    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", -1.0)
    wait = "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except KeyboardInterrupt:\n        pass\n"
    process = a_desktop_process(wait)
    folder = ended(tmp_path / "a", None)
    (folder / child.ALIVE).write_text(str(process.pid))
    job = jobs.Job(folder, process)
    assert job.poll()
    job.stop()
    job.poll()
    process.wait(timeout=60)
    assert (job.poll(), job.code) == (False, -1)


def a_desktop_process(code: str):
    """A process as Slicer starts them."""
    import slicer

    return slicer.util.launchConsoleProcess([sys.executable, "-c", code], useStartupEnvironment=False)


def test_slicers_python_is_started_and_never_slicer_itself(a_desktop, monkeypatch):
    from PulsarCAMLib.desktop import jobs

    monkeypatch.setattr(jobs.shutil, "which", {"PythonSlicer": "/opt/Slicer/bin/PythonSlicer"}.get)
    assert jobs.python_executable() == "/opt/Slicer/bin/PythonSlicer"
    monkeypatch.setattr(jobs.shutil, "which", lambda _name: None)
    assert jobs.python_executable() == sys.executable
    monkeypatch.setattr(sys, "executable", "/opt/Slicer/bin/SlicerApp-real")
    with pytest.raises(DependencyError, match="PythonSlicer"):
        jobs.python_executable()


def test_a_job_that_ended_while_slicer_was_closed_is_reported_when_it_opens(a_desktop, a_model, tmp_path):
    import slicer

    from PulsarCAMLib.desktop.jobs import jobs_folder

    facts = {"kind": "train", "output": str(tmp_path / "m"), "values": {"trainTable": "t.csv", "trainName": "m"}}
    folder = ended(jobs_folder() / "1", 5, errors="pulsarcam: error: The disk is full.\n", facts=facts)
    panel = a_desktop.open_panel()
    panel.ui.trainCollapsibleButton.collapsed = False
    end = time.monotonic() + 60
    while panel.train.is_running and time.monotonic() < end:
        slicer.app.processEvents()
    assert panel.ui.trainStatusLabel.text == "The disk is full."
    assert not panel.train.is_watching()
    assert not folder.exists()


def test_time_left_is_told_once_enough_was_seen_and_counts_from_where_a_resumed_run_began():
    from PulsarCAMLib.desktop.train.watch import TimeLeft, duration, in_words

    now = [0.0]
    left = TimeLeft(lambda: now[0])
    assert left.seconds(0.5) is None
    now[0] = 60.0
    assert left.seconds(0.51) is None
    assert left.seconds(0.6) == pytest.approx(60 * 0.4 / 0.1)
    assert left.seconds(0.1) is None, "it begins anew"
    assert [duration(s) for s in (20, 600, 3 * 3600)] == [
        "less than a minute left", "about 10 min left", "about 3.0 h left",
    ]  # fmt: skip
    assert in_words(RunProgress("training", 0.5, 0.5, "member 1 of 2"), 600) == (
        "Training: member 1 of 2; about 10 min left"
    )
    assert in_words(None, None) == "Starting..."


def test_curves_are_read_while_they_are_written_and_drawn(a_desktop, tmp_path):
    from PulsarCAMLib.desktop.train.curves import curves_of, draw_curves, mean_of, read_histories

    assert read_histories(tmp_path) == []
    for member, rows in (("member-001", "1,2.0,0.5\n2,1.0,\n"), ("member-002", "1,4.0,0.7\n"), ("member-003", "")):
        (tmp_path / member).mkdir()
        (tmp_path / member / "history.csv").write_text(f"epoch,total,validation_accuracy\n{rows}")
    histories = read_histories(tmp_path)
    assert curves_of(histories, "total") == [[(1, 2.0), (2, 1.0)], [(1, 4.0)]]
    assert mean_of(curves_of(histories, "total")) == [(1, 3.0), (2, 1.0)]
    assert curves_of(histories, "validation_accuracy") == [[(1, 0.5)], [(1, 0.7)]]
    panel = a_desktop.open_panel()
    from host.pythonqt import unwrap

    picture = unwrap(draw_curves(histories, (300, 160), panel.ui.trainButton.palette, 1.0)).toImage()
    assert (picture.width(), picture.height()) == (300, 160)
    assert len({picture.pixel(x, y) for x in range(300) for y in range(160)}) > 3


def test_what_training_needs_is_in_the_file_that_slicer_installs_from(a_desktop):
    from PulsarCAMLib.cli.learning import NEEDS
    from PulsarCAMLib.desktop.dependencies import read_requirements

    listed = read_requirements(a_desktop.module.PulsarCAMLogic.requirementsPath.replace(".txt", "-train.txt"))
    assert set(NEEDS) - {"torch>=2.2,<3"} <= set(listed)
