"""The README is a front door, its console lines and the recipes of the script repository run as they stand."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RECIPES = ROOT / "Resources" / "Documentation" / "scripting.md"
LARGEST_README_LINES = 200


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LARGEST_README_LINES


def test_there_are_recipes():
    assert len(python_blocks(RECIPES)) >= 12


def test_every_block_of_python_is_run_by_a_test():
    by_test_documentation = ROOT / "CONTRIBUTING.md"
    pages = [*ROOT.glob("*.md"), *RECIPES.parent.glob("*.md")]
    assert {page for page in pages if python_blocks(page)} == {README, RECIPES, by_test_documentation}


@pytest.fixture
def a_scene(a_desktop):
    from host.making import a_segmentation, an_mri, box

    mri = an_mri(name="MRI")
    lesions = {"left frontal": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}
    return mri, a_segmentation(lesions, mri)


def a_cohort_and_its_agreement(folder):
    from making_files import PLAIN, a_volume, two_boxes, written
    from PulsarCAMScenarios.compare import write_cohort_agreement

    written(folder / "t1c.nrrd", a_volume(PLAIN, 1), PLAIN)
    written(folder / "label.nrrd", two_boxes(PLAIN, 2), PLAIN)
    lines = ["patient,lesion,image,segmentation,label_value", "Doe,left,t1c.nrrd,label.nrrd,1"]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "agreement").mkdir()
    write_cohort_agreement(folder / "agreement")


@pytest.fixture
def a_grader(a_scene, a_model, tmp_path, monkeypatch):
    """Two images, a registered system that takes both and no lesions, and a model of it beside the installed ones."""
    from host.making import an_mri
    from PulsarCAMScenarios.stranger import Stranger, write_bundle

    from PulsarCAMLib.systems.bundles.bundle import USER_FOLDER_VARIABLE
    from PulsarCAMLib.systems.registry import register, unregister

    models = Path(os.environ.get(USER_FOLDER_VARIABLE, tmp_path))
    monkeypatch.setenv(USER_FOLDER_VARIABLE, str(models))
    register(Stranger())
    write_bundle(models / "grader")
    yield [an_mri(name=name) for name in ("T1", "FLAIR")]
    unregister(Stranger.name)


def test_the_console_recipes_run_as_pasted(a_scene, a_model, a_grader):
    import slicer
    import slicer.util

    a_cohort_and_its_agreement(Path(slicer.app.temporaryPath))
    console = {"slicer": slicer}
    for number, recipe in enumerate(python_blocks(RECIPES), start=1):
        exec(compile(recipe, f"recipe {number}", "exec"), console)


def test_the_three_console_lines_of_the_readme_explain_the_scene(a_scene, a_model):
    mri, segmentation = a_scene
    console = {"volumeNode": mri, "segmentationNode": segmentation}
    (lines,) = python_blocks(README)
    assert len([line for line in lines.splitlines() if line]) == 3
    exec(compile(lines, "README", "exec"), console)
    assert len(console["result"].scanResult.lesions) == 2


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_are_make_targets(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"make {target}" in README.read_text(encoding="utf-8")


def test_the_readme_counts_the_scenarios_right():
    files = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "Testing/PulsarCAMScenarios").glob("*.py")]
    nodes = [node for file in files for node in ast.walk(file) if isinstance(node, ast.FunctionDef)]
    count = sum(node.name.startswith("test_") for node in nodes)
    assert f"the same {count} scenarios" in README.read_text(encoding="utf-8")
