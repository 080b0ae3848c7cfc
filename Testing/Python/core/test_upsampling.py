import numpy as np
import pytest
import torch

from PulsarCAMLib.core.geometry.upsampling import interpolation_matrix, upsample


@pytest.mark.parametrize(("cells", "size"), [(16, 64), (8, 32), (1, 4), (16, 16)])
def test_it_is_bilinear_with_half_pixel_centres(cells, size):
    maps = np.random.default_rng(0).random((3, 2, cells, cells))
    wanted = torch.nn.functional.interpolate(torch.from_numpy(maps), size=(size, size), mode="bilinear")
    np.testing.assert_allclose(upsample(maps, size), wanted.numpy(), atol=1e-12)


def test_a_linear_ramp_stays_where_it_was():
    """Cell c covers pixels 4c to 4c+3, so its centre is pixel 4c + 3/2 and a ramp over cells is a ramp over pixels."""
    ramp = 4 * np.arange(16) + 1.5
    up = interpolation_matrix(16, 64) @ ramp
    np.testing.assert_allclose(up[2:-2], np.arange(64)[2:-2])


def test_weights_of_each_pixel_sum_to_one():
    np.testing.assert_allclose(interpolation_matrix(16, 64).sum(axis=1), 1)
