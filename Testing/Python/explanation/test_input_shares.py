"""How much every input matters: known answers, the control, and maps on each input's own voxels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from making_cases import DOSE_GRID, GRID, METHODS, PREPROCESSING, TwoMaps, a_bundle, a_case
from making_networks import Smooth, evidence_of

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.explanation import explain_case, unit_table
from PulsarCAMLib.explanation.inputs import input_shares, input_table, shares_of
from PulsarCAMLib.explanation.tables import cells_of_unit, cells_text
from PulsarCAMLib.systems.maps.blocks import OcclusionSettings
from PulsarCAMLib.systems.maps.control import permuted
from PulsarCAMLib.systems.maps.occlusion import occlusion
from PulsarCAMLib.systems.registry import register, unregister


@pytest.fixture(scope="module", autouse=True)
def registered():
    register(TwoMaps())
    yield
    unregister("two-maps")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return explain_case(a_case(), a_bundle(tmp_path_factory.mktemp("model") / "model"), methods=METHODS)


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients"])
def test_a_network_that_reads_one_input_gives_it_everything(tmp_path, method):
    found = explain_case(a_case(), a_bundle(tmp_path / "model", reads=(1,)), methods=(method,)).units[0]
    for name in found.task.names:
        shares = input_shares(found, method, name)
        np.testing.assert_array_equal(shares["rtdose"], [1, 1])
        np.testing.assert_array_equal(shares["flair"], [0, 0])


def test_shares_are_sums_of_the_own_maps_over_the_unit_and_add_up_to_one(result):
    (unit,) = result.units
    for method in ("saliency", "integrated-gradients"):
        shares = input_shares(unit, method, "large")
        inside = unit.samples.masks[0, 0]
        sums = {role: unit.input_maps[method, "large", role][:, 0][:, inside].sum(axis=1) for role in shares}
        for role, share in shares.items():
            np.testing.assert_allclose(share, sums[role] / sum(sums.values()), rtol=1e-5)
        np.testing.assert_allclose(sum(shares.values()), 1, rtol=1e-12)
    assert input_shares(unit, "gradcam", "large") == {}


def test_shares_of_empty_maps_are_undefined_and_told_so(result):
    (unit,) = result.units
    empty = replace(unit, input_maps={key: maps * 0 for key, maps in unit.input_maps.items()})
    assert np.isnan(input_shares(empty, "saliency", "large")["flair"]).all()
    rows = input_table(replace(result, units=(empty,)))
    assert {row["share"] for row in rows} == {None}


def test_every_share_stands_beside_that_of_networks_whose_weights_changed_places(result):
    rows = input_table(result)
    assert len(rows) == 2 * 3 * 2
    for start in range(0, len(rows), 2):
        assert sum(row["control_share"] for row in rows[start : start + 2]) == pytest.approx(1)
    assert [row["share"] for row in rows] != [row["control_share"] for row in rows]


def test_what_takes_long_has_its_control_and_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(TwoMaps, "maps", (*TwoMaps.maps, occlusion(OcclusionSettings(block=2, stride=2))))
    told = []
    found = explain_case(
        a_case(), a_bundle(tmp_path / "model"), methods=("saliency", "occlusion"),
        progress=lambda share, text: told.append((share, text.split()[0])),
    )  # fmt: skip
    rows = [row for row in input_table(found) if row["map_method"] == "occlusion"]
    assert len(rows) == 3 * 2
    assert all(0 <= row["control_share"] <= 1 for row in rows)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    for word, low, high in (("Explaining", 0.4, 0.8), ("Asking", 0.8, 1.0)):
        within = {share for share, first in told if first == word}
        assert len({share for share in within if low < share < high}) > 3


def test_permuted_networks_have_the_same_numbers_in_other_places():
    member = Smooth()
    before = {name: values.clone() for name, values in member.state_dict().items()}
    first, second = permuted([member, member], 3)
    (again,) = permuted([member], 1)
    moved = 0
    for name, values in before.items():
        for copy in (first, second):
            np.testing.assert_array_equal(np.sort(copy.state_dict()[name].flatten()), np.sort(values.flatten()))
        moved += not torch.equal(first.state_dict()[name], values)
        assert torch.equal(first.state_dict()[name], again.state_dict()[name])
        assert torch.equal(member.state_dict()[name], values)
    assert moved == len(before)
    assert any(not torch.equal(first.state_dict()[name], second.state_dict()[name]) for name in before)
    images = evidence_of(member).images
    assert not torch.equal(first(images), member(images))


def test_a_case_with_one_image_has_maps_of_it_only_once(tmp_path):
    found = explain_case(a_case(dose=False), a_bundle(tmp_path / "model"), methods=("saliency",))
    assert found.units[0].input_maps == {}
    assert found.units[0].control_shares == {}
    assert input_table(found) == []


def test_maps_of_one_input_lie_on_its_own_voxels(result):
    (unit,) = result.units
    dose = result.heat_map("saliency", "large", input="rtdose")
    assert dose.shape == DOSE_GRID.shape
    assert result.geometry_of("rtdose") is DOSE_GRID
    raw = unit.sample_maps("saliency", "large", input="rtdose")
    again = unit.samples.paste(raw, DOSE_GRID, role="rtdose")
    np.testing.assert_array_equal(dose[again.box], again.values)
    assert result.heat_map("saliency", "large", input="flair").shape == GRID.shape
    inside = result.pasted(unit, "saliency", "large", input="rtdose", on_reference=True)
    assert inside.values.shape == unit.lesion.mask.shape


def test_one_scale_for_all_inputs_so_that_they_can_be_compared(result):
    (unit,) = result.units
    top = unit.joint_maximum("saliency", "flair")
    assert top == unit.joint_maximum("saliency", "rtdose")
    inside = unit.samples.masks[:, 0]
    largest = [
        unit.sample_maps("saliency", name, input=role)[inside].max()
        for name in unit.task.names
        for role in ("flair", "rtdose")
    ]
    assert top == pytest.approx(max(largest))
    both = [result.heat_map("saliency", normalisation="scan", input=role).max() for role in ("flair", "rtdose")]
    assert max(both) < 1 + 1e-6
    assert result.display_range("saliency", input="flair") == (0.0, top)


def test_sub_regions_of_one_input_lie_on_the_reference_grid(result):
    (region,) = result.sub_regions("saliency", "large", input="rtdose")
    (together,) = result.sub_regions("saliency", "large")
    assert region.mask.shape == together.mask.shape
    assert (region.mask != together.mask).any()


def test_what_there_is_no_map_of_is_refused(result):
    (unit,) = result.units
    with pytest.raises(InputError, match="'gradcam' has no map of the input 'flair'; there are only those of all"):
        unit.raw_maps("gradcam", "large", "flair")
    with pytest.raises(InputError, match="'t2'; there are flair, rtdose"):
        unit.raw_maps("saliency", "large", "t2")
    with pytest.raises(InputError, match="The case has no t2"):
        result.geometry_of("t2")


def test_tables_say_whose_map_it_is_and_how_many_cells_the_unit_spans(result):
    rows = {
        (method, role): unit_table(result, method, "large", input=role)[0]
        for method, role in (("saliency", ""), ("saliency", "rtdose"), ("gradcam", ""))
    }
    assert [row["map_input"] for row in rows.values()] == ["all", "rtdose", "all"]
    (unit,) = result.units
    inside = unit.samples.masks[0, 0]
    wanted = "x".join(str(np.ptp(at) + 1) for at in np.nonzero(inside)[::-1])
    assert {row["map_cells"] for row in rows.values()} == {wanted}
    assert rows["saliency", ""]["map_cell_mm"] == pytest.approx(unit.samples.grid.spacing[0])
    assert "map_input" in rows["gradcam", ""]


def test_a_coarse_map_says_how_few_cells_it_has(result):
    (unit,) = result.units
    inside = unit.samples.masks[0, 0]
    coarse = replace(unit, maps={("gradcam", "large"): np.ones((2, 1, 1, 2, 2), np.float32)})
    cells, side = cells_of_unit(coarse, "gradcam")
    k, j, i = (np.ptp(at) + 1 for at in np.nonzero(inside))
    assert cells == (int(np.ceil(i * 2 / 5)), int(np.ceil(j * 2 / 6)), int(np.ceil(k * 1 / 4)))
    assert side == pytest.approx(unit.samples.grid.spacing[0] * 5 / 2)
    assert cells_text(coarse, "gradcam").startswith("the patient spans 2 x 2 x 1 cells of")


def test_what_the_network_does_not_see_has_no_map_and_two_may_share_a_channel(result):
    class Difference(TwoMaps):
        def channel_roles(self, preprocessing):
            return ("flair", "rtdose"), ("flair",)

    class Blind(TwoMaps):
        def channel_roles(self, preprocessing):
            return (("rtdose",),)

    both = {"flair", "rtdose"}
    assert Difference().input_channels(PREPROCESSING, both) == {"flair": (0, 1), "rtdose": (0,)}
    assert Difference().input_channels(PREPROCESSING, {"flair"}) == {}
    assert Blind().input_channels(PREPROCESSING, both) == {}
    assert [role.name for role in TwoMaps().mapped_inputs(PREPROCESSING, both)] == ["flair", "rtdose"]
    (unit,) = result.units
    maps = unit.input_maps["saliency", "large", "flair"]
    shared = replace(unit, input_maps={("saliency", "large", role): maps for role in both})
    np.testing.assert_allclose(input_shares(shared, "saliency", "large")["rtdose"], 0.5)


def test_both_signs_count_where_a_map_has_both(result):
    (unit,) = result.units
    maps = {"flair": -np.ones((2, 4, 6, 5), np.float32), "rtdose": 3 * np.ones((2, 4, 6, 5), np.float32)}
    np.testing.assert_allclose(shares_of(maps, unit)["flair"], [0.25, 0.25])


def test_the_control_is_the_share_of_the_permuted_networks_themselves(tmp_path):
    bundle = a_bundle(tmp_path / "model")
    (unit,) = explain_case(a_case(), bundle, methods=("saliency",)).units
    system = bundle.card.system
    predictor = system.predictor(permuted(bundle.ensemble.members, 3))
    inputs = system.input_channels(PREPROCESSING, {"flair", "rtdose"})
    found = system.explain(predictor, unit.samples.images, unit.samples.masks, ("saliency",), None, inputs)
    changed = replace(unit, input_maps=found.input_maps)
    for name in unit.task.names:
        wanted = input_shares(changed, "saliency", name)
        for role in ("flair", "rtdose"):
            np.testing.assert_allclose(unit.control_shares["saliency", name, role], wanted[role], rtol=1e-6)
