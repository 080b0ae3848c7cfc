"""Occlusion maps: against plain loops, by input, restricted, coarse to fine, cancelled."""

import numpy as np
import pytest
import torch
from making_networks import INPUTS, SIZE, Smooth, a_system, evidence_of
from torch import nn

from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.systems.answers import LoopedPredictor
from PulsarCAMLib.systems.maps.blocks import NOISE, OTHER_VISIT, ZERO, OcclusionSettings, blocks_of, filled
from PulsarCAMLib.systems.maps.occluding import Occluder, OcclusionRun, occluded
from PulsarCAMLib.systems.maps.occlusion import OCCLUSION, occlusion, occlusion_maps

SMALL = OcclusionSettings(block=3, stride=2)


@pytest.fixture
def evidence():
    return evidence_of(Smooth(unit=nn.ReLU), Smooth())


def plainly(member, image, settings, fill, channels=(0, 1, 2), region=None):
    """Mean fall by a plain loop, voxel for voxel."""
    blocks = blocks_of(SIZE, settings)
    total, times = np.zeros((3, *SIZE)), np.zeros(SIZE)
    with torch.no_grad():
        whole = member(image)[0]
        for n in range(len(blocks)):
            if region is not None and not region[blocks.box(n)].any():
                continue
            changed = image.clone()
            for channel in channels:
                changed[(0, channel, *blocks.box(n))] = fill[(0, channel, *blocks.box(n))]
            total[(slice(None), *blocks.box(n))] += (whole - member(changed)[0]).numpy()[:, None, None, None]
            times[blocks.box(n)] += 1
    return total / np.maximum(times, 1), times


def test_maps_of_all_and_of_each_input_are_those_of_a_plain_loop(evidence):
    maps = occlusion_maps(evidence, SMALL)
    fill = evidence.images.mean(dim=(2, 3, 4), keepdim=True).expand_as(evidence.images)
    for k, member in enumerate(evidence.members):
        for role, channels in {"": (0, 1, 2), **INPUTS}.items():
            wanted, times = plainly(member, evidence.images, SMALL, fill, channels)
            assert times.min() >= 1
            for n, name in enumerate(("one", "two", "three")):
                found = maps[(name, role) if role else name][k, 0].numpy()
                np.testing.assert_allclose(found, np.maximum(wanted[n], 0), atol=1e-12)


def test_the_usual_settings_take_a_sixth_of_the_side_and_move_by_half():
    blocks = blocks_of((13, 24, 5), OcclusionSettings())
    assert (blocks.high - blocks.low == [2, 4, 1]).all()
    assert sorted(set(blocks.low[:, 1])) == list(range(0, 21, 2))
    assert sorted(set(blocks.low[:, 0])) == list(range(12))
    assert OCCLUSION.by_input


def test_blocks_cover_everything_and_the_last_ends_with_the_image():
    blocks = blocks_of((10, 7), OcclusionSettings(block=4, stride=3))
    assert [tuple(c) for c in blocks.low] == [(a, b) for a in (0, 3, 6) for b in (0, 3)]
    assert (blocks_of((3, 7), OcclusionSettings(block=4)).high[:, 0] == 3).all()


@pytest.mark.parametrize("incremental", [True, False])
def test_passes_in_part_and_plain_ones_agree(evidence, incremental):
    member = evidence.members[0]
    settings = OcclusionSettings(block=2, stride=2, fill=NOISE, seed=3, incremental=incremental)
    occluder = Occluder(member, evidence.images, incremental)
    assert bool(occluder.plain_because) is not incremental
    wanted, _ = plainly(member, evidence.images, settings, filled(evidence.images, settings))
    np.testing.assert_allclose(occluded(occluder, settings), wanted, atol=1e-12)


def test_fills():
    image = evidence_of(Smooth()).images
    assert (filled(image, OcclusionSettings(fill=ZERO)) == 0).all()
    noise = filled(image, OcclusionSettings(fill=NOISE, seed=1))
    assert torch.equal(noise, filled(image, OcclusionSettings(fill=NOISE, seed=1)))
    assert not torch.equal(noise, filled(image, OcclusionSettings(fill=NOISE, seed=2)))
    wide = image.repeat(1, 1, 6, 6, 6) * 3 + 7
    noise = filled(wide, OcclusionSettings(fill=NOISE))
    torch.testing.assert_close(noise.mean(dim=(2, 3, 4)), wide.mean(dim=(2, 3, 4)), atol=0.1, rtol=0)
    torch.testing.assert_close(noise.std(dim=(2, 3, 4)), wide.std(dim=(2, 3, 4)), atol=0.1, rtol=0)
    other = filled(image, OcclusionSettings(fill=OTHER_VISIT, other_visit=((0, 2),)))
    assert torch.equal(other[:, 0], image[:, 2])
    assert torch.equal(other[:, 2], image[:, 0])
    assert torch.equal(other[:, 1], image[:, 1].mean().expand_as(image[:, 1]))


def test_restricted_to_a_region(evidence):
    region = np.zeros(SIZE, dtype=bool)
    region[1, 1, 1] = True
    member = evidence.members[0]
    fill = filled(evidence.images, SMALL)
    wanted, times = plainly(member, evidence.images, SMALL, fill, region=region)
    found = occluded(Occluder(member, evidence.images), SMALL, region=region)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert (found[:, times == 0] == 0).all()
    assert 0 < (times > 0).mean() < 1
    evidence.masks[:] = torch.from_numpy(region)
    maps = occlusion_maps(evidence, OcclusionSettings(block=3, stride=2, within_mask=True))
    np.testing.assert_allclose(maps["two"][0, 0].numpy(), np.maximum(wanted[1], 0), atol=1e-12)


def test_coarse_to_fine_looks_only_where_large_blocks_found_most():
    class Corner(nn.Module):
        def forward(self, images):
            weights = torch.zeros(images.shape[2:], dtype=images.dtype)
            weights[:2, :2, :2] = 1
            value = (images[:, 0] * weights).mean(dim=(1, 2, 3))
            return torch.stack([value, -value, 0 * value], dim=1)

    image = torch.ones((1, 1, 12, 12, 12), dtype=torch.float64)
    image[..., :1] = 2
    settings = OcclusionSettings(block=3, stride=3, coarse=2, coarse_share=0.1, fill=ZERO)
    asked = []
    occluder = Occluder(Corner(), image, incremental=False)
    passed = occluder.changed
    occluder.changed = lambda blocks, difference: asked.append(len(blocks)) or passed(blocks, difference)
    found = occluded(occluder, settings)
    assert asked == [8, 8]
    fine = occluded(occluder, OcclusionSettings(block=3, stride=3, fill=ZERO))
    np.testing.assert_allclose(found, fine, atol=1e-15)
    assert found[0, 0, 0, 0] > 0


def test_a_cancelled_run_keeps_what_it_has_and_goes_on(evidence):
    member, told = evidence.members[0], []
    blocks = blocks_of(SIZE, SMALL)
    run = OcclusionRun(Occluder(member, evidence.images), blocks, filled(evidence.images, SMALL))

    def stop(fraction):
        told.append(fraction)
        if len(told) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run.go(stop)
    first = run.falls[run.done].copy()
    assert 0 < len(first) < len(blocks)
    assert told == pytest.approx([n / len(blocks) for n in np.cumsum(np.ones(len(told))) * told[0] * len(blocks)])
    values, times = run.maps()
    assert (values[:, times == 0] == 0).all()
    kept = run.done.copy()
    run.go()
    assert run.done.all()
    assert np.array_equal(run.falls[kept], first)
    np.testing.assert_allclose(run.maps()[0], occluded(Occluder(member, evidence.images), SMALL), atol=1e-12)


def test_explaining_can_be_cancelled_between_positions():
    system = type(a_system())
    system.maps = (occlusion(SMALL),)
    images = np.random.default_rng(0).normal(size=(2, 3, *SIZE))
    calls = []

    def after_chunk(done):
        calls.append(done)
        if len(calls) == 3:
            raise Cancelled

    masks = np.ones((2, 1, *SIZE), dtype=bool)
    with pytest.raises(Cancelled):
        system().explain(LoopedPredictor([Smooth()]), images, masks, ["occlusion"], after_chunk)
    assert 0 < calls[0] < calls[1] < calls[2] <= 1  # parts of the first sample


def test_the_cost_is_said_before_it_starts(evidence):
    blocks = blocks_of(SIZE, SMALL)
    cost = Occluder(evidence.members[0], evidence.images).cost(blocks, maps=3)
    assert cost.positions == 3 * len(blocks)
    assert 0 < cost.passes < cost.positions
    assert cost.seconds > 0
    assert f"{3 * len(blocks)} positions" in cost.in_words()
    assert Occluder(evidence.members[0], evidence.images, incremental=False).cost(blocks).passes == len(blocks)


def test_a_network_that_needs_the_whole_image_is_asked_by_plain_passes():
    torch.manual_seed(0)
    network = nn.Sequential(nn.InstanceNorm3d(3), nn.Conv3d(3, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    network, image = network.double().eval(), evidence_of(Smooth()).images
    occluder = Occluder(network, image)
    assert occluder.plain_because.endswith("every position takes a whole pass.")
    wanted, _ = plainly(network, image, SMALL, filled(image, SMALL))
    np.testing.assert_allclose(occluded(occluder, SMALL), wanted, atol=1e-12)


def test_a_network_that_answers_otherwise_in_part_is_not_trusted():
    class Counting(nn.Module):
        calls = 0

        def forward(self, images):
            self.calls += 1
            return images.mean(dim=(2, 3, 4)) + self.calls

    assert "differently" in Occluder(Counting(), evidence_of(Smooth()).images).plain_because


@pytest.mark.parametrize("words", [{"block": 0}, {"block": 2, "stride": 3}, {"fill": "holes"}, {"fill": OTHER_VISIT}])
def test_settings_that_make_no_sense_are_refused(words):
    with pytest.raises(InputError):
        OcclusionSettings(**words)


def test_an_input_that_is_not_read_has_an_empty_map_of_its_own():
    maps = occlusion_maps(evidence_of(Smooth(reads=(0, 2), unit=nn.ReLU)), SMALL)
    for name in ("one", "two", "three"):
        assert maps[name, "middle"].abs().max() == 0
        torch.testing.assert_close(maps[name, "outer"], maps[name], rtol=0, atol=1e-12)
    assert any(maps[name].max() > 0 for name in ("one", "two", "three"))
