"""Gradient maps, agreement and shells of a scan's lesions in one go: for panel, console and command line alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.display import Threshold
from ..core.errors import Cancelled, InputError
from ..core.task import BOTH, PREDICTED
from ..explanation.result import CaseResult
from ..features.gradients import gradient_maps
from .correlations import agreement_table, maps_to_compare
from .depth_profile import shell_table
from .other_maps import OtherMap, placed_maps
from .overlaps import overlap_table
from .settings import ComparisonSettings
from .spatial import adjust
from .voxel_measures import QUANTITIES, QUANTITY_TITLES

MEASURES = {
    "gradient_magnitude": "Gradient magnitude of the MRI, its units per millimetre",
    "radial_gradient": "Radial gradient of the MRI: 1 where it falls straight outwards, -1 where it rises",
}
"""What the two volumes of a comparison hold."""


@dataclass(frozen=True, eq=False)
class MapComparison:
    """What a comparison found.

    Attributes:
        settings: how it was made.
        maps: method and class of every map that was compared; a signed one has the class :data:`.correlations.BOTH`.
        lesions: names of the compared lesions.
        predicted: predicted class of each.
        magnitude: gradient magnitude on the MRI's grid, float32 ``[k, j, i]``, 0 outside the lesions.
        radial: radial gradient, likewise.
        agreement: rows of :func:`.correlations.agreement_table`.
        shells: rows of :func:`.depth_profile.shell_table`.
        others: names of the other maps that were compared with.
        overlaps: rows of :func:`.overlaps.overlap_table`; none where there is no other map.
    """

    settings: ComparisonSettings
    maps: tuple[tuple[str, str], ...]
    lesions: tuple[str, ...]
    predicted: tuple[str, ...]
    magnitude: np.ndarray
    radial: np.ndarray
    agreement: list[dict]
    shells: list[dict]
    others: tuple[str, ...] = ()
    overlaps: list[dict] = field(default_factory=list)

    @property
    def quantities(self) -> tuple[str, ...]:
        """What every heat map was set beside, in the order of the table: what one sees in the MRI, and other maps."""
        return (*QUANTITIES, *self.others)

    @staticmethod
    def title_of(quantity: str) -> str:
        """For people; another map is called as its user calls it."""
        return QUANTITY_TITLES.get(quantity, quantity)

    def rows_of(self, rows: list[dict], method: str, target: str) -> list[dict]:
        """The rows of one heat map; of each lesion's own predicted class if that is the target."""
        own = dict(zip(self.lesions, self.predicted, strict=True))

        def shown(row: dict) -> str:
            signed = (method, BOTH) in self.maps
            return BOTH if signed else own[row["lesion"]] if target == PREDICTED else target

        return [row for row in rows if row["map_method"] == method and row["map_class"] == shown(row)]

    def profile(self, method: str, target: str) -> list[dict]:
        """One row per depth: ``depth_mm`` in the middle of a shell, and the concentration in each lesion, for a plot.

        Lesions are columns, under their names (numbered where two have the same); None beyond a lesion's middle.
        """
        columns: list[dict[int, float | None]] = []
        for row in self.rows_of(self.shells, method, target):
            if row["region"] == "core":  # the first row of every lesion
                columns.append({})
            elif row["region"].startswith("shell"):
                columns[-1][int(row["region"].split()[1]) - 1] = row["concentration"]
        names = _unique(self.lesions[: len(columns)])
        depths = range(max((len(column) for column in columns), default=0))
        return [
            {"depth_mm": (n + 0.5) * self.settings.thickness_mm}
            | {name: column.get(n) for name, column in zip(names, columns, strict=True)}
            for n in depths
        ]


def compare_maps(
    result: CaseResult,
    volume: np.ndarray,
    settings: ComparisonSettings | None = None,
    *,
    lesions: Sequence[str] | None = None,
    others: Sequence[OtherMap] = (),
    threshold: Threshold | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> MapComparison:
    """Compare the heat maps of a scan with its gradients and the like.

    Args:
        result: of the scan.
        volume: the MRI ``[k, j, i]`` it was made from.
        settings: None: the usual ones.
        lesions: names of the lesions; None: all.
        others: further maps to compare with.
        threshold: from where on a voxel is activated, for overlaps with these; None: the usual one.
        progress: called with a fraction 0..1 and a text.
        cancelled: asked before each lesion; True ends the work.

    Raises:
        InputError: a lesion that the result does not have, a setting out of range, an MRI that does not fit,
            or another map that cannot be compared.
        Cancelled: the user stopped the work.
    """
    settings = (settings or ComparisonSettings()).of(result.system)
    chosen = [each for each in result.units if lesions is None or each.name in lesions]
    missing = sorted(set(lesions or ()) - {each.name for each in chosen})
    if missing or not chosen:
        raise InputError(
            f"The result has no {result.task.unit} “{(missing or ['to compare'])[0]}”; choose another one."
        )
    maps = {"methods": settings.methods, "targets": settings.targets}
    magnitude = np.zeros(result.geometry.shape, dtype=np.float32)
    radial = np.zeros_like(magnitude)
    agreement: list[dict] = []
    overlaps: list[dict] = []
    compared = tuple(maps_to_compare(result.system, settings.methods, settings.targets))
    taken = (*(role.name for role in result.system.inputs), *(method.name for method in result.system.maps))
    placed = placed_maps(others, result.geometry, [each.lesion for each in chosen], taken)
    for n, lesion in enumerate(chosen):
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was changed.")
        if progress:
            progress(n / len(chosen), f"Comparing {lesion.name}")
        made = gradient_maps(volume, result.geometry, lesion.lesion, sigma_mm=settings.sigma_mm)
        for which, into in (("magnitude", magnitude), ("radial", radial)):
            made.to_volume(which, volume.shape, into)
        agreement += agreement_table(
            result, volume, result.geometry, **maps, lesions=[lesion], gradients=[made], others=[placed[n]]
        )
        overlaps += overlap_table(result, lesion, compared, others, placed[n], threshold or Threshold())
    for name, into in (("p_value", "p_adjusted"), ("partial_p_value", "partial_p_adjusted")):
        adjust(agreement, name, into)  # over all lesions, not only over one
    depth = {"margin_mm": settings.margin_mm, "thickness_mm": settings.thickness_mm}
    shells = shell_table(result, **maps, lesions=chosen, **depth, others=placed)
    names, predicted = (tuple(getattr(each, what) for each in chosen) for what in ("name", "predicted_class"))
    told = tuple(other.name for other in others)
    return MapComparison(settings, compared, names, predicted, magnitude, radial, agreement, shells, told, overlaps)


def _unique(names: Sequence[str]) -> list[str]:
    return [name if list(names).count(name) == 1 else f"{name} ({n})" for n, name in enumerate(names, start=1)]
