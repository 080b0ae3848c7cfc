"""Settings written by hand: a text is no list of its letters, true is no number, and what is not known is refused."""

import json

import pytest

from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.features.settings import FeatureSettings, read_feature_settings, read_model_choices

HEAD = {"format": "PulsarCAM feature settings", "format_version": 1}


@pytest.fixture
def file(tmp_path):
    def written(**settings):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps(HEAD | {"settings": settings}), encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"dose": {"thresholds_gy": "12"}},
            "'thresholds_gy' of the wrong kind: it must be a list of numbers, not '12'",
        ),
        ({"dose": {"thresholds_gy": [12, "15"]}}, "must be a list of numbers"),
        ({"dose": {"thresholds_gy": [True]}}, "must be a list of numbers"),
        ({"dose": {"thresholds_gy": 12}}, "must be a list of numbers, not 12"),
        ({"dose": {"step_mm": [0.5]}}, "must be a number, not"),
        ({"gradient": {"margin_mm": True}}, "'margin_mm' of the wrong kind: it must be a number, not True"),
        ({"gradient": {"margin_mm": "2"}}, "must be a number, not '2'"),
        ({"gradient": {"margin_mm": None}}, "must be a number, not None"),
        ({"gradient": {"margin_mm": float("nan")}}, "must be a number, not nan"),
        ({"gradient": {"sigma": 1}}, "'sigma' that is not known; there are margin_mm, sigma_mm"),
        ({"gradient": [1]}, "must name the settings of the section 'gradient'"),
        ({"radiomics": {"images": "original"}}, "must be a list of words, not 'original'"),
        ({"radiomics": {"bins": 32.5}}, "must be a whole number or null, not 32.5"),
        ({"radiomics": {"bins": True}}, "must be a whole number or null"),
        ({"radiomics": {"wavelet": 1}}, "must be a word, not 1"),
        ({"texture": {}}, "settings for texture; there are radiomics, gradient, dose, model"),
        ({"model": {"classifierr": "svm"}}, "'classifierr' that is not known; there are least_known"),
        ({"model": {"most_features": "10"}}, "must be a whole number, not '10'"),
        ({"model": {"most_features": True}}, "must be a whole number, not True"),
        ({"model": {"seed": 1.5}}, "must be a whole number, not 1.5"),
        ({"model": {"classifier": "perceptron"}}, "use one of logistic, random-forest, svm"),
        ({"model": "svm"}, "must name the settings of the section 'model'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(file, settings, says):
    for read in (read_feature_settings,) + ((read_model_choices,) if "model" in settings else ()):
        with pytest.raises(InputError) as refused:
            read(file(**settings))
        said = str(refused.value)
        assert says in said
        assert said.endswith(".")
        assert "\n" not in said


def test_what_is_meant_is_taken_as_it_is(file):
    path = file(
        dose={"thresholds_gy": [12], "step_mm": 1},
        radiomics={"images": ["original"], "spacing_mm": None, "bins": None, "bin_width": 25},
        model={"classifier": "random-forest", "most_features": 3, "correlation_limit": 1},
    )
    found = read_feature_settings(path)
    assert found.dose.thresholds_gy == (12.0,)
    assert (found.radiomics.images, found.radiomics.bin_width) == (("original",), 25)
    assert found.gradient == FeatureSettings().gradient
    assert read_model_choices(path) == {"classifier": "random-forest", "most_features": 3, "correlation_limit": 1}
    assert read_model_choices(file(dose={})) == {}


def test_a_file_with_a_model_gives_the_same_features_as_one_without(tmp_path):
    model = FeatureModelSettings(selection="mutual-information", classifier="svm")
    path = tmp_path / "features.settings.json"
    path.write_text(FeatureSettings().as_json(("gradient",), model), encoding="utf-8")
    assert read_feature_settings(path) == FeatureSettings()
    assert FeatureModelSettings(**read_model_choices(path)) == model


def test_kept_settings_of_a_model_are_checked_as_well():
    card = FeatureModelSettings().to_card()
    assert FeatureModelSettings.from_card(card) == FeatureModelSettings()
    for wrong in ({"most_features": True}, {"seed": "0"}, {"classifier": None}, {"least_known": float("nan")}):
        with pytest.raises(InputError, match="wrong kind"):
            FeatureModelSettings.from_card(card | wrong)


def test_identities_of_the_usual_settings_stay_what_they_were():
    assert FeatureModelSettings().identity() == "23eb43726cf4e4d619b0b94895e7b34bcda16cabac537a1b63bfaa6d15f92c3e"


def test_a_very_long_word_is_shortened_in_the_sentence():
    from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing

    card = Preprocessing().to_card()
    for change in ({"plane": "A" * 5000}, {"patch_size": -(10**300)}, {"B" * 5000: 1}):
        with pytest.raises(BundleError, match="…") as told:
            Preprocessing.from_card(card | change)
        assert len(str(told.value)) < 600
