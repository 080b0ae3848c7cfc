"""Every value that PyRadiomics publishes for its case brain1 is met to ten digits or explained by a computation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "Benchmarks"


@pytest.fixture(scope="module")
def agreement():
    """Testing/Benchmarks/radiomics_agreement.py as a module."""
    spec = importlib.util.spec_from_file_location("radiomics_agreement", BENCHMARKS / "radiomics_agreement.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def found(agreement, shared_data):
    """All comparisons, made once."""
    return agreement.compared(shared_data / "t1c_brain1")


def test_every_published_value_is_met_or_explained(found):
    assert [one for one in found if not one.accounted] == []


@pytest.mark.parametrize(
    ("case", "equal", "explained"),
    [
        ("brain1", 92, 15),
        ("brain1_resegmentation", 90, 3),
        ("brain1_normalization", 90, 3),
        ("brain1_FBN", 74, 1),
        ("brain1_combined", 39, 1),
        ("brain1_flatRegion", 0, 75),
    ],
)
def test_as_many_values_are_met_as_the_documentation_says(found, agreement, case, equal, explained):
    met = [one for one in found if one.case == case and not one.why]
    assert (len(met), len([one for one in found if one.case == case and one.why])) == (equal, explained)
    assert all(one.digits >= agreement.LEAST_DIGITS for one in met)


def test_explanations_that_compute_a_number_reach_the_same_digits(found, agreement):
    computed = {one.feature: one.digits for one in found if one.why and one.digits is not None}
    assert computed.keys() == {
        name for name, e in agreement.EXPLAINED.items() if e.expected and not name.endswith(MESH)
    }
    assert min(computed.values()) >= agreement.LEAST_DIGITS


MESH = ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")


def test_the_mesh_differs_by_less_than_one_percent(found):
    for one in (one for one in found if one.feature.endswith(MESH)):
        assert one.ours == pytest.approx(one.published, rel=0.01), one.feature


def test_every_column_of_the_published_table_is_compared_or_left_out_with_a_reason(agreement, shared_data):
    with (shared_data / "t1c_brain1" / agreement.TABLE).open(encoding="utf-8") as file:
        columns = file.readline().strip().split(",")[2:]
    assert set(columns) == set(agreement.CASES) | set(agreement.LEFT_OUT)


def test_digits_are_counted_as_significant_digits_in_common(agreement):
    assert agreement.digits_of(123.4, 123.4) == 15
    assert agreement.digits_of(1.0, 1.001) == 3
    assert agreement.digits_of(1.0, -1.0) == 0
