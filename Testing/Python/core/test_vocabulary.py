"""Names said once: nothing heavy is needed for them, and whoever offers or writes them takes them from there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.core import vocabulary
from PulsarCAMLib.core.vocabulary import IMBALANCE, METRICS, PROTOCOL_TITLES, PROTOCOLS, TABLE_1, TIME_POINTS


def test_names_need_nothing_heavy():
    code = (
        "import sys, PulsarCAMLib.core.vocabulary; "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'SimpleITK', 'slicer')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_orders_and_titles_go_together():
    names = ["paper", "lesions", "patients", "leave-one-patient-out", "best-epoch"]
    assert list(PROTOCOLS) == list(PROTOCOL_TITLES) == names, "seeds follow from the order: new ones come last"
    assert METRICS[: len(TABLE_1)] == TABLE_1, "tables begin with the paper's columns"
    assert list(vocabulary.MRI_TITLES) == list(TIME_POINTS)
    assert set(vocabulary.FLATTERING) < set(PROTOCOLS)


def options_of(command):
    (commands,) = (a for a in make_parser()._actions if a.dest == "command")
    return {name: action for action in commands.choices[command]._actions for name in action.option_strings}


@pytest.mark.parametrize(
    ("command", "option", "names"),
    [
        ("explain", "--normalisation", vocabulary.NORMALISATIONS),
        ("explain", "--parts", vocabulary.PARTS),
        ("train", "--imbalance", tuple(IMBALANCE)),
        ("train", "--device", vocabulary.DEVICES),
        ("study", "--threshold", vocabulary.THRESHOLD_RULES),
    ],
)
def test_the_command_line_offers_exactly_these(command, option, names):
    assert tuple(options_of(command)[option].choices) == names


def test_help_names_what_may_be_listed():
    assert all(name in options_of("study")["--protocols"].help for name in PROTOCOLS)
    assert all(name in options_of("features")["--groups"].help for name in vocabulary.GROUPS)
    assert all(name in options_of("study")["--models"].help for name in vocabulary.FEATURE_MODELS)


def test_models_on_features_know_what_the_network_calls_unequal_classes():
    from PulsarCAMLib.features.models import settings

    assert set(IMBALANCE.values()) <= set(settings.IMBALANCE)


def test_difficulties_are_those_that_can_be_generated():
    from PulsarCAMLib.cohort.synthetic.settings import DIFFICULTIES

    assert tuple(DIFFICULTIES) == vocabulary.DIFFICULTIES


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cam", ""),
        ("majority", ""),
        ("radiomics", ""),
        ("radiomics+dose", ""),
        ("radiomics+delta", ""),
        ("cam+radiomics", "'cam+radiomics' joins the network to features; write cam,radiomics, which adds"),
        ("texture", "'texture' is no model; there are cam, majority, "),
        ("radiomics+one+two", "'one' is no model"),
        ("delta", "'delta' needs the features whose change it means"),
        ("delta+delta", "'delta' needs the features"),
    ],
)
def test_a_name_of_a_model_is_known_or_it_is_said_what_to_write(name, says):
    found = vocabulary.why_unknown(name)
    assert found.startswith(says) if says else found == ""
