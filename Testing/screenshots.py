"""Makes the pictures of README and documentation: the panel beside real slice views, on a generated patient.

``make pictures``, or::

    python Testing/screenshots.py [--review folder]

The slice views are drawn by Slicer's own displayable managers; the panel is the module's own, on the stand-in for the
desktop. ``--review`` writes every state of the panel into a folder, to be looked at.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Python")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from host.desktop import Desktop  # noqa: E402
from host.screen import Screen, SideScreen, save_pixels, save_small  # noqa: E402

PICTURES = ROOT / "Resources" / "Screenshots"
RESISTANT = "Lesion 4"
"""The lesion of the generated patient that does not shrink."""
COHORT = {"patients": 24, "seed": 4, "lesions": (1, 3), "difficulty": "easy"}
TRAINING = {"trainMembers": 3, "trainEpochs": 60, "trainFilters": 8, "trainTrials": 5, "trainControls": 2}
PANEL_WIDTH = 420


def panel_inputs(desktop: Desktop, screen: Screen) -> None:
    """Before Apply: MRI and segmentation chosen, lesions ticked."""
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    table = ui.segmentsTable
    table.setCurrentCell(3, 0)
    ui.showSegmentButton.click()
    screen.fit()
    screen.save(PICTURES / "panel-inputs.png")


def panel_results(desktop: Desktop, screen: Screen) -> None:
    """After Apply: the lesion that will not shrink is chosen."""
    ui = desktop.widget.ui
    ui.applyButton.click()
    ui.inputsCollapsibleButton.collapsed = True
    ui.legendCheckBox.checked = True
    choose(desktop, RESISTANT)
    screen.zoom(90)
    screen.save(PICTURES / "panel.png")


def panel_inspect(desktop: Desktop) -> None:
    """One slice opened up."""
    from host.wrapping import unwrap

    desktop.widget.ui.inspectButton.click()
    dialog = unwrap(desktop.widget.methodViews._inspector.dialog)
    save_small(dialog.grab(), PICTURES / "panel-inspect.png")


def panel_compare() -> None:
    """The same lesion's heat map beside gradients, in linked views."""
    from PulsarCAMLib.scene.showing import views

    with Desktop() as desktop:
        desktop.open_panel()
        compared(desktop)
        desktop.widget.ui.sideBySideButton.click()
        screen = SideScreen(desktop)
        screen.fit()
        views.jump_to(desktop.widget.results.place_of(RESISTANT))
        screen.zoom(60)
        screen.save(PICTURES / "panel-compare.png")


def compared(desktop: Desktop) -> None:
    """The generated patient, explained by Grad-CAM and compared."""
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    ui.methodComboBox.currentIndex = 1
    ui.applyButton.click()
    for section in ("inputs", "explanation", "results"):
        getattr(ui, f"{section}CollapsibleButton").collapsed = True
    ui.compareCollapsibleButton.collapsed = False
    ui.compareMapsButton.click()
    choose(desktop, RESISTANT)


def panel_train() -> None:
    """A model trained on a synthetic cohort, with its curves and figures."""
    with Desktop() as desktop, a_training(desktop, COHORT) as ui:
        run_training(desktop, ui)
        for section in ("inputsCollapsibleButton", "explanationCollapsibleButton"):
            getattr(ui, section).collapsed = True
        desktop.picture(PICTURES / "panel-train.png", width=PANEL_WIDTH)


@contextmanager
def a_training(desktop: Desktop, recipe: dict, **values):
    """The section “Train on a cohort” filled in for a synthetic cohort; nothing of it is left behind."""
    from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
    from PulsarCAMLib.cohort.synthetic.store import write_cohort

    with tempfile.TemporaryDirectory(prefix="PulsarCAM-") as folder:
        os.environ["PULSARCAM_MODELS"] = str(Path(folder) / "installed")
        table = write_cohort(Path(folder) / "cohort", CohortSettings(**recipe))
        ui = desktop.open_panel().ui
        ui.trainCollapsibleButton.collapsed = False
        ui.trainTablePathLineEdit.currentPath = str(table)
        ui.trainFolderPathLineEdit.currentPath = folder
        ui.trainTitleLineEdit.text = "Our own lesions"
        for name, value in (TRAINING | values).items():
            setattr(desktop.widget.state, name, value)
        try:
            yield ui
        finally:
            ui.trainCancelButton.click()
            run_training(desktop, ui, press=False)
            del os.environ["PULSARCAM_MODELS"]


def run_training(desktop: Desktop, ui, *, press: bool = True, until=lambda: False) -> None:
    """Train, and wait for the end or for something else."""
    import slicer

    if press:
        ui.trainButton.click()
    while desktop.widget.train.is_running and not until():
        slicer.app.processEvents()
        time.sleep(0.02)


def overlay(desktop: Desktop) -> None:
    """The command line's picture of the same lesion."""
    import slicer

    from PulsarCAMLib.outputs.pictures.content import picture_of
    from PulsarCAMLib.outputs.pictures.overlay import draw

    state = desktop.widget.state
    scan = desktop.widget.result().scanResult
    lesion = next(each for each in scan.lesions if each.name == RESISTANT)
    picture = picture_of(scan, lesion, slicer.util.arrayFromVolume(state.inputVolume), "pixelwise", "non-response")
    figure = draw(picture)
    figure.canvas.draw()
    save_pixels(np.asarray(figure.canvas.buffer_rgba())[..., :3], PICTURES / "overlay.png")


def review(folder: Path, names: list[str]) -> None:
    """States of the panel, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, act in [(name, STATES[name]) for name in names]:
        with Desktop() as desktop, dark_colors() if name.endswith("dark") else nullcontext():
            desktop.open_panel()
            act(desktop, lambda suffix="", name=name, **size: desktop.picture(folder / f"{name}{suffix}.png", **size))
        print(folder / f"{name}.png")


def _empty(_desktop, take) -> None:
    take()


def _running(desktop, take) -> None:
    desktop.widget.ui.sampleDataButton.click()
    taken = []

    def look() -> None:
        if desktop.widget.isRunning and desktop.widget.ui.progressBar.value > 40 and not taken:
            taken.append(take())

    desktop.while_running(look)
    desktop.widget.ui.applyButton.click()


def _error(desktop, take) -> None:
    import slicer

    desktop.widget.ui.sampleDataButton.click()
    away = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(away, np.diag([9.0, 9.0, 9.0, 1.0]) + 400 * np.eye(4, k=3))
    desktop.widget.state.inputSegmentation.SetAndObserveTransformNodeID(away.GetID())
    desktop.widget.ui.applyButton.click()
    take()


def _train(desktop, take) -> None:
    with a_training(desktop, COHORT | {"patients": 8}, trainEpochs=60, trainTrials=2) as ui:
        for section in ("inputsCollapsibleButton", "explanationCollapsibleButton"):
            getattr(ui, section).collapsed = True
        desktop.widget.state.trainTable += ".gone"
        take("-wrong-path")
        desktop.widget.state.trainTable = desktop.widget.state.trainTable.removesuffix(".gone")
        table = Path(desktop.widget.state.trainTable)
        text = table.read_text(encoding="utf-8")
        table.write_text(text + text.splitlines()[1].replace("baseline.nrrd", "gone.nrrd") + "\n", encoding="utf-8")
        run_training(desktop, ui)
        take("-findings")
        take("-findings-narrow", width=340)
        table.write_text(text, encoding="utf-8")
        ui.trainCheckButton.click()
        run_training(desktop, ui, press=False)
        ui.trainMoreGroupBox.collapsed = False
        run_training(desktop, ui, until=lambda: desktop.widget.train.epochs_seen() > 70)
        take("-running")
        take("-running-narrow", width=340)
        ui.trainCancelButton.click()
        run_training(desktop, ui, press=False)
        take("-stopped")
        ui.trainResumeButton.click()
        run_training(desktop, ui, press=False)
        ui.trainMoreGroupBox.collapsed = True
        take("-done")
        take("-done-narrow", width=340)


def _compare(desktop, take) -> None:
    ui = desktop.widget.ui
    ui.compareCollapsibleButton.collapsed = False
    take("-before")
    compared(desktop)
    take()
    take("-narrow", width=340)
    taken = []

    def look() -> None:
        if desktop.widget.isRunning and not taken:
            taken.append(take("-running"))

    desktop.while_running(look)
    ui.compareMapsButton.click()


def _done(desktop, take) -> None:
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    ui.applyButton.click()
    for section in ("outputsCollapsibleButton", "exportCollapsibleButton"):
        getattr(ui, section).collapsed = False
    choose(desktop, RESISTANT)
    take()
    take("-narrow", width=300)
    take("-wide", width=700)


STATES = {
    "empty": _empty,
    "running": _running,
    "error": _error,
    "done": _done,
    "dark": _done,
    "compare": _compare,
    "compare-dark": _compare,
    "train": _train,
    "train-dark": _train,
}


@contextmanager
def dark_colors():
    """The palette of Slicer's dark style."""
    from PySide6.QtGui import QColor, QPalette
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    before, dark = application.palette(), QPalette()
    for role, color in {
        **dict.fromkeys((QPalette.Window, QPalette.Button), "#353535"),
        **dict.fromkeys((QPalette.Base, QPalette.ToolTipBase), "#232323"),
        QPalette.AlternateBase: "#2c2c2c",
        **dict.fromkeys((QPalette.WindowText, QPalette.Text, QPalette.ButtonText, QPalette.ToolTipText), "#e6e6e6"),
        QPalette.Highlight: "#2a82da",
    }.items():
        dark.setColor(role, QColor(color))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        dark.setColor(QPalette.Disabled, role, QColor("#808080"))
    application.setPalette(dark)
    try:
        yield
    finally:
        application.setPalette(before)


def choose(desktop: Desktop, lesion: str) -> None:
    """Choose a row of the results."""
    table = desktop.widget.ui.resultsTable
    rows = [table.item(row, 0).text() for row in range(table.rowCount)]
    table.setCurrentCell(rows.index(lesion), 0)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--review", type=Path, help="instead write every state of the panel into this folder")
    parser.add_argument("--only", metavar="STATE", choices=STATES, help="with --review: only this state")
    options = parser.parse_args()
    if options.review:
        review(options.review, [options.only] if options.only else list(STATES))
        return
    PICTURES.mkdir(exist_ok=True)
    with Desktop() as desktop:
        desktop.open_panel()
        screen = Screen(desktop)
        panel_inputs(desktop, screen)
        panel_results(desktop, screen)
        panel_inspect(desktop)
        overlay(desktop)
    panel_compare()
    panel_train()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
