"""How radiomics features are computed: every choice in one frozen value, and the file that keeps it beside a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError
from ...core.settings import Settings, option
from ...io.atomic import write_whole
from ...io.plain_files import read_json

FAMILIES = ("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
IMAGES = ("original", "wavelet", "log")
WAVELET_TAPS = {"coif1": 6, "db3": 6, "haar": 2}
"""Wavelets that can be chosen, and how many voxels their filters reach over."""
NORMALIZATIONS = ("head", "image", "none")
AGGREGATIONS = ("merged", "averaged")

WAVELET_BANDS = ("lll", "llh", "lhh", "hhh")
LOG_REACH = 4.0
"""The kernel of the Laplacian of a Gaussian ends after this many sigmas."""

FORMAT, FORMAT_VERSION = "PulsarCAM radiomics settings", 1
DEFINITIONS = {
    "reference": "IBSI reference manual, arXiv:1612.07003v11; features in 3D",
    "kurtosis": "excess kurtosis (IBSI IPH6); PyRadiomics gives 3 more",
    "variance": "divided by n (IBSI ECT3)",
    "glcm": "distance 1, symmetric, 13 directions",
    "gldm": "NGLDM of the IBSI, distance 1, gray levels must be equal",
    "ngtdm": "distance 1",
    "shape": "mesh by marching cubes through the middle between voxels; axis lengths from the covariance over n - 1",
    "wavelet": "undecimated, level 1, mean of the responses over all rotations and flips of the filter",
    "log": "Laplacian of a Gaussian, per square millimetre, kernel cut at 4 sigma",
    "resampling": "cubic spline, mask linear and at least 0.5, new grid centered on the lesion's box",
}


@dataclass(frozen=True)
class RadiomicsSettings(Settings):
    """Choices of the radiomics features.

    Attributes:
        images: of :data:`IMAGES`; features other than shape are computed on each. Wavelet and Laplacian of a Gaussian
            (log) need ``spacing_mm``, for their filters count in voxels.
        families: of :data:`FAMILIES`.
        wavelet: in :data:`WAVELET_TAPS`; the four bands are pooled over all rotations and flips, so that they do not
            depend on how the head lies.
        log_sigmas_mm: scales of the Laplacian of a Gaussian.
        spacing_mm: edge of the cubes to which the neighborhood of the lesion is resampled; None: voxels as they are.
        bins: number of gray levels between minimum and maximum of the lesion; None: ``bin_width`` counts.
        bin_width: of a gray level in units of the (normalized) image, edges at its multiples as PyRadiomics has them,
            for which the IBSI has no reference values; None: ``bins`` counts.
        normalization: of the intensities, which have no unit in MRI: mean 0 and standard deviation 1 over the voxels
            brighter than the mean of the whole MRI (``"head"``, after Nyúl and Udupa: the air is left out) or over the
            whole MRI (``"image"``, as PyRadiomics); ``"none"``.
        normalization_scale: normalized intensities are multiplied by this.
        aggregation: of the directions of GLCM and GLRLM: ``"merged"`` into one matrix (IBSI IAZD), defined for flat
            lesions as well, or features ``"averaged"`` (IBSI ITBB, as PyRadiomics).

    Raises:
        InputError: a value is unknown, or values do not go together.
    """

    who = "a set of radiomics settings"
    algorithm = 1

    images: tuple[str, ...] = option(IMAGES, choices=IMAGES, in_order=True)
    families: tuple[str, ...] = option(FAMILIES, choices=FAMILIES, in_order=True)
    wavelet: str = option("coif1", choices=tuple(WAVELET_TAPS))
    log_sigmas_mm: tuple[float, ...] = option((1.0, 2.0, 3.0))
    spacing_mm: float | None = option(1.0, at_least=0.1, at_most=10, must="it resamples to cubes of 0.1 to 10 mm")
    bins: int | None = option(32, at_least=2, at_most=1024)
    bin_width: float | None = option(None, above=0, must="it must be above zero")
    normalization: str = option("head", choices=NORMALIZATIONS)
    normalization_scale: float = option(1.0, above=0, must="it must be above zero")
    aggregation: str = option("merged", choices=AGGREGATIONS)

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        spacing, sigmas = self.spacing_mm, self.log_sigmas_mm
        if spacing is None and set(self.images) != {"original"}:
            yield "Wavelet and LoG images need a spacing to which the MRI is resampled."
        if spacing is not None and "log" in self.images and not (sigmas and all(spacing <= s <= 20 for s in sigmas)):
            yield f"LoG images need scales from {spacing:g} mm (one voxel) to 20 mm, not {list(sigmas)}."
        if (self.bins is None) == (self.bin_width is None):
            yield "Radiomics need either a number of gray levels (bins) or their width (bin_width)."

    def image_names(self) -> list[str]:
        """The images in the order of a row: "original", "wavelet-lll" to "wavelet-hhh", "log-1mm" and so on."""
        names = {
            "original": ["original"],
            "wavelet": [f"wavelet-{band}" for band in WAVELET_BANDS],
            "log": [f"log-{sigma:g}mm" for sigma in self.log_sigmas_mm],
        }
        return [name for image in self.images for name in names[image]]

    def reach_mm(self) -> float:
        """How far the filters look; 0 without filters."""
        log = LOG_REACH * max(self.log_sigmas_mm) if "log" in self.images else 0.0
        wavelet = WAVELET_TAPS[self.wavelet] * self.spacing_mm if "wavelet" in self.images else 0.0
        return max(log, wavelet)


def write_radiomics_settings(path: str | Path, settings: RadiomicsSettings, *, overwrite: bool = False) -> Path:
    """Keep the settings as a readable JSON file, with the definitions and the library's version.

    Raises:
        OutputError: see :func:`...io.atomic.write_whole`.
    """
    from .version import library_version

    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "library": {"mirp": library_version()},
        "definitions": DEFINITIONS,
        "settings": settings.to_card(),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return write_whole(path, text.encode("utf-8"), overwrite=overwrite)


def read_radiomics_settings(path: str | Path) -> RadiomicsSettings:
    """The settings of a file of :func:`write_radiomics_settings`.

    Raises:
        InputError: the file cannot be read or is none.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a JSON file of radiomics settings.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} is not a file of radiomics settings.")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{path} has radiomics settings of another version ({content.get('format_version')}).")
    return RadiomicsSettings.from_card(content.get("settings"))
