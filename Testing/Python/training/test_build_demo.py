"""The command that makes the shipped bundle, on a cohort too small to learn anything."""

from dataclasses import replace

import pytest

from PulsarCAMLib.cohort import CohortSettings
from PulsarCAMLib.errors import InputError
from PulsarCAMLib.evaluation.demo import TEST_SEED, report
from PulsarCAMLib.evaluation.scoring import score_cohort
from PulsarCAMLib.models import Architecture, load_bundle
from PulsarCAMLib.training import build_demo
from PulsarCAMLib.training.loop import TrainingSettings

TINY = build_demo.Recipe(
    members=2,
    training=CohortSettings(patients=3, seed=build_demo.TRAINING_SEED, lesions=(3, 4)),
    validation=CohortSettings(patients=3, seed=build_demo.VALIDATION_SEED, lesions=(3, 4)),
    control=CohortSettings(patients=3, seed=build_demo.CONTROL_SEED, lesions=(3, 4), difficulty="none"),
    test_patients=3,
    resamples=30,
    rotations=(90.0,),
    architecture=Architecture(filters=2),
    settings=TrainingSettings(epochs=1, batch_size=8),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return build_demo.build(folder, TINY, "the command")


def test_the_card_says_synthetic_and_how_it_was_made_and_measured(built):
    bundle, _ = built
    card = bundle.card.fields
    assert bundle.card.synthetic
    assert "SYNTHETIC" in card["intended_use"]
    assert "SYNTHETIC" in card["training"]["data"]
    assert "SYNTHETIC" in card["performance"]["about"]
    assert card["training"]["command"] == "the command"
    assert card["training"]["seeds_seen"] == [1000, 2000, 3000]
    assert card["performance"]["seed"] == TEST_SEED
    assert set(card["performance"]["prediction"]) == {"standard", "none"}


def test_the_seeds_of_training_validation_control_and_test_differ():
    seeds = [build_demo.TRAINING_SEED, build_demo.VALIDATION_SEED, build_demo.CONTROL_SEED, TEST_SEED]
    assert len(set(seeds)) == 4


def test_the_bundle_can_be_loaded_from_disk_and_reported(built):
    bundle, result = built
    assert load_bundle(bundle.folder).ensemble.members
    text = report(result)
    assert "SYNTHETIC" in text
    assert text.count("| Grad-CAM++ |") == 2


def test_a_model_is_not_evaluated_on_patients_it_has_seen(built):
    with pytest.raises(InputError, match="trained or tuned"):
        score_cohort(built[0], replace(TINY.training, patients=1))


def test_an_existing_bundle_is_kept_unless_told_otherwise(built, capsys):
    with pytest.raises(SystemExit):
        build_demo.main(["--output", str(built[0].folder)])
    assert "exists already" in capsys.readouterr().err
