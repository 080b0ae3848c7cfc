"""Draws the picture of the synthetic patient that Slicer's Sample Data module shows.

Run ``python Resources/draw_sample_thumbnail.py``; the patient is the one that the button there makes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from PulsarCAMLib.cohort.synthetic.patients import generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.desktop.sample_data import LESIONS, SEED, THUMBNAIL
from PulsarCAMLib.scene.showing.colors import SEGMENT_COLORS

TARGET = Path(__file__).resolve().parents[1] / "PulsarCAM" / "Resources" / THUMBNAIL
SIZE = (260, 280)
OVERSAMPLING = 4
BRIGHTEST = 99.7
"""Percentile of the slice that is drawn white."""


def best_slice(labels: np.ndarray) -> int:
    """The axial slice that cuts most lesions, and of these the one that shows most of them."""
    shown = [(len(np.unique(plane)), np.count_nonzero(plane)) for plane in labels]
    return max(range(len(shown)), key=lambda index: shown[index])


def outline(mask: np.ndarray) -> np.ndarray:
    """Pixels of a mask with a neighbour outside of it, three pixels wide."""
    inner = mask
    for _ in range(3):
        inner = inner & np.roll(inner, 1, 0) & np.roll(inner, -1, 0) & np.roll(inner, 1, 1) & np.roll(inner, -1, 1)
    return mask & ~inner


def enlarged(plane: np.ndarray, spacing: tuple[float, float], resample) -> np.ndarray:
    """The plane on square pixels in the thumbnail's aspect ratio, centred."""
    large = tuple(n * OVERSAMPLING for n in SIZE)
    extent = plane.shape[1] * spacing[0], plane.shape[0] * spacing[1]
    scale = min(large[0] / extent[0], large[1] / extent[1])
    size = round(extent[0] * scale), round(extent[1] * scale)
    canvas = Image.new("F", large)
    corner = (large[0] - size[0]) // 2, (large[1] - size[1]) // 2
    canvas.paste(Image.fromarray(plane.astype(np.float32)).resize(size, resample), corner)
    return np.asarray(canvas)


def main() -> None:
    """Writes the thumbnail."""
    patient = generate_patient(CohortSettings(seed=SEED, lesions=(LESIONS, LESIONS)), 0, images=("baseline",))
    scan = patient.scans["baseline"]
    k = best_slice(scan.lesions)
    spacing = scan.geometry.spacing[:2]
    grey = enlarged(scan.image[k], spacing, Image.Resampling.BICUBIC)
    grey = np.clip(grey / np.percentile(scan.image[k], BRIGHTEST), 0, 1)
    picture = np.repeat(grey[..., None], 3, axis=2)
    for lesion in patient.lesions:
        mask = enlarged(scan.lesions[k] == lesion.label, spacing, Image.Resampling.BICUBIC) > 0.5
        picture[outline(mask)] = SEGMENT_COLORS[lesion.label - 1]
    image = Image.fromarray((255 * picture).astype(np.uint8)).resize(SIZE, Image.Resampling.LANCZOS)
    ImageDraw.Draw(image).text((8, SIZE[1] - 18), "synthetic", fill=(200, 200, 200))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    image.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
