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
from host.looks import dark_colors, large_font  # noqa: E402
from host.screen import Screen, SideScreen, save_pixels, save_small  # noqa: E402
from host.wrapping import unwrap  # noqa: E402

PICTURES = ROOT / "Resources" / "Screenshots"
RESISTANT = "Lesion 4"
"""The lesion of the generated patient that does not shrink."""
COHORT = {"patients": 24, "seed": 4, "lesions": (1, 3), "difficulty": "easy"}
TRAINING = {"trainMembers": 3, "trainEpochs": 60, "trainFilters": 8, "trainTrials": 5, "trainControls": 2}
PANEL_WIDTH, NARROW = 420, 400


def panel_inputs(desktop: Desktop, screen: Screen) -> None:
    """Before Apply: MRI and segmentation chosen, lesions ticked."""
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    ui.segmentsTable.setCurrentCell(3, 0)
    ui.showSegmentButton.click()
    screen.fit()
    screen.save(PICTURES / "panel-inputs.png")


def panel_results(desktop: Desktop, screen: Screen) -> None:
    """After Apply, and nothing else."""
    desktop.widget.ui.applyButton.click()
    screen.save(PICTURES / "panel.png")


def panel_inspect(desktop: Desktop) -> None:
    """One slice opened up."""
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
    ui.resultsCollapsibleButton.collapsed = True
    ui.compareCollapsibleButton.collapsed = False
    ui.compareMapsButton.click()
    choose(desktop, RESISTANT)


def panel_dose() -> None:
    """What the lesions get of a planned dose."""
    with Desktop() as desktop:
        ui = desktop.open_panel().ui
        ui.sampleDataButton.click()
        ui.applyButton.click()
        ui.resultsCollapsibleButton.collapsed = True
        ui.doseCollapsibleButton.collapsed = False
        told(desktop)
        desktop.picture(PICTURES / "panel-dose.png", width=PANEL_WIDTH)


def told(desktop: Desktop) -> None:
    """The dose of the generated patient, in the plan of five fractions that it would be."""
    ui = desktop.widget.ui
    desktop.widget.state.doseVolume = a_planned_dose(desktop)
    ui.prescriptionSpinBox.value = 20
    ui.doseFractionsSpinBox.value = 5
    ui.tellDoseButton.click()
    choose(desktop, RESISTANT)


def panel_train() -> None:
    """A model trained on a synthetic cohort, with its curves and figures."""
    with Desktop() as desktop, a_training(desktop, COHORT) as ui:
        run_training(desktop, ui)
        ui.inputsCollapsibleButton.collapsed = True
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
    save_pixels(draw(picture).pixels(), PICTURES / "overlay.png")


def take_from(desktop: Desktop, ui_folder: Path | None) -> None:
    """Take the ``.ui`` files that lie in a folder from there: a sketch of another layout."""
    if ui_folder is None:
        return
    made = desktop.module.PulsarCAMWidget
    own = made.resourcePath
    there = {path.name: str(path) for path in ui_folder.glob("*.ui")}
    made.resourcePath = lambda self, name: there.get(Path(name).name) or own(self, name)


def review(folder: Path, names: list[str], ui_folder: Path | None = None) -> None:
    """States of the panel, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, act in [(name, STATES[name]) for name in names]:
        looks = dark_colors() if name.endswith("dark") else large_font() if name.endswith("large") else nullcontext()
        with Desktop() as desktop, looks:
            take_from(desktop, ui_folder)
            desktop.open_panel()

            def take(suffix: str = "", of=None, name: str = name, desktop=desktop, **size) -> None:
                path = folder / f"{name}{suffix}.png"
                desktop.picture(path, **size) if of is None else of.grab().save(str(path))

            act(desktop, take)
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
        ui.inputsCollapsibleButton.collapsed = True
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
    """Before Apply, after it, and with what is folded then."""
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    take("-before")
    take("-before-narrow", width=NARROW)
    ui.applyButton.click()
    take()
    take("-narrow", width=NARROW)
    take("-wide", width=700)
    ui.resultsCollapsibleButton.collapsed = True
    for section in ("advanced", "outputs", "explanation", "export"):
        getattr(ui, f"{section}CollapsibleButton").collapsed = False
    take("-unfolded")
    take("-unfolded-narrow", width=NARROW)
    ui.inspectButton.click()
    take("-inspect", of=unwrap(desktop.widget.methodViews._inspector.dialog))


def _dose(desktop, take) -> None:
    """A planned dose, told; and a painting refused and made."""
    ui = desktop.widget.ui
    ui.sampleDataButton.click()
    ui.doseCollapsibleButton.collapsed = False
    ui.applyButton.click()
    ui.resultsCollapsibleButton.collapsed = True
    take("-before")
    told(desktop)
    take()
    take("-narrow", width=340)
    ui.paintGroupBox.collapsed = False
    ui.paintLowSpinBox.value, ui.paintHighSpinBox.value = 18, 24
    desktop.widget.dialogs.agree = lambda _question, _title: True
    ui.paintDoseButton.click()
    take("-painted")
    ui.paintRuleComboBox.currentIndex = 2
    take("-painted-narrow", width=340)


def a_planned_dose(desktop: Desktop):
    """20 Gy to every lesion of the generated patient, less towards the edges."""
    import slicer
    from scipy import ndimage

    volume = desktop.widget.state.inputVolume
    found = np.zeros(slicer.util.arrayFromVolume(volume).shape)
    for unit in desktop.widget.result().scanResult.units:
        found = np.maximum(found, unit.lesion.full_mask(found.shape))
    spread = ndimage.gaussian_filter(found.astype(np.float32), [3 / s for s in volume.GetSpacing()[::-1]])
    matrix = slicer.vtkMRMLSliceNode().GetSliceToRAS()
    volume.GetIJKToRASMatrix(matrix)
    ijk_to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    return slicer.util.addVolumeFromArray(25 * spread, ijkToRAS=ijk_to_ras, name="planned dose")


STATES = {
    "empty": _empty,
    "running": _running,
    "error": _error,
    "done": _done,
    "dark": _done,
    "large": _done,
    "compare": _compare,
    "compare-dark": _compare,
    "dose": _dose,
    "dose-dark": _dose,
    "train": _train,
    "train-dark": _train,
}


def choose(desktop: Desktop, lesion: str) -> None:
    """Choose a row of the results."""
    table = desktop.widget.ui.resultsTable
    rows = [table.item(row, 0).text() for row in range(table.rowCount)]
    table.setCurrentCell(rows.index(lesion), 0)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--review", type=Path, help="instead write every state of the panel into this folder")
    parser.add_argument("--ui", type=Path, metavar="FOLDER", help="with --review: .ui files of a sketch")
    parser.add_argument("--only", metavar="STATE", choices=STATES, help="with --review: only this state")
    options = parser.parse_args()
    if options.review:
        review(options.review, [options.only] if options.only else list(STATES), options.ui)
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
    panel_dose()
    panel_train()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
