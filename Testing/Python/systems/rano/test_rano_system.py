"""The RANO system from a synthetic cohort to maps, scene and report, at a size that takes seconds."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError, DependencyError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.task import VISIT
from PulsarCAMLib.systems.rano.architecture import BLOCKS, DenseNetSizes
from PulsarCAMLib.systems.rano.measurements import measure_file
from PulsarCAMLib.systems.rano.preprocessing import RanoPreprocessing
from PulsarCAMLib.systems.rano.settings import RanoSettings
from PulsarCAMLib.systems.rano.system import RANO
from PulsarCAMLib.systems.registry import system_of

pytest.importorskip("monai", reason="MONAI is not installed")

WITH_TUMOUR = "synthetic-5-0005"
SMALL = (
    *("--size", "24,24,24", "--spacing", "7,7,7", "--registration", "none"),
    *("--network", "tiny", "--first-features", "6", "--growth", "3"),
)
TINY = DenseNetSizes("tiny", first_features=4, growth=2)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    out = tmp_path_factory.mktemp("rano") / "cohort"
    recipe = ["--patients", "8", "--visits", "3", "--voxels", "24", "--spacing-mm", "7", "--seed", "5"]
    assert main(["cohort", "make-synthetic", "--system", "rano", "-o", str(out), *recipe, "--quiet"]) == 0
    return out


@pytest.fixture(scope="module")
def model(cohort):
    out = cohort.parent / "model"
    options = ["--epochs", "2", "--members", "1", "--protocols", "none", "--validation-share", "0", "--quiet"]
    command = ["train", str(cohort / "cohort.csv"), "--system", "rano", "-o", str(out), *SMALL, *options]
    assert main(command) == 0
    return out


def a_case(*missing, shape=(12, 12, 12)):
    grid, rng = VolumeGeometry(shape, (10.0,) * 3), np.random.default_rng(0)
    names = [role.name for role in RANO.inputs if role.kind == "MRI" and role.name not in missing]
    return Case({name: Image(rng.uniform(1, 9, shape), grid) for name in names}, reference="t1")


def prepared(case, **settings):
    plain = RanoPreprocessing(size=(8, 8, 8), spacing=None, registration="none", **settings)
    return RANO.prepare(case, plain, lambda *_: None)


def test_it_is_registered_and_asks_about_visits():
    assert system_of("rano") is RANO
    assert RANO.task.unit == VISIT
    assert RANO.task.names == ("cr", "pr", "sd", "pd")


def test_importing_it_imports_neither_torch_nor_monai():
    code = (
        "import sys; from PulsarCAMLib.systems.rano.system import RANO; RANO.settings(); RANO.preprocessing();"
        "sys.exit(any(name in sys.modules for name in ('torch', 'monai')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_monai_it_says_in_a_sentence_what_to_install(monkeypatch):
    import importlib.metadata

    known = importlib.metadata.version

    def missing(name):
        if name == "monai":
            raise importlib.metadata.PackageNotFoundError
        return known(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"MONAI.*pulsarcam\[models3d\]"):
        RANO.network(TINY, RanoPreprocessing())


def test_channels_are_interleaved_as_published():
    names = [channel.name for channel in RANO.channels(RanoPreprocessing())]
    assert names == ["t1", "t1-before", "t2", "t2-before", "flair", "flair-before"]
    names = [channel.name for channel in RANO.channels(RanoPreprocessing(subtraction=True))]
    assert names == ["t1 - t1-before", "t2 - t2-before", "flair - flair-before"]
    names = [channel.name for channel in RANO.channels(RanoPreprocessing(modalities=("flair", "t1c"), visits="now"))]
    assert names == ["flair", "t1c"]
    with pytest.raises(BundleError, match="see both"):
        RanoPreprocessing(subtraction=True, visits="now")


@pytest.mark.parametrize(
    ("settings", "channels"), [({}, 6), ({"subtraction": True}, 3), ({"modalities": ("t1", "t2", "flair", "t1c")}, 8)]
)
def test_the_network_has_a_channel_for_each_image_and_starts_as_published(settings, channels):
    import torch

    preprocessing = RanoPreprocessing(size=(32, 32, 32), **settings)
    network = RANO.network(TINY, preprocessing)
    first = network.densenet.features.conv0
    assert first.in_channels == channels == len(RANO.channels(preprocessing))
    assert network.densenet.class_layers.out.bias.tolist() == [1.0] * 4
    fan = 7**3 * (channels + TINY.first_features)
    assert first.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.1)
    images, masks = RANO.probe_input(TINY, preprocessing)
    with torch.no_grad():
        assert network.eval()(torch.from_numpy(images), torch.from_numpy(masks)).shape == (3, 4)


def test_the_published_size_is_the_usual_one():
    assert BLOCKS["densenet264"] == DenseNetSizes().blocks == (6, 12, 64, 48)
    assert RanoPreprocessing().size == (155, 240, 240)
    assert RanoPreprocessing().registration == "halfway"
    settings = RANO.training_settings()
    assert (settings.epochs, settings.batch_size, settings.learning_rate, settings.weight_decay) == (100, 4, 1e-4, 0.01)
    assert (settings.imbalance, settings.sampler, settings.schedule) == ("weighted", "complement", "cut-on-rise")
    chances = (f"{name}_chance" for name in ("flip", "intensity", "contrast", "noise"))
    assert [getattr(settings.augmentation, name) for name in chances] == [0.5, 0.9, 0.9, 0.9]
    assert RanoSettings.from_card(json.loads(json.dumps(settings.to_card()))) == settings


def test_grad_cam_looks_at_the_last_block_and_at_the_one_before():
    import torch

    network, seen = RANO.network(TINY, RanoPreprocessing()), {}
    for name, layer in RANO.explained_layers(network).items():
        layer.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out.shape[2:]}))
    assert RANO.explained_layer(network) is network.densenet.features.denseblock2
    network(torch.zeros(2, 6, 32, 32, 32), torch.zeros(2, 1, 32, 32, 32))
    assert {name: tuple(shape) for name, shape in seen.items()} == {"": (4, 4, 4), "shallow": (8, 8, 8)}


def test_an_image_that_the_model_learnt_from_must_be_there():
    assert prepared(a_case("t1c", "t1c-before"))[0].images.shape == (1, 6, 8, 8, 8)
    with_contrast = ("t1", "t2", "flair", "t1c")
    assert prepared(a_case(), modalities=with_contrast)[0].images.shape[1] == 8
    with pytest.raises(InputError, match="trained with contrast-enhanced T1 before"):
        prepared(a_case("t1c-before"), modalities=with_contrast)
    with pytest.raises(InputError, match="T2 before"):
        prepared(a_case("t2-before"))


def test_an_outlined_tumour_is_measured_beside_the_answer():
    from dataclasses import replace

    from PulsarCAMLib.core.lesion import Lesion

    mask = np.zeros((12, 12, 12), bool)
    mask[5:7, 4:7, 3:8] = True
    case = a_case("t1c", "t1c-before")
    assert prepared(case)[0].facts() == {}
    facts = prepared(replace(case, lesions=(Lesion.from_mask("tumour", mask),)))[0].facts()
    assert facts["tumour_volume_cm3"] == pytest.approx(30)
    assert facts["tumour_longest_mm"] == pytest.approx(np.hypot(50, 20), abs=8)
    assert facts["tumour_product_mm2"] == pytest.approx(
        facts["tumour_longest_mm"] * facts["tumour_perpendicular_mm"], rel=1e-3
    )
    assert facts["tumour_measurable"] == 1


def test_the_visit_before_is_measured_on_its_own_image_and_drawn_there():
    from dataclasses import replace

    from PulsarCAMLib.core.lesion import Lesion

    mask, smaller = np.zeros((12, 12, 12), bool), np.zeros((12, 12, 12), bool)
    mask[5:7, 4:7, 3:8] = True
    smaller[5:7, 4:7, 3:6] = True
    case = replace(a_case("t1c", "t1c-before"), lesions=(Lesion.from_mask("tumour", mask),))
    both = replace(case, outlined={"tumour-before": (Lesion.from_mask("tumour", smaller),)})
    sample = prepared(both)[0]
    facts = sample.facts()
    assert facts["tumour_volume_cm3"] == pytest.approx(30)
    assert facts["tumour_before_volume_cm3"] == pytest.approx(18)
    assert facts["tumour_before_product_mm2"] < facts["tumour_product_mm2"]
    drawn, grid, lead, size = sample.outline_at("before")
    assert (drawn.sum(), lead, grid) == (18, "t1-before", both.images["t1-before"].geometry)
    assert size.endswith("mm², 18.0 cm³")
    assert sample.outline_at("baseline")[2:] == (
        "t1", f"{facts['tumour_product_mm2']:.0f} mm², {facts['tumour_volume_cm3']:.1f} cm³"
    )  # fmt: skip
    gone = prepared(replace(both, lesions=(), outlined={"tumour-before": ()}))[0]
    assert gone.facts()["tumour_before_volume_cm3"] == 0
    assert gone.outline_at("baseline") is None


def test_what_the_network_does_not_see_has_no_say():
    case, other = a_case(), a_case()
    other.images["t1c"].voxels[:] = np.random.default_rng(1).normal(size=(12, 12, 12))
    assert np.array_equal(prepared(case)[0].images, prepared(other)[0].images)
    other.images["flair-before"].voxels[3] += 5
    changed = np.abs(prepared(case)[0].images - prepared(other)[0].images).max(axis=(0, 2, 3, 4)) > 0
    assert changed.tolist() == [False] * 5 + [True]


def test_the_table_is_read_and_its_labels_are_those_that_were_made(cohort, capsys):
    labels = cohort.parent / "labels.csv"
    assert main(["cohort", "check", str(cohort / "cohort.csv"), "--system", "rano", "--labels", str(labels)]) == 0
    said = capsys.readouterr().out
    with labels.open(encoding="utf-8-sig", newline="") as file:
        told = {(row["patient"], row["unit"]): row for row in csv.DictReader(file)}
    with (cohort / "cohort.csv").open(encoding="utf-8", newline="") as file:
        truth = {(row["patient"], row["visit"]): row for row in csv.DictReader(file) if row["truth_category"]}
    assert set(told) == set(truth)
    plain = ("vanished", "shrinkage", "new lesion")  # what is stable after growth is still more than the smallest
    made = {key: row["truth_category"] for key, row in truth.items() if key[1] == "visit 2"}
    made |= {key: row["truth_category"] for key, row in truth.items() if row["truth_event"] in plain}
    assert {key: told[key]["label"] for key in made} == made
    assert all(row["from"] == "imaging-2.0" and row["why"] for row in told.values())
    assert "16 visits of 8 patients in 24 rows: no errors" in said
    assert "by imaging-2.0" in said


def test_the_card_says_what_the_model_was_trained_on(model, capsys):
    assert main(["bundle", "check", str(model)]) == 0
    assert main(["bundle", "show", str(model)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "T1, T2, FLAIR of this visit and the one before" in said
    assert "SYNTHETIC visits of 8 patients" in said
    assert "imaging-2.0: " in said
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert card["preprocessing"]["modalities"] == ["t1", "t2", "flair"]
    assert card["training"]["settings"]["augmentation"]["flip_chance"] == 0.5


def test_the_network_stands_beside_its_baselines_and_it_is_said_first_when_it_does_not_beat_them(cohort):
    from PulsarCAMLib.study.figures.summary import summarise
    from PulsarCAMLib.study.run import open_study

    out = cohort.parent / "study"
    models = ["--models", "rano,majority,volume-rule,growth", "--protocols", "patients", "--trials", "1"]
    options = ["--controls", "1", "--folds", "2", "--epochs", "1", "--no-report", "--quiet"]
    command = ["study", str(cohort / "cohort.csv"), "--system", "rano", "-o", str(out), *SMALL, *models, *options]
    assert main(command) == 0
    results = summarise(open_study(out), resamples=20)
    found = {entry["model"]: entry["metrics"]["balanced_accuracy"]["mean"] for entry in results["table"]}
    assert set(found) == {"rano", "majority", "volume-rule", "growth"}
    assert found["volume-rule"] > 0.9
    assert found["majority"] < 0.4
    first = results["sentences"]["headline"][0]
    assert first.startswith("The network does not beat what costs nothing")
    assert "volume rule (1.000)" in first
    assert any("on visits of patients it had not seen" in each for each in results["sentences"]["headline"])


def files_of(cohort, visit, patient="synthetic-5-0000"):
    folder, found = cohort / patient, []
    for name in ("t1", "t2", "flair"):
        now, before = (str(folder / f"visit{n}-{name}.nrrd") for n in (visit, visit - 1))
        found += [now] if name == "t1" else [f"--{name}", now]
        found += [f"--{name}-before", before]
    return found


def test_a_new_visit_is_explained_into_a_folder(cohort, model, a_scene):
    out = cohort.parent / "result"
    options = ["--model", str(model), "--method", "saliency", "--class", "all", "--scene", "--report", "--quiet"]
    volume, *others = files_of(cohort, 2, patient=WITH_TUMOUR)
    mask, before = (str(cohort / WITH_TUMOUR / f"visit{n}-tumour.nrrd") for n in (2, 1))
    others += ["--tumour-before", before]
    assert main(["explain", volume, mask, *others, "-o", str(out), *options]) == 0
    image = sitk.ReadImage(volume)
    for name in RANO.task.names:
        found = sitk.ReadImage(str(out / f"saliency_{name}_mean.nrrd"))
        assert VolumeGeometry.from_sitk(found).same_grid(VolumeGeometry.from_sitk(image))
        assert sitk.GetArrayFromImage(found).any()
    with (out / "visits.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    for name, path in (("tumour", mask), ("tumour_before", before)):
        assert float(row[f"{name}_volume_cm3"]) == pytest.approx(measure_file(Path(path)).volume_cm3, rel=1e-3)
        assert float(row[f"{name}_product_mm2"]) == pytest.approx(measure_file(Path(path)).product_mm2, rel=1e-3)
    assert sum(float(row[f"probability_{name}"]) for name in RANO.task.names) == pytest.approx(1, abs=1e-4)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "RANO response of glioblastoma" in page
    assert "<dt>CR</dt>" in page
    assert "Complete response: no enhancing tumour is left" in page
    assert (out / "scene.mrb").exists()


def test_a_missing_visit_before_is_one_sentence_before_torch_is_loaded(cohort, model, capsys, monkeypatch):
    monkeypatch.setattr("PulsarCAMLib.cli.explain.one_case.import_all", lambda job: pytest.fail("it was loaded"))
    lacking = files_of(cohort, 2)[:-2]
    assert main(["explain", *lacking, "-o", str(cohort.parent / "no"), "--model", str(model)]) == 3
    assert "FLAIR MRI of the visit before; give it with --flair-before" in capsys.readouterr().err
    assert not (cohort.parent / "no").exists()
