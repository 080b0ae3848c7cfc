"""The parts of the report, each as HTML."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib import metadata

from ... import __version__
from ...core.display import Threshold
from ...core.errors import Cancelled
from ...core.map_methods import SIGNED, TITLES
from ...core.pluralize import pluralize
from ...explanation.result import CaseResult, UnitResult
from ...explanation.tables import unit_table
from . import markup
from .markup import number, text

PICTURE_DPI = 100
SMALLER_FROM, SMALLER_DPI = 12, 76
"""From so many lesions on, pictures are smaller, so that the page stays under about 20 MB."""

LONGEST_VALUE = 400

_EXTENSION = r"\.(?:nrrd|nhdr|nii|gz|mha|mhd|dcm|mrb|mrml|hdr|img)\b"
_FILE = re.compile(rf"\b(The (?:segmentation|image|volume)) [^“”]*?{_EXTENSION}", re.IGNORECASE)
_PATH = re.compile(rf"(?<!\w)(?:[a-z]:[/\\]|[/\\~])\S+|\S+{_EXTENSION}", re.IGNORECASE)


def warnings(warnings: Sequence[str], private: Sequence[str]) -> str:
    """Without names of files and nodes, which often hold the patient's."""
    shown = []
    for warning in warnings:
        for hidden in sorted(filter(None, private), key=len, reverse=True):
            warning = warning.replace(hidden, "…")
        shown.append(_PATH.sub("…", _FILE.sub(r"\1", warning)))
    return markup.section("Please note", markup.paragraphs(shown), kind="warnings") if shown else ""


def table(result: CaseResult, lesions, method: str, target: str, threshold: Threshold, margin_mm: float) -> str:
    """One row per lesion, the least likely to respond first."""
    found = unit_table(result, method, target, threshold, margin_mm)
    rows = {id(lesion): row for lesion, row in zip(result.lesions, found, strict=True)}
    heads = (
        "Lesion",
        "Probability of response",
        "Predicted",
        "Volume cm³",
        "Activated cm³",
        "Logit",
        "Centre R, A, S mm",
    )
    cells = [_cells(n, rows[id(lesion)], result) for n, lesion in enumerate(lesions, start=1)]
    what = _class_text(method, target)
    about = f"Least likely to respond first. Activated: {TITLES[method]}, {what}, {threshold}."
    body = f'<div class="scroll">{markup.table(heads, cells)}</div>'
    return markup.section("Lesions by risk", f'<p class="sub">{text(about)}</p>', body)


def _cells(n: int, row: dict, result: CaseResult) -> list[str]:
    p, at = row["probability_response"], result.card.decision_threshold
    spread = f" ± {number(row['probability_spread'])}" if result.card.members > 1 else ""
    bar = f'<span class="bar"><i style="width:{100 * p:.1f}%"></i><b style="left:{100 * at:.1f}%"></b></span>'
    centre = ", ".join(number(row[f"centroid_{axis}_mm"], 1) for axis in "ras")
    return [
        f'<a href="#lesion-{n}">{text(row["lesion"])}</a>',
        f"{number(p)}{spread}{bar}",
        text(row["predicted_class"]),
        f"{number(row['volume_cm3'])}<small>{pluralize(row['slices'], 'slice')}</small>",
        f"{number(row['activated_volume_cm3'])} ({100 * row['activated_share']:.0f} %)"
        f"<small>core {number(row['activated_core_cm3'])}, margin {number(row['activated_margin_cm3'])}</small>",
        f"{number(row['logit'])}<small>lesion {number(row['logit_map_sum'])}, rest {number(row['logit_rest'])}</small>",
        centre,
    ]


def model(result: CaseResult) -> str:
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
    return markup.section("The model", markup.definitions(entries))


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
    return value[:1].upper() + value[1:].rstrip(".") + "."


def settings(result: CaseResult, method, target, threshold, normalisation, margin_mm) -> str:
    entries = [
        ("Map", TITLES[method]),
        ("Class shown", _class_text(method, target)),
        ("Activated", str(threshold)),
        ("Scale of the pictures", _SCALES[normalisation]),
        ("Margin", f"{margin_mm:g} mm"),
        ("Patches", result.card.preprocessing.in_words()),
        ("Ensemble", f"mean of {pluralize(result.card.members, 'member')}, temperature {result.card.temperature:g}"),
        ("MRI", " x ".join(map(str, result.geometry.shape[::-1])) + " voxels of "
         + " x ".join(f"{s:.3g}" for s in result.geometry.spacing) + " mm"),
    ]  # fmt: skip
    return markup.section("Settings", markup.definitions(entries))


def _class_text(method: str, target: str) -> str:
    if method == SIGNED:
        return "both classes, by sign"
    return "predicted class of each lesion" if target == "predicted" else f"evidence for {target}"


_SCALES = {
    "none": "raw values; each picture from 0 to the lesion's joint maximum of both classes",
    "lesion": "divided by each lesion's joint maximum of both classes",
    "scan": "divided by the scan's joint maximum of both classes",
}


def pictures(result: CaseResult, lesions: list[UnitResult], volume, chosen, progress, cancelled) -> str:
    from ..pictures.content import picture_of
    from ..pictures.inspection import png_bytes
    from ..pictures.overlay import draw

    dpi = PICTURE_DPI if len(lesions) < SMALLER_FROM else SMALLER_DPI
    parts = []
    for n, lesion in enumerate(lesions, start=1):
        if cancelled and cancelled():
            raise Cancelled("Stopped; no report was written.")
        if progress:
            progress((n - 1) / len(lesions), f"Drawing {lesion.name}")
        png = png_bytes(draw(picture_of(result, lesion, volume, *chosen)), dpi)
        caption = _caption(lesion)
        parts.append(
            f'<figure id="lesion-{n}">{markup.image(png, f"{lesion.name}: {caption}")}'
            f"<figcaption><strong>{n}. {text(lesion.name)}</strong>: {text(caption)}</figcaption></figure>"
        )
    if progress:
        progress(1.0, "Writing the report")
    return markup.section("Pictures", *parts, kind="pictures")


def _caption(lesion: UnitResult) -> str:
    p = lesion.sample_probabilities
    profile = (
        "" if len(p) < 2 else f" Over its {len(p)} slices the probability runs from {p.min():.2f} to {p.max():.2f}."
    )
    return f"predicted {lesion.predicted_class}, probability of response {lesion.probability:.2f}.{profile}"


def provenance(result: CaseResult) -> str:
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "SimpleITK", "matplotlib"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # Slicer's own builds are not always registered
            continue
    entries = [
        ("PulsarCAM", __version__),
        ("Software", ", ".join(versions)),
        ("Model", f"{result.card.name} {result.card.fields['version']}, weights {result.card.sha256[:16]}…"),
        (
            "Privacy",
            "Nothing was copied from DICOM tags, file names or paths. The title and the names of the lesions are as "
            "typed: read them before passing the page on.",
        ),
    ]
    return markup.section("Where this page comes from", markup.definitions(entries))
