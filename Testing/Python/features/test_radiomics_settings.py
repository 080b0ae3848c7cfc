"""Settings of radiomics features: kept beside the table, read back as they were, refused when they do not fit."""

from __future__ import annotations

import json

import pytest

from PulsarCAMLib.core.errors import InputError, OutputError
from PulsarCAMLib.features.radiomics.settings import (
    FORMAT,
    RadiomicsSettings,
    read_radiomics_settings,
    write_radiomics_settings,
)

UNUSUAL = RadiomicsSettings(
    images=("log", "original"), families=("shape", "glcm"), log_sigmas_mm=(2, 4), bins=None, bin_width=0.1
)


def test_a_settings_file_is_readable_and_gives_the_same_settings_back(tmp_path):
    path = write_radiomics_settings(tmp_path / "features.radiomics.json", UNUSUAL)
    assert read_radiomics_settings(path) == UNUSUAL
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["format"] == FORMAT
    assert content["library"]["mirp"]
    assert "excess" in content["definitions"]["kurtosis"]
    assert content["settings"]["log_sigmas_mm"] == [2.0, 4.0]
    with pytest.raises(OutputError, match="exists already"):
        write_radiomics_settings(path, UNUSUAL)


def test_the_order_in_which_images_and_families_are_named_does_not_matter():
    lists = {"images": ["original", "log"], "families": ["glcm", "shape"], "log_sigmas_mm": [2, 4]}
    assert RadiomicsSettings(**lists, bins=None, bin_width=0.1) == UNUSUAL
    assert UNUSUAL.image_names() == ["original", "log-2mm", "log-4mm"]
    assert UNUSUAL.identity() == RadiomicsSettings.from_card(UNUSUAL.to_card()).identity()
    assert UNUSUAL.identity() != RadiomicsSettings().identity()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"images": ("wavelets",)}, "images"),
        ({"families": ()}, "families"),
        ({"wavelet": "sym99"}, "wavelet"),
        ({"normalization": "z"}, "normalization"),
        ({"aggregation": "sum"}, "aggregation"),
        ({"spacing_mm": None}, "need a spacing"),
        ({"spacing_mm": 0.0}, "cubes of"),
        ({"log_sigmas_mm": (0.5,)}, "LoG images need scales"),
        ({"log_sigmas_mm": ()}, "LoG images need scales"),
        ({"bin_width": 5.0}, "either a number"),
        ({"bins": None}, "either a number"),
        ({"bins": 1}, "2 to 1024"),
        ({"bins": 32.0}, "2 to 1024"),
        ({"bins": None, "bin_width": -1.0}, "above zero"),
        ({"normalization_scale": float("nan")}, "above zero"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        RadiomicsSettings(**wrong)


def test_cards_and_files_that_are_none_are_refused(tmp_path):
    card = RadiomicsSettings().to_card()
    for wrong in ({**card, "color": "red"}, {"images": ["original"]}, None, {**card, "spacing_mm": "one"}):
        with pytest.raises(InputError, match="adiomics settings"):
            RadiomicsSettings.from_card(wrong)
    path = tmp_path / "other.json"
    for text in ("{", "[]", '{"format": "other"}', json.dumps({"format": FORMAT, "format_version": 99})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="settings"):
            read_radiomics_settings(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_radiomics_settings(tmp_path / "missing.json")
