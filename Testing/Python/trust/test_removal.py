"""Deletion and insertion on a model whose exact map is known."""

import numpy as np
import pytest
from linear_models import exact_map, linear_ensemble

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.trust.removal import area, as_smooth, infill, removal_curves, removal_order, removal_scores


@pytest.fixture
def lesion():
    rng = np.random.default_rng(3)
    cells = rng.uniform(0.2, 1, (16, 16)).astype(np.float32)
    inside = np.zeros((64, 64), dtype=bool)
    inside[16:48, 16:40] = True
    return np.kron(cells, np.ones((4, 4), np.float32)), inside, rng.normal(size=(16, 16)).astype(np.float32)


def order_of(values, inside, seed=0):
    return removal_order(values, inside, np.random.default_rng(seed).random(values.shape))


def test_the_order_is_by_value_then_by_ties_and_leaves_the_outside_alone():
    values, inside = np.array([[1.0, 3.0], [3.0, 9.0]]), np.array([[True, True], [True, False]])
    ties = np.array([[0.0, 1.0], [2.0, 0.0]])
    assert removal_order(values, inside, ties).tolist() == [[2, 1], [0, 4]]


def test_the_curves_begin_and_end_where_they_must(lesion):
    image, inside, weights = lesion
    order = order_of(image, inside)[None]
    curves = removal_curves(
        system_of(), linear_ensemble(weights), image[None], inside, order, shown=1, kind=0.0, steps=8
    )
    whole = float((exact_map(image, inside, weights)).sum() / 16)
    assert curves.deletion[0, 0] == curves.insertion[0, -1] == pytest.approx(whole, abs=1e-4)
    assert curves.deletion[0, -1] == curves.insertion[0, 0] == pytest.approx(0, abs=1e-5)
    other = removal_curves(
        system_of(), linear_ensemble(weights), image[None], inside, order, shown=0, kind=0.0, steps=8
    )
    np.testing.assert_allclose(other.deletion, -curves.deletion, atol=1e-6)
    np.testing.assert_allclose(other.deletion_probability, 1 - curves.deletion_probability, atol=1e-6)


def test_deletion_by_the_exact_signed_map_is_at_every_step_as_steep_as_any_random_order(lesion):
    image, inside, weights = lesion
    rng = np.random.default_rng(0)
    exact = exact_map(image, inside, weights)
    cells = [np.kron(rng.random((16, 16)), np.ones((4, 4))) for _ in range(10)]
    pixels = [rng.random(image.shape) for _ in range(10)]
    by_cell = np.kron(np.arange(256).reshape(16, 16), np.ones((4, 4)))
    orders = np.stack([removal_order(m, inside, by_cell) for m in (exact, *cells, *pixels)])
    curves = removal_curves(
        system_of(), linear_ensemble(weights), image[None], inside, orders, shown=1, kind=0.0, steps=12
    ).deletion
    assert (curves[0] <= curves[1:] + 1e-5).all()
    assert (area(curves[0]) < area(curves[1:])).all()


def test_the_exact_map_gains_and_its_negative_loses(lesion):
    image, inside, weights = lesion
    exact = exact_map(image, inside, weights)
    gains = removal_scores(
        system_of(), linear_ensemble(weights), image[None], inside,
        {"exact": exact, "negative": -exact, "uniform": 0 * exact},
        np.random.default_rng(0), random_orders=20, shown=1, kind=0.0,
    )  # fmt: skip
    for score in ("deletion", "insertion", "deletion_probability", "insertion_probability"):
        assert gains["exact"][score] > 0 > gains["negative"][score]
        assert abs(gains["uniform"][score]) < gains["exact"][score] / 2


def test_a_model_that_ignores_its_input_gives_no_gain(lesion):
    image, inside, weights = lesion
    gains = removal_scores(
        system_of(),
        linear_ensemble(0 * weights),
        image[None],
        inside,
        {"intensity": image},
        np.random.default_rng(0),
        shown=1,
    )
    assert set(gains["intensity"].values()) == {0.0}


def test_the_infill_is_what_it_says(lesion):
    image, inside, _ = lesion
    assert np.ptp(infill(image, inside, "mean")) == 0
    assert infill(image, inside, "mean")[0, 0] == pytest.approx(image[inside].mean())
    assert infill(image, inside, "blurred").std() < image.std() / 2
    with pytest.raises(InputError):
        infill(image, inside, "noise")


def test_area_is_the_trapezium_rule():
    assert area(np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5)
    assert area(np.array([2.0, 0.0, 0.0])) == pytest.approx(0.5)


def test_a_map_made_smooth_keeps_its_cells_means():
    assert np.ptp(as_smooth(np.full((64, 64), 2.0), (16, 16))) == 0
    assert as_smooth(np.kron(np.eye(16), np.ones((4, 4))), (16, 16))[1:3, 1:3].mean() > 0.5


def test_regions_that_do_not_divide_a_volume_take_means_of_their_voxels():
    values = np.arange(5.0 * 4 * 4).reshape(5, 4, 4)
    assert np.ptp(as_smooth(np.full((5, 7, 9), 2.0), (1, 2, 3))) == pytest.approx(0)
    means = as_smooth(values, (1, 1, 1))
    np.testing.assert_allclose(means, values.mean())
