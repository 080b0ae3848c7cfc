"""How samples are changed while a network learns; every chance 0 leaves them as they are. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.settings import Settings, option


def _chance(flag: str, of: str) -> float:
    found: float = option(0.0, flag, f"of {of}", metavar="CHANCE", at_least=0, at_most=1)
    return found


@dataclass(frozen=True)
class Augmentation(Settings):
    """Random changes of a sample, drawn anew in every epoch; masks move with their images.

    What is drawn depends on the training's seed, the epoch and the sample alone, so that a training that was stopped
    goes on bit for bit.

    Attributes:
        flip_chance: for each axis by itself, that the sample is mirrored along it.
        scale_chance, scale: how often it grows or shrinks, by at most this share.
        rotation_chance, rotation: how often it is turned, by at most this many degrees about each axis.
        elastic_chance, elastic, elastic_grid: how often it is bent, by displacements of this standard deviation in
            voxels at control points so many voxels apart, cubic between them.
        contrast_chance, contrast: how often the intensities of each MRI are raised to a power between 1 / (1 + c) and
            1 + c, within their own range (gamma).
        intensity_chance, intensity: how often the values of each MRI are multiplied, by 1 plus or minus this share at
            most.
        noise_chance, noise: how often Gaussian noise is added to each MRI, and its standard deviation (images have
            standard deviation 1 after z-scoring).

    Raises:
        InputError: a value is not usable.
    """

    who = "the augmentation"

    flip_chance: float = _chance("--flip-chance", "a mirrored axis")
    scale_chance: float = _chance("--scale-chance", "another size")
    scale: float = option(0.1, "--scale", "largest change of size", unit="share", at_least=0, below=1)
    rotation_chance: float = _chance("--rotation-chance", "a turn")
    rotation: float = option(15.0, "--rotation", "largest turn about each axis, degrees", at_least=0, at_most=180)
    elastic_chance: float = _chance("--elastic-chance", "a bend")
    elastic: float = option(1.0, "--elastic", "standard deviation of the bend, voxels", at_least=0, at_most=100)
    elastic_grid: int = option(16, "--elastic-grid", "voxels between its control points", at_least=2, at_most=1024)
    contrast_chance: float = _chance("--contrast-chance", "another contrast")
    contrast: float = option(0.3, "--contrast", "largest change of the exponent (gamma)", at_least=0, at_most=10)
    intensity_chance: float = _chance("--intensity-chance", "other intensities")
    intensity: float = option(0.1, "--intensity", "largest change of them", unit="share", at_least=0, below=1)
    noise_chance: float = _chance("--noise-chance", "noise")
    noise: float = option(0.1, "--noise", "its standard deviation, of z-scored images", at_least=0, at_most=10)

    @property
    def moves(self) -> bool:
        """Whether voxels move by anything but mirroring."""
        return any(value > 0 for value in (self.scale_chance, self.rotation_chance, self.elastic_chance))

    @property
    def idle(self) -> bool:
        """Whether nothing is ever changed."""
        chances = (self.flip_chance, self.contrast_chance, self.intensity_chance, self.noise_chance)
        return not (self.moves or any(chances))
