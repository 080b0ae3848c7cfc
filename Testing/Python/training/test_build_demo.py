"""The command that makes the shipped bundle, on a cohort too small to learn anything."""

from dataclasses import replace

import pytest
from making_files import files_in

from PulsarCAMLib.cli import build_demo
from PulsarCAMLib.cli.evaluate_demo import TEST_SEED, report
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.errors import InputError, PulsarCAMError
from PulsarCAMLib.outputs.pages.card_text import unreadable_parts
from PulsarCAMLib.systems.bundles.bundle import load_bundle
from PulsarCAMLib.systems.bundles.checking import check_bundle
from PulsarCAMLib.trust.known_tissue.synthetic_scores import score_cohort

TINY = build_demo.Recipe(
    cohort=CohortSettings(patients=4, seed=build_demo.TRAINING_SEED, lesions=(3, 4)),
    control=CohortSettings(patients=2, seed=build_demo.CONTROL_SEED, lesions=(3, 4), difficulty="none"),
    test_patients=3,
    resamples=30,
    training=(
        *("--members", "2", "--epochs", "1", "--filters", "2", "--rotations", "90", "--batch-size", "8"),
        *("--validation-share", "0.3", "--device", "cpu"),
    ),
    judging=("--protocols", "none"),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Stopped once after the training, and begun again."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:

        def stopped(*_arguments):
            raise KeyboardInterrupt

        patch.setattr(build_demo, "evaluate", stopped)
        with pytest.raises(KeyboardInterrupt):
            build_demo.build(folder / "tiny", TINY, "the command", folder / "work")
        trained = load_bundle(folder / "work" / build_demo.NAME).card.sha256
    bundle, result = build_demo.build(folder / "tiny", TINY, "the command", folder / "work")
    assert bundle.card.sha256 == trained
    return bundle, result


def test_the_card_says_synthetic_and_how_it_was_made_and_measured(built):
    bundle, _ = built
    card = bundle.card.fields
    assert bundle.card.synthetic
    assert "SYNTHETIC" in card["intended_use"]
    assert "SYNTHETIC" in card["training"]["data"]
    assert "SYNTHETIC" in card["performance"]["about"]
    assert card["training"]["command"] == "the command"
    assert card["training"]["train_command"].startswith("pulsarcam train COHORT -o OUT --protocols none")
    assert card["training"]["seeds_seen"] == [1000, 2000, 3000]
    assert card["performance"]["seed"] == TEST_SEED
    assert set(card["performance"]["prediction"]) == {"standard", "none"}
    assert card["performance"]["control_without_signal"]["metrics"]["auc"]["value"] is not None
    assert card["performance"]["validation"]["patients"] >= 1


def test_the_bundle_is_sound_readable_and_all_that_is_left(built):
    bundle, _ = built
    assert check_bundle(bundle.folder) == []
    assert unreadable_parts(bundle.card) == []
    assert files_in(bundle.folder.parent) == ["tiny/card.json", "tiny/weights.safetensors", "work/recipe.json"]


def test_the_seeds_of_training_validation_control_and_test_differ():
    seeds = [build_demo.TRAINING_SEED, build_demo.VALIDATION_SEED, build_demo.CONTROL_SEED, TEST_SEED]
    assert len(set(seeds)) == 4


def test_the_result_can_be_reported(built):
    text = report(built[1])
    assert "SYNTHETIC" in text
    assert text.count("| Grad-CAM++ |") == 2


def test_a_model_is_not_evaluated_on_patients_it_has_seen(built):
    with pytest.raises(InputError, match="trained or tuned"):
        score_cohort(built[0], replace(TINY.cohort, patients=1))


def test_a_folder_of_another_recipe_is_not_continued(built, tmp_path):
    work = built[0].folder.parent / "work"
    with pytest.raises(InputError, match="another recipe"):
        build_demo.build(tmp_path / "m", replace(TINY, resamples=31), "the command", work)


def test_a_training_that_fails_is_told(tmp_path, capsys):
    wrong = replace(TINY, cohort=replace(TINY.cohort, patients=1))
    with pytest.raises(PulsarCAMError, match="start the same command again"):
        build_demo.build(tmp_path / "m", wrong, "the command", tmp_path / "work")
    assert capsys.readouterr().err.startswith("pulsarcam: error: ")


def test_an_existing_bundle_is_kept_unless_told_otherwise(built, capsys):
    with pytest.raises(SystemExit):
        build_demo.main(["--output", str(built[0].folder)])
    assert "exists already" in capsys.readouterr().err
