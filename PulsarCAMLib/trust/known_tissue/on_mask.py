"""Do the maps lie on a mask, such as the tumour of a patient? Every map of every unit of a table, beside trivial maps.

Scored on the reference image's own grid, after the exact way back, over the voxels of the unit: AUROC, Dice of as many
voxels as the mask has, and the pointing game. A map "lies on the mask" when its AUROC is clearly above that of every
map that knows a place only; whether it beats the image's own intensity is said beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...cohort.masks import FIRST, MaskPlace, lesions_in, mask_place
from ...cohort.tables.table import CohortRow
from ...core.errors import InputError
from ...core.inputs import DOSE, InputRole
from ...core.pluralize import pluralize
from ...core.task import LESION, PREDICTED
from ...evaluation.discrimination import paired_difference
from ...io.plain_files import is_there
from ..localisation import EVERYTHING, NOTHING
from ..maps import MapNames, is_trivial, map_names, map_title
from .map_scores import SPACES, VOLUME, MapScores, scores_of_unit
from .synthetic_summary import MEASURES, map_summary, map_table

if TYPE_CHECKING:
    from ...core.case import Case
    from ...core.geometry.volume import VolumeGeometry
    from ...systems.bundles.bundle import ModelBundle
    from ...systems.contract import Samples, System

SEGMENTATION = "segmentation"
WORDS = {"auroc": "AUROC", "dice": "Dice of the top fraction", "pointing": "pointing game"}
UNDEFINED = {NOTHING: "the mask has no voxel there", EVERYTHING: "the mask fills it"}
POSITION = ("near the centre", "near the margin", "uniform")
"""Trivial maps that know a voxel's place and nothing of the image."""


@dataclass(frozen=True)
class MaskColumn:
    """Where the masks of a table are named.

    Attributes:
        column: one of files, or one that begins with ``note_`` or ``truth_``.
        folder: of the table, from which paths in these two count.
        labels: only these values of a label volume; None: all, or what the row says of its ``segmentation``.
    """

    column: str
    folder: Path
    labels: tuple[int, ...] | None = None

    def place(self, row: CohortRow) -> MaskPlace | None:
        """Of a row's mask; None for an empty cell."""
        if self.column == SEGMENTATION:
            return mask_place(row, FIRST)
        said = {f"note_{name}": text for name, text in row.note.items()}
        said |= {f"truth_{name}": text for name, text in row.truth.items()}
        path = self.folder / said[self.column] if self.column in said else row.value(self.column)
        return MaskPlace(path, None, None) if isinstance(path, Path) else None

    def read(self, row: CohortRow, geometry: VolumeGeometry) -> np.ndarray | None:
        """Bool ``[k, j, i]`` on the grid; None for an empty cell.

        Raises:
            InputError: the mask cannot be used, or lies elsewhere.
        """
        place = self.place(row)
        if place is None:
            return None
        if not is_there(place.path):
            raise InputError(f"Row {row.row}: there is no mask {place.path} ({self.column}); correct the path.")
        truth = np.zeros(geometry.shape, dtype=bool)
        for label in self.labels or (place.label_value,):
            for each in lesions_in(replace(place, label_value=label), geometry):
                truth[each.box] |= each.mask
        return truth


def maps_on_mask(
    bundle: ModelBundle,
    rows: Sequence[tuple[CohortRow, int]],
    mask: MaskColumn,
    *,
    methods: Sequence[str] | None = None,
    choices: Mapping[str, Any] | None = None,
    target: str = PREDICTED,
    resamples: int = 2000,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """Scores of every map over the units whose row names a mask, as JSON values.

    Args:
        bundle: the model.
        rows: of :func:`~PulsarCAMLib.training.units.cohort_cases.usable_rows`.
        mask: where it is named.
        methods: names of the maps; None: the system's usual ones.
        choices: settings of methods that are not the usual ones.
        target: the class whose maps are looked at, or "predicted".
        resamples: bootstrap samples of patients.
        progress: called after each image with the share done and a text.

    Returns:
        ``column``, ``class``, ``unit``, ``without`` (rows that name no mask), ``summary`` of
        :func:`~.synthetic_summary.map_summary`, ``units`` (one entry each, by the row's number), ``text``.

    Raises:
        InputError: no row names a mask, a class that the task does not have, or an image or mask that cannot be used.
    """
    from ...training.units.cohort_cases import cohort_cases, unit_name

    system = bundle.card.system
    if target not in system.task.targets:
        raise InputError(f"The class must be one of {', '.join(system.task.targets)}; it is {target!r}.")
    named = [(row, label) for row, label in rows if mask.place(row)]
    if not named:
        raise InputError(f"No row names a mask in the column {mask.column}; name the column that holds them.")
    known = {(row.patient, unit_name(row, system.task)): row for row, _ in named}
    roles = _seen(system, bundle.card.preprocessing)
    names = map_names(system, tuple(role.title for role in roles), methods, choices)
    found: list[MapScores] = []
    numbers: list[int] = []
    for unit in cohort_cases(named, progress, system):
        row = known[unit.patient, unit.name]
        truth = mask.read(row, unit.case.geometry)
        assert truth is not None
        maps, empty = _scored(bundle, unit.case, roles, truth, names, target)
        found.append(MapScores(unit.patient, maps, empty))
        numbers.append(row.row)
    _refuse_without_scores(found, names, mask.column, system.task.unit)
    summary = map_summary(found, resamples, names)
    told = {"column": mask.column, "class": target, "unit": system.task.unit, "without": len(rows) - len(named)}
    text = _words(summary, names.model, _beats_position(found, names, resamples))
    units = [_entry(number, each) for number, each in zip(numbers, found, strict=True)]
    return told | {"summary": summary, "units": units, "text": text}


def _scored(
    bundle: ModelBundle, case: Case, roles: Sequence[InputRole], truth: np.ndarray, names: MapNames, target: str
):
    from ...explanation.explain import explain_case

    result = explain_case(case, bundle, methods=names.model, each_input=False, choices=names.choices)
    (unit,) = result.units
    return scores_of_unit(result, unit, _channels(case, unit.samples, roles), truth, names, target)


def _seen(system: System, preprocessing: Any) -> tuple[InputRole, ...]:
    """Inputs that the network is shown, the reference first."""
    seen = {name for names in system.channel_roles(preprocessing) for name in names}
    return tuple(role for n, role in enumerate(system.shown_inputs) if n == 0 or role.name in seen)


def _channels(case: Case, samples: Samples, roles: Sequence[InputRole]) -> list[np.ndarray]:
    """Each input on the reference grid, as the samples were aligned; zero where it is missing."""
    from ...lesions.resampling import resample
    from ...systems.volumes.space import chained, inverse

    found, grid, places = [], case.geometry, getattr(samples, "places", {})
    ways = {name: place.way for name, place in places.items()}
    for role in roles:
        image = case.images.get(role.name)
        if image is None:
            found.append(np.zeros(grid.shape))
            continue
        values = np.nan_to_num(image.voxels.astype(np.float64))
        way = chained(ways.get(role.name), inverse(ways.get(case.reference))) if role.name != case.reference else None
        if way is not None or not image.geometry.same_grid(grid):
            source = image.geometry.to_sitk(values.astype(np.float32))
            values = resample(source, grid, edges=role.kind != DOSE, matrix=way)
        found.append(values.astype(np.float64))
    return found


def _refuse_without_scores(found: Sequence[MapScores], names: MapNames, column: str, unit: str) -> None:
    reasons = [each.maps[VOLUME, names.model[0]].undefined for each in found]
    if all(reasons):
        raise InputError(
            f"No {unit} can be scored against the masks in {column}: none of them lies within the {unit}, or each "
            "fills it; see whether they are the right files."
        )


def _entry(row: int, scores: MapScores) -> dict[str, Any]:
    return {"row": row, **{
        space: {name: each._asdict() if np.isfinite(each.auroc) else {"undefined": each.undefined}
                for (where, name), each in scores.maps.items() if where == space}
        for space in SPACES if any(where == space for where, _ in scores.maps)
    }}  # fmt: skip


def _words(summary: dict, model: Sequence[str], beats_position: Mapping[str, bool]) -> str:
    """Which maps lie on the mask: by their AUROC on the whole unit, which a map of mere position must not reach."""
    part, sentences = summary[VOLUME], []
    if part["patients"] < 2:
        return "Whether a map lies on the mask takes more than one patient to tell."
    for name in model:
        auroc, against = part["maps"][name]["auroc"], part["against_trivial"][name]["auroc"]
        figure = f"AUROC {auroc['mean']:.2f}, {auroc['low']:.2f} to {auroc['high']:.2f}"
        lies = beats_position[name]
        verdict = "lies on the mask" if lies else "is not shown to lie on the mask"
        better = "clearly better" if against["better"] else "NOT clearly better"
        more = f", {better} than {map_title(against['trivial'])}" if lies else ""
        sentences.append(f"{map_title(name)} {verdict} ({figure}){more}.")
    return " ".join(sentences)


def _beats_position(found: Sequence[MapScores], names: MapNames, resamples: int) -> dict[str, bool]:
    """Whether the AUROC of each map is clearly above that of the best map of mere position."""
    scored = [each for each in found if not each.maps[VOLUME, names.model[0]].undefined]
    patients = np.array([each.patient for each in scored])
    columns = {name: np.array([each.maps[VOLUME, name].auroc for each in scored]) for name in (*names.model, *POSITION)}
    best = max(POSITION, key=lambda name: columns[name].mean())
    options = {"resamples": resamples}
    return {name: paired_difference(columns[name], columns[best], patients, **options).better for name in names.model}


def mask_markdown(found: dict[str, Any]) -> str:
    """The table for people."""
    unit, part = found["unit"], found["summary"][VOLUME]
    reasons = [f"{count} without scores: {UNDEFINED[reason]}" for reason, count in part["undefined"].items()]
    reasons += [f"{pluralize(found['without'], 'row')} without a mask"] if found["without"] else []
    left = f" ({'; '.join(reasons)})" if reasons else ""
    whose = f"{pluralize(part['lesions'], unit)} of " if unit == LESION else ""
    lines = [
        f"Maps of the {found['class']} class against the mask in {found['column']}, on {whose}"
        f"{pluralize(part['patients'], 'patient')}{left}; mean and 95 % interval over patients.",
    ]
    for space in found["summary"]:
        where = "" if space == VOLUME else "On the answering slice alone:\n\n"
        lines.append(where + map_table(found["summary"], space, unit))
    return "\n\n".join((*lines, found["text"]))


def mask_csv_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Every figure on a line of its own, as :func:`..table.csv_rows`."""
    rows = []
    for space, part in found["summary"].items():
        for name, scores in part["maps"].items():
            for measure in MEASURES:
                numbers = {"lesions": part["lesions"], "passed": ""}
                if not is_trivial(name):
                    numbers["passed"] = int(part["against_trivial"][name][measure]["better"])
                what = f"on the mask, {space}: {WORDS[measure]}"
                rows.append({"of": map_title(name), "what": what, **scores[measure], **numbers})
    return rows


__all__ = ["MaskColumn", "maps_on_mask", "mask_csv_rows", "mask_markdown"]
