"""The only place that knows mirp, the library that computes the radiomics features; imported when it is needed.

Of mirp the steps behind ``extract_features`` are used, not that function: it reads files, prints and configures
logging, and one feature that fails takes all others with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from .block import Block
from .settings import LOG_REACH, WAVELET_BANDS, RadiomicsSettings

_SPLINE_ORDER, _MASK_SPLINE_ORDER = 3, 1


@contextmanager
def quiet() -> Iterator[None]:
    """Without the library's warnings, which tell its own users about their settings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def resampled(block: Block, settings: RadiomicsSettings) -> Block:
    """The block on cubes of the settings' size, the GTV with it (it may be lost); or the block as it is."""
    wanted = settings.spacing_mm
    if wanted is None or np.allclose(block.spacing_kji, wanted, rtol=1e-6):
        return block
    image, mask = _image_of(block.values, block.spacing_kji), _mask_of(block.inside, block.spacing_kji)
    image.interpolate(
        interpolate=True,
        new_spacing=(wanted,) * 3,
        spline_order=_SPLINE_ORDER,
        anti_aliasing=False,
        anti_aliasing_smoothing_beta=1.0,
    )
    mask.register(image=image, spline_order=_MASK_SPLINE_ORDER, anti_aliasing=False)
    values = image.get_voxel_grid()
    inside = np.zeros(values.shape, dtype=bool) if mask.roi.is_empty_mask() else mask.roi.get_voxel_grid()
    return Block(values, inside, (wanted,) * 3, block.holes)


def filtered(block: Block, settings: RadiomicsSettings) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values ``[k, j, i]`` of the images, in the order of :meth:`RadiomicsSettings.image_names`."""
    from mirp._imagefilters.laplacian_of_gaussian import LaplacianOfGaussianFilter
    from mirp._imagefilters.separable_wavelet import SeparableWaveletFilter

    if "original" in settings.images:
        yield "original", block.values
    image, ours = _image_of(block.values, block.spacing_kji), _library_settings(settings)
    if "wavelet" in settings.images:
        filters = SeparableWaveletFilter(image=image, settings=ours, name="separable_wavelet")
        for band, one in zip(WAVELET_BANDS, filters.generate_object(), strict=True):
            yield f"wavelet-{band}", one.transform(image=image).get_voxel_grid()
    if "log" in settings.images:
        filters = LaplacianOfGaussianFilter(image=image, settings=ours, name="laplacian_of_gaussian")
        for sigma, one in zip(settings.log_sigmas_mm, filters.generate_object(), strict=True):
            yield f"log-{sigma:g}mm", one.transform(image=image).get_voxel_grid() / settings.spacing_mm**2


def computed(
    values: np.ndarray,
    inside: np.ndarray,
    spacing_kji: tuple[float, float, float],
    stems: Sequence[str],
    settings: RadiomicsSettings,
) -> dict[str, float]:
    """Features by the library's name; NaN where one cannot be computed.

    Args:
        values: image ``[k, j, i]``.
        inside: bool ``[k, j, i]``, not empty, one voxel or more away from the array's border.
        spacing_kji: voxel size in millimetres.
        stems: the library's names.
        settings: for gray levels and directions.
    """
    from mirp._features.feature_generator import generate_features

    image, mask = _image_of(values, spacing_kji), _mask_of(inside, spacing_kji)
    wanted = {stem: "stat_p" if stem.startswith("stat_p") else stem for stem in stems}
    numbers = {}
    extraction = _library_settings(settings).feature_extr
    features = list(generate_features(settings=extraction, features=list(dict.fromkeys(wanted.values()))))
    try:
        for feature, after in zip(features, [*features[1:], None], strict=True):
            numbers[feature.abbr_name] = _value_of(feature, image, mask)
            if after is not None:
                feature.clear_local_cache(other=after)
    finally:
        for feature in features:  # the caches belong to the library's classes and would keep the MRI
            feature.clear_cache()
    return {stem: numbers[stem] for stem in stems}


def _image_of(values: np.ndarray, spacing_kji: tuple[float, float, float]):
    from mirp._images.generic_image import GenericImage

    return GenericImage(image_data=values, **_place(spacing_kji))


def _mask_of(inside: np.ndarray, spacing_kji: tuple[float, float, float]):
    from mirp._masks.base_mask import BaseMask

    mask = BaseMask(roi_name="lesion", image_data=inside, **_place(spacing_kji))
    mask.generate_masks()
    return mask


def _place(spacing_kji: tuple[float, float, float]) -> dict:
    """Where the library believes the image to be: no feature depends on it, so nothing of the MRI's header is told."""
    return {
        "image_spacing": spacing_kji,
        "image_origin": (0.0, 0.0, 0.0),
        "image_orientation": np.eye(3),
        "image_modality": "generic",
        "separate_slices": False,
    }


def _value_of(feature, image, mask) -> float:
    try:
        feature.compute(image=image, mask=mask)
        return np.nan if feature.value is None else float(feature.value)
    except Exception:  # what a lesion too small for a feature raises is not documented, and one must not stop the rest
        return np.nan


def _library_settings(settings: RadiomicsSettings):
    from mirp.settings.generic import SettingsClass

    levels = (
        {"base_discretisation_method": "fixed_bin_number", "base_discretisation_n_bins": settings.bins}
        if settings.bins is not None
        else {
            "base_discretisation_method": "fixed_bin_size_pyradiomics",
            "base_discretisation_bin_width": float(settings.bin_width),
        }
    )
    directions = {"merged": "3d_volume_merge", "averaged": "3d_average"}[settings.aggregation]
    return SettingsClass(
        ibsi_compliant=False,  # the library would leave features out on an image that its user calls otherwise
        no_approximation=True,
        base_feature_families="all",
        glcm_spatial_method=directions,
        glrlm_spatial_method=directions,
        filter_kernels=["separable_wavelet", "laplacian_of_gaussian"],
        separable_wavelet_families=settings.wavelet,
        separable_wavelet_set=list(WAVELET_BANDS),
        separable_wavelet_pooling_method="mean",
        laplacian_of_gaussian_sigma=list(settings.log_sigmas_mm) or [1.0],
        laplacian_of_gaussian_sigma_truncate=LOG_REACH,
        **levels,
    )
