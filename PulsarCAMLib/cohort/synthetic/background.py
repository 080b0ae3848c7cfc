"""An MRI that the user gives as what lies around synthetic lesions: where its tissue is and how bright.

The file is read only. Of it an output holds the voxels around and under the lesions and their place, and no name, no
path and no tag; so a cohort made on a patient's MRI shows that patient's head, and is to be kept as that MRI is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.visible import visible
from ...systems.phantom.anatomy import AIR, MENINGES_MM, WHITE
from ...systems.phantom.random_fields import Grid

STRIPPED = 0.3
"""An image in which more voxels are exactly its lowest value shows a brain without its skull."""

FOREGROUND = 0.12
"""Of the 99th percentile above the lowest value: brighter voxels are head."""

HEAD_CM3 = (600.0, 8000.0)
"""Less tissue than in any brain without its skull, and more than in any head, is told."""

BLUR_MM = 0.5
"""Standard deviation of the blur of what is painted, so that lesions are no sharper than the image."""


@dataclass(frozen=True, eq=False)
class Background:
    """An MRI to put lesions into.

    Attributes:
        voxels: as the file has them ``[k, j, i]``.
        geometry: their place.
    """

    voxels: np.ndarray
    geometry: VolumeGeometry

    @classmethod
    def read(cls, path: str | Path) -> Background:
        """From a file or a folder with one DICOM series.

        Raises:
            InputError: it cannot be read, or shows no head that a lesion could lie in.
        """
        from ...io.inputs import read_mri

        return cls.of(read_mri(path), visible(Path(path).name))

    @classmethod
    def of(cls, image: Image, name: str) -> Background:
        """From an image in memory; ``name`` is what it is called.

        Raises:
            InputError: it shows no head that a lesion could lie in.
        """
        found = cls(np.nan_to_num(image.voxels, nan=0.0, posinf=0.0, neginf=0.0), image.geometry)
        if not found.depth_mm.max() > 0:
            raise InputError(f"{name} shows no head that lesions could be put into; give an MRI of a whole head.")
        return found

    def doubts(self, name: str) -> Iterator[str]:
        """What speaks against an MRI of a head and is no proof, one sentence each."""
        from ...io.inputs import doubts_on_mri

        yield from doubts_on_mri(Image(self.voxels, self.geometry), f"The image {name}")
        shown = float(np.count_nonzero(self._head)) * self.geometry.voxel_volume_mm3 / 1000
        least, most = HEAD_CM3
        if not least <= shown <= most:
            yield (
                f"The image {name} shows {shown:.0f} cm³ of tissue, where a brain has about 1400 and a head 3000 to "
                "6000; is it an MRI of a whole head?"
            )

    @cached_property
    def _lowest(self) -> float:
        return float(self.voxels.min())

    @cached_property
    def _is_stripped(self) -> bool:
        return bool((self.voxels == self.voxels.min()).mean() > STRIPPED)

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """Millimetres below the brain's surface, 0 elsewhere, float32 ``[k, j, i]``.

        Where the skull was not taken away the brain begins as deep as skin and skull reach in an adult.
        """
        from scipy.ndimage import distance_transform_edt

        # The image's own end is no skin: what is cut off there goes on.
        around = np.pad(self._head, 1, mode="edge")
        depth = distance_transform_edt(around, sampling=self.geometry.spacing[::-1])[1:-1, 1:-1, 1:-1]
        return np.maximum(depth - (0.0 if self._is_stripped else MENINGES_MM), 0).astype(np.float32)

    @cached_property
    def _head(self) -> np.ndarray:
        """The largest part of what is brighter than air, bool ``[k, j, i]``; empty where there is none."""
        from scipy.ndimage import binary_closing, binary_fill_holes, label

        above = self.voxels.astype(np.float32) - self._lowest
        head = binary_closing(above > FOREGROUND * np.percentile(above, 99), iterations=2)
        head = np.stack([binary_fill_holes(plane) for plane in head])
        parts, count = label(head)
        if not count:
            return head
        return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])

    @cached_property
    def _scale(self) -> float:
        """Stored value of brightness 1 above the lowest: the median of the brain stands where white matter does."""
        inside = self.voxels[self.depth_mm > 0].astype(float)
        return float(np.median(inside) - self._lowest) / (WHITE - AIR)

    @cached_property
    def grid(self) -> Grid:
        """Its voxels in millimetres from its middle: x to the left, y to the back, z up, as heads have them."""
        affine = self.geometry.ijk_to_lps.copy()
        affine[:3, 3] -= self.geometry.corners_lps().mean(axis=0)
        return Grid(affine, self.geometry.shape)

    def draw_centre(self, rng: np.random.Generator, radius: float) -> np.ndarray | None:
        """A place for a tumour of a given radius (mm), within the brain and the image; None: there is none."""
        room = np.flatnonzero(self._room > radius)
        if not room.size:
            return None
        k, j, i = np.unravel_index(int(rng.choice(room)), self.geometry.shape)
        return self.grid.affine[:3, :3] @ [i, j, k] + self.grid.affine[:3, 3]

    @cached_property
    def _room(self) -> np.ndarray:
        """Millimetres to the brain's surface or the image's end, whichever is nearer ``[k, j, i]``."""
        ends = [
            (np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) * size
            for n, size in zip(self.geometry.shape, self.geometry.spacing[::-1], strict=True)
        ]
        k, j, i = np.meshgrid(*ends, indexing="ij", sparse=True)
        return np.minimum(self.depth_mm, np.minimum(np.minimum(k, j), i))

    def tissue(self, _grid: Grid) -> np.ndarray:
        """Brightness in the units of heads that are made up, float32 ``[k, j, i]``; one array, to be painted upon."""
        return ((self.voxels - self._lowest) / self._scale + AIR).astype(np.float32)

    def acquired(self, tissue: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Stored image in the file's own units and type: the MRI as it was, but for what has been painted."""
        from scipy.ndimage import gaussian_filter

        before = self.tissue(self.grid)
        painted = tissue - before
        changed = np.abs(painted) > 1e-6
        added = gaussian_filter(painted, [BLUR_MM / size for size in self.geometry.spacing[::-1]], truncate=3.0)
        added += changed * rng.standard_normal(added.shape, dtype=np.float32) * np.float32(noise)
        stored = self.voxels + added.astype(np.float64) * self._scale
        kind = self.voxels.dtype
        if np.issubdtype(kind, np.integer):
            stored = np.clip(np.rint(stored), np.iinfo(kind).min, np.iinfo(kind).max)
        return stored.astype(kind)

    def facts(self) -> Mapping[str, object]:
        """What the recipe says of it: nothing by which the file or the patient is known."""
        return {"shape_kji": list(self.geometry.shape), "spacing_mm": list(self.geometry.spacing)}


@dataclass(frozen=True)
class OwnScanner:
    """The acquisition of a background: its own grid, and noise in what is painted."""

    background: Background
    noise: float

    @property
    def geometry(self) -> VolumeGeometry:
        """Of the image."""
        return self.background.geometry

    @property
    def grid(self) -> Grid:
        """The image's voxels in the head's millimetres."""
        return self.background.grid

    def acquire(self, tissue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :meth:`Background.acquired`."""
        return self.background.acquired(tissue, self.noise, rng)

    def describe(self) -> dict[str, float | str]:
        """Columns of the cohort table."""
        spacing = " ".join(f"{s:.3f}" for s in self.geometry.spacing)
        return {"scanner": "an MRI given as background", "spacing_mm": spacing}
