"""The checks on 3D networks whose truth is known by construction: three classes, two inputs, no lesion."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from stranger import Stranger
from torch import nn

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.map_method import MapMethod
from PulsarCAMLib.systems.map_checks.layers import layers_of, with_new_layers
from PulsarCAMLib.systems.map_checks.turning import turned_in_plane
from PulsarCAMLib.systems.maps.gradients import SALIENCY
from PulsarCAMLib.trust.answers import chances, log_odds
from PulsarCAMLib.trust.checks import Settings, check_explanations
from PulsarCAMLib.trust.cost import ChecksCost, duration
from PulsarCAMLib.trust.subjects import subject_from_samples, synthetic_subjects
from PulsarCAMLib.trust.summary import summarise
from PulsarCAMLib.trust.table import markdown

SIZE = (8, 8, 8)
QUICK = Settings(draws=2, steps=4, random_orders=2, infill=0.0)
REGION = np.zeros(SIZE, bool)
REGION[:4, :4, 4:] = True


def _image(evidence):
    """A map that knows nothing of the weights: the first input's size."""
    values = evidence.images[:, 0].abs()
    return {name: torch.stack([values] * len(evidence.members)) for name in evidence.system.task.names}


IGNORES_WEIGHTS = MapMethod("edges", "Ignores the weights", "none", "|x|", _image)


class OneRegion(Stranger):
    """The third class is what lies in one region of the first input; nothing else counts."""

    name = "one-region"
    maps = (SALIENCY, IGNORES_WEIGHTS)

    def network(self, architecture, preprocessing):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.look = nn.Linear(2 * REGION.size, 3, bias=False)
                with torch.no_grad():
                    self.look.weight.zero_()
                    strength = np.random.default_rng(1).uniform(0.5, 1.5, SIZE) * REGION
                    self.look.weight[2, : REGION.size] = torch.from_numpy(strength.ravel().astype(np.float32))

            def forward(self, images, masks):
                return self.look(images.flatten(1))

        return Net()


SYSTEM = OneRegion()


@pytest.fixture(scope="module")
def found():
    rng, subjects = np.random.default_rng(0), []
    for n in range(6):
        images = rng.uniform(0.2, 1, (1, 2, *SIZE)).astype(np.float32)
        samples = SimpleNamespace(name="patient", images=images, masks=np.ones((1, 1, *SIZE), bool), main=0)
        subjects.append(replace(subject_from_samples(f"P{n}", samples, label=n % 3), planted=REGION))
    return summarise(check_explanations(bundle(), subjects, QUICK), resamples=100)


def bundle():
    card = SimpleNamespace(
        temperature=1.0,
        decision_threshold=0.5,
        preprocessing=SYSTEM.preprocessing(),
        system=SYSTEM,
        ensemble_rule="mean",
    )
    return SimpleNamespace(ensemble=SYSTEM.predictor([SYSTEM.network(None, None)]), card=card)


def test_a_map_of_the_weights_names_what_counts_and_changes_with_the_model(found):
    saliency = found["maps"]["saliency"]
    assert saliency["verdicts"]["names what counts"]
    assert saliency["verdicts"]["changes with the model"]
    assert saliency["scores"]["auroc"]["mean"] == saliency["scores"]["dice"]["mean"] == 1


def test_a_map_that_ignores_the_weights_is_called_out(found):
    ignores = found["maps"]["edges"]
    assert ignores["scores"]["all layers"]["mean"] == 1
    assert not ignores["verdicts"]["changes with the model"]
    assert not ignores["verdicts"]["names what counts"]
    assert ignores["scores"]["auroc"]["mean"] == pytest.approx(0.5, abs=0.1)


def test_the_input_that_the_model_looks_at_is_named_and_the_other_one_is_not(found):
    inputs = found["image"]["inputs"]
    assert inputs["planned dose"] == {"changed": 0.0, "probability_change": 0.0}
    assert inputs["FLAIR"]["changed"] == 1.0
    assert inputs["FLAIR"]["probability_change"] > 0
    text = markdown(found)
    assert "The model ignores planned dose: shuffled, no answer changes." in text
    assert "on average, by: FLAIR 0." in text
    assert "6 patients of 6 patients" in text
    assert "lesion" not in text
    assert "GTV" not in text


def test_every_input_has_a_trivial_map_and_auc_is_of_all_classes(found):
    assert "intensity of planned dose" in found["maps"]
    assert set(found["auc"]) == {"as trained", "all layers"}
    assert found["stages"] == ["all layers"]
    assert set(found["not_measured"]) == {"members", "rotation", "permuted labels"}


def test_maps_that_the_system_does_not_have_and_patients_that_cannot_be_generated_are_refused():
    with pytest.raises(InputError, match="must be one of"):
        check_explanations(bundle(), [subject_from_samples("P", SimpleNamespace(
            name="p", images=np.zeros((1, 2, *SIZE), np.float32), masks=np.ones((1, 1, *SIZE), bool), main=0))],
            QUICK, methods=["pixelwise"])  # fmt: skip
    with pytest.raises(InputError, match="--cohort"):
        synthetic_subjects(None, SYSTEM, None)


def test_log_odds_of_two_outputs_are_their_difference_and_of_one_the_logit():
    task = SYSTEM.task
    logits = np.random.default_rng(0).normal(size=(2, 5, 3))
    for number in range(3):
        p = chances(logits, number, task, 1.0)
        np.testing.assert_allclose(log_odds(logits, number, task), np.log(p / (1 - p)))
    np.testing.assert_allclose(log_odds(logits[..., :2], 1, task), logits[..., 1] - logits[..., 0])
    assert np.isfinite(log_odds(logits * 1e4, 0, task)).all()


class Deep(nn.Module):
    """As many networks are: a stem, stages with blocks, a head."""

    def __init__(self, stages=2):
        super().__init__()
        block = lambda: nn.Sequential(nn.Conv3d(2, 2, 3, padding=1), nn.BatchNorm3d(2), nn.ReLU())  # noqa: E731
        self.features = nn.Sequential(*[nn.Sequential(block(), block()) for _ in range(stages)])
        self.head = nn.Linear(2, 3)

    def forward(self, images, masks):
        return self.head(self.features(images).mean(dim=(2, 3, 4)))


def test_the_parts_of_a_network_go_from_the_output_to_the_input_and_are_neither_too_few_nor_too_many():
    assert layers_of(Deep(3)) == ("head", "features.2", "features.1", "features.0")
    assert layers_of(Deep(1)) == ("head", "features.0.1", "features.0.0.1", "features.0.0.0")
    many = layers_of(Deep(20))
    assert len(many) == 8
    assert [part for layer in reversed(many) for part in layer.split("+")] == [
        *(f"features.{n}" for n in range(20)),
        "head",
    ]


def test_only_the_layers_that_are_named_change_and_numbers_stay_as_large_as_they_were():
    member = Deep(3).eval()
    member.features[1][0][1].running_var.copy_(torch.tensor([1.0, 9.0]))
    every, before = layers_of(member), {k: v.clone() for k, v in member.state_dict().items()}
    (new,) = with_new_layers([member], every, ("features.1",), 1, 0)
    changed = {k for k, v in new.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(k.startswith("features.1.") for k in changed)
    assert all(torch.equal(v, before[k]) for k, v in member.state_dict().items())
    name = "features.1.0.0.weight"
    assert new.state_dict()[name].std().item() == pytest.approx(before[name].square().mean().sqrt().item(), rel=0.3)
    (again,) = with_new_layers([member], every, every, 1, 0)
    assert torch.equal(again.state_dict()[name], new.state_dict()[name])


def test_a_turned_volume_comes_back_to_where_it_was():
    _, y, x = np.mgrid[:6, :16, :16]
    image = np.stack([np.sin(x / 3.0) + np.cos(y / 4.0), x + y]).astype(np.float32)
    turned = turned_in_plane(image, np.ones((1, 6, 16, 16), bool), 5.0)
    middle = (slice(None), slice(4, 12), slice(4, 12))
    assert np.abs(turned.image[0][middle] - image[0][middle]).max() > 0.1
    np.testing.assert_allclose(turned.back(turned.image[0])[middle], image[0][middle], atol=0.1)
    assert not turned.mask[0, :, 0, 0].any()


def test_how_long_the_checks_take_is_told_beforehand_and_counted_rightly(monkeypatch):
    rng, subjects = np.random.default_rng(0), []
    for n in range(2):
        images = rng.uniform(0.2, 1, (1, 2, *SIZE)).astype(np.float32)
        samples = SimpleNamespace(name="patient", images=images, masks=np.ones((1, 1, *SIZE), bool), main=0)
        subjects.append(replace(subject_from_samples(f"P{n}", samples, label=n), planted=REGION))
    asked, told = [], []
    plain, answers = type(SYSTEM).explain, type(SYSTEM).answers

    def explain(self, predictor, images, *rest, **more):
        asked.append(("maps", len(images)))
        return plain(self, predictor, images, *rest, **more)

    def answer(self, predictor, images, masks):
        asked.append(("answers", len(images)))
        return answers(self, predictor, images, masks)

    monkeypatch.setattr(type(SYSTEM), "explain", explain)
    monkeypatch.setattr(type(SYSTEM), "answers", answer)
    monkeypatch.setattr("PulsarCAMLib.trust.cost.SHORT_SECONDS", 0.0)
    check_explanations(bundle(), subjects, QUICK, on_cost=told.append)
    (sentence,) = told
    rounds = sum(n for kind, n in asked[2:] if kind == "maps") / 2
    assert f"the maps of 2 patients {rounds:.0f} times over" in sentence
    more = sum(n for kind, n in asked[3:] if kind == "answers") / 2
    assert f"ask for {more:.0f} more answers of each" in sentence
    assert ChecksCost(2, "patient", 3, 1, 1.0, 1.0).in_words() != ""


def test_what_is_done_soon_is_not_told():
    assert ChecksCost(2, "patient", 3, 1, 1.0, 1.0).in_words() == ""
    assert ChecksCost(12, "patient", 40, 700, 30.0, 0.2).in_words().endswith(
        "takes about 4.5 hours; fewer random models, patients or methods make it shorter."
    )  # fmt: skip
    assert duration(130) == "2 minutes"
