"""Synthetic brain metastases: outline, sensitive and resistant tissue, confounders, and their course in time.

A tumour is a set of level functions in millimetres of the head (positive inside), so that it can be sampled on the
grid of any scan and so that shrinking and growing are shifts of a level.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...systems.phantom.random_fields import Grid, Waves, random_rotation, soft
from .rules.mark import Mark, Site
from .settings import CohortSettings, Factors

CONFOUNDERS = ("bright blob", "dark blob", "bright spot", "haemorrhage", "necrosis", "vessel")
"""Kinds of conspicuous tissue that have nothing to do with the outcome; label value = position + 1."""

ROOM = 1.75
"""Radius of the ball that surely holds a tumour at any time, in equivalent radii (plus the growth)."""


@dataclass(frozen=True)
class Blob:
    """A ball of other brightness inside a tumour; a vessel is a ball drawn out along ``axis``."""

    kind: str
    centre: np.ndarray
    radius: float
    contrast: float
    edge_mm: float
    axis: np.ndarray | None = None

    def share(self, points: np.ndarray) -> np.ndarray:
        """Share of every voxel that is inside, float32 ``[k, j, i]``."""
        offset = points - self.centre.astype(np.float32)[:, None, None, None]
        if self.axis is not None:
            axis = self.axis.astype(np.float32)[:, None, None, None]
            offset = offset - (offset * axis).sum(0) * axis
        return soft(self.radius - np.sqrt((offset**2).sum(0)), self.edge_mm)


@dataclass(frozen=True)
class Nest:
    """Resistant tissue: a warped ball marked by a fine texture, not by its mean brightness."""

    centre: np.ndarray
    radius: float
    outline: Waves
    texture: Waves

    def level(self, grid: Grid, points: np.ndarray) -> np.ndarray:
        """Millimetres inside the nest, float32 ``[k, j, i]``."""
        return _nest_level(self.outline, self.centre, self.radius, grid, points)


def _nest_level(outline: Waves, centre: np.ndarray, radius: float, grid: Grid, points: np.ndarray) -> np.ndarray:
    distance = np.sqrt(((points - centre.astype(np.float32)[:, None, None, None]) ** 2).sum(0))
    return np.float32(radius) - distance + 1.3 * outline.on(grid)


@dataclass(frozen=True)
class Course:
    """Where the two tissues stand at one time point.

    Attributes:
        retreat_mm: how far the sensitive tissue's surface moved inwards (negative: outwards).
        advance_mm: how far the resistant tissue's surface moved outwards.
    """

    retreat_mm: float = 0.0
    advance_mm: float = 0.0


@dataclass(frozen=True)
class Tumour:
    """One synthetic metastasis; see the module's text for level functions."""

    centre: np.ndarray
    radius: float
    shape: np.ndarray
    outline: Waves
    coarse: Waves
    brightness: float
    texture_amplitude: float
    coarse_amplitude: float
    nest: Nest | None = None
    resistant: bool = False
    blobs: tuple[Blob, ...] = ()
    courses: dict[str, Course] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()

    def box(self, grid: Grid) -> tuple[slice, slice, slice]:
        """Part of a grid that holds the tumour and its surroundings at any time."""
        return grid.box(self.centre, ROOM * self.radius + 6 + max((mark.reach_mm for mark in self.marks), default=0))

    def reference(self) -> tuple[Grid, np.ndarray]:
        """A grid of the head around the tumour, and its points: what is measured there depends on no scanner."""
        side = int(np.ceil(2 * ROOM * self.radius / 1.5))
        affine = np.diag([1.5, 1.5, 1.5, 1.0])
        affine[:3, 3] = self.centre - 0.75 * (side - 1)
        grid = Grid(affine, (side, side, side))
        return grid, grid.points()

    def site(self, grid: Grid, points: np.ndarray, level: np.ndarray | None = None) -> Site:
        """The tumour as its marks see it; without ``level``: at baseline."""
        return Site(grid, points, self.level(grid, points) if level is None else level, self.centre, self.radius)

    def level(self, grid: Grid, points: np.ndarray) -> np.ndarray:
        """Millimetres inside the whole baseline tumour, float32 ``[k, j, i]``."""
        offset = points - self.centre.astype(np.float32)[:, None, None, None]
        norm = np.sqrt((np.tensordot(self.shape.astype(np.float32), offset, 1) ** 2).sum(0))
        level = np.float32(self.radius) * (1 - norm + 0.09 * self.outline.on(grid))
        for mark in self.marks:
            level = mark.reshaped(Site(grid, points, level, self.centre, self.radius))
        return level

    def levels(self, grid: Grid, points: np.ndarray, time: str) -> tuple[np.ndarray, np.ndarray]:
        """Levels of the tumour and of its resistant tissue at a time point; the tumour holds the resistant tissue."""
        course = self.courses[time]
        whole = self.level(grid, points)
        if self.nest is None:
            return whole - np.float32(course.retreat_mm), np.full_like(whole, -1e3)
        nest = np.minimum(whole, self.nest.level(grid, points)) + np.float32(course.advance_mm)
        return np.maximum(whole - np.float32(course.retreat_mm), nest), nest

    def inside(self, grid: Grid, points: np.ndarray, whole: np.ndarray, nest: np.ndarray) -> np.ndarray:
        """Brightness of the tumour's tissue, given its level and that of its resistant part; float32 ``[k, j, i]``."""
        value = self.brightness + self.coarse_amplitude * self.coarse.on(grid)
        for blob in self.blobs:
            value += blob.contrast * blob.share(points)
        if self.nest is not None:
            # Bounded, so that the brightest and the darkest voxels of a lesion are not those of the texture.
            texture = np.clip(1.2 * self.nest.texture.on(grid), -1.4, 1.4)
            value += self.texture_amplitude * texture * soft(nest, 1.5)
        for mark in self.marks:
            value += mark.brightness(self.site(grid, points, whole))
        return np.clip(value, 0.05, None)

    def confounders(self, points: np.ndarray) -> np.ndarray:
        """Label of the confounder in every voxel (0 none), uint8 ``[k, j, i]``."""
        labels = np.zeros(points.shape[1:], np.uint8)
        for blob in self.blobs:
            labels[blob.share(points) > 0.5] = CONFOUNDERS.index(blob.kind) + 1
        return labels


def draw_tumour(
    rng: np.random.Generator,
    centre: np.ndarray,
    radius: float,
    settings: CohortSettings,
    resistant: bool | None = None,
) -> Tumour:
    """A random tumour of a given place and equivalent radius; ``resistant`` None: a coin decides."""
    numbers = settings.numbers
    stretch = np.exp(rng.normal(0, 0.10, 3))
    stretch /= np.prod(stretch) ** (1 / 3)
    rotation = random_rotation(rng)
    shape = (rotation / stretch) @ rotation.T / radius
    whole = Tumour(
        centre=centre,
        radius=radius,
        shape=shape,
        outline=Waves.draw(rng, (1.1 * radius, 2.2 * radius), 16),
        coarse=Waves.draw(rng, (9, 18), 20),
        brightness=rng.uniform(0.82, 1.02),
        texture_amplitude=numbers.texture_amplitude * rng.uniform(0.85, 1.15),
        coarse_amplitude=numbers.coarse_amplitude * rng.uniform(0.7, 1.3),
    )
    blobs = _draw_blobs(rng, centre, radius, numbers)
    coin = bool(rng.random() < 0.5)
    resistant = coin if resistant is None else resistant
    small = bool(rng.random() < numbers.small_nest)
    share = rng.uniform(*(numbers.resistant_share if resistant else numbers.small_share))
    nest = _draw_nest(rng, whole, share, numbers)
    courses = _draw_courses(rng, radius, resistant, numbers)
    parts = {"blobs": blobs, "nest": nest if resistant or small else None, "resistant": resistant, "courses": courses}
    if not numbers.outcome_follows_tissue:
        parts["courses"] = _independent_courses(rng, radius, numbers)
    return Tumour(**{**vars(whole), **parts})


def _draw_nest(rng: np.random.Generator, tumour: Tumour, share: float, numbers: Factors) -> Nest:
    """A nest that fills a given share of the tumour's volume, anywhere in it, near its middle slices.

    The share is exact on a reference grid of the head, so that it does not depend on the scanner.
    """
    outline = Waves.draw(rng, (10, 20), 12)
    texture = Waves.draw(rng, numbers.texture_wavelength_mm, 48)
    grid, points = tumour.reference()
    inside = tumour.level(grid, points) > 0
    # Balls within the tumour and caps of balls around a point outside: a large nest reaches the middle from everywhere,
    # and "near the centre" must not be a way to find it.
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 2.3)
    height = rng.uniform(-0.25, 0.25)
    centre = tumour.centre + tumour.radius * np.array([reach * np.cos(angle), reach * np.sin(angle), height])
    level = _nest_level(outline, centre, 0.0, grid, points)[inside]
    return Nest(centre, -float(np.quantile(level, 1 - share)), outline, texture)


def _draw_blobs(rng: np.random.Generator, centre: np.ndarray, radius: float, numbers: Factors) -> tuple[Blob, ...]:
    """Confounders, drawn before and without regard to the resistant tissue."""
    blobs = []

    def place(reach: float) -> np.ndarray:
        direction = rng.normal(size=3) * [1, 1, 0.6]
        return centre + radius * reach * rng.random() ** 0.5 * direction / np.linalg.norm(direction)

    for kind, contrast in (("bright blob", (0.10, 0.25)), ("dark blob", (-0.25, -0.10))):
        for _ in range(min(rng.poisson(numbers.confounders), 3)):
            blobs.append(Blob(kind, place(0.8), rng.uniform(0.2, 0.4) * radius, rng.uniform(*contrast), 4.0))
    for kind, contrast in (("bright spot", (0.35, 0.6)), ("haemorrhage", (-0.6, -0.35))):
        for _ in range(min(rng.poisson(0.9 * numbers.confounders), 3)):
            blobs.append(Blob(kind, place(0.85), rng.uniform(1.5, 2.6), rng.uniform(*contrast), 1.5))
    if rng.random() < 0.3 * min(numbers.confounders, 1.5):
        blobs.append(Blob("necrosis", place(0.4), rng.uniform(0.3, 0.5) * radius, -rng.uniform(0.4, 0.6), 2.0))
    if rng.random() < 0.3 * min(numbers.confounders, 1.5):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        blobs.append(Blob("vessel", place(0.8), rng.uniform(0.9, 1.6), rng.uniform(0.25, 0.5), 1.0, axis))
    return tuple(blobs)


def _retreat(radius: float, share: float) -> float:
    """Inward shift of a ball's surface that leaves a share of its volume."""
    return radius * (1 - share ** (1 / 3))


def _draw_courses(rng: np.random.Generator, radius: float, resistant: bool, numbers: Factors) -> dict[str, Course]:
    """Sensitive tissue shrinks, resistant tissue grows; rarely all of it grows for no visible reason."""
    kept = rng.uniform(*numbers.shrinkage)
    growth = radius * rng.uniform(*numbers.growth)
    drift = rng.uniform(0.88, 1.02)
    kept = rng.uniform(0.85, 1.3) if rng.random() < numbers.unexplained and not resistant else kept
    return {
        "baseline": Course(),
        "second": Course(_retreat(radius, drift), 0.1 * growth),
        "followup": Course(_retreat(radius, kept), growth),
    }


def _independent_courses(rng: np.random.Generator, radius: float, numbers: Factors) -> dict[str, Course]:
    """A coin decides whether the whole tumour, whatever its tissue, shrinks or grows.

    The resistant tissue moves with the surface, so that nothing in the image bears on the outcome.
    """
    kept = rng.uniform(*numbers.shrinkage) if rng.random() < 0.5 else rng.uniform(0.85, 1.3)
    drift = rng.uniform(0.88, 1.02)
    return {
        "baseline": Course(),
        "second": Course(_retreat(radius, drift), -_retreat(radius, drift)),
        "followup": Course(_retreat(radius, kept), -_retreat(radius, kept)),
    }


def courses_of(rng: np.random.Generator, radius: float, shrinks: bool, numbers: Factors) -> dict[str, Course]:
    """The whole tumour shrinks, or does not, as a rule says."""
    kept = rng.uniform(*numbers.shrinkage) if shrinks else rng.uniform(0.85, 1.3)
    return {
        "baseline": Course(),
        "second": Course(_retreat(radius, rng.uniform(0.88, 1.02))),
        "followup": Course(_retreat(radius, kept)),
    }
