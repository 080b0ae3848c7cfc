"""Dose features: ramps and balls with known answers, SlicerRT's table of the Eclipse prostate phantom."""

import csv

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.dose import DoseSettings, dose_features
from PulsarCAMLib.io.dose import read_dose
from PulsarCAMLib.lesions.from_files import read_own_lesions

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
MRI = VolumeGeometry((40, 60, 60), (1.0, 1.0, 1.5), (-30.0, -30.0, -30.0))
DOSE = VolumeGeometry((70, 70, 70), (1.0, 1.0, 1.0), tuple(TURN @ np.full(3, -34.5)), tuple(map(tuple, TURN)))
"""A dose grid that is oblique to the MRI."""


def points(geometry):
    k, j, i = np.indices(geometry.shape)
    return geometry.to_lps(np.stack([i, j, k], axis=-1))


def ball(centre, radius, name="GTV"):
    return Lesion.from_mask(name, np.linalg.norm(points(MRI) - centre, axis=-1) <= radius)


def hill(centre=(0.0, 0.0, 0.0), top=20.0, sigma=7.0, geometry=DOSE):
    return (top * np.exp(-((points(geometry) - centre) ** 2).sum(-1) / (2 * sigma**2))).astype(np.float32)


def test_a_linear_ramp_gives_exact_doses_on_an_oblique_grid():
    mask = np.zeros(MRI.shape, bool)
    mask[15:26, 20:40, 15:45] = True
    slope = np.array([0.1, 0.05, -0.02])
    row = dose_features(
        (20.0031 + points(DOSE) @ slope).astype(np.float32), DOSE, MRI, Lesion.from_mask("box", mask),
        DoseSettings(thresholds_gy=(20.0, 30.0, 7.5), volumes_percent=(98, 50, 2)),
    )  # fmt: skip
    truth = 20.0031 + points(MRI)[mask] @ slope
    expected = {
        "mean": truth.mean(), "max": truth.max(), "min": truth.min(), "d98": np.percentile(truth, 2),
        "d50": np.median(truth), "d2": np.percentile(truth, 98), "v20": 100 * (truth >= 20).mean(), "v30": 0.0,
        "v7.5": 100.0,
    }  # fmt: skip
    for name, value in expected.items():
        assert row[f"dose_{name}"] == pytest.approx(value, abs=0.02 if name == "v20" else 1e-5)
    assert list(row)[:3] == ["dose_mean", "dose_max", "dose_min"]
    assert row["dose_prescription"] == row["dose_d98"]


@pytest.mark.parametrize("prescription", [8.0, 10.0, 12.0])
def test_the_gradient_index_of_a_round_hill_is_the_ratio_of_two_balls(prescription):
    row = dose_features(hill(), DOSE, MRI, ball((0, 0, 0), 7), prescription_gy=prescription)
    exact = (np.log(40 / prescription) / np.log(20 / prescription)) ** 1.5
    assert row["dose_gradient_index"] == pytest.approx(exact, rel=0.03)
    assert row["dose_prescription"] == prescription


def test_isodoses_that_flow_together_are_shared_by_the_nearest_lesion():
    near, far = (-11.0, 0.0, 0.0), (11.0, 0.0, 0.0)
    dose = np.maximum(hill(near), hill(far))
    lesions = ball(near, 6, "near"), ball(far, 6, "far")
    alone = dose_features(hill(near), DOSE, MRI, lesions[0], prescription_gy=10.0)["dose_gradient_index"]
    joined = dose_features(dose, DOSE, MRI, lesions[0], prescription_gy=10.0)["dose_gradient_index"]
    apart = dose_features(dose, DOSE, MRI, lesions[0], prescription_gy=10.0, others=lesions[1:])
    assert joined > 1.9 * apart["dose_gradient_index"]
    assert apart["dose_gradient_index"] == pytest.approx(alone, rel=0.08)


def test_a_separate_hot_spot_that_nobody_contoured_does_not_count():
    dose = hill(sigma=4.0) + hill((20.0, 0.0, 0.0), sigma=2.0)
    two, one = (
        dose_features(d, DOSE, MRI, ball((0, 0, 0), 4), prescription_gy=12.0)["dose_gradient_index"]
        for d in (dose, hill(sigma=4.0))
    )
    assert two == pytest.approx(one, rel=1e-3)


def test_what_is_not_known_is_not_guessed():
    lesion = ball((0, 0, 0), 7)
    cut = DOSE.cropped((0, 0, 0), (37, 70, 70))
    row = dose_features(hill()[:37], cut, MRI, lesion)
    assert set(row.values()) == {None}
    assert "% of the GTV lies outside the dose grid" in row.reasons["dose_d98"]
    cut = DOSE.cropped((24, 24, 24), (22, 22, 22))
    row = dose_features(hill()[24:46, 24:46, 24:46], cut, MRI, lesion, prescription_gy=10.0)
    assert row["dose_mean"] is not None
    assert "border of the dose grid" in row.reasons["dose_gradient_index"]
    row = dose_features(hill(), DOSE, MRI, lesion, prescription_gy=25.0)
    assert "no part" in row.reasons["dose_gradient_index"]
    row = dose_features(np.maximum(hill() - 19, 0), DOSE, MRI, lesion)
    assert row.reasons.keys() == {"dose_prescription", "dose_gradient_index"}
    with pytest.raises(InputError, match="register the dose"):
        dose_features(hill(), VolumeGeometry(DOSE.shape, origin=(500, 0, 0)), MRI, lesion)
    with pytest.raises(InputError, match="0 and 1000 Gy"):
        DoseSettings(thresholds_gy=(-1,))


def test_the_prostate_phantom_gives_slicerrts_figures(shared_data):
    folder = shared_data / "slicerrt_dose_seg"
    dose, grid = read_dose(folder / "EclipseProstate_Dose.nrrd")
    with (folder / "EclipseProstate_DvhMetrics_SlicerRT.csv").open(encoding="utf-8") as file:
        truth = {
            row["Structure"]: {k: float(v) for k, v in row.items() if k != "Structure"} for row in csv.DictReader(file)
        }
    masks = {}
    for part in ("Union", "Subtract", "Intersect"):
        own, lesions, _ = read_own_lesions(folder / f"EclipseProstate_Bladder_{part}_PTV.seg.nrrd")
        masks[part] = own, lesions[0]
    low = np.min([own.to_lps((0, 0, 0)) for own, _ in masks.values()], axis=0)
    union, _ = masks["Union"]
    frame = VolumeGeometry((120, 200, 200), union.spacing, tuple(low), union.direction)
    whole = {}
    for part, (own, lesion) in masks.items():
        whole[part] = np.zeros(frame.shape, bool)
        at = np.rint(frame.to_ijk(own.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1]))).astype(int)
        whole[part][tuple(at[:, ::-1].T)] = True
    settings = DoseSettings(thresholds_gy=(5, 20), volumes_percent=(98, 5, 10))
    found = {
        "PTV": Lesion.from_mask("PTV", whole["Union"] & ~whole["Subtract"]),
        "Bladder": Lesion.from_mask("Bladder", whole["Subtract"] | whole["Intersect"]),
    }
    for name, lesion in found.items():
        row, known = dose_features(dose, grid, frame, lesion, settings), truth[name]
        assert row["dose_mean"] == pytest.approx(known["Mean dose (GY)"], abs=0.015)
        assert row["dose_max"] == pytest.approx(known["Max dose (GY)"], abs=0.1)
        # SlicerRT reads these off a histogram with bins of 0.2 Gy.
        assert row["dose_d5"] == pytest.approx(known["D5% (GY)"], abs=0.1)
        assert row["dose_d10"] == pytest.approx(known["D10% (GY)"], abs=0.1)
        assert row["dose_v5"] == row["dose_v20"] == 100
    assert found["PTV"].volume_cm3(frame) == pytest.approx(48.6133, rel=0.02)


def test_who_gets_exactly_a_dose_gets_at_least_that_dose():
    """V12 is the share with 12 Gy or more, and isodoses hold their own dose: plans are written in whole numbers."""
    away = np.abs(points(MRI) / MRI.spacing).max(axis=-1)  # cubes of voxels, one dose each
    dose = np.where(away <= 4, 12.0, np.where(away <= 9, 6.0, 0.0)).astype(np.float32)
    row = dose_features(dose, MRI, MRI, Lesion.from_mask("GTV", away <= 4), prescription_gy=12.0)
    assert (row["dose_v12"], row["dose_v15"]) == (100.0, 0.0)
    wider = dose_features(dose, MRI, MRI, Lesion.from_mask("wide", away <= 9))
    assert wider["dose_v12"] == pytest.approx(100 * (9 / 19) ** 3)
    # Half-millimetre points between the outermost centres, these included: 36 and 16 in the plane, 55 and 25 across it.
    assert row["dose_gradient_index"] == pytest.approx((36 / 16) ** 2 * 55 / 25, rel=1e-6)
