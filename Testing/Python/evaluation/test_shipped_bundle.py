"""The shipped bundle on synthetic patients that it has never seen, through the flow of a user's MRI."""

from functools import lru_cache

import numpy as np
import pytest

from PulsarCAMLib.cli.evaluate_demo import TEST_SEED
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.evaluation.discrimination import paired_difference
from PulsarCAMLib.systems.bundles.bundle import find_bundle
from PulsarCAMLib.trust.known_tissue.synthetic_scores import score_cohort
from PulsarCAMLib.trust.known_tissue.synthetic_summary import map_summary, map_table, prediction_summary
from PulsarCAMLib.trust.localisation import TEXTURE, TRIVIAL

SEED = 8001
"""Neither the training's, the validation's nor the final test's."""


@lru_cache(maxsize=1)
def bundle():
    return find_bundle("synthetic-demo")


@lru_cache(maxsize=1)
def standard():
    return score_cohort(bundle(), CohortSettings(patients=24, seed=SEED))


@lru_cache(maxsize=1)
def maps():
    return map_summary(standard(), resamples=300)


def test_the_card_says_synthetic_wherever_it_is_read():
    card = bundle().card
    assert card.synthetic
    assert "SYNTHETIC" in card.fields["intended_use"]
    assert "SYNTHETIC" in card.origin
    assert not {SEED, TEST_SEED} & set(card.fields["training"]["seeds_seen"])


def test_the_bundle_is_small_enough_for_git():
    assert len(bundle().weights) < 1_500_000


def test_the_card_reports_the_goals_as_reached_or_not():
    performance = bundle().card.fields["performance"]
    assert performance["prediction"]["standard"]["auc"] >= 0.90
    assert not performance["prediction"]["none"]["differs_from_chance"]
    assert not performance["control_without_signal"]["differs_from_chance"]


def test_unseen_lesions_are_told_apart_at_standard_difficulty():
    found = prediction_summary(standard(), resamples=300)
    assert found.auc >= 0.90
    assert found.differs_from_chance


def test_without_signal_the_model_is_not_distinguishable_from_chance():
    rows = score_cohort(bundle(), CohortSettings(patients=24, seed=SEED, difficulty="none"), with_maps=False)
    assert not prediction_summary(rows, resamples=300).differs_from_chance


@pytest.mark.parametrize("method", ["gradcam", "gradcam++"])
@pytest.mark.parametrize("space", ["volume", "slice"])
def test_maps_find_the_planted_tissue_better_than_every_trivial_map(method, space):
    part = maps()[space]
    assert part["lesions"] >= 15
    assert part["maps"][method]["auroc"]["mean"] > 0.7
    assert part["against_trivial"][method]["auroc"]["better"]
    assert part["against_trivial"][method]["dice"]["better"]


@pytest.mark.parametrize("space", ["volume", "slice"])
def test_the_pixelwise_map_is_beaten_by_no_trivial_map_but_the_one_that_looks_for_texture(space):
    rows = [row for row in standard() if row.maps and not row.maps[space, "pixelwise"].undefined]
    assert len(rows) >= 15
    assert maps()[space]["maps"]["pixelwise"]["auroc"]["mean"] > 0.7
    patients = np.array([row.patient for row in rows])
    for measure in ("auroc", "dice"):
        own = np.array([getattr(row.maps[space, "pixelwise"], measure) for row in rows])
        for trivial in set(TRIVIAL) - {TEXTURE}:
            other = np.array([getattr(row.maps[space, trivial], measure) for row in rows])
            assert paired_difference(own, other, patients, resamples=300).better
    # The tissue that decides is marked by its texture alone: whoever knows that needs no network to find it.
    assert maps()["volume"]["against_trivial"]["pixelwise"]["auroc"]["trivial"] == TEXTURE
    assert not maps()["volume"]["against_trivial"]["pixelwise"]["auroc"]["better"]


def test_uniform_maps_score_chance_in_the_same_table():
    uniform = maps()["volume"]["maps"]["uniform"]
    assert uniform["auroc"]["mean"] == pytest.approx(0.5)
    shares = [row.planted_share for row in standard() if row.maps]
    assert uniform["dice"]["mean"] == pytest.approx(np.mean(shares))
    assert "uniform (chance)" in map_table(maps(), "volume")


def test_only_non_responders_with_planted_tissue_are_scored():
    for row in standard():
        assert bool(row.maps) == (row.response == 0 and row.planted_share > 0)


def test_of_too_few_patients_no_map_is_called_better():
    """One patient's interval has no width, and everything that is above 0 would be clearly so."""
    rows = [row for row in standard() if row.maps]
    whose = sorted({row.patient for row in rows})
    for count, said in ((5, True), (6, False)):
        summary = map_summary([row for row in rows if row.patient in whose[:count]], resamples=50)
        table = map_table(summary, "volume")
        assert ("too few patients to say" in table) is said
        better = [gain["better"] for gains in summary["volume"]["against_trivial"].values() for gain in gains.values()]
        assert any(better) is not said
