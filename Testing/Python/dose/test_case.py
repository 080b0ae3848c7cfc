"""Dose statements on an explained case: who is told, who is not and why, and what is said in words."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from making_models import random_bundle

from PulsarCAMLib.core.display import DisplaySettings
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.dose.case import ACTIVATED, REST, WHOLE, dose_of_case, sentence_of
from PulsarCAMLib.dose.courses import Course
from PulsarCAMLib.dose.settings import DoseTold
from PulsarCAMLib.explanation.explain import explain_scan

GEOMETRY = VolumeGeometry((24, 64, 64), (1.0, 1.0, 1.5), (-30, 20, 5), np.diag([1.0, -1, 1]))
DOSE_GRID = VolumeGeometry((30, 40, 40), (2.0, 2.0, 2.0), (-40, -55, -5))
CENTRES = [(11, 30, 24), (13, 34, 50), (12, 52, 52)]
SHOWN = [DisplaySettings("pixelwise", "response"), DisplaySettings("gradcam", "predicted")]


def ball(n, radius):
    k, j, i = np.indices(GEOMETRY.shape)
    at = CENTRES[n]
    return Lesion.from_mask(f"GTV {n}", ((k - at[0]) * 1.5) ** 2 + (j - at[1]) ** 2 + (i - at[2]) ** 2 <= radius**2)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    volume = np.random.default_rng(5).normal(300, 80, GEOMETRY.shape).astype(np.float32)
    bundle = random_bundle(tmp_path_factory.mktemp("models") / "random", count=2)
    return explain_scan(volume, GEOMETRY, [ball(0, 9), ball(1, 7), ball(2, 1.2)], bundle)


def a_dose(sides=25.0, top=24.0):
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in DOSE_GRID.shape), indexing="ij"), -1)
    points = DOSE_GRID.to_lps(kji[..., ::-1])
    centres = GEOMETRY.to_lps(np.array(CENTRES)[:, ::-1])
    far = np.min([np.linalg.norm(points - c, axis=-1) for c in centres], axis=0)
    return (top / (1 + (far / sides * 2) ** 4)).astype(np.float32)


@pytest.fixture(scope="module")
def found(result):
    return dose_of_case(result, [Course(a_dose(), DOSE_GRID, 3, "given")], SHOWN, DoseTold(prescription_gy=20))


def test_every_lesion_has_its_row_and_both_parts_of_every_map(found):
    assert [row["region"] for row in found.rows] == [WHOLE, *(ACTIVATED, REST) * 2] * 3
    assert len(found.contrasts) == 6
    whole = [row for row in found.rows if row["region"] == WHOLE]
    assert whole[0]["volume_cm3"] == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.03)
    assert 20 < whole[0]["mean_gy"] < 24
    assert (
        whole[0]["min_gy"] <= whole[0]["d98_gy"] < whole[0]["d50_gy"] < whole[0]["d2_gy"] <= whole[0]["max_gy"] < 24.1
    )
    assert 0 < whole[0]["conformity_paddick"] < 1 < whole[0]["gradient_index"]


def test_parts_add_up_to_the_lesion(found):
    for n in (0, 1):
        whole, one, other = found.rows[5 * n : 5 * n + 3]
        assert one["volume_cm3"] + other["volume_cm3"] == pytest.approx(whole["volume_cm3"])
        if one["mean_gy"] is None or other["mean_gy"] is None:
            continue
        weighted = one["mean_gy"] * one["volume_cm3"] + other["mean_gy"] * other["volume_cm3"]
        assert weighted / whole["volume_cm3"] == pytest.approx(whole["mean_gy"])
        contrast = found.contrasts[2 * n]
        assert contrast["difference_gy"] == pytest.approx(one["mean_gy"] - other["mean_gy"])


def test_nothing_is_said_of_what_is_too_small(result, found):
    small = [row for row in found.rows if row["lesion"] == "GTV 2"]
    assert all(row["mean_gy"] is None and row["undefined"] for row in small)
    assert "voxels of the dose are fewer than 10" in small[0]["undefined"]
    assert "nothing is said of its parts" in sentence_of(found.contrasts[-1])
    assert not [row for row in found.curves if row["lesion"] == "GTV 2"]
    told = dose_of_case(result, [Course(a_dose(), DOSE_GRID)], SHOWN, DoseTold(least_voxels=1))
    assert [row["mean_gy"] is not None for row in told.rows if row["region"] == WHOLE] == [True, True, False]


def test_curves_begin_with_all_and_end_with_none(found):
    for name in ("GTV 0", "GTV 1"):
        own = [row for row in found.curves if (row["lesion"], row["region"]) == (name, WHOLE)]
        assert own[0]["volume_percent"] == 100
        assert own[-1]["volume_percent"] == 0
        assert all(a["volume_cm3"] >= b["volume_cm3"] for a, b in itertools.pairwise(own))


def test_the_record_is_plain_json_and_says_what_was_taken(found):
    record = json.loads(json.dumps(found.record()))
    assert record["courses"][0]["fractions"] == 3
    assert record["quantity"] == "Gy"
    assert {row["lesion"] for row in record["activated_against_rest"]} == {"GTV 0", "GTV 1", "GTV 2"}
    assert "3 fractions (as given)" in found.notes[0]


def test_eqd2_of_three_pulses_adds_up_and_is_called_so(result):
    pulses = [Course(a_dose(top=8.0), DOSE_GRID, 1) for _ in range(3)]
    plain, eqd2 = (dose_of_case(result, pulses, SHOWN[:1], DoseTold(quantity=q)) for q in ("physical", "eqd2"))
    assert eqd2.rows[0]["quantity"] == "Gy EQD2 (alpha/beta 10 Gy)"
    assert eqd2.rows[0]["max_gy"] == pytest.approx(plain.rows[0]["max_gy"] * (8 + 10) / 12, rel=0.02)
    assert any("added up" in note for note in eqd2.notes)
    assert any("time between courses" in note for note in eqd2.notes)


def test_a_lesion_that_reaches_out_of_the_dose_is_not_told_of_and_all_outside_is_refused(result):
    cut = a_dose()[:, :, :24]
    grid = DOSE_GRID.cropped((0, 0, 0), cut.shape)
    found = dose_of_case(result, [Course(cut, grid)], SHOWN[:1])
    whole = {row["lesion"]: row for row in found.rows if row["region"] == WHOLE}
    assert whole["GTV 0"]["mean_gy"] > 20
    assert "outside the dose grid" in whole["GTV 1"]["undefined"]
    far = VolumeGeometry(DOSE_GRID.shape, DOSE_GRID.spacing, (900, 0, 0))
    with pytest.raises(InputError, match="All lesions lie outside the dose grid"):
        dose_of_case(result, [Course(a_dose(), far)], SHOWN[:1])


@pytest.mark.parametrize(
    ("dose", "prescribed", "said"),
    [
        (a_dose(top=240.0), None, "more than patients are given"),
        (a_dose(top=0.5), None, "as if it was not treated"),
        (a_dose(top=24.0), 60, "does not go with a prescribed dose of 60 Gy"),
    ],
)
def test_absurd_doses_are_called_out(result, dose, prescribed, said):
    found = dose_of_case(result, [Course(dose, DOSE_GRID)], SHOWN[:1], DoseTold(prescription_gy=prescribed))
    assert any(said in doubt for doubt in found.doubts)
    assert set(found.doubts) <= set(found.notes)


def test_a_name_is_told_as_it_is_and_numbers_have_a_real_minus():
    row = {"lesion": "GTV-1", "quantity": "Gy", "difference_gy": -0.5, "difference_low_gy": -2.0,
           "difference_high_gy": 1.0, "answer": "not shown",
           "answer_at_equal_depth": "not shown", "undefined": ""}  # fmt: skip
    said = sentence_of(row)
    assert "“GTV-1”" in said
    assert "(−0.50 Gy, 95 % interval −2.00 to +1.00 Gy)" in said
    assert "gets 0.50 Gy less than the rest" in sentence_of(row | {"answer": "less", "answer_at_equal_depth": "less"})
    eqd2 = sentence_of(row | {"quantity": "Gy EQD2 (alpha/beta 10 Gy)"})
    assert eqd2.count("Gy EQD2") == eqd2.count("Gy") == 2


def test_no_prescription_no_conformity(result):
    found = dose_of_case(result, [Course(a_dose(), DOSE_GRID)], SHOWN[:1])
    assert found.rows[0]["conformity_paddick"] is None
    assert found.rows[0]["undefined"] == "no prescribed dose was given"
    assert not found.doubts
