"""The README's console recipes run as they stand, and what it links to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def recipes():
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_recipes():
    assert len(recipes()) >= 6


def a_cohort_and_its_agreement(folder):
    from making_files import PLAIN, a_volume, two_boxes, written
    from PulsarCAMScenarios.compare import write_cohort_agreement

    written(folder / "t1c.nrrd", a_volume(PLAIN, 1), PLAIN)
    written(folder / "label.nrrd", two_boxes(PLAIN, 2), PLAIN)
    lines = ["patient,lesion,image,segmentation,label_value", "Doe,left,t1c.nrrd,label.nrrd,1"]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "agreement").mkdir()
    write_cohort_agreement(folder / "agreement")


def test_the_console_recipes_run_as_pasted(a_desktop, a_model):
    import slicer
    import slicer.util
    from host.making import a_segmentation, an_mri, box

    mri = an_mri(name="MRI")
    a_segmentation({"left frontal": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}, mri)
    a_cohort_and_its_agreement(Path(slicer.app.temporaryPath))
    console = {"slicer": slicer}
    for number, recipe in enumerate(recipes(), start=1):
        exec(compile(recipe, f"README recipe {number}", "exec"), console)


def test_pictures_and_files_it_names_exist():
    text = README.read_text(encoding="utf-8")
    named = [*re.findall(r"\]\((?!https?:)([^)#]+)\)", text)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_are_make_targets(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"make {target}" in README.read_text(encoding="utf-8")
