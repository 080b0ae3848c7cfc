"""Settings of occlusion as a user chooses them: typed, kept, told with their cost, ended early with what is known."""

from __future__ import annotations

import argparse
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from making_cases import PREPROCESSING, TwoMaps, a_bundle, a_case
from making_networks import SIZE, Smooth, evidence_of
from torch import nn
from two_visits import TWO

from PulsarCAMLib.cli.explain.map_choices import add_choices, choices_of, choices_of_text, told
from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.explanation import explain_case
from PulsarCAMLib.systems.answers import EndedEarly
from PulsarCAMLib.systems.maps.blocks import NOISE, OTHER_VISIT, ZERO, OcclusionSettings, blocks_of
from PulsarCAMLib.systems.maps.occluding import Ending, Occluder, occluded, positions_asked
from PulsarCAMLib.systems.maps.occlusion import OCCLUSION, occlusion_cost, occlusion_maps
from PulsarCAMLib.systems.registry import register, system_of, unregister

SMALL = OcclusionSettings(block=3, stride=2)


class Occluded(TwoMaps):
    maps = (*TwoMaps.maps, OCCLUSION)


@pytest.fixture(autouse=True)
def registered():
    register(Occluded())
    yield
    unregister("two-maps")


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_choices(parser)
    return parser.parse_args(words)


def card_of(name, **own):
    system = system_of(name)
    return SimpleNamespace(system=system, preprocessing=system.preprocessing(**own))


def test_options_are_the_fields_and_what_is_usual_is_no_choice():
    card = card_of("rice-net")
    assert choices_of(parsed(), card, ("occlusion",)) == {}
    typed = ("--occlusion-block", "8", "--occlusion-stride", "4", "--occlusion-fill", "noise", "--occlusion-within")
    (found,) = choices_of(parsed(*typed, "--occlusion-coarse", "2"), card, ("saliency", "occlusion")).values()
    assert (found.block, found.stride, found.fill, found.within_mask, found.coarse) == (8, 4, NOISE, True, 2)
    assert OcclusionSettings.from_card(found.to_card()) == found
    assert found.identity() != OcclusionSettings().identity()
    assert found.in_words() == (
        "Occlusion: cubes of 8 voxels that move by 4 voxels, filled with noise like the channel, only those that meet "
        "what is looked at, cubes 2 times as large first and 25% of them looked into."
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("--occlusion-block", "2", "--occlusion-stride", "3"), "voxels are missed"),
        (("--occlusion-block", "2"), "no such map is asked for; add --method occlusion"),
    ],
)
def test_settings_that_cannot_be_meant_are_one_sentence(typed, says):
    methods = ("occlusion",) if len(typed) > 2 else ("saliency",)
    with pytest.raises(InputError, match=says):
        choices_of(parsed(*typed), card_of("rice-net"), methods)


def test_the_other_visit_is_known_to_the_model_and_nobody_types_it():
    typed = parsed("--occlusion-fill", "other-visit")
    found = choices_of(typed, card_of("rice-net"), ("occlusion",))["occlusion"]
    assert (found.fill, found.other_visit) == (OTHER_VISIT, ((0, 1),))
    found = choices_of(typed, card_of("rano", modalities=("t1", "flair")), ("occlusion",))["occlusion"]
    assert found.other_visit == ((0, 1), (2, 3))
    with pytest.raises(InputError, match="sees the same at two visits"):
        choices_of(typed, card_of("rice-net", inputs=("event", "rtdose")), ("occlusion",))
    assert TWO.visit_pairs(TWO.preprocessing()) == ((0, 1), (2, 3))
    assert system_of().visit_pairs(None) == ()


def test_a_case_is_explained_as_chosen_and_says_so(tmp_path):
    bundle, told = a_bundle(tmp_path / "model"), []
    own = {"methods": ("occlusion",), "each_input": False}
    chosen = {"occlusion": OcclusionSettings(block=2, stride=2, fill=ZERO)}
    found = explain_case(a_case(), bundle, choices=chosen, on_cost=told.append, **own)
    usual = explain_case(a_case(), bundle, **own)
    for name in found.task.names:
        assert not np.array_equal(
            found.units[0].raw_maps("occlusion", name), usual.units[0].raw_maps("occlusion", name)
        )
    assert "Occlusion: cubes of 2 voxels that move by 2 voxels, filled with zero." in found.warnings
    blocks = len(blocks_of(PREPROCESSING.size, chosen["occlusion"]))
    (sentence,) = told
    assert sentence.startswith(f"Occlusion asks about {2 * blocks} positions, which takes as long as about")


def test_the_cost_counts_inputs_members_region_and_large_blocks():
    evidence = evidence_of(Smooth(unit=nn.ReLU), Smooth())
    occluder, blocks = Occluder(evidence.members[0], evidence.images), len(blocks_of(SIZE, SMALL))
    assert positions_asked(occluder, SMALL, maps=3).positions == 3 * blocks
    corner = np.zeros(SIZE, bool)
    corner[0, 0, 0] = True
    assert positions_asked(occluder, SMALL, corner).positions == 1
    coarse = OcclusionSettings(block=3, stride=2, coarse=2, coarse_share=0.5)
    large = len(blocks_of(SIZE, coarse, 2))
    assert positions_asked(occluder, coarse).positions == large + round(0.5 * blocks)
    assert occlusion_cost(evidence, SMALL, 2).startswith(f"Occlusion asks about {2 * 3 * blocks} positions")
    limited = OcclusionSettings(block=3, stride=2, minutes=2)
    assert occlusion_cost(evidence, limited, 2).endswith("It ends after 2 minutes for each unit, and what is known then is kept.")  # fmt: skip # noqa: E501


def test_blocks_that_cover_everything_are_asked_first():
    blocks = blocks_of((12, 8, 8), OcclusionSettings(block=4, stride=2))
    first, rest = blocks.evenly()
    assert (len(first), len(first) + len(rest)) == (3 * 2 * 2, len(blocks))
    covered = np.zeros((12, 8, 8), int)
    for n in first:
        covered[blocks.box(n)] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize(("size", "block", "stride", "fewest"), [((13, 8, 8), 4, 3, 4 * 2 * 2), ((10, 4, 4), 4, 2, 3)])
def test_blocks_that_are_asked_first_leave_no_hole_whatever_the_stride(size, block, stride, fewest):
    blocks = blocks_of(size, OcclusionSettings(block=block, stride=stride))
    for shown in (blocks, blocks.of(np.flatnonzero((blocks.low[:, 0] != 3) & (blocks.low[:, 0] != 4)))):
        covered, all_covered = np.zeros(size, int), np.zeros(size, int)
        first, rest = shown.evenly()
        for n in first:
            covered[shown.box(n)] += 1
        for n in range(len(shown)):
            all_covered[shown.box(n)] += 1
        assert ((covered > 0) == (all_covered > 0)).all()
        assert sorted([*first, *rest]) == list(range(len(shown)))
    assert len(blocks.evenly()[0]) == fewest


def test_who_ends_the_map_of_one_sample_does_not_wait_for_those_of_the_others():
    said, partly = EndedEarly(), OcclusionSettings(block=3, stride=2, partial=True)
    calls = []

    def stop(fraction):
        calls.append(fraction)
        if len(calls) == 2:
            raise Cancelled

    for _sample in range(2):
        evidence = evidence_of(Smooth(unit=nn.ReLU), inputs={})
        object.__setattr__(evidence, "ended", said)
        object.__setattr__(evidence, "tell", stop)
        maps = occlusion_maps(evidence, partly)
    first, second = said.sentences
    assert " 0 of " not in first
    assert second.startswith("Occlusion was ended early: 0 of ")
    assert not maps["one"].any()
    assert len(calls) == 2, "of the second sample nothing is asked"


def test_a_map_that_is_ended_early_keeps_what_it_knows_and_says_what_is_missing():
    evidence, said = evidence_of(Smooth(unit=nn.ReLU), Smooth(), inputs={}), []
    object.__setattr__(evidence, "ended", said.append)
    whole = occlusion_maps(evidence, SMALL)
    calls = []

    def stop(fraction):
        calls.append(fraction)
        if len(calls) == 2:
            raise Cancelled

    object.__setattr__(evidence, "tell", stop)
    partly = OcclusionSettings(block=3, stride=2, partial=True)
    maps = occlusion_maps(evidence, partly)
    (sentence,) = said
    asked = int(sentence.split("early: ")[1].split(" of ")[0])
    assert 0 < asked < len(blocks_of(SIZE, SMALL))
    assert "were asked about. Voxels that none of them covered are 0" in sentence
    torch.testing.assert_close(maps["one"][0], maps["one"][1])  # the second member was not reached
    assert maps["one"].any()
    assert not torch.equal(maps["one"][0], whole["one"][0])
    calls.clear()
    with pytest.raises(Cancelled):
        occlusion_maps(evidence, SMALL)


def test_a_limit_of_time_ends_it_and_without_one_the_map_is_the_usual_one():
    evidence = evidence_of(Smooth(unit=nn.ReLU))
    ending = Ending()
    ending.give(0)
    occluder = Occluder(evidence.members[0], evidence.images)
    assert not occluded(occluder, SMALL, ending=ending).any()
    assert (ending.asked, ending.left) == (0, len(blocks_of(SIZE, SMALL)))
    patient = Ending()
    np.testing.assert_allclose(occluded(occluder, SMALL, ending=patient), occluded(occluder, SMALL), atol=1e-12)
    assert patient.left == 0


def test_cancelling_ends_the_map_alone_where_that_was_asked_for(tmp_path):
    bundle, calls = a_bundle(tmp_path / "model"), []

    def cancelled():
        calls.append(1)
        return len(calls) > 8

    chosen = {"occlusion": OcclusionSettings(block=2, stride=1, partial=True)}
    found = explain_case(a_case(), bundle, methods=("occlusion",), choices=chosen, cancelled=cancelled)
    assert any("Occlusion was ended early" in sentence for sentence in found.warnings)
    assert found.units[0].control_shares == {}
    calls.clear()
    chosen = {"occlusion": OcclusionSettings(block=2, stride=1)}
    with pytest.raises(Cancelled):
        explain_case(a_case(), bundle, methods=("occlusion",), choices=chosen, cancelled=cancelled)


def test_one_line_says_the_same_as_options():
    card = card_of("rice-net")
    typed = ("--occlusion-block", "8", "--occlusion-fill", "other-visit", "--occlusion-within")
    meant = choices_of(parsed(*typed), card, ("occlusion",))
    assert choices_of_text("block 8, fill=other-visit,within", card, "occlusion") == meant
    assert choices_of_text(" ", card, "occlusion") == choices_of_text("block 8", card, "saliency") == {}
    for line, says in (("blok 8", "unrecognized arguments: blok 8"), ("block eight", "block"), ("block 0", "block")):
        with pytest.raises(InputError, match=f"settings of the method occlusion cannot be used .*{says}"):
            choices_of_text(line, card, "occlusion")
    assert "fill: what stands in" in told(OCCLUSION)
    assert told(card.system.method("saliency")) == ""
