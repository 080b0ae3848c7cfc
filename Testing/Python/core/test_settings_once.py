"""A settings dataclass says everything once: card, hash, sentences and options come from its fields."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace

import pytest

from PulsarCAMLib.cli.options.setting_options import add_settings, settings_from
from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.settings import Settings, option
from PulsarCAMLib.features.dose import DoseSettings
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.features.radiomics.settings import RadiomicsSettings
from PulsarCAMLib.features.settings import FeatureSettings, GradientSettings
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.learning.settings import LossWeights, TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing


@dataclass(frozen=True)
class Oven(Settings):
    """Part of the settings below."""

    who = "the oven"
    error = BundleError
    shelf: int = option(2, "--shelf", "from below", metavar="N", at_least=1, at_most=9, most_typed=4)


@dataclass(frozen=True)
class Bread(Settings):
    """Settings of somebody who knows nothing of this house."""

    who = "a bread"
    algorithm = 3
    flour: str = option("rye", "--flour", choices=("rye", "wheat"))
    seeds: tuple[str, ...] = option(("poppy",), choices=("poppy", "sesame"), in_order=True)
    minutes: tuple[float, ...] = option((5, 40), "--minutes", "of kneading and baking", above=0)
    salt: float = option(0.02, "--salt", metavar="SHARE", unit="share", at_least=0, below=1, after="flour")
    rest: float | None = option(
        None, "--rest", "hours (none)", words={"overnight": 12.0}, at_least=1, at_most=24, unit="h"
    )
    oven: Oven = option(Oven)
    steam: bool = option(False, "--steam", "with steam")
    radio: str = option("off", influence=False)
    later: int = option(0, later=True)
    quiet: int = option(0, untold=True)


CARD = {"flour": "rye", "seeds": ["poppy"], "minutes": [5.0, 40.0], "salt": 0.02, "rest": None, "oven": {"shelf": 2}}
CARD |= {"steam": False, "radio": "off", "later": 0}


def test_the_card_has_all_fields_in_their_order_and_comes_back():
    assert json.dumps(Bread().to_card()) == json.dumps(CARD)
    other = Bread("wheat", ("sesame", "poppy"), [1], 0.5, 3.0, Oven(4), True, "on", 1, 1)
    assert other.seeds == ("poppy", "sesame"), "in the order of the choices"
    assert other.to_card()["quiet"] == 1, "no longer the default"
    assert Bread.from_card(json.loads(json.dumps(other.to_card()))) == other
    older = {name: value for name, value in CARD.items() if name != "later"}
    assert Bread.from_card(older) == Bread()


def test_the_hash_is_of_what_decides():
    assert replace(Bread(), radio="on").identity() == Bread().identity()
    changed = [{"salt": 0.1}, {"oven": Oven(3)}, {"later": 1}, {"quiet": 1}]
    assert len({replace(Bread(), **change).identity() for change in changed} - {Bread().identity()}) == len(changed)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"flour": "oat"}, "The flour of a bread is 'oat'; use one of rye, wheat."),
        ({"seeds": ()}, "The seeds of a bread are one or more of poppy, sesame, not none."),
        ({"seeds": ("salt",)}, "not salt."),
        ({"minutes": (1, float("nan"))}, "The minutes of a bread are 1.0, nan; it must be a number above 0."),
        ({"salt": 1}, "The salt of a bread is 1; it must be a number from 0 on and below 1."),
        ({"rest": 48}, "The rest of a bread is 48; it must be a number from 1 to 24."),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(wrong, says):
    with pytest.raises(InputError) as refused:
        Bread(**wrong)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": 1}, "A bread must have exactly these fields: flour, seeds"),
        ({"colour": 1}, "unknown is colour."),
        ({"salt": "much"}, "'salt' of the wrong kind: it must be a number, not 'much'"),
        ({"steam": 1}, "it must be true or false, not 1"),
        ({"oven": {"shelf": 10}}, "The shelf of the oven is 10; it must be a number from 1 to 9."),
        ({"oven": 7}, "must be values by name, not 7"),
    ],
)
def test_a_strange_card_is_refused_in_one_sentence_of_the_whole(change, says):
    with pytest.raises(InputError) as refused:
        Bread.from_card(CARD | change)
    assert says in str(refused.value)
    with pytest.raises(InputError, match="it lacks salt"):
        Bread.from_card({name: value for name, value in CARD.items() if name != "salt"})
    with pytest.raises(BundleError, match="whole number"):
        Oven.from_card({"shelf": True})


@pytest.fixture
def parser():
    made = argparse.ArgumentParser()
    add_settings(made, Bread, flour={"default": "wheat"})
    add_settings(made, Oven)
    return made


def test_options_come_from_the_fields(parser):
    assert settings_from(Bread, parser.parse_args([])) == Bread("wheat")
    told = ["--salt=0", "--minutes=1,2,3", "--rest=overnight", "--shelf=4", "--steam"]
    meant = Bread("wheat", minutes=(1, 2, 3), salt=0.0, rest=12.0, oven=Oven(4), steam=True)
    assert settings_from(Bread, parser.parse_args(told)) == meant
    assert settings_from(Bread, parser.parse_args(told), steam=False, radio="on") == replace(
        meant, steam=False, radio="on"
    )
    options = [action.option_strings[0] for action in parser._actions]
    assert options == ["-h", "--flour", "--salt", "--minutes", "--rest", "--steam", "--shelf"], "salt is behind flour"
    assert "of kneading and baking (5,40)" in " ".join(parser.format_help().split())


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("--shelf=5", "5 is above 4"),
        ("--salt=1", "1 is not a share between 0 and 1"),
        ("--rest=99", "99 is neither 'overnight' nor between 1 and 24 h"),
        ("--flour=oat", "invalid choice: 'oat'"),
    ],
)
def test_slips_of_the_pen_are_refused_with_the_option(parser, told, says, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args([told])
    assert says in capsys.readouterr().err


def test_hashes_of_settings_from_before_stay_what_they_were():
    """Written down before settings had a base: earlier trials, studies and tables go on."""
    unusual = TrainingSettings(
        epochs=3, betas=(0, 0.5), loss=LossWeights(1, 0, 0, 2), rotations=[5, 7], patience=3, weight_decay=0,
        architecture=Architecture(patch_size=32, filters=3, dropout=0), checkpoint_seconds=1, initial_weights="torch",
        preprocessing=Preprocessing(
            patch_size=32, percentiles=(0, 50), lattice="as-before", mask_edges="sharp"
        ),
    )  # fmt: skip
    assert unusual.identity() == "cea9fec96ce9ecd4242c049a59a6c05f413f80eb916abfc54af9276917ca59b1"
    before = Preprocessing(lattice="as-before", mask_edges="sharp")
    other = TrainingSettings(
        reconstruct="gtv", pictures_every=4, threads=2, device="cuda", micro_batch=0, preprocessing=before
    )
    assert other.identity() == "260e15785c07e41ab09f502fee34a3896726b3a75346c33b354a5c99c1759491"
    model = FeatureModelSettings(least_known=1, selection="none", classifier="svm", seed=3, inner_folds=0)
    assert model.identity() == "cdde1339d991567ec4e71c9fb24581cef6227b8e38c45239258bdce5e4bd1663"
    assert RadiomicsSettings().identity() == "1112a7c2bf62758e35dd8d844652d57a67b618f252fc9b2293b00746fcc09963"
    lists = {"images": ("log", "original"), "families": ("shape",), "log_sigmas_mm": (2, 4)}
    radiomics = RadiomicsSettings(**lists, bins=None, bin_width=1)
    assert radiomics.identity() == "0edf37b33c35416c1f9c74ad8725d4c0b610635ce9fd268ef71a92268f40c537"
    table = FeatureSettings(RadiomicsSettings(), GradientSettings(3, 0), DoseSettings((1, 12), (50,), 1))
    assert table.identity("gradient") == "5ed45ca28849e694ae8cc248f6afebbcba1158e38ae16942901d8755421e0c65"
    assert table.identity("dose") == "c1fbcda9d21bf98449db438a065bc2825c230b8fa58b9d30f543fcddbbf51055"
    assert FeatureSettings().identity("dose") == "4df83d31a14c6dd05e5a1f8baf8f17d1e7b84752cc0187b15207a1d2304fc79b"


def test_options_without_words_mean_the_usual_settings():
    from PulsarCAMLib.cli.learning import settings_of
    from PulsarCAMLib.cli.parser import make_parser
    from PulsarCAMLib.cli.study.command import study_settings_of
    from PulsarCAMLib.study.settings import CHEAP, input_controls_named
    from PulsarCAMLib.systems.registry import system_of

    assert settings_of(make_parser().parse_args(["train", "cohort.csv", "-o", "model"])) == TrainingSettings()
    usual = StudySettings(input_controls=input_controls_named((CHEAP,), system_of()))
    assert study_settings_of(make_parser().parse_args(["study", "cohort.csv", "-o", "run"])) == usual


def test_an_end_that_is_not_meant_is_outside_and_one_that_is_meant_is_inside():
    from PulsarCAMLib.core.settings import Range

    assert 0 not in Range(above=0)
    assert 1 not in Range(below=1)
    assert 0 in Range(at_least=0)
    assert 1 in Range(at_most=1)
