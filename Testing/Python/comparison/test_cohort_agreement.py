"""What holds over patients, and the heat maps of random cells that must agree with nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PulsarCAMLib.comparison.cohort_agreement import CohortAgreement, features_by_row
from PulsarCAMLib.comparison.feature_values import FeatureTable
from PulsarCAMLib.comparison.spatial import Places, RankedMap, correlate
from PulsarCAMLib.errors import InputError
from PulsarCAMLib.explanation.upsampling import upsample

CELL = 4


def agreement_of(values: list[list[float | None]]) -> CohortAgreement:
    """Patients with lesions of these partial correlations."""
    found = CohortAgreement()
    for patient, own in enumerate(values, start=1):
        for partial in own:
            row = len(found.lesions) + 2
            found.lesions.append({"row": row, "patient": patient})
            about = {"row": row, "map_method": "gradcam", "map_class": "response", "quantity": "intensity"}
            found.agreement.append(about | {"partial": partial})
    return found


def test_every_patient_counts_once_however_many_lesions():
    row = agreement_of([[0.5]] * 7 + [[0.5] * 20]).summary()[0]
    assert (row["patients"], row["lesions"], row["positive_patients"]) == (8, 27, 8)
    assert row["mean_partial"] == pytest.approx(0.5)
    assert row["p_value"] == row["p_adjusted"] == pytest.approx(2 / 2**8)


def test_few_patients_and_missing_values_are_told():
    row = agreement_of([[0.5], [None], [0.1]]).summary()[0]
    assert (row["patients"], row["lesions"], row["p_value"]) == (2, 2, None)
    assert "2 patient" in row["undefined"]
    assert agreement_of([[None]]).summary()[0]["mean_partial"] is None


def test_features_are_found_by_the_row_of_the_cohort_table():
    values = np.array([[1.0], [2.0], [3.0]])
    table = FeatureTable(np.array([2, 3, 7]), np.arange(3), ("baseline",) * 3, ("gradient_x",), values)
    assert features_by_row([{"row": 7}, {"row": 5}, {"row": 2}], table) == [
        {"gradient_x": 3.0},
        {},
        {"gradient_x": 1.0},
    ]
    with pytest.raises(InputError, match="none of these lesions"):
        features_by_row([{"row": 50}], table)


def random_cells(rng, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A heat map made of random cells as a model's is, and the even map of the same cells, on the voxels of a mask."""
    low = rng.integers(0, CELL, 2)
    cells = -(-(max(mask.shape) + CELL) // CELL)
    padded = np.zeros((len(mask), cells * CELL, cells * CELL), bool)
    crop = (slice(None), *(slice(o, o + n) for o, n in zip(low, mask.shape[1:], strict=True)))
    padded[crop] = mask
    inside = padded.reshape(len(mask), cells, CELL, cells, CELL).any(axis=(2, 4))
    values = np.maximum(ndimage.gaussian_filter(rng.standard_normal(inside.shape), (2.0, 0.5, 0.5)), 0)
    return tuple(upsample(each.astype(float), cells * CELL)[crop][mask] for each in (values * inside, inside))


def test_maps_of_random_cells_fall_towards_the_border_but_not_beyond_the_even_map():
    rng, steps = np.random.default_rng(2), np.indices((13, 13, 13)) - 6
    mask = (steps**2).sum(axis=0) <= 25
    places = Places(mask, (1, 1, 1))
    depth = RankedMap.of(ndimage.distance_transform_edt(mask)[mask], places)
    plain, partial, called = [], [], 0
    for _ in range(250):
        heat, even = (RankedMap.of(values, places) for values in random_cells(rng, mask))
        plain.append(correlate(heat, depth).rho)
        beyond = correlate(heat.without(even), depth.without(even), removed=1)
        partial.append(beyond.rho)
        called += beyond.p is not None and beyond.p < 0.05
    error = np.std(plain) / np.sqrt(len(plain))
    assert np.mean(plain) > 4 * error
    assert abs(np.mean(partial)) < 2.5 * error
    assert 3 <= called <= 24
