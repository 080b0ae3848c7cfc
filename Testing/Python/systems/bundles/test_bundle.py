import hashlib
import json
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from making_models import CARD_FIELDS, random_bundle, random_members, random_patches

from PulsarCAMLib.core.errors import BundleError, OutputError
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.bundles.bundle import find_bundle, find_card, installed_bundles, load_bundle, save_bundle
from PulsarCAMLib.systems.bundles.checking import check_bundle

HALF = Preprocessing(mask_rule="half")


@pytest.fixture
def folder(tmp_path):
    random_bundle(tmp_path / "random")
    return tmp_path / "random"


def change_card(folder, **changes):
    path = folder / "card.json"
    card = json.loads(path.read_text())
    for key, value in changes.items():
        group, _, inner = key.partition("__")
        if inner:
            card[group][inner] = value
        elif value is None:
            del card[group]
        else:
            card[group] = value
    path.write_text(json.dumps(card))


def change_weights(folder, change):
    path = folder / "weights.safetensors"
    tensors = safetensors.torch.load_file(path)
    change(tensors)
    data = safetensors.torch.save(tensors)
    path.write_bytes(data)
    change_card(folder, weights__sha256=hashlib.sha256(data).hexdigest())


def test_a_bundle_comes_back_with_the_same_logits(tmp_path):
    members = random_members(3)
    save_bundle(tmp_path / "a", members, CARD_FIELDS)
    images, masks = random_patches(5)
    logits = load_bundle(tmp_path / "a").ensemble.logits(images, masks)
    for k, member in enumerate(members):
        torch.testing.assert_close(logits[k], member(images, masks).logits)


def test_a_bundle_is_two_readable_files(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["card.json", "weights.safetensors"]
    card = json.loads((folder / "card.json").read_text())
    assert card["classes"] == ["non-response", "response"]
    assert card["members"] == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "something"}, "not a PulsarCAM model card"),
        ({"format_version": 2}, "version 2"),
        ({"format_version": True}, "not a int|version"),
        ({"decision": None}, "lacks decision"),
        ({"members": "3"}, "“members”"),
        ({"members": 0}, "members"),
        ({"synthetic": "no"}, "“synthetic”"),
        ({"name": "../x"}, "name"),
        ({"classes": ["response", "non-response"]}, "classes"),
        ({"decision__threshold": 1.5}, "threshold"),
        ({"decision__temperature": -1}, "temperature"),
        ({"weights__file": "../../secret.safetensors"}, "weights must name"),
        ({"weights__file": "weights.pt"}, "weights must name"),
        ({"weights__sha256": "00"}, "sha256"),
        ({"weights__sha256": "0" * 64}, "wrong sha256"),
        ({"architecture__name": "resnet"}, "resnet"),
        ({"architecture__extra": 1}, "exactly these fields"),
        ({"architecture__patch_size": 128}, "patch size"),
        ({"preprocessing__plane": "diagonal"}, "plane"),
        ({"preprocessing__mean": 1}, "unknown"),
        ({"preprocessing__in_plane_spacing_mm": "1"}, "preprocessing"),
        ({"preprocessing__percentiles": [1]}, "preprocessing"),
    ],
    ids=str,
)
def test_a_wrong_card_is_refused_in_one_sentence(folder, changes, words):
    change_card(folder, **changes)
    with pytest.raises(BundleError, match=words) as error:
        load_bundle(folder)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def test_the_mask_rule_is_kept_with_the_bundle_and_followed(tmp_path):
    images, masks = random_patches(6)
    members = random_members(2, mask_rule="half")
    made = save_bundle(tmp_path / "half", members, CARD_FIELDS | {"preprocessing": HALF.to_card()})
    card = json.loads((made.folder / "card.json").read_text())
    assert card["preprocessing"]["mask_rule"] == "half"
    found = load_bundle(made.folder).ensemble.logits(images, masks)
    for logits, member, other in zip(found, members, random_members(2), strict=True):
        torch.testing.assert_close(logits, member(images, masks).logits.detach(), rtol=1e-4, atol=1e-5)
        assert not torch.allclose(logits, other(images, masks).logits, rtol=1e-2, atol=1e-2)
    assert check_bundle(made.folder) == []
    change_card(made.folder, preprocessing__mask_rule="any")
    assert "answers a fixed input otherwise" in check_bundle(made.folder)[0], "another rule is another model"


def test_members_of_another_mask_rule_than_the_cards_are_refused(tmp_path):
    with pytest.raises(BundleError, match="mask rule is not that of the members"):
        save_bundle(tmp_path / "mixed", random_members(2), CARD_FIELDS | {"preprocessing": HALF.to_card()})
    assert not (tmp_path / "mixed").exists()
    with pytest.raises(BundleError, match="one mask rule"):
        Ensemble([*random_members(1), *random_members(1, mask_rule="half")])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "[" * 100_000])
def test_a_damaged_card_is_refused(folder, text):
    (folder / "card.json").write_text(text)
    with pytest.raises(BundleError):
        load_bundle(folder)


def test_missing_files_are_named(folder, tmp_path):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        load_bundle(folder)
    with pytest.raises(BundleError, match="no model card"):
        load_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("1.dense.weight"), "member 1.*missing"),
        (lambda t: t.update({"0.logit.weight": torch.zeros(1, 31)}), "(1, 31)"),
        (lambda t: t.update({"0.logit.weight": torch.zeros(1, 32, dtype=torch.float64)}), "float64"),
        (lambda t: t["2.dense.bias"].fill_(float("nan")), "NaN"),
        (lambda t: t.update({"9.surprise": torch.zeros(1)}), "unknown tensors"),
    ],
)
def test_weights_that_do_not_fit_the_card_are_refused(folder, change, words):
    change_weights(folder, change)
    with pytest.raises(BundleError, match=words.replace("(", r"\(").replace(")", r"\)")):
        _ = load_bundle(folder).ensemble


def test_bytes_that_are_no_safetensors_are_refused(folder):
    data = b"\x80\x04not a safetensors file"
    (folder / "weights.safetensors").write_bytes(data)
    change_card(folder, weights__sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(BundleError, match="damaged"):
        _ = load_bundle(folder).ensemble


def test_an_existing_bundle_is_not_overwritten_unless_told(folder):
    before = (folder / "card.json").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        random_bundle(folder)
    assert (folder / "card.json").read_bytes() == before
    save_bundle(folder, random_members(1), CARD_FIELDS, overwrite=True)
    assert load_bundle(folder).card.members == 1


def test_a_card_that_would_be_wrong_leaves_no_file(tmp_path):
    with pytest.raises(BundleError):
        random_bundle(tmp_path / "x", title=5)
    assert not list(tmp_path.iterdir())


def test_bundles_are_found_by_name_and_by_folder(folder, monkeypatch):
    monkeypatch.setenv("PULSARCAM_MODELS", str(folder.parent))
    assert installed_bundles()["random"] == folder
    assert find_bundle("random").card.name == "random"
    assert find_bundle(folder).card.name == "random"
    with pytest.raises(BundleError, match="random"):
        find_bundle("unheard-of")


def test_a_model_is_found_by_the_name_in_its_card_and_two_of_one_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = random_bundle(tmp_path / "ref ö", name="ref").folder
    assert find_bundle("ref").folder == find_bundle("ref ö").folder == folder
    assert find_card("ref").name == "ref"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{")
    assert find_card("ref").name == "ref", "a broken neighbour is no reason"
    other = random_bundle(tmp_path / "again", name="ref").folder
    with pytest.raises(BundleError, match="There are 2 models “ref”") as refused:
        find_bundle("ref")
    assert str(folder) in str(refused.value)
    assert str(other) in str(refused.value)
    assert find_bundle("again").folder == other
    own = random_bundle(tmp_path / "ref", name="third").folder
    assert find_bundle("ref").folder == own, "the folder's name goes first"


def test_reading_a_card_does_not_import_torch(folder):
    code = (
        "import sys\nfrom PulsarCAMLib.systems import load_bundle\nimport PulsarCAMLib.explanation\n"
        f"load_bundle({str(folder)!r})\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_synthetic_model_says_so(folder):
    assert "SYNTHETIC" in load_bundle(folder).card.origin
