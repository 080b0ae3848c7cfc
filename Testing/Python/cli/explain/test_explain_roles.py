"""``pulsarcam explain`` takes the images that the model's system names, and writes in the words of its task."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from making_files import files_in, result_of, written
from making_models import CARD_FIELDS
from stranger import STRANGER

from PulsarCAMLib.cli.explain.inputs import _lesions_of, _problems
from PulsarCAMLib.cli.explain.one_case import Job
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.io.volumes import read_volume
from PulsarCAMLib.systems.bundles.bundle import save_bundle
from PulsarCAMLib.systems.contract import NoSizes
from PulsarCAMLib.systems.registry import register, systems, unregister
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing

GRID = VolumeGeometry((8, 20, 18), (1.0, 1.0, 2.0), (5.0, -7.0, 3.0))
DOSE_GRID = VolumeGeometry((6, 12, 12), (2.0, 2.0, 3.0), (2.0, -9.0, 2.0))


@pytest.fixture(autouse=True)
def stranger():
    register(STRANGER)
    yield STRANGER
    unregister(STRANGER.name)


@pytest.fixture
def strange_model(tmp_path):
    members = []
    for seed in range(2):
        torch.manual_seed(seed)
        members.append(STRANGER.network(NoSizes(STRANGER.name), VolumePreprocessing()))
        members[-1].architecture = NoSizes(STRANGER.name)
    fields = {key: value for key, value in CARD_FIELDS.items() if key != "response"}
    fields |= {"name": "sizes", "title": "Sizes", "preprocessing": VolumePreprocessing().to_card()}
    save_bundle(tmp_path / "sizes", members, fields)
    return tmp_path / "sizes"


@pytest.fixture
def flair(tmp_path):
    voxels = np.random.default_rng(0).normal(100, 5, GRID.shape)
    voxels[2:6, 4:12, 4:11] += 200
    voxels[0] = 0
    return written(tmp_path / "flair.nrrd", voxels.astype(np.float32), GRID)


@pytest.fixture
def dose(tmp_path):
    values = np.random.default_rng(1).uniform(1, 20, DOSE_GRID.shape).astype(np.float32)
    return written(tmp_path / "dose.nrrd", values, DOSE_GRID)


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_patient_without_lesions_is_explained_by_role(tmp_path, pulsarcam, strange_model, flair, dose):
    out = tmp_path / "out"
    options = ("--class", "all", "--method", "all", "--report", "--rtdose", dose)
    code, said, err = pulsarcam("explain", flair, "-o", out, "--model", strange_model, *options)
    assert (code, err) == (0, "")
    assert "p(small)" in said
    assert "p(large)" in said
    names = files_in(out)
    for target in STRANGER.task.names:
        for end in ("mean.nrrd", "std.nrrd", "regions.seg.nrrd"):
            assert f"saliency_{target}_{end}" in names
            assert f"gradcam_{target}_{end}" in names
    assert {"patients.csv", "slices.csv", "report.html", "pictures/01-patient_gradcam.png"} <= set(names)
    assert [row["map_class"] for row in rows_of(out / "patients.csv")] == [*STRANGER.task.names] * 2
    record = result_of(out)
    assert record["patients"] == 1
    assert set(record["input"]) == {"volume_sha256", "rtdose_sha256"}
    values, geometry = read_volume(out / "saliency_large_mean.nrrd")
    assert geometry.same_grid(GRID)
    assert values.max() > 0
    page = (out / "report.html").read_text(encoding="utf-8")
    head = "Patients by probability of large"
    for told in ("Size of what is bright", head, "Probability of medium", "Saliency", "Much is bright"):
        assert told in page, told
    for foreign in ("lesion’s", "response", "Logit", "slices the probability"):
        assert foreign not in page, foreign


def test_a_dose_changes_the_answer_and_its_absence_is_told(tmp_path, pulsarcam, strange_model, flair, dose):
    told = {}
    for name, more in (("with", ("--rtdose", dose)), ("without", ())):
        command = ("explain", flair, "-o", tmp_path / name, "--model", strange_model, "--no-pictures", *more)
        code, _, err = pulsarcam(*command)
        assert code == 0
        assert ("there is no planned dose" in err) == (name == "without")
        told[name] = rows_of(tmp_path / name / "patients.csv")[0]["probability_large"]
    assert told["with"] != told["without"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--method", "pixelwise"), "The method must be one of saliency, gradcam, occlusion"),
        (("--class", "response"), "The class must be one of small, medium, large, predicted"),
    ],
)
def test_what_another_system_has_is_refused_in_one_sentence(tmp_path, pulsarcam, strange_model, flair, options, said):
    code, _, err = pulsarcam("explain", flair, "-o", tmp_path / "out", "--model", strange_model, *options)
    assert code == 3
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_files_that_the_model_does_not_take_or_lacks_are_named(tmp_path, pulsarcam, strange_model, flair, dose):
    out = tmp_path / "out"
    code, _, err = pulsarcam("explain", flair, flair, "-o", out, "--model", strange_model)
    assert (code, err.count("\n")) == (3, 1)
    assert "takes no lesions" in err
    code, _, err = pulsarcam("explain", flair, "-o", out)
    assert (code, err.count("\n")) == (3, 1)
    assert "needs segmentation or label map that outlines the lesions; name it after the image" in err
    code, _, err = pulsarcam("explain", flair, flair, "-o", out, "--rtdose", dose)
    assert (code, err.count("\n")) == (3, 1)
    assert "takes no rtdose; leave out --rtdose" in err


def test_options_are_there_for_the_roles_of_every_known_system(capsys):
    from PulsarCAMLib.cli import main

    main(["explain", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "post-operative T1 (RICE-Net); planned dose in Gy (Stranger)" in told
    unregister(STRANGER.name)
    main(["explain", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "post-operative T1 (RICE-Net)" in told
    assert "Stranger" not in told


def test_no_input_may_take_the_name_of_an_option_of_explain():
    import argparse

    from PulsarCAMLib.core.inputs import CHOOSES, MASK, TAKEN, InputRole

    (commands,) = [each for each in make_parser()._actions if isinstance(each, argparse._SubParsersAction)]
    options = {
        flag[2:] for each in commands.choices["explain"]._actions for flag in each.option_strings if flag[:2] == "--"
    }
    roles = {role.name for system in systems() for role in system.inputs}
    choosing = {role.name + what for system in systems() for role in system.other_masks for what in CHOOSES}
    assert choosing == {"tumour-before-segments", "tumour-before-labels"}
    assert options - roles - choosing <= set(TAKEN)
    for name in ("mri-labels", "structures"):
        with pytest.raises(ValueError, match="not those of an option"):
            InputRole(name, "A mask", MASK)


def case_of(strange_model, flair, dose, tmp_path, *options):
    """What ``explain`` reads."""
    from PulsarCAMLib.cli.explain.inputs import read_case
    from PulsarCAMLib.cli.explain.one_case import Job
    from PulsarCAMLib.systems.bundles.bundle import find_bundle

    words = ["explain", str(flair), "-o", str(tmp_path / "out"), "--rtdose", str(dose), *options]
    given = make_parser().parse_args(words)
    job = Job(flair, None, tmp_path / "out", {"rtdose": dose}, tuple(given.transform), given.aligned)
    return read_case(job, find_bundle(str(strange_model)).card, lambda *_: None)


def test_known_transforms_come_into_the_case(strange_model, flair, dose, tmp_path):
    import SimpleITK as sitk

    sitk.WriteTransform(sitk.TranslationTransform(3, (1.0, 2.0, 3.0)), str(tmp_path / "t.tfm"))
    named = ("--transform", f"rtdose={tmp_path / 't.tfm'}")
    found = case_of(strange_model, flair, dose, tmp_path, *named).transforms
    assert found.keys() == {"rtdose"}
    np.testing.assert_allclose(found["rtdose"][:3, 3], (1, 2, 3))
    both = case_of(strange_model, flair, dose, tmp_path, "--aligned", *named).transforms
    np.testing.assert_array_equal(both["flair"], np.eye(4))
    np.testing.assert_allclose(both["rtdose"][:3, 3], (1, 2, 3))
    assert not case_of(strange_model, flair, dose, tmp_path).transforms


def test_a_transform_of_no_image_and_a_word_that_is_none_are_refused(strange_model, flair, dose, tmp_path, capsys):
    from PulsarCAMLib.core.errors import InputError

    with pytest.raises(InputError, match="--transform t9=… names no image that is given; there are flair, rtdose"):
        case_of(strange_model, flair, dose, tmp_path, "--transform", "t9=x.tfm")
    with pytest.raises(SystemExit):
        case_of(strange_model, flair, dose, tmp_path, "--transform", "x.tfm")
    assert "is not NAME=FILE" in capsys.readouterr().err


def test_lesions_of_another_visit_have_their_own_choice_or_that_of_the_segmentation(tmp_path):
    system = next(each for each in systems() if each.name == "rano")
    (role,) = system.other_masks
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:5, 2:8, 2:8], labels[2:5, 10:16, 10:16] = 1, 2
    path = written(tmp_path / "before.nrrd", labels, GRID)
    image, job = Image(labels, GRID), Job(path, path, tmp_path / "out", inputs={role.name: path})
    given = make_parser().parse_args(["explain", "a", "b", "-o", "c", "--tumour-before-labels", "2"]).chosen_of
    assert given == {("tumour-before", "labels"): (2,)}

    def taken(**changes):
        return [each.name for each in _lesions_of(role, path, image, replace(job, **changes))[0]]

    assert taken() == ["Lesion 1", "Lesion 2"]
    assert taken(labels=(1,)) == ["Lesion 1"]
    assert taken(labels=(1,), chosen=given) == ["Lesion 2"]
    assert taken(segments=("GTV",), chosen=given) == ["Lesion 2"]
    with pytest.raises(InputError, match=r"tumour before alone choose by --tumour-before-segments or"):
        taken(segments=("GTV",))
    card = SimpleNamespace(name="m", system=system, preprocessing=system.training_settings().preprocessing)
    said = "--tumour-before-labels chooses in a file that was not named; give it with --tumour-before FILE."
    assert said in list(_problems(replace(job, inputs={}, chosen=given), card))
    assert said not in list(_problems(replace(job, chosen=given), card))
