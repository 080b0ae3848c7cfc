"""Painting an explained scan: doses, spread and boosts recomputed from the maps; what may not be painted, and why."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from making_models import random_bundle

from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.core.errors import Cancelled, GeometryError, InputError
from PulsarCAMLib.core.geometry.upsampling import upsample_to
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.explanation.leaving_out import LeftOut
from PulsarCAMLib.explanation.stability import Stability
from PulsarCAMLib.painting.doubts import LEAST_OVERLAP, MOST_MOVED_MM
from PulsarCAMLib.painting.paint import paint
from PulsarCAMLib.painting.rules import dose_by_numbers
from PulsarCAMLib.painting.settings import LABEL, PaintingSettings
from PulsarCAMLib.systems.registry import system_of

GEOMETRY = VolumeGeometry((12, 48, 48), (1.0, 1.0, 2.0), (-24, 20, 5), np.diag([1.0, -1, 1]))
STABLE = Stability(("contour half a voxel larger",), 0.4, np.array([0.42]), np.array([True]), np.array([0.3]))
MAP = {"method": "gradcam", "target": "non-response"}


def a_box(low=(3, 12, 12), high=(9, 30, 32), name="one"):
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return Lesion.from_mask(name, mask)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Two lesions, whose answers are stable, with maps drawn by hand: both members alike, high on the left."""
    bundle = random_bundle(tmp_path_factory.mktemp("models") / "random", count=2)
    volume = np.random.default_rng(3).normal(100, 20, GEOMETRY.shape).astype(np.float32)
    found = explain_scan(volume, GEOMETRY, [a_box(), a_box((2, 34, 34), (5, 44, 44), "two")], bundle)
    return replace(found, units=tuple(with_maps(unit) for unit in found.units))


def with_maps(unit, members=(1.0, 1.0), stability=STABLE, left_out=None):
    """The evidence for non-response is a ramp over the cells, times a factor for each member; for response a third."""
    ramp = np.linspace(3.0, 0.5, 16, dtype=np.float32)[None, None, None, :]
    shape = unit.maps["gradcam", "non-response"].shape
    own = np.broadcast_to(ramp, shape) * np.array(members, np.float32).reshape(-1, 1, 1, 1)
    maps = dict(unit.maps) | {("gradcam", "non-response"): own, ("gradcam", "response"): own / 3}
    return replace(unit, maps=maps, stability=stability, left_out=left_out)


def changed(result, **more):
    first, *others = result.units
    return replace(result, units=(with_maps(first, **more), *others))


def by(rule="linear", anyway=True, **more):
    return PaintingSettings(rule, 12.0, 20.0, anyway=anyway, **more)


@pytest.mark.parametrize("rule", ["linear", "sigmoid"])
@pytest.mark.parametrize("span", ["joint", "own"])
def test_by_numbers_every_voxel_is_the_rule_of_the_map(result, rule, span):
    found = paint(result, by(rule, range=span), **MAP)
    heat = result.heat_map(**MAP)
    wanted = np.zeros(GEOMETRY.shape)
    for unit in result.units:
        box, mask = unit.lesion.box, unit.lesion.mask
        own = heat[box][mask]
        top = max(own.max(), result.heat_map("gradcam", "response")[box][mask].max())
        ends = (0.0, float(top)) if span == "joint" else (float(own.min()), float(own.max()))
        wanted[box] = np.where(mask, dose_by_numbers(heat[box], ends, by(rule)), 0)
    assert found.prescription == pytest.approx(wanted, abs=1e-4)
    assert found.prescription.dtype == np.float32
    assert found.spread.max() == 0  # the members are alike
    row = found.table[0]
    assert row["highest_gy"] == pytest.approx(20, abs=1e-3)
    assert row["overlap"] == 1
    (boost, _) = found.boosts
    assert boost.name == f"one boost ({LABEL})"
    assert np.array_equal(boost.full_mask(GEOMETRY.shape)[a_box().box], wanted[a_box().box] >= 16)


def test_the_spread_is_that_of_the_members_own_prescriptions(result):
    apart = changed(result, members=(0.8, 1.2))
    found = paint(apart, by(), **MAP)
    unit = apart.units[0]
    top = unit.joint_maximum("gradcam")
    doses = []
    for n in (0, 1):
        maps = upsample_to(unit.maps["gradcam", "non-response"][n], unit.sample_size)
        heat = unit.samples.paste(maps, GEOMETRY).values
        doses.append(dose_by_numbers(heat, (0.0, top), by()))
    wanted = np.std(doses, axis=0)[unit.lesion.mask]
    assert found.spread[a_box().box][unit.lesion.mask] == pytest.approx(wanted, abs=1e-4)
    assert found.table[0]["mean_spread_gy"] == pytest.approx(wanted.mean(), abs=1e-4)
    assert found.table[1]["mean_spread_gy"] == 0


def test_by_contours_the_activated_part_gets_the_boost_and_the_rest_the_lower_level(result):
    share = Threshold("percentile", 70)
    found = paint(result, by("contours"), **MAP, threshold=share)
    regions = result.sub_regions("gradcam", "non-response", share)
    whole = np.zeros(GEOMETRY.shape)
    for unit, region in zip(result.units, regions, strict=True):
        whole[unit.lesion.box][unit.lesion.mask] = 12
        whole[region.box][region.mask] = 20
    assert np.array_equal(found.prescription, whole.astype(np.float32))
    wider = paint(result, by("contours", margin_mm=2.0, beyond_gtv=True), **MAP, threshold=share)
    gtv = sum(unit.lesion.full_mask(GEOMETRY.shape) for unit in result.units) > 0
    assert (wider.prescription[~gtv] == 20).any()
    assert set(np.unique(wider.prescription)) == {0, 12, 20}
    assert wider.table[0]["boost_cm3"] > found.table[0]["boost_cm3"]


def test_near_an_organ_there_is_no_boost_and_the_distance_is_told(result):
    nerve = a_box((3, 12, 8), (9, 30, 10), "nerve")  # 2 mm beside the high end of the first lesion
    free, kept = (paint(result, by(organ_mm=mm), **MAP, organs=[nerve]) for mm in (0.0, 5.0))
    assert free.table[0]["boost_to_nerve_mm"] == pytest.approx(2.5)  # from the centre of a voxel to the surface
    assert kept.table[0]["boost_to_nerve_mm"] > 5
    assert (kept.prescription[3:9, 12:30, 12:15] == 12).all()
    assert kept.table[1]["boost_to_nerve_mm"] == free.table[1]["boost_to_nerve_mm"]
    with pytest.raises(InputError, match="but no organs"):
        paint(result, by(organ_mm=5.0), **MAP)


@pytest.mark.parametrize("rule", ["linear", "contours"])
def test_within_an_organ_there_is_no_boost_without_a_distance_and_that_is_told(result, rule):
    lesion = result.units[0].lesion
    free = paint(result, by(rule), **MAP)
    organ = Lesion("nerve", lesion.mask.copy(), lesion.offset)
    kept = paint(result, by(rule), **MAP, organs=[organ])
    assert (free.prescription[lesion.box][lesion.mask] > 12).any()
    assert (kept.prescription[lesion.box][lesion.mask] == 12).all()
    assert any("right beside them" in text for text in kept.warnings)
    assert not any(
        "right beside them" in text
        for text in (*free.warnings, *paint(result, by(rule, organ_mm=1.0), **MAP, organs=[organ]).warnings)
    )


def test_a_dose_that_is_the_prescription_fits_it_wholly(result):
    prescription = paint(result, by(), **MAP).prescription
    found = paint(result, by(), **MAP, dose=Image(prescription, GEOMETRY))
    assert [row["quality_factor"] for row in found.table] == [pytest.approx(0, abs=1e-5)] * 2
    rows = {row["q"]: row["one"] for row in found.histogram}
    assert (rows[0.99], rows[1.01]) == (1, 0)
    assert not any("beside the prescription" in text for text in found.warnings)


def test_a_dose_that_lies_elsewhere_is_refused_and_of_one_lesion_alone_is_told(result):
    prescription = paint(result, by(), **MAP).prescription
    away = VolumeGeometry(GEOMETRY.shape, GEOMETRY.spacing, (200, 0, 0), GEOMETRY.direction)
    with pytest.raises(GeometryError, match=r"All 2 lesions lie outside the dose that is given.*--paint-dose"):
        paint(result, by(), **MAP, dose=Image(prescription, away))
    with pytest.raises(GeometryError, match="“one” lies outside the dose"):
        paint(replace(result, units=result.units[:1]), by(), **MAP, dose=Image(prescription, away))
    second = GEOMETRY.cropped((0, 31, 31), (12, 17, 17))
    found = paint(result, by(), **MAP, dose=Image(prescription[:, 31:, 31:], second))
    assert "outside the dose grid" in found.table[0]["quality_undefined"]
    assert set(found.histogram[0]) == {"q", "two"}
    (told,) = [text for text in found.warnings if "beside the prescription" in text]
    assert told.startswith("“one”: how the dose beside the prescription fits it is not told, for ")


def test_a_dose_that_treats_another_lesion_is_told(result):
    dose = np.array(paint(result, by(), **MAP).prescription)
    dose[a_box().box] = 0.1
    found = paint(result, by(), **MAP, dose=Image(dose, GEOMETRY))
    (told,) = [text for text in found.warnings if "beside the prescription" in text]
    assert told.startswith("“one”: the dose beside the prescription gives it 0.")
    assert told.endswith("lie right on the MRI?")


def test_a_lesion_without_a_boost_is_told_of(result):
    found = paint(result, by("contours"), **MAP, threshold=Threshold("value", 1e9))
    assert set(np.unique(found.prescription)) == {0, 12}
    assert found.boosts == []
    assert sum("it gets no boost" in text for text in found.warnings) == 2


def test_without_a_boost_picture_and_page_do_not_read_as_certain(result):
    from PulsarCAMLib.outputs.pages.painting import values_of
    from PulsarCAMLib.outputs.pictures.painting import draw_painting

    volume = np.zeros(GEOMETRY.shape)
    for threshold, told in ((Threshold("value", 1e9), True), (Threshold(), False)):
        found = paint(result, by("contours"), **MAP, threshold=threshold)
        texts = [text.get_text() for axes in draw_painting(found, volume).axes for text in axes.texts]
        assert any("no member paints a boost" in " ".join(text.split()) for text in texts) == told
        assert any("no member paints a boost" in row[4] for row in values_of(found, volume)["rows"]) == told


def moving(mm):
    return replace(STABLE, moved_mm=np.array([mm]))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"stability": replace(STABLE, kept=np.array([False]))}, "its answer is not stable"),
        ({"stability": replace(STABLE, probabilities=np.array([0.65]))}, "its answer is not stable"),
        (
            {"left_out": LeftOut((system_of().leave_outs[-1],), -4.0, np.array([0.1]))},
            "where in the lesion its map lies",
        ),
        ({"stability": moving(MOST_MOVED_MM + 0.1)}, "the centre of its map moves by 4.1 mm"),
    ],
)
def test_a_lesion_that_is_not_stable_is_not_painted_and_its_row_says_why(result, how, told, monkeypatch):
    from PulsarCAMLib.painting import paint as module

    monkeypatch.setattr(module, "against_model", lambda *_: [])
    one = changed(result, **how)
    found = paint(one, by(anyway=False), **MAP)
    assert [row["painted"] for row in found.table] == [False, True]
    assert told in found.table[0]["why_not"]
    assert found.table[0]["highest_gy"] is None
    assert list(found.table[0]) == list(found.table[1])
    assert not found.prescription[a_box().box][a_box().mask].any()
    assert any("is not painted" in text for text in found.warnings)
    alone = replace(one, units=one.units[:1])
    with pytest.raises(InputError, match=r"No lesion may be painted: “one”.*--paint-anyway"):
        paint(alone, by(anyway=False), **MAP)
    forced = paint(alone, by(), **MAP)
    assert forced.table[0]["painted"]
    assert any(told in text and text.startswith("“one” is painted in spite of this") for text in forced.despite)
    assert set(forced.despite) <= set(forced.warnings)
    assert sum(told in text for text in forced.warnings) == 1
    at_the_limit = changed(result, stability=moving(MOST_MOVED_MM))
    assert all(row["painted"] for row in paint(at_the_limit, by(anyway=False), **MAP).table)


def test_members_that_paint_different_places_are_refused(result, monkeypatch):
    from PulsarCAMLib.painting import paint as module

    monkeypatch.setattr(module, "against_model", lambda *_: [])
    unit = result.units[0]
    ramp = np.array(unit.maps["gradcam", "non-response"])
    ramp[1] = ramp[1][..., ::-1] * 1.3
    other = replace(unit, maps=dict(unit.maps) | {("gradcam", "non-response"): ramp})
    apart = replace(result, units=(other, result.units[1]))
    found = paint(apart, by(anyway=False, range="own"), **MAP)
    assert found.table[0]["overlap"] < LEAST_OVERLAP
    assert "different places" in found.table[0]["why_not"]
    assert not found.table[0]["painted"]


def card_with(result, **fields):
    return replace(result, card=replace(result.card, fields=result.card.fields | fields))


PASSED = {"maps": {"gradcam": {"passed": True}}}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"synthetic": True, "explanation_checks": PASSED}, "SYNTHETIC lesions only"),
        ({"synthetic": False, "explanation_checks": PASSED}, "not known: it was not measured"),
        ({"explanation_checks": {"maps": {"gradcam": {"passed": False}}}}, "fails the checks"),
        ({"explanation_checks": {"maps": "strange"}}, "never checked"),
        ({}, "never checked"),
    ],
)
def test_a_model_or_map_that_may_not_be_believed_paints_only_if_asked_for(result, fields, told):
    one = card_with(result, **fields)
    with pytest.raises(InputError, match=rf"Nothing is painted\..*{told}.*--paint-anyway"):
        paint(one, by(anyway=False), **MAP)
    found = paint(one, by(), **MAP)
    assert any(told in text for text in found.despite)
    assert set(found.despite) <= set(found.warnings)
    assert found.record()["despite"]


def test_a_believed_model_paints_without_asking(result):
    standard = {"auc": 0.9, "low": 0.8, "high": 0.97, "differs_from_chance": True, "patients": 60}
    good = card_with(result, synthetic=False, explanation_checks=PASSED, performance={"validation": standard})
    found = paint(good, by(anyway=False), **MAP)
    assert found.despite == ()
    assert all(row["painted"] for row in found.table)
    bad = {"validation": standard | {"auc": 0.5, "low": 0.3, "differs_from_chance": False}}
    with pytest.raises(InputError, match="not better than guessing"):
        paint(card_with(good, performance=bad), by(anyway=False), **MAP)


def test_what_cannot_be_painted_from_is_one_sentence(result):
    for more, told in (
        ({"method": "occlusion"}, "was not computed"),
        ({"method": "pixelwise-signed"}, "has all classes in one"),
        ({"target": "cake"}, "no class “cake”"),
        ({"dose": Image(np.full(GEOMETRY.shape, 2000.0), GEOMETRY)}, "must be Gy"),
        ({"dose": Image(np.full(GEOMETRY.shape, -1.0), GEOMETRY)}, "must be Gy"),
    ):
        with pytest.raises(InputError, match=told):
            paint(result, by(), **(MAP | more))
    with pytest.raises(Cancelled):
        paint(result, by(), **MAP, cancelled=lambda: True)


def test_the_other_class_is_told_of_and_the_record_is_json_with_rule_and_parameters(result):
    found = paint(result, by("sigmoid", midpoint=0.4), method="gradcam", target="response")
    assert any("speaks for “response”" in text for text in found.warnings)
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert record["label"] == LABEL
    assert record["parameters"]["midpoint"] == 0.4
    assert (record["map_method"], record["map_class"]) == ("gradcam", "response")
    assert LABEL in found.title
