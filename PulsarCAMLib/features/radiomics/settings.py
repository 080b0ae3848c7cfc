"""How radiomics features are computed: every choice in one frozen value, and the file that keeps it beside a table."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...io.atomic import write_whole

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
ALGORITHM = 1
"""Raised when the same settings give other numbers than before."""

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
class RadiomicsSettings:
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

    images: tuple[str, ...] = IMAGES
    families: tuple[str, ...] = FAMILIES
    wavelet: str = "coif1"
    log_sigmas_mm: tuple[float, ...] = (1.0, 2.0, 3.0)
    spacing_mm: float | None = 1.0
    bins: int | None = 32
    bin_width: float | None = None
    normalization: str = "head"
    normalization_scale: float = 1.0
    aggregation: str = "merged"

    def __post_init__(self) -> None:
        for name, order in (("images", IMAGES), ("families", FAMILIES)):
            self._put(name, self._chosen(name, order))
        self._put("log_sigmas_mm", tuple(float(s) for s in self.log_sigmas_mm))
        for name, known in (
            ("wavelet", WAVELET_TAPS),
            ("normalization", NORMALIZATIONS),
            ("aggregation", AGGREGATIONS),
        ):
            if getattr(self, name) not in known:
                raise InputError(f"Radiomics knows no {name} {getattr(self, name)!r}; choose from {', '.join(known)}.")
        self._check_numbers()

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

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_card` reads them."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> RadiomicsSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(card, dict) or set(card) != set(names):
            raise InputError(f"Radiomics settings must have exactly these fields: {', '.join(names)}.")
        try:
            return cls(**card)
        except (TypeError, ValueError) as error:
            raise InputError(f"The radiomics settings have a value of the wrong kind ({error}).") from error

    def identity(self) -> str:
        """Hash of everything that decides the numbers, as far as settings do."""
        return hashlib.sha256(json.dumps([ALGORITHM, self.to_card()], sort_keys=True).encode()).hexdigest()

    def _put(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _chosen(self, name: str, order: tuple[str, ...]) -> tuple[str, ...]:
        """Without repetition and in one order, so that equal choices are equal settings."""
        wanted = [getattr(self, name)] if isinstance(getattr(self, name), str) else list(getattr(self, name))
        unknown = [value for value in wanted if value not in order]
        if unknown or not wanted:
            raise InputError(f"Radiomics {name} are one or more of {', '.join(order)}, not {unknown or 'none'}.")
        return tuple(value for value in order if value in wanted)

    def _check_numbers(self) -> None:
        spacing, sigmas = self.spacing_mm, self.log_sigmas_mm
        if spacing is None and set(self.images) != {"original"}:
            raise InputError("Wavelet and LoG images need a spacing to which the MRI is resampled.")
        if spacing is not None and not 0.1 <= spacing <= 10:
            raise InputError(f"Radiomics resample to cubes of 0.1 to 10 mm, not {spacing}.")
        if "log" in self.images and not (sigmas and all(spacing <= s <= 20 for s in sigmas)):
            raise InputError(f"LoG images need scales from {spacing:g} mm (one voxel) to 20 mm, not {list(sigmas)}.")
        if (self.bins is None) == (self.bin_width is None):
            raise InputError("Radiomics need either a number of gray levels (bins) or their width (bin_width).")
        if self.bins is not None and (not isinstance(self.bins, int) or not 2 <= self.bins <= 1024):
            raise InputError(f"Radiomics need 2 to 1024 gray levels, not {self.bins}.")
        widths = [self.normalization_scale, *([] if self.bin_width is None else [self.bin_width])]
        if not all(math.isfinite(w) and w > 0 for w in widths):
            raise InputError("The width of a gray level and the normalization's scale must be above zero.")


def write_radiomics_settings(path: str | Path, settings: RadiomicsSettings, *, overwrite: bool = False) -> Path:
    """Keep the settings as a readable JSON file, with the definitions and the library's version.

    Raises:
        OutputError: see :func:`...io.atomic.write_whole`.
    """
    from .library import library_version

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
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a JSON file of radiomics settings.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} is not a file of radiomics settings.")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{path} has radiomics settings of another version ({content.get('format_version')}).")
    return RadiomicsSettings.from_card(content.get("settings"))
