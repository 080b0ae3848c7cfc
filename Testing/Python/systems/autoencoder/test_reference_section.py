"""The section ``reference`` of a card: kept beside the weights, checked, and told where maps are relative to it."""

import json
from argparse import ArgumentParser
from types import SimpleNamespace

import numpy as np
import pytest
from making_models import CARD_FIELDS, random_bundle, random_members, random_patches

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.explain.map_choices import add_choices, choices_of, choices_of_text, told
from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.lesions import lesions_from_labels
from PulsarCAMLib.outputs.study.gallery import with_own_reference
from PulsarCAMLib.systems.autoencoder.maps.relative import RelativeSettings
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.bundle import load_bundle, save_bundle, save_with_reference
from PulsarCAMLib.systems.learning.learner import TrainingSamples

SECTION = {"about": "tests", "lesions": 3, "features": [[0.5, 0.25, 0.0, 1.0, 2.0]] * 2}
RELATIVE = ("pixelwise-relative", "gradcam-relative")
COHORT = "Relative to the mean features inside the GTVs of the model's 3 training lesions."
OWN = "Relative to the mean of the lesion's own features"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return random_bundle(tmp_path_factory.mktemp("models") / "kept", 2, reference=dict(SECTION))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return random_bundle(tmp_path_factory.mktemp("models") / "plain", 2)


def a_scan():
    volume = np.random.default_rng(0).normal(300, 50, (12, 80, 80)).astype(np.float32)
    labels = np.zeros(volume.shape, np.uint8)
    labels[4:8, 30:50, 30:52] = 1
    return volume, VolumeGeometry(volume.shape, (0.9, 0.9, 3.0)), lesions_from_labels(labels)[0]


def test_the_members_take_it_and_the_weights_stay_byte_for_byte(bundle, plain, tmp_path):
    assert bundle.weights == plain.weights
    assert bundle.card.fields["reference"]["weights_sha256"] == bundle.card.sha256
    np.testing.assert_array_equal(bundle.ensemble.reference, np.array(SECTION["features"], np.float32))
    assert plain.ensemble.reference is None
    added = save_with_reference(plain, SECTION, tmp_path / "added")
    assert added.weights == plain.weights
    assert added.card.fields["probe"] == plain.card.fields["probe"]
    assert added.card.fields["reference"] == bundle.card.fields["reference"]
    assert json.loads((added.folder / "card.json").read_text())["weights"] == plain.card.fields["weights"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights_sha256": "0" * 64}, "not that of its weights"),
        ({"features": [[0.5] * 5]}, "5 features for each of 2 members"),
        ({"features": [[0.5] * 4] * 2}, "5 features for each of 2 members"),
        ({"features": "many"}, "5 features for each of 2 members"),
        ({"features": [[0.5] * 5, [0.5, 0.5, 0.5, 0.5, -0.1]]}, "not numbers from 0 on"),
        ({"features": [[0.5] * 5, [0.5, 0.5, 0.5, 0.5, float("nan")]]}, "not numbers from 0 on"),
        ({"features": [[0.5] * 5, [0.5, 0.5, 0.5, 0.5, True]]}, "not numbers from 0 on"),
        ({"lesions": 0}, "of how many lesions"),
        ({"lesions": "three"}, "of how many lesions"),
    ],
)
def test_a_wrong_one_is_refused_in_one_sentence(bundle, change, words, tmp_path):
    fields = dict(bundle.card.fields)
    fields["reference"] = fields["reference"] | change
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(fields))
    (folder / "weights.safetensors").write_bytes(bundle.weights)
    with pytest.raises(BundleError, match=words):
        load_bundle(folder)


def test_a_result_of_a_model_without_its_reference_is_told_apart(bundle, plain):
    assert bundle.card.sha256 == plain.card.sha256
    assert bundle.card.identity != plain.card.identity
    assert bundle.card.identity == load_bundle(bundle.folder).card.identity


def test_a_trials_model_is_relative_to_the_lesions_that_it_learnt_from():
    images, masks = (each.numpy() for each in random_patches(6))
    names = [np.arange(6), np.zeros(6)]
    samples = TrainingSamples(images, masks, np.zeros(6, int), names[0], *names)
    (model,) = random_members(1)
    with_own_reference(AUTOENCODER, model, {"baseline": samples}, SimpleNamespace(train=np.array([4, 2])))
    wanted = AUTOENCODER.reference_section([model], samples.where(np.array([2, 4])))["features"]
    np.testing.assert_allclose(model.reference, wanted[0], rtol=1e-6)
    (other,) = random_members(1)
    with_own_reference(AUTOENCODER, other, {"baseline": samples}, SimpleNamespace(train=np.array([4, 77])))
    assert other.reference is None, "a lesion is missing: each is relative to its own mean"


def test_other_members_do_not_inherit_a_reference(bundle, tmp_path):
    """Whoever takes a card's fields for newly trained weights must not take the old weights' features along."""
    fields = CARD_FIELDS | {"reference": bundle.card.fields["reference"]}
    with pytest.raises(BundleError, match="not that of its weights"):
        save_bundle(tmp_path / "other", random_members(2, sharpness=2.0), fields)


def test_the_result_says_what_a_map_is_relative_to(bundle, plain):
    scan = a_scan()
    for model, words in ((bundle, COHORT), (plain, f"{OWN}; the model does not keep those of its training lesions.")):
        result = explain_scan(*scan, model)
        assert [result.made_with(name) for name in RELATIVE] == [words] * 2
        assert result.made_with("pixelwise") == ""
        assert words not in result.warnings
    kept, own = explain_scan(*scan, bundle), explain_scan(*scan, plain)
    assert np.array_equal(kept.heat_map("pixelwise"), own.heat_map("pixelwise"))
    assert not np.allclose(kept.heat_map("pixelwise-relative"), own.heat_map("pixelwise-relative"))


def parsed(*words):
    parser = ArgumentParser()
    add_choices(parser)
    return parser.parse_args(words)


def test_both_methods_share_one_option(bundle):
    typed = parsed("--relative-reference", "lesion")
    wanted = dict.fromkeys(RELATIVE, RelativeSettings("lesion"))
    for name in RELATIVE:
        assert choices_of(typed, bundle.card, (name,)) == wanted
        assert choices_of_text("reference lesion", bundle.card, name) == wanted
        assert told(AUTOENCODER.method(name)).startswith("reference: what a lesion is compared with")
    assert choices_of(parsed(), bundle.card, RELATIVE) == {}
    with pytest.raises(InputError, match="pixelwise-relative or gradcam-relative are given, and no such map"):
        choices_of(typed, bundle.card, ("pixelwise",))
    with pytest.raises(InputError, match="write them as in “reference lesion”"):
        choices_of_text("reference nobody", bundle.card, RELATIVE[0])


def test_the_command_line_takes_it_and_writes_what_was_taken(bundle, plain, tmp_path, capsys):
    import SimpleITK as sitk

    volume, geometry, lesions = a_scan()
    mask = np.zeros(volume.shape, np.uint8)
    mask[lesions[0].box][lesions[0].mask] = 1
    files = [str(tmp_path / name) for name in ("mri.nrrd", "gtv.nrrd")]
    for path, array in zip(files, (volume, mask), strict=True):
        sitk.WriteImage(geometry.to_sitk(array), path)
    own = ("--no-pictures", "--no-stability", "--quiet", "--method", "pixelwise-relative", "--relative-reference")
    out = tmp_path / "out"
    assert main(["explain", *files, "-o", str(out), "--model", str(bundle.folder), *own, "lesion"]) == 0
    said = json.loads((out / "result.json").read_text())
    assert said["options"]["settings_of_maps"]["pixelwise-relative"] == {"reference": "lesion"}
    assert said["maps_made"] == dict.fromkeys(RELATIVE, f"{OWN}.")
    assert said["warnings"] == [said["verdict"]["sentence"]], "how a map was made is no warning"
    header = sitk.ReadImage(str(out / "pixelwise-relative_non-response_mean.nrrd"))
    assert any(f"{OWN}." in header.GetMetaData(key) for key in header.GetMetaDataKeys())
    capsys.readouterr()
    refused = tmp_path / "refused"
    assert main(["explain", *files, "-o", str(refused), "--model", str(plain.folder), *own, "cohort"]) == 3
    assert "does not keep the mean features of its training lesions" in capsys.readouterr().err
    assert not refused.exists()
