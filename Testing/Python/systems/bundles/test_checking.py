"""Everything that is wrong with a bundle, said at once."""

import hashlib
import json

import numpy as np
import pytest
import safetensors.torch
from making_models import CARD_FIELDS, random_bundle, random_members

from PulsarCAMLib.systems.autoencoder.probe_input import waves_and_discs as probe_input
from PulsarCAMLib.systems.bundles.bundle import SHIPPED, load_bundle, save_bundle
from PulsarCAMLib.systems.bundles.checking import MOST_PROBLEMS, check_bundle
from PulsarCAMLib.systems.bundles.probe import INPUT, probe_logits


@pytest.fixture
def folder(tmp_path):
    return random_bundle(tmp_path / "random").folder


def rewritten(folder, change):
    """The card with some values changed."""
    path = folder / "card.json"
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))
    return folder


def with_weights(folder, change, *, honest=True):
    path = folder / "weights.safetensors"
    tensors = safetensors.torch.load_file(path)
    change(tensors)
    content = safetensors.torch.save(tensors)
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return rewritten(folder, lambda card: card["weights"].update(sha256=sha256)) if honest else folder


def test_a_sound_bundle_has_no_problem(folder):
    assert check_bundle(folder) == []


def test_the_shipped_bundle_which_is_older_than_the_probe_has_no_problem():
    assert check_bundle(SHIPPED / "synthetic-demo") == []


def test_all_that_is_wrong_with_a_card_is_said(folder):
    def spoil(card):
        del card["licence"]
        card["members"], card["synthetic"], card["name"] = 0, "no", "Ä"
        card["preprocessing"]["plane"] = "diagonal"
        card["protocols"] = []

    problems = check_bundle(rewritten(folder, spoil))
    words = ("lacks licence", "“synthetic” is not a bool", "“protocols” is not a dict", "small letters",
             "number of members", "diagonal", "not looked at")  # fmt: skip
    assert len(problems) == len(words)
    for problem, word in zip(problems, words, strict=True):
        assert word in problem
        assert problem.endswith(".")
        assert "\n" not in problem


def test_weights_are_looked_at_even_where_their_hash_is_wrong(folder):
    problems = check_bundle(with_weights(folder, lambda t: t["0.dense.bias"].fill_(float("inf")), honest=False))
    assert len(problems) == 2
    assert "wrong sha256" in problems[0]
    assert "member 0, tensor dense.bias: holds NaN or infinite" in problems[1]


def test_an_architecture_of_other_sizes_does_not_bring_a_flood(folder):
    problems = check_bundle(rewritten(folder, lambda card: card["architecture"].update(filters=8, dense_units=4)))
    assert len(problems) == MOST_PROBLEMS + 1
    assert "more problems of this kind" in problems[-1]


def test_weights_that_answer_otherwise_than_recorded_are_found(folder):
    assert check_bundle(with_weights(folder, lambda t: t["1.logit.bias"].add_(0.1)))[0].count("otherwise than") == 1


def test_weights_whose_answer_overflows_are_found(folder):
    problems = check_bundle(with_weights(folder, lambda t: t["0.logit.weight"].fill_(3e38)))
    assert problems == ["Model “random” answers a fixed input with NaN or infinite numbers."]


@pytest.mark.parametrize(
    ("probe", "words"),
    [({"input": "other"}, "unknown input"), ({"input": INPUT, "logits": [[1.0]]}, "one number for every member")],
)
def test_a_probe_that_cannot_be_compared_is_a_problem(folder, probe, words):
    assert words in check_bundle(rewritten(folder, lambda card: card.update(probe=probe)))[0]


def test_a_missing_or_damaged_file_is_one_problem(folder, tmp_path):
    assert "no model card" in check_bundle(tmp_path / "nowhere")[0]
    (folder / "weights.safetensors").write_bytes(b"no weights")
    problems = check_bundle(folder)
    assert "wrong sha256" in problems[0]
    assert "damaged" in problems[1]
    (folder / "weights.safetensors").unlink()
    assert len(check_bundle(folder)) == 1


def test_the_probe_is_a_formula_in_the_range_of_patches():
    images, masks = probe_input(64)
    assert images.shape == masks.shape == (3, 1, 64, 64)
    assert images.min() >= 0
    assert images.max() <= 1
    assert 100 < masks[0].sum() < masks[2].sum() < masks[1].sum() < 64 * 64
    np.testing.assert_allclose(images[0, 0, 3, 5], 0.5 + 0.3 * np.sin(2 * np.pi * 31 / 64)
                               + 0.2 * np.sin(2 * np.pi * 98 / 64), atol=1e-6)  # fmt: skip


def test_the_card_records_what_every_member_answers(folder):
    bundle = load_bundle(folder)
    recorded = bundle.card.fields["probe"]
    assert recorded["input"] == INPUT
    np.testing.assert_allclose(recorded["logits"], probe_logits(bundle.card, bundle.ensemble), rtol=1e-5)


def test_saving_leaves_the_members_in_training_as_they_were(tmp_path):
    members = random_members(1)
    members[0].train()
    save_bundle(tmp_path / "a", members, CARD_FIELDS)
    assert members[0].training
