"""What the parts of the report say, as values for its template."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from ... import __version__
from ...core.display import Threshold
from ...core.errors import Cancelled
from ...core.geometry.slice_place import slice_place
from ...core.geometry.volume import VolumeGeometry
from ...core.pluralize import capital, pluralize
from ...core.progress import IsCancelled, OnProgress
from ...core.task import LESION, PREDICTED, Task
from ...explanation.plain import plain_answer
from ...explanation.result import CaseResult, UnitResult
from ...explanation.tables import cells_text, unit_table
from ...systems.contract import Sliced
from .templating import number

PICTURE_DPI = 100
SMALLER_FROM, SMALLER_DPI = 12, 76
"""From so many lesions on, pictures are smaller, so that the page stays under about 20 MB."""

LONGEST_VALUE = 400

_EXTENSION = r"\.(?:nrrd|nhdr|nii|gz|mha|mhd|dcm|mrb|mrml|hdr|img)\b"
_FILE = re.compile(rf"\b(The (?:segmentation|image|volume)) [^“”]*?{_EXTENSION}", re.IGNORECASE)
_PATH = re.compile(rf"(?<!\w)(?:[a-z]:[/\\]|[/\\~])\S+|\S+{_EXTENSION}", re.IGNORECASE)


def warnings(warnings: Sequence[str], private: Sequence[str]) -> list[str]:
    """Without names of files and nodes, which often hold the patient's."""
    shown = []
    for warning in warnings:
        for hidden in sorted(filter(None, private), key=len, reverse=True):
            warning = warning.replace(hidden, "…")
        shown.append(_PATH.sub("…", _FILE.sub(r"\1", warning)))
    return shown


def table(
    result: CaseResult, units: Sequence[UnitResult], method: str, target: str, threshold: Threshold, margin_mm: float
) -> dict[str, Any]:
    """One row per unit, in the given order."""
    task = result.task
    found = unit_table(result, method, target, threshold, margin_mm)
    rows = {id(unit): row for unit, row in zip(result.units, found, strict=True)}
    what = class_text(result, method, target)
    known = result.system.measures.items()
    measures = {column: title for column, title in known if any(column in row for row in found)}
    return {
        "title": f"{capital(task.unit)}s by {'risk' if task.sorting else task.probability_title()}",
        "about": f"{task.sorting or f'Lowest {task.probability_title()} first'}. Activated: "
        f"{result.method(method).title}, {what}, {threshold.in_words(task)}.",
        "heads": (
            capital(task.unit),
            *(capital(task.probability_title(name)) for name in task.told),
            "Predicted",
            *([f"Not ruled out, {100 * units[0].conformal.error_rate:.3g}% errors"] if units[0].conformal else []),
            *(["By half a voxel"] if units[0].stability else []),
            *measures.values(),
            "Activated cm³",
            *(["Logit"] if "logit" in found[0] else []),
            *(way.heading for way in (units[0].left_out.ways if units[0].left_out else ())),
            "Centre R, A, S mm",
        ),
        "rows": [_row(unit, rows[id(unit)], result, measures) for unit in units],
    }


def _row(unit: UnitResult, row: dict, result: CaseResult, measures: Iterable[str]) -> dict[str, Any]:
    plain = plain_answer(unit, result.card).sentence.removeprefix(f"{unit.name}: ")
    task, card = result.task, result.card
    told = [
        {
            "probability": row[task.probability_column(name)],
            "spread": unit.class_probabilities[task.index(name), :, unit.main].std() if card.members > 1 else None,
            "threshold": card.decision_threshold if task.binary else None,
        }
        for name in task.told
    ]
    return {
        "name": unit.name,
        "told": told,
        "predicted": row["predicted_class"],
        "plain": plain,
        "not_ruled_out": row.get("classes_not_ruled_out"),
        "stability": _stability(unit),
        "measures": [row.get(column) for column in measures],
        "slices": pluralize(row["slices"], "slice") if isinstance(unit.samples, Sliced) else "",
        "activated": row["activated_volume_cm3"],
        "share": row["activated_share"],
        "core": row.get("activated_core_cm3"),
        "margin": row.get("activated_margin_cm3"),
        "logit": row.get("logit"),
        "logit_map_sum": row.get("logit_map_sum"),
        "logit_rest": row.get("logit_rest"),
        "left_out": [
            {"change": f"{change:+.2f}".replace("-", "−"), "told_of": way in unit.left_out.told_of}
            for way, change in (unit.left_out.items() if unit.left_out else ())
        ],
        "centre": ", ".join(number(row[f"centroid_{axis}_mm"], 1) for axis in "ras"),
    }


def _stability(unit: UnitResult) -> dict[str, Any] | None:
    found = unit.stability
    if found is None:
        return None
    moves = found.centre_moves_mm
    return {
        "low": found.lowest,
        "high": found.highest,
        "stable": found.is_stable,
        "kept": f"class stays in {int(found.kept.sum())} of {len(found.kept)}"
        + (f", map moves up to {moves:.1f} mm" if np.isfinite(moves) else ""),
    }


def model(result: CaseResult) -> list[tuple[str, object]]:
    """What its card says."""
    card = result.card
    entries = [
        ("Model", card.origin),
        ("Intended use", card.fields["intended_use"]),
        *_told("Trained on", card.fields["training"]),
        *_told("Performance", card.fields["performance"]),
        ("Licence", card.fields["licence"]),
        ("SHA-256 of the weights", card.sha256),
    ]
    if not any(name.startswith("Performance") for name, _ in entries):
        entries.insert(3, ("Performance", "The card tells nothing; take the answers as untested."))
    return entries


def _told(name: str, part: dict) -> list[tuple[str, str]]:
    """The sentences and numbers of a part of the card; how it was run stays in the card."""
    left_out = ("command", "machine", "minutes", "seed")
    sentences, numbers = [], []
    for key, value in part.items():
        if isinstance(value, dict):
            sentences += _sentences(key, value)
        elif isinstance(value, str) and key not in left_out:
            sentences.append(value)
        elif isinstance(value, (int, float)) and key not in left_out:
            numbers.append(f"{key.replace('_', ' ')} {value:g}")
    told = [*sentences, *([", ".join(numbers)] if numbers else [])]
    return [(name, " ".join(_sentence(s) for s in told if s))] if told else []


def _sentences(name: str, part: dict) -> list[str]:
    """Every "text" below a part of the card, with the way to it."""
    found = []
    for key, value in part.items():
        if isinstance(value, dict):
            found += _sentences(f"{name}, {key}", value)
        elif key == "text":
            found.append(f"{name.replace('_', ' ')}: {value}")
    return found


def _sentence(value: str) -> str:
    """With a capital, a full stop, and an end."""
    if len(value) > LONGEST_VALUE:
        return value[: LONGEST_VALUE - 1] + "…"
    return capital(value).rstrip(".") + "."


def settings(
    result: CaseResult, method: str, target: str, threshold: Threshold, normalisation: str, margin_mm: float
) -> list[tuple[str, object]]:
    """How the result is shown, and what the model saw."""
    return [
        ("Map", result.method(method).title),
        *_how(result, method),
        ("Class shown", class_text(result, method, target)),
        ("Activated", threshold.in_words(result.task)),
        ("Scale of the pictures", _scale(result.task, normalisation)),
        *([("Margin", f"{margin_mm:g} mm")] if result.task.unit == LESION else []),
        (capital(result.system.samples_word), result.card.preprocessing.in_words()),
        ("Ensemble", f"mean of {pluralize(result.card.members, 'member')}, temperature {result.card.temperature:g}"),
        (result.system.image_inputs[0].title, " x ".join(map(str, result.geometry.shape[::-1])) + " voxels of "
         + " x ".join(f"{s:.3g}" for s in result.geometry.spacing) + " mm"),
    ]  # fmt: skip


def _how(result: CaseResult, method: str) -> list[tuple[str, object]]:
    """Equation and cells of a map of volumes; finer detail than its cells is interpolation."""
    cells = cells_text(result.units[0], method)
    if not cells:
        return []
    return [("Equation", result.method(method).equation), ("Cells", f"{cells}; between them it is interpolated")]


def class_text(result: CaseResult, method: str, target: str) -> str:
    """Whose evidence a map shows."""
    if result.method(method).signed:
        return f"{result.task.every_class}, by sign"
    if target != PREDICTED:
        return result.method(method).tells.format(target)
    if result.task.unit != LESION and len(result.units) == 1:
        return f"{result.method(method).tells.format(result.units[0].predicted_class)} (the predicted class)"
    return f"predicted class of each {result.task.unit}"


def other_maps(result: CaseResult, others: Sequence[tuple[str, str]]) -> list[tuple[str, object]]:
    """Maps that lie beside the page and are not on it, as a line of the settings; nothing where there are none."""
    by_method: dict[str, list[str]] = {}
    for method, target in others:
        found = result.method(method)
        by_method.setdefault(found.title, []).append(f"{result.task.every_class}, by sign" if found.signed else target)
    told = "; ".join(f"{title} ({', '.join(classes)})" for title, classes in by_method.items())
    return [("Not on this page", f"{told}: in the files beside it")] if told else []


def _scale(task: Task, normalisation: str) -> str:
    return {
        "none": f"raw values; each picture from 0 to the {task.unit}'s joint maximum of {task.every_class}",
        "lesion": f"divided by each {task.unit}'s joint maximum of {task.every_class}",
        "scan": f"divided by the scan's joint maximum of {task.every_class}",
    }[normalisation]


def pictures(
    result: CaseResult,
    units: Sequence[UnitResult],
    volume: np.ndarray,
    chosen: tuple[str, str, str],
    progress: OnProgress | None,
    cancelled: IsCancelled | None,
) -> list[dict[str, Any]]:
    """One picture per unit; ``chosen`` is method, class and normalisation."""
    from ..pictures.content import picture_of
    from ..pictures.overlay import draw

    dpi = PICTURE_DPI if len(units) < SMALLER_FROM else SMALLER_DPI
    drawn = []
    for n, unit in enumerate(units):
        if cancelled and cancelled():
            raise Cancelled("Stopped; no report was written.")
        if progress:
            progress(n / len(units), f"Drawing {unit.name}")
        png = draw(picture_of(result, unit, volume, *chosen), dpi).png()
        drawn.append({"name": unit.name, "caption": _caption(unit, result.geometry), "png": png})
    if progress:
        progress(1.0, "Writing the report")
    return drawn


def _caption(unit: UnitResult, geometry: VolumeGeometry) -> str:
    task = unit.task
    told = task.positive if task.binary else unit.predicted_class
    p = unit.class_probabilities[task.index(told)].mean(axis=0)
    said = f"predicted {unit.predicted_class}, {task.probability_title(told)} {p[unit.main]:.2f}."
    if len(p) < 2:
        return said
    said += f" Over its {len(p)} slices the probability runs from {p.min():.2f} to {p.max():.2f}"
    if not isinstance(unit.samples, Sliced):
        return f"{said}."
    return f"{said}; the one that answers is at {slice_place(geometry, unit.samples.centres_lps()[unit.main]).words}."


def provenance(result: CaseResult) -> list[tuple[str, object]]:
    """Versions, and what the page does not hold."""
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "SimpleITK", "matplotlib"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # Slicer's own builds are not always registered
            continue
    return [
        ("PulsarCAM", __version__),
        ("Software", ", ".join(versions)),
        ("Model", f"{result.card.name} {result.card.fields['version']}, weights {result.card.sha256[:16]}…"),
        (
            "Privacy",
            "Nothing was copied from DICOM tags, file names or paths. The title and the names of the "
            f"{result.task.unit}s are as typed: read them before passing the page on.",
        ),
    ]
