"""How far answers move by half a voxel: what is told, and that telling it changes nothing else."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from systems.autoencoder.test_lattice import a_patient

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import Cancelled
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_case
from PulsarCAMLib.explanation.perturbing import stability_of
from PulsarCAMLib.explanation.stability import Stability, stability_notes
from PulsarCAMLib.explanation.tables import unit_table
from PulsarCAMLib.lesions.perturbing import around, perturbed
from PulsarCAMLib.outputs.result_json import stability_of as told
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.task import TASK
from PulsarCAMLib.systems.bundles.bundle import find_bundle
from PulsarCAMLib.systems.registry import system_of, systems


@pytest.fixture(scope="module")
def bundle():
    return find_bundle("synthetic-demo")


@pytest.fixture(scope="module")
def case():
    volume, geometry, lesion = a_patient(31, (0.9, 0.9, 3.0))
    return Case({"t1c": Image(volume, geometry)}, (lesion,), "t1c")


@pytest.fixture(scope="module")
def result(case, bundle):
    return explain_case(case, bundle, stability=None)


def test_every_way_is_the_answer_to_that_case_and_nothing_else_changes(case, bundle, result):
    plain = explain_case(case, bundle)
    (unit,), (before,) = result.units, plain.units
    assert before.stability is None
    assert unit.probability == before.probability
    np.testing.assert_array_equal(result.heat_map(), plain.heat_map())
    ways = dict(perturbed(case))
    assert unit.stability.ways == tuple(ways)
    for way, p, kept in zip(ways, unit.stability.probabilities, unit.stability.kept, strict=True):
        alone = explain_case(ways[way], bundle).units[0]
        assert p == pytest.approx(alone.probability, abs=2e-5), way  # of the image around the lesion
        assert kept == (alone.predicted_class == unit.predicted_class)


@pytest.mark.parametrize("plane", ["volume", "coronal"])
@pytest.mark.parametrize("wide", [False, True])
def test_what_lies_farther_than_patches_reach_decides_nothing(plane, wide):
    """Of a tilted MRI; a lesion wider than a patch leans, so that its answering slice lies at one end of its box."""
    kji = np.indices((14, 130, 130)) - np.array([7, 65, 65])[:, None, None, None]
    lean = 3.4 * kji[0] if wide else 0
    mask = np.hypot(kji[1], kji[2] - lean) < np.where(kji[0] == 5, 10, 9 if wide else 6)
    mask[:, :, :2] = mask[:, :, -2:] = False
    mask[[0, -1]] = False
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, 0.96, -0.28], [0, 0.28, 0.96]]
    )
    geometry = VolumeGeometry(mask.shape, (0.9, 1.0, 3.0), (-50.0, -60.0, 7.0), tuple(map(tuple, turn)))
    lesion = Lesion.from_mask("GTV", mask)
    case = Case({"t1c": Image(np.random.default_rng(3).random(mask.shape) * 500, geometry)}, (lesion,), "t1c")
    preprocessing = Preprocessing(plane=plane, patch_size=32)
    system = find_bundle("synthetic-demo").card.system
    part = around(case, lesion, system.reach_mm(preprocessing, lesion, geometry))
    assert plane == "coronal" or part.geometry.shape < geometry.shape
    for (way, of_whole), (_, of_part) in zip(perturbed(case), perturbed(part), strict=True):
        whole, cut = (system.answering_samples(each, preprocessing) for each in (of_whole, of_part))
        assert (whole.scale > 1.5) == wide
        np.testing.assert_allclose(cut.images, whole.images, atol=1e-4, err_msg=way)
        np.testing.assert_array_equal(cut.masks, whole.masks)


def test_the_table_gains_columns_and_keeps_the_others(case, bundle, result):
    (row,), (before,) = unit_table(result), unit_table(explain_case(case, bundle))
    assert {name: row[name] for name in before} == before
    parts = {way.column for way in result.system.leave_outs}
    assert set(row) - set(before) - parts == {"p_min", "p_max", "stability", "map_centre_moves_mm"}
    found = result.units[0].stability
    assert row["p_min"] <= min(found.probabilities.min(), row["probability_response"])
    assert row["p_max"] >= max(found.probabilities.max(), row["probability_response"])
    assert 0 < row["map_centre_moves_mm"] < 5
    (entry,) = told(result)
    assert json.loads(json.dumps(entry, allow_nan=False))["ways"][0]["way"] == "contour half a voxel larger"


def test_the_centre_of_a_map_moves_with_the_body_not_with_the_grid(case, bundle, result):
    """Millimetres of the body: a grid that lies elsewhere is no movement of its own."""
    found = result.units[0].stability
    moved = dict(zip(found.ways, found.moved_mm, strict=True))
    assert moved["grid half a voxel aside along i"] < 0.45
    assert moved["contour half a voxel aside along i"] > moved["grid half a voxel aside along i"]


def a_unit(probabilities, kept, p=0.45):
    count = len(probabilities)
    ways = tuple(f"way {n}" for n in range(count))
    found = Stability(ways, p, np.array(probabilities), np.array(kept), np.full(count, np.nan))
    return SimpleNamespace(name="left frontal", task=TASK, stability=found)


@pytest.mark.parametrize(
    ("probabilities", "kept", "said"),
    [
        ((0.44, 0.46), (True, True), ""),
        ((0.35, 0.53), (True, False), "0.35 and 0.53 and changes the predicted class in 1 of 2 ways (most: way 0)"),
        ((0.30, 0.49), (True, True), ""),
        ((0.24, 0.46), (True, True), "0.24 and 0.46 (most: way 0)"),
    ],
)
def test_an_answer_that_another_contour_would_change_is_told_of(probabilities, kept, said):
    unit = a_unit(probabilities, kept)
    notes = stability_notes([unit, SimpleNamespace(stability=None)])
    assert [said in note for note in notes] == ([True] if said else [])
    assert unit.stability.is_stable == (not said)
    assert np.isnan(unit.stability.centre_moves_mm)


def test_a_model_that_looks_at_a_voxel_is_not_stable(case, bundle, result):
    """What must be seen: the same members, read as if they answered right at the threshold."""
    (unit,) = result.units
    fields = dict(bundle.card.fields)
    fields["decision"] = dict(fields["decision"]) | {
        "threshold": round(float(np.median(unit.stability.probabilities)), 4)
    }
    sharp = replace(bundle, card=type(bundle.card).from_fields(fields))
    warned = explain_case(case, sharp, stability=True)
    assert warned.units[0].stability.share < 1
    assert "is not stable" in "".join(warned.warnings)
    assert "is not stable" not in "".join(explain_case(case, sharp, stability=False).warnings)


def test_it_can_be_stopped_and_is_told_of_volumes_only_if_asked(case, bundle, result):
    def stop(text):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        stability_of(result.units[0], case, bundle, stop)
    assert system_of().tells_stability
    assert [system.name for system in systems() if system.tells_stability] == [system_of().name]
