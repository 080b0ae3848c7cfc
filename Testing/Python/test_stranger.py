"""A system in one file of at most sixty lines goes the whole way, without a line changed anywhere else.

Cohort table, check, training, study with control, bundle, explaining files, scene, panel, report. The lesion system
goes the same way in all the other tests.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import written
from stranger import STRANGER

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.registry import register, unregister

GRID = VolumeGeometry((10, 24, 22), (1.5, 1.5, 3.0), (12.0, -40.0, 6.0))
DOSE_GRID = VolumeGeometry((6, 12, 12), (3.0, 3.0, 5.0), (8.0, -44.0, 4.0))
QUICK = ("--system", "stranger", "--epochs", "4", "--batch-size", "4", "--learning-rate", "0.05")
FILE = Path(__file__).resolve().parents[1] / "stranger.py"


@pytest.fixture(autouse=True, scope="module")
def registered():
    register(STRANGER)
    yield
    unregister(STRANGER.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images and table of 18 patients: the larger the class, the larger what is bright."""
    place, rng, rows = tmp_path_factory.mktemp("way"), np.random.default_rng(0), []
    for n in range(18):
        voxels = rng.normal(100, 5, GRID.shape)
        voxels[2:8, 3 : 8 + 5 * (n % 3), 3 : 8 + 5 * (n % 3)] += 300
        written(place / f"flair{n}.nrrd", voxels.astype(np.float32), GRID)
        written(place / f"dose{n}.nrrd", rng.uniform(0, 20, DOSE_GRID.shape).astype(np.float32), DOSE_GRID)
        label = STRANGER.task.names[n % 3]
        rows.append([f"P{n:02d}", f"flair{n}.nrrd", f"dose{n}.nrrd" if n % 4 else "", label])
    with (place / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["patient", "flair", "rtdose", "size"], *rows])
    return place


@pytest.fixture(scope="module")
def model(folder):
    assert main(["cohort", "check", str(folder / "cohort.csv"), "--system", "stranger"]) == 0
    out = folder / "model"
    options = ["--members", "2", "--protocols", "none", "--quiet", *QUICK]
    assert main(["train", str(folder / "cohort.csv"), "-o", str(out), *options]) == 0
    assert main(["bundle", "check", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def explained(folder, model):
    out = folder / "result"
    files = [str(folder / "flair17.nrrd"), "--rtdose", str(folder / "dose17.nrrd")]
    options = ["--model", str(model), "--method", "all", "--class", "both", "--input", "each"]
    assert main(["explain", *files, "-o", str(out), *options, "--scene", "--report", "--quiet"]) == 0
    return out


def test_it_is_one_file_of_at_most_sixty_lines():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 60


def test_its_card_is_read_out_in_its_own_words(model, capsys):
    assert main(["bundle", "show", str(model)]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("much is bright", "2 x Stranger", "the most probable class", "size from"))
    assert "not as this PulsarCAM writes it" not in told
    assert "response" not in told


def test_its_maps_and_tables_are_written_on_the_image(explained):
    for method in STRANGER.usual_maps:
        for name in STRANGER.task.names:
            image = sitk.ReadImage(str(explained / f"{method}_{name}_mean.nrrd"))
            assert VolumeGeometry.from_sitk(image).same_grid(GRID)
    with (explained / "patients.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chances = [float(rows[0][f"probability_{name}"]) for name in STRANGER.task.names]
    assert sum(chances) == pytest.approx(1)
    assert rows[0]["predicted_class"] == STRANGER.task.names[int(np.argmax(chances))]
    assert "patient" in rows[0]


def test_maps_of_one_input_alone_are_written_on_its_own_voxels(explained):
    for name in STRANGER.task.names:
        together, flair, dose = (
            sitk.ReadImage(str(explained / f"saliency_{name}{one}_mean.nrrd")) for one in ("", "_flair", "_rtdose")
        )
        assert VolumeGeometry.from_sitk(flair).same_grid(GRID)
        assert VolumeGeometry.from_sitk(dose).same_grid(DOSE_GRID)
        assert sitk.GetArrayFromImage(dose).max() > 0
        assert (sitk.GetArrayFromImage(together) >= sitk.GetArrayFromImage(flair) - 1e-6).all()
        assert dose.GetMetaData("PulsarCAM.input") == "rtdose"
        assert "the patient spans" in dose.GetMetaData("PulsarCAM.cells")
        assert "PulsarCAM.input" not in together.GetMetaDataKeys()
    assert not list(explained.glob("gradcam_*_rtdose_*"))


def test_tables_say_how_much_every_input_matters_beside_its_control(explained):
    with (explained / "inputs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["map_class"], row["input"]) for row in rows] == [
        (name, role) for name in STRANGER.task.names for role in ("flair", "rtdose")
    ]
    for share in ("share", "control_share"):
        for name in STRANGER.task.names:
            assert sum(float(row[share]) for row in rows if row["map_class"] == name) == pytest.approx(1, abs=1e-5)
    assert [row["share"] for row in rows] != [row["control_share"] for row in rows]
    record = json.loads((explained / "result.json").read_text(encoding="utf-8"))
    assert [f"{row['share']:.6g}" for row in record["input_shares"]] == [row["share"] for row in rows]
    with (explained / "patients.csv").open(encoding="utf-8", newline="") as file:
        units = list(csv.DictReader(file))
    assert {(row["map_method"], row["map_input"]) for row in units} == {
        ("saliency", "all"), ("saliency", "flair"), ("saliency", "rtdose"), ("gradcam", "all")
    }  # fmt: skip
    assert all(row["map_cells"].count("x") == 2 and float(row["map_cell_mm"]) > 0 for row in units)


def test_its_report_says_its_words_and_no_others(explained):
    page = (explained / "report.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("probability", "large", "Saliency", "esearch use only"))
    assert "joint maximum of all classes" in page
    assert not any(word in page.replace("responsible", "") for word in ("response", "both classes", "lesion's joint"))


def test_its_scene_opens_with_its_maps(explained, a_scene):
    import slicer

    slicer.util.loadScene(str(explained / "scene.mrb"))
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
    assert any("large saliency" in name for name in names), names
    of_dose = slicer.util.getNode("planned dose heat map large saliency rtdose alone")
    dose = slicer.util.getNode("planned dose")
    assert of_dose.GetNodeReference("PulsarCAM.inputVolume") is dose
    assert of_dose.GetImageData().GetDimensions() == dose.GetImageData().GetDimensions() == DOSE_GRID.shape[::-1]
    np.testing.assert_allclose(of_dose.GetOrigin(), dose.GetOrigin())


def test_the_panel_shows_its_selectors_and_its_answer(folder, explained, a_desktop, monkeypatch):
    pytest.importorskip("PySide6", reason="PySide6 is not installed")
    import slicer

    monkeypatch.setenv("PULSARCAM_MODELS", str(folder))
    panel = a_desktop.open_panel()
    flair, dose = (sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}17.nrrd"))) for name in ("flair", "dose"))
    to_ras = {"FLAIR": (flair, GRID), "Dose": (dose, DOSE_GRID)}
    nodes = {n: slicer.util.addVolumeFromArray(v, ijkToRAS=g.ijk_to_ras, name=n) for n, (v, g) in to_ras.items()}
    panel.ui.inputVolumeSelector.setCurrentNode(nodes["FLAIR"])
    panel.ui.modelComboBox.setCurrentIndex(panel.ui.modelComboBox.findText("model"))
    (role,) = panel.images.roles
    assert role.name == "rtdose"
    panel.images.selector(role).setCurrentNode(nodes["Dose"])
    assert panel.ui.applyButton.enabled
    panel.ui.applyButton.click()
    shown = slicer.util.arrayFromVolume(panel.state.heatMapVolume)
    written_map = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "result" / "saliency_large_mean.nrrd")))
    np.testing.assert_allclose(shown, written_map, rtol=1e-4, atol=1e-6)
    choose_the_dose(panel, nodes)
    shown = slicer.util.arrayFromVolume(panel.state.heatMapVolume)
    written_map = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "result" / "saliency_large_rtdose_mean.nrrd")))
    np.testing.assert_allclose(shown, written_map, rtol=1e-4, atol=1e-6)


def choose_the_dose(panel, nodes):
    """Whose map: a row for all together and one for each image; only where the method has maps of each."""
    from PulsarCAMLib.scene.showing.views import composites

    box = panel.ui.mapInputComboBox
    panel.ui.explanationCollapsibleButton.collapsed = False
    assert not box.isHidden()
    assert [box.itemText(n) for n in range(box.count)] == ["All images together", "FLAIR", "planned dose"]
    panel.ui.methodComboBox.currentIndex = 1
    assert box.isHidden()
    panel.ui.methodComboBox.currentIndex = 0
    box.currentIndex = 2
    heat_map = panel.state.heatMapVolume
    assert heat_map.GetNodeReference("PulsarCAM.inputVolume") is nodes["Dose"]
    assert heat_map.GetAttribute("PulsarCAM.input") == "rtdose"
    over = [each.GetBackgroundVolumeID() for each in composites(heat_map)]
    assert over
    assert set(over) == {nodes["Dose"].GetID()}


def test_it_is_studied_beside_its_control(folder, few_resamples, undrawn):
    out = folder / "study"
    options = ["--protocols", "patients", "--trials", "3", "--controls", "2", "--folds", "3", "--quiet"]
    assert main(["study", str(folder / "cohort.csv"), "-o", str(out), *options, *QUICK]) == 0
    figures = json.dumps([json.loads(path.read_text()) for path in sorted(out.rglob("*.json"))])
    assert "balanced_accuracy" in figures
    assert "control" in figures
    page = next(out.rglob("*.html"), None) or next(Path(f"{out}-report").rglob("*.html"))
    text = page.read_text(encoding="utf-8")
    assert "large" in text
    assert "non-response" not in text


def edited(model, folder, change):
    """A copy of the bundle whose card was changed."""
    import shutil

    copy = folder / "edited"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(model, copy)
    card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
    change(card)
    (copy / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda card: card["decision"].update(temperature=0), "positive number “temperature”"),
        (lambda card: card["decision"].update(temperature="hot"), "positive number “temperature”"),
        (lambda card: card["architecture"].update(filters=64), "exactly the field “name”"),
    ],
)
def test_a_card_that_was_changed_is_refused(model, folder, capsys, change, says):
    copy = edited(model, folder, change)
    assert main(["bundle", "check", str(copy)]) == 4
    assert main(["explain", str(folder / "flair1.nrrd"), "-o", str(folder / "no"), "--model", str(copy)]) == 4
    assert says in capsys.readouterr().err


def test_images_without_numbers_are_refused_and_partial_ones_are_told(folder, model, capsys):
    empty = np.full(GRID.shape, np.nan, dtype=np.float32)
    written(folder / "nan.nrrd", empty, GRID)
    assert main(["explain", str(folder / "nan.nrrd"), "-o", str(folder / "no"), "--model", str(model)]) == 3
    slices, _, columns = np.indices(GRID.shape)
    written(folder / "half.nrrd", np.where(slices < 2, np.nan, 100 + columns).astype(np.float32), GRID)
    assert main(["explain", str(folder / "half.nrrd"), "-o", str(folder / "half"), "--model", str(model)]) == 0
    said = capsys.readouterr().err
    assert "NaN or infinite everywhere" in said
    assert "20% of the FLAIR is NaN or infinite" in said


@pytest.fixture(scope="module")
def few(folder):
    """A table of four patients with the mask of what is bright."""
    with (folder / "cohort.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:4]
    for n, row in enumerate(rows):
        mask = np.zeros(GRID.shape, np.uint8)
        mask[2:8, 3 : 8 + 5 * (n % 3), 3 : 8 + 5 * (n % 3)] = 1
        written(folder / f"bright{n}.nrrd", mask, GRID)
        row["note_bright"] = f"bright{n}.nrrd" if n != 3 else ""
    with (folder / "few.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder / "few.csv"


SANITY = ("--draws", "1", "--steps", "2", "--resamples", "50", "--quiet")


def test_its_maps_are_checked(folder, few, model, capsys):
    out = folder / "sanity.json"
    assert main(["sanity", str(model), "--cohort", str(few), "--method", "saliency", "-o", str(out), *SANITY]) == 0
    found, told = json.loads(out.read_text(encoding="utf-8")), capsys.readouterr().out
    assert found["stages"] == ["head", "all layers", "features.0"]
    assert next(iter(found["maps"])) == "saliency"
    assert set(found["image"]["inputs"]) == {"FLAIR", "planned dose"}
    assert set(found["not_measured"]) == {"planted tissue", "permuted labels"}
    assert "4 patients" in told
    assert not any(word in told for word in ("lesion", "GTV", "response"))


def test_without_a_table_nothing_can_be_checked_and_that_is_said(model, capsys):
    assert main(["sanity", str(model), "--quiet"]) == 3
    assert "name a table of them with --cohort" in capsys.readouterr().err


def looking_at(channel, model, folder):
    """A bundle whose network sums what is bright in one channel."""
    import torch

    from PulsarCAMLib.systems.bundles.bundle import load_bundle, save_bundle

    fields = dict(load_bundle(model).card.fields)
    network = STRANGER.network(None, None)
    with torch.no_grad():
        for values in network.parameters():
            values.zero_()
        network.features[0].weight[0, channel, 1, 1, 1] = 1
        network.head.weight[2, 0] = 10
    return save_bundle(folder / f"looking{channel}", [network.eval()], fields).folder


@pytest.mark.parametrize(("channel", "verdict"), [(0, "lies on the mask"), (1, "is not shown to lie on the mask")])
def test_maps_are_held_against_a_mask_of_every_case(folder, few, model, capsys, channel, verdict):
    """A network that looks at the first input alone, whose bright part is the mask; and one that looks at the other."""
    own, out = looking_at(channel, model, folder), folder / f"mask{channel}.csv"
    options = ["--only", "mask", "--mask", "note_bright", "--class", "large", "-o", str(out), *SANITY]
    assert main(["sanity", str(own), "--cohort", str(few), *options]) == 0
    told = capsys.readouterr().out
    assert f"Grad-CAM {verdict}" in told
    assert f"Saliency {verdict}" in told
    assert "on 3 patients (1 row without a mask)" in told
    assert ("NOT clearly better than image intensity" in told) == (channel == 0)
    with out.open(encoding="utf-8", newline="") as file:
        rows = {(row["of"], row["what"]): row for row in csv.DictReader(file)}
    auroc = float(rows["Grad-CAM", "on the mask, volume: AUROC"]["mean"])
    assert auroc > 0.9 if channel == 0 else auroc < 0.7
    assert float(rows["image intensity", "on the mask, volume: AUROC"]["mean"]) > 0.99
    assert float(rows["uniform (chance)", "on the mask, volume: AUROC"]["mean"]) == 0.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--input", "t9"], "The model sees no t9, so it has no maps of it; it sees flair, rtdose."),
        (["--input", "rtdose"], "There are no maps of the rtdose, for none was given; give it with --rtdose FILE."),
        (
            ["--rtdose", "dose1.nrrd", "--method", "gradcam", "--input", "each"],
            "There are no maps of single inputs by gradcam; choose saliency",
        ),
    ],
)
def test_maps_that_there_are_not_are_refused_before_anything_is_computed(folder, model, capsys, options, says):
    options = [str(folder / each) if each.endswith(".nrrd") else each for each in options]
    assert (
        main(["explain", str(folder / "flair1.nrrd"), "-o", str(folder / "no"), "--model", str(model), *options]) == 3
    )
    assert says in capsys.readouterr().err
    assert not (folder / "no").exists()


def test_one_input_may_be_asked_for_alone_and_each_means_all_where_there_is_one(folder, model):
    options = ["--model", str(model), "--method", "saliency", "--method", "gradcam", "--no-pictures", "--quiet"]
    files = [str(folder / "flair2.nrrd"), "--rtdose", str(folder / "dose2.nrrd"), "--input", "rtdose"]
    assert main(["explain", *files, "-o", str(folder / "alone"), *options]) == 0
    maps = {path.name for path in (folder / "alone").glob("*_mean.nrrd")}
    assert maps == {"saliency_large_rtdose_mean.nrrd", "gradcam_large_mean.nrrd"}
    files = [str(folder / "flair2.nrrd"), "--input", "each"]
    assert main(["explain", *files, "-o", str(folder / "one"), *options]) == 0
    maps = {path.name for path in (folder / "one").glob("*_mean.nrrd")}
    assert maps == {"saliency_large_mean.nrrd", "gradcam_large_mean.nrrd"}
    assert not (folder / "one" / "inputs.csv").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--mask", "note_nothing"], "No row names a mask in the column note_nothing"),
        (["--only", "mask"], "name its column with --mask"),
        (["--mask", "note_bright", "--class", "response", "--only", "mask"], "small, medium, large, predicted"),
        (["--method", "pixelwise"], "saliency, gradcam, occlusion"),
    ],
)
def test_what_maps_cannot_be_held_against_is_said(few, model, capsys, options, says):
    assert main(["sanity", str(model), "--cohort", str(few), "--only", "mask", *options, *SANITY]) == 3
    assert says in capsys.readouterr().err


def test_its_maps_are_checked_for_its_card(folder, few, monkeypatch):
    from functools import partial

    from PulsarCAMLib.outputs.pages.card_text import card_blocks
    from PulsarCAMLib.systems.bundles.bundle import load_bundle
    from PulsarCAMLib.trust import checks

    monkeypatch.setattr(checks, "Settings", partial(checks.Settings, draws=1, steps=2, random_orders=1))
    out = folder / "checked"
    options = ["--members", "1", "--protocols", "none", "--validation-share", "0", "--sanity", "--label-control", "1"]
    assert main(["train", str(few), "-o", str(out), "--quiet", *options, *QUICK]) == 0
    card = load_bundle(out).card
    assert card.fields["explanation_checks"]["about"] == "On 4 patients it was trained on"
    assert card.fields["explanation_checks"]["label_control"]["models"] == 1
    (block,) = [each for each in card_blocks(card) if each.title == "Are the maps true?"]
    assert "Saliency" in str(block.tables)
    assert "Pixel-wise" not in str(block.tables)
