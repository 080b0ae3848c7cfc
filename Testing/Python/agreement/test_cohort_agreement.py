"""What holds over patients, and the heat maps of random cells that must agree with nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from PulsarCAMLib.agreement.cohort import VOLUME_FEATURE, CohortAgreement, features_of, lines_of
from PulsarCAMLib.agreement.folder import AgreementTables, read_agreement
from PulsarCAMLib.agreement.spatial import Places, RankedMap, correlate
from PulsarCAMLib.cohort.tables.table import CohortRow
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.upsampling import upsample
from PulsarCAMLib.features.values import FeatureTable, read_people
from PulsarCAMLib.outputs.tables import write_agreement

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


def test_the_interval_is_that_of_drawn_patients():
    rng = np.random.default_rng(3)
    partials = np.tanh(0.3 + 0.2 * rng.standard_normal(40))
    row = agreement_of([[p] for p in partials]).summary(samples=4_000)[0]
    middle, error = np.arctanh(partials).mean(), np.arctanh(partials).std() / np.sqrt(40)
    assert row["low"] == pytest.approx(np.tanh(middle - 1.96 * error), abs=0.015)
    assert row["high"] == pytest.approx(np.tanh(middle + 1.96 * error), abs=0.015)
    alone = agreement_of([[0.5]]).summary()[0]
    assert (alone["low"], alone["high"]) == (None, None)


def test_depths_are_means_over_patients_of_the_lesions_that_reach_there():
    found = CohortAgreement(lesions=[{"row": n, "patient": p} for n, p in ((2, 1), (3, 1), (4, 2))])
    about = {"map_method": "gradcam", "map_class": "response", "from_mm": 0.0, "to_mm": 1.0}
    for row, volume, share in ((2, 0.5, 0.25), (3, 0.5, 0.5), (4, 0.25, 0.75)):
        found.shells.append(
            {"row": row, "region": "shell 1", "volume_share": volume, "activation_share": share,
             "concentration": share / volume} | about
        )  # fmt: skip
        empty = {"volume_share": 0.0, "activation_share": 0.0, "concentration": None}
        found.shells.append({"row": row, "region": "shell 10"} | about | empty)
        found.shells.append({"row": row, "region": "shell 2"} | about | empty)
    rows = found.depths()
    assert [row["region"] for row in rows] == ["shell 1", "shell 2", "shell 10"]
    first = rows[0]
    assert (first["lesions"], first["patients"]) == (3, 2)
    assert first["volume_share"] == pytest.approx((0.5 + 0.25) / 2)
    assert first["activation_share"] == pytest.approx((0.375 + 0.75) / 2)
    assert first["concentration"] == pytest.approx((0.75 + 3) / 2)
    assert (first["low"], first["high"]) == (0.75, 3)
    assert (rows[1]["patients"], rows[1]["concentration"], rows[1]["low"]) == (0, None, None)


COHORT = [CohortRow(row, patient, lesion) for row, patient, lesion in ((2, "A", "1"), (3, "A", "2"), (4, "B", "1"))]


def a_table(values=(1.0, 2.0, 3.0), rows=(2, 3, 7), name="gradient_x"):
    return FeatureTable(np.array(rows), np.arange(3), ("baseline",) * 3, (name,), np.array(values)[:, None])


def test_features_are_found_by_patient_and_lesion_wherever_they_stand():
    people = {2: ("B", "1"), 3: ("A", "2"), 7: ("A", "1")}
    lines = lines_of(COHORT, a_table(), people)
    lesions = [{"row": row, "volume_cm3": 1.0} for row in (4, 2)]
    assert features_of(lesions, COHORT, a_table(), lines) == [{"gradient_x": 1.0}, {"gradient_x": 3.0}]


def test_diagnostics_are_no_features_to_go_with_a_map():
    table = replace(
        a_table(),
        names=("gradient_edge_drop", "gradient_core_voxels", "delta_gradient_intensity_scale_relative"),
        values=np.ones((3, 3)),
    )
    lines = lines_of(COHORT, table, {2: ("A", "1"), 3: ("A", "2"), 7: ("B", "1")})
    assert features_of([{"row": 2, "volume_cm3": 1.0}], COHORT, table, lines) == [{"gradient_edge_drop": 1.0}]


@pytest.mark.parametrize(
    "people",
    [
        {2: ("A", "1"), 3: ("A", "2"), 7: ("C", "1")},
        {2: ("A", "1"), 3: ("A", "3"), 7: ("B", "2")},
        {2: ("X", "1"), 3: ("X", "2"), 7: ("Y", "1")},
    ],
)
def test_features_of_other_lesions_are_refused_by_name(people):
    with pytest.raises(InputError, match=r"B, 1, baseline.*are not|are not.*B, 1, baseline"):
        lines_of(COHORT, a_table(), people)


def test_another_time_point_is_another_lesion():
    second = [CohortRow(2, "A", "1", "second")]
    with pytest.raises(InputError, match=r"1 of 1 lesions are not .*A, 1, second"):
        lines_of(second, a_table(), {2: ("A", "1"), 3: ("A", "2"), 7: ("B", "1")})


def test_lesions_of_the_same_name_with_other_volumes_are_refused():
    people = {2: ("A", "1"), 3: ("A", "2"), 7: ("B", "1")}
    measured = a_table((1_000.0, 150.0, np.nan), name=VOLUME_FEATURE)  # mm3
    lines = lines_of(COHORT, measured, people)

    def found(*volumes):
        lesions = [{"row": n, "volume_cm3": v} for n, v in zip((2, 3, 4), volumes, strict=True)]
        return features_of(lesions, COHORT, measured, lines)

    assert len(found(1.2, 0.05, 5.0)) == 3, "few cubes say little of a small lesion's volume"
    with pytest.raises(InputError, match=r"1 of 3 lesions have another volume .*A, 1, baseline"):
        found(2.3, 0.15, 5.0)


def test_a_table_without_names_cannot_be_joined(tmp_path):
    named = a_table().save(tmp_path / "named.csv", people={2: ("A, x", "1"), 3: ("A", "2"), 7: ("B", "1")})
    assert read_people(named) == {2: ("A, x", "1"), 3: ("A", "2"), 7: ("B", "1")}
    with pytest.raises(InputError, match="does not say whose"):
        read_people(a_table().save(tmp_path / "numbers.csv"))


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a folder that pulsarcam agreement wrote"):
        read_agreement(tmp_path)
    write_agreement(tmp_path, AgreementTables({}, [{"a": 1}], []))
    (tmp_path / "result.json").write_text('{"files": [], "kind": "another"}')
    with pytest.raises(InputError, match="not a folder"):
        read_agreement(tmp_path)


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
