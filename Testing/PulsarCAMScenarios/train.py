"""What a person does who trains a model on a cohort: the process is real, the cohort small and made on the spot."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import slicer

from PulsarCAMScenarios.looking import tip_of

LONGEST_SECONDS = 600.0
MODELS = "PULSARCAM_MODELS"
NAME = "self-test"


@cache
def _kept_folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="pulsarcam-cohort-")


@cache
def a_cohort() -> Path:
    """Table of a synthetic cohort, made once."""
    from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
    from PulsarCAMLib.cohort.synthetic.store import write_cohort

    recipe = CohortSettings(patients=5, seed=3, lesions=(2, 3))
    return write_cohort(Path(_kept_folder().name) / "cohort", recipe)


class Training:
    """Mixed into ``Scenarios``."""

    training_folder = None

    def begin_training(self, epochs: int = 2, table: Path | None = None) -> Path:
        """Fill the section; returns where the model is going to be."""
        assert not self.panel.train.is_running, "a training of the user's own is running"
        self.training_folder = tempfile.TemporaryDirectory(prefix="pulsarcam-train-")
        folder = Path(self.training_folder.name)
        self._models_before = os.environ.get(MODELS)
        os.environ[MODELS] = str(folder / "models")
        ui = self.panel.ui
        ui.trainCollapsibleButton.collapsed = False
        ui.trainTablePathLineEdit.currentPath = str(table or a_cohort())
        ui.trainFolderPathLineEdit.currentPath = str(folder)
        ui.trainNameLineEdit.text = NAME
        ui.trainPatientsCheckBox.checked = False
        ui.trainMembersSpinBox.value = 1
        ui.trainEpochsSpinBox.value = epochs
        ui.trainFiltersSpinBox.value = 2
        ui.trainValidationSpinBox.value = 40
        return folder / NAME

    def end_training(self) -> None:
        """Stop what this scenario started, and leave nothing behind."""
        if self.training_folder is None:
            return
        if self.panel.train.is_running:
            self.panel.ui.trainCancelButton.click()
            self.wait_for(lambda: not self.panel.train.is_running)
        os.environ.pop(MODELS)
        if self._models_before is not None:
            os.environ[MODELS] = self._models_before
        self.training_folder.cleanup()
        self.training_folder = None
        self.panel.models.list_models()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Let the application work until something is so."""
        end = time.monotonic() + LONGEST_SECONDS
        while not condition():
            assert time.monotonic() < end, self.panel.ui.trainStatusLabel.text
            slicer.app.processEvents()
            time.sleep(0.02)

    def wait_for_training(self) -> str:
        """Until nothing runs; returns what the section says then."""
        self.wait_for(lambda: not self.panel.train.is_running)
        return self.panel.ui.trainStatusLabel.text

    def findings(self) -> list[list[str]]:
        """Texts of the table of findings."""
        table = self.panel.ui.trainFindingsTable
        return [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(table.rowCount)]

    def test_a_cohort_table_with_errors_is_told_row_by_row_and_not_trained_on(self):
        lines = a_cohort().read_text(encoding="utf-8").splitlines()
        table = a_cohort().with_name("wrong.csv")
        table.write_text("\n".join([*lines, lines[1], lines[2].replace("baseline.nrrd", "gone.nrrd")]) + "\n")
        output = self.begin_training(table=table)
        ui = self.panel.ui
        ui.trainButton.click()
        self.wait_for_training()
        found = self.findings()
        assert {"error"} <= {row[0] for row in found}
        assert str(len(lines) + 1) in {row[1] for row in found}
        assert any("gone.nrrd" in row[2] for row in found)
        assert not ui.trainButton.enabled
        assert tip_of(ui.trainButton) == "Put right the errors in the table, then check it again"
        assert not output.exists()
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        ui.trainCheckButton.click()
        self.wait_for_training()
        assert self.findings() == []
        assert "13 lesions of 5 patients" in ui.trainCheckLabel.text
        assert ui.trainButton.enabled

    def test_a_model_is_trained_on_a_cohort_once_however_often_one_presses(self):
        output = self.begin_training()
        ui = self.panel.ui
        ui.trainButton.click()
        assert not ui.trainButton.enabled
        self.panel.train.on_train()
        jobs = {self.panel.train.job_folder()}
        while self.panel.train.is_running:
            self.wait_for(lambda: self.panel.train.job_folder() not in jobs)
            jobs.add(self.panel.train.job_folder())
        assert len(jobs - {None}) == 2, "one check, one training"
        assert ui.trainStatusLabel.text == "The model is ready."
        assert f"“{NAME}”" in ui.trainResultLabel.text
        assert "Validation patients" in ui.trainResultLabel.text
        assert (output / "card.json").is_file()
        assert self.panel.state.model != NAME
        ui.trainUseButton.click()
        assert ui.modelComboBox.currentText == NAME
        self.choose()
        self.press_apply()
        assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.modelName") == NAME

    def test_a_training_is_cancelled_and_resumed_to_the_weights_of_an_unbroken_one(self):
        output = self.begin_training(epochs=40)
        ui = self.panel.ui
        unjudged = self.panel.train.arguments()  # protocols cost more time than the weights, and change none
        ui.trainPatientsCheckBox.checked = True
        ui.trainTrialsSpinBox.value = 1
        ui.trainControlsSpinBox.value = 0
        ui.trainButton.click()
        self.wait_for(lambda: self.panel.train.epochs_seen() > 0)
        ui.trainCancelButton.click()
        assert not ui.trainCancelButton.enabled
        assert "press Resume" in self.wait_for_training()
        assert not output.exists()
        assert not ui.trainButton.enabled
        ui.trainEpochsSpinBox.value = 3
        ui.trainResumeButton.click()
        assert ui.trainEpochsSpinBox.value == 40, "a training goes on with its own settings"
        assert self.wait_for_training() == "The model is ready."
        assert (output.with_name(f"{NAME}.report") / "index.html").is_file()
        from PulsarCAMLib.cli import main
        from PulsarCAMLib.systems.bundles.bundle import load_bundle

        unbroken = output.with_name("unbroken")
        assert main([*unjudged, f"--output={unbroken}", "--quiet"]) == 0
        assert load_bundle(output).card.sha256 == load_bundle(unbroken).card.sha256

    def test_an_error_of_the_training_is_one_sentence_in_the_panel(self):
        output = self.begin_training()
        ui = self.panel.ui
        ui.trainPatienceSpinBox.value = 1
        ui.trainValidationSpinBox.value = 0
        ui.trainButton.click()
        said = self.wait_for_training()
        assert "Stopping early needs" in said
        assert "\n" not in said
        assert "Traceback" not in said
        assert not output.exists()
        assert ui.trainResumeButton.enabled == (output.with_name(f"{NAME}.training")).exists()
        output.mkdir()
        (output / "card.json").write_text("{")
        self.panel.train._end.show(output, ["The training warned of <this>."])
        assert "is damaged" in ui.trainResultLabel.text
        assert "The training warned of &lt;this&gt;." in ui.trainResultLabel.text, "lost with the card they were"

    def test_a_training_outlives_its_scene_and_its_panel(self):
        output = self.begin_training(epochs=2000)
        ui = self.panel.ui
        ui.trainButton.click()
        self.panel.parent.exit()  # to another module, while the table is still being checked
        self.wait_for(lambda: self.panel.train.epochs_seen() > 0)
        self.panel.parent.enter()
        slicer.mrmlScene.Clear()
        assert self.panel.train.is_running
        assert self.panel.state.trainName == NAME
        assert ui.trainEpochsSpinBox.value == 2000
        old = self.panel
        old.onReload()
        assert not old.train.is_watching()
        self.panel = slicer.util.getModuleWidget("PulsarCAM")
        self.answer()
        assert self.panel.train.is_running
        self.wait_for(lambda: self.panel.train.epochs_seen() > 0)
        self.panel.ui.trainCancelButton.click()
        assert "press Resume" in self.wait_for_training()
        assert not output.exists()
