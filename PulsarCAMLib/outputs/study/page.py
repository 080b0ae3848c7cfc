"""The page of a study: one HTML file with its pictures inside, without scripts, dates or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import __version__
from ...core.pluralize import pluralize
from ...core.task import PATIENT
from ...core.vocabulary import MRI_TITLES
from ...study.narrative import counted, percent, task_of
from ...study.run import Study
from ...systems.registry import DEFAULT, system_of
from ..pages import markup
from ..pages.markup import text
from ..pages.page import RESEARCH_ONLY
from . import figures, gallery, gallery_pictures, plots
from .choices import MOST_SHOWN
from .curves import MemberCurve, ModelCurves, TrainingCurve, terms_of

SYNTHETIC = "SYNTHETIC: the {}s of this study are generated. No figure here says anything about patients."

EXTRA = """
body { max-width: 70rem; }
.synthetic { margin: .9rem 0 0; padding: .7rem .8rem; border: 3px solid var(--warn); background: var(--warn-panel);
  font-weight: 700; font-size: 1.1rem; color: var(--warn); }
.answer { font-size: 1.05rem; padding: .2rem .8rem; border-left: 4px solid var(--accent); background: var(--panel); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .6rem 1rem; }
.panels svg { width: 100%; max-width: 24rem; height: auto; }
h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
li { margin: .3rem 0; }
tr.group th { text-align: left; color: var(--ink); padding: .9rem .45rem .35rem; }
th[colspan] { position: static !important; }
th small { font-weight: 400; color: var(--faint); margin-left: .4rem; }
th small em { font-style: normal; font-weight: 600; color: var(--warn); }
tbody.flatters td:first-child { border-left: 4px solid var(--warn); }
tbody.honest td:first-child { border-left: 4px solid var(--accent); }
tbody[class] td:first-child { padding-left: .5rem; min-width: 11rem; }
tbody[class] td { padding-left: .3rem; padding-right: .3rem; }
td:first-child, th:first-child { position: sticky; left: 0; background: var(--paper); }
table { border-collapse: separate; border-spacing: 0; }
.stuck { position: sticky; left: .45rem; display: inline-block; max-width: 86vw; }
.wide img { min-width: 44rem; max-width: none; }
.wide figure { margin: .5rem 0 1rem; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--accent); }
dd { overflow-wrap: anywhere; }
.of { display: block; font-size: .8em; color: var(--faint); }
sup { font-size: .75em; line-height: 0; }
@media print {
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { color: inherit; font-weight: 600; list-style: none; }
  h2, h3, summary, h2 + .sub, tr.group { break-after: avoid; }
  figure, .panels svg, h2 + .sub, li, .notes, .answer p { break-inside: avoid; }
   .wide img { min-width: 0; width: 100%; } table { font-size: 9px; }
  td:first-child, th:first-child { position: static; }
  .panels { display: block; } .panels svg { display: inline-block; width: 32.5%; } td, th { padding: .2rem .25rem; } }
"""


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that the page shows.

    Attributes:
        study: whose.
        summary: of :func:`~...study.summary.summarise`.
        curves: of all curves.
        training: of models that keep a training.
        explained: lesions of the galleries.
        choices: of :func:`.choices.model_choices`.
        facts: term and value for the last section.
        members: of the bundle that the study belongs to; empty for a study of its own.
        gaps: what the study's folder lacks, one sentence each.
    """

    study: Study
    summary: dict[str, Any]
    curves: list[ModelCurves]
    training: list[TrainingCurve]
    explained: list[gallery.Explained]
    choices: list[dict[str, Any]]
    facts: list[tuple[str, str]]
    members: list[MemberCurve]
    gaps: list[str]


def page_html(found: Contents, progress: Callable[[float, str], None] | None = None) -> str:
    """The page as text."""
    told = progress or (lambda *_: None)
    words = found.summary["sentences"]
    notes = [*words["state"], *found.gaps]
    told(0.0, "drawing curves")
    parts = [
        _answer(found.summary),
        markup.section("Please note", markup.paragraphs(notes), kind="warnings") if notes else "",
        figures.protocols(found.summary),
        markup.section("Why (a) and (b) flatter", markup.paragraphs(words["why_flattering"]))
        if words["why_flattering"]
        else "",
        figures.beside_the_paper(found.summary),
        figures.differences(found.summary),
        *_curves(found),
        _members(found.members),
        _training(found),
        *_galleries(found, told),
        figures.choices(found.summary, found.choices, MOST_SHOWN),
        markup.section("Models", markup.definitions((m["title"], m["about"] or "–") for m in found.summary["models"])),
        markup.section("How to read the figures", markup.paragraphs(words["cautions"])),
        markup.section("Settings and origin", markup.definitions(found.facts)),
    ]
    task = found.study.lesions.task
    synthetic = f'<p class="synthetic">{text(SYNTHETIC.format(task.unit))}</p>' if found.summary["synthetic"] else ""
    return markup.page(
        f"How well do models tell which {task.unit}s {task.do}?"
        if task.binary
        else f"How well do models tell: {task.title}?",
        _about(found.summary),
        f'{synthetic}\n<p class="origin"><strong>{text(RESEARCH_ONLY)}</strong></p>',
        [part.replace(" %", "\u00a0%") for part in parts],
        f"{RESEARCH_ONLY} Made by PulsarCAM {__version__}; every figure is in results.json and the CSV files beside "
        "this page.",
        EXTRA,
    )


def _about(summary: dict[str, Any]) -> str:
    task = task_of(summary)
    told = (
        f"{counted(summary, task)}, {summary['responses']} {task.of(task.positive).adjective} "
        f"({percent(summary['prevalence'])}), {summary['second_mri']} with a second MRI."
    )
    if summary["shrinkage"] is None:
        return told
    return (
        f"{told} {task.positive.capitalize()}: a {task.unit} has lost more than {percent(summary['shrinkage'])} of its "
        "volume at follow-up."
    )


def _answer(summary: dict[str, Any]) -> str:
    titles = {model["title"] for model in summary["models"]}
    lines = []
    for sentence in summary["sentences"]["headline"]:
        head, _, rest = sentence.partition(": ")
        told = f"<strong>{text(head)}:</strong> {text(rest)}" if head in titles else text(sentence)
        lines.append(f"<p>{told}</p>")
    return markup.section("The answer", f'<div class="answer">{"".join(lines)}</div>')


def _curves(found: Contents) -> list[str]:
    names = {model["name"]: model["title"] for model in found.summary["models"]}
    colors = dict(zip(names, plots.COLORS * len(names), strict=False))
    task = found.study.lesions.task
    calibration = partial(plots.calibration, did=task.did)
    unit, do = task.unit, task.do
    kinds = (
        (plots.roc, "roc", "ROC", "Thick: the pool, with its AUC. Band, for two models at most: mean ± sd of the "
         f"trials. Dashed: mean of the controls: well above the diagonal, {unit}s were learnt by heart; few controls "
         "wander about it by chance."),
        (plots.precision_recall, "precision_recall", "Precision and recall", "Of the pool, with average precision. "
         f"Dotted: the share of {task.positive}, which a model without any signal reaches."),
        (calibration, "calibration", "Calibration", "Of the pool, in bins of about equal counts. Above the diagonal "
         f"{unit}s {do} more often than predicted. Means over many trials are less extreme than a single model's "
         "answers."),
    )  # fmt: skip
    parts = []
    for draw, name, title, about in kinds:
        panels = [
            plots.svg(draw(curves, names, colors, heading), f"{name}-{n}", text(f"{title}: {heading}"))
            for n, (heading, curves) in enumerate(_by_protocol(found))
        ]
        if panels:
            parts.append(markup.section(title, f'<p class="sub">{text(about)}</p>', _grid(panels)))
    return parts


def _by_protocol(found: Contents) -> list[tuple[str, Sequence[ModelCurves]]]:
    groups = []
    for protocol in found.summary["protocols"]:
        for point, mri in MRI_TITLES.items():
            curves = [
                each
                for each in found.curves
                if (each.results.protocol, each.results.time_point) == (protocol["name"], point)
                and each.roc.area is not None
            ]
            if curves:
                groups.append((f"{protocol['title']}, {mri}", curves))
    return groups


def _members(members: Sequence[MemberCurve]) -> str:
    if not members:
        return ""
    aside = (
        "orange: patients set aside, whom no member learnt from"
        if any(each.validation for each in members)
        else "no patients were set aside, so there are no curves of validation"
    )
    about = (
        f"Of the bundle itself, {pluralize(len(members), 'member')}, one line each. Blue: lesions that were learnt "
        f"from, rotated copies included, as the epoch went; {aside}. Dot: the epoch whose weights the member has."
    )
    panels = [
        plots.svg(plots.members(members, term, _heading(term)), f"members-{term}", text(f"Members: {_heading(term)}"))
        for term in _accuracy_first(terms_of(each.training for each in members))
    ]
    return markup.section("Training and validation of the members", f'<p class="sub">{text(about)}</p>', _grid(panels))


def _accuracy_first(terms: Sequence[str]) -> list[str]:
    return sorted(terms, key=lambda term: term != "accuracy")


def _heading(term: str) -> str:
    return term if term == "accuracy" else f"{term} loss"


def _training(found: Contents) -> str:
    settings, network = found.study.settings, _network(found.study)
    if not found.training:
        reason = f"There are no curves: no training of the {network} is in the study's folder."
        return markup.section("Training", f"<p>{reason}</p>") if settings.network in settings.models else ""
    titles = {protocol["name"]: protocol["title"] for protocol in found.summary["protocols"]}
    counts = "; ".join(
        f"{titles[c.protocol]}: {c.trials} {'controls' if c.control else 'trainings'}" for c in found.training
    )
    about = (
        f"Mean over trainings; the band reaches from the lowest to the highest; dashed: controls. {counts}. All on "
        f"the {settings.task.unit}s that were learnt from: a high accuracy here, which the controls reach too, is no "
        "merit."
    )
    panels = []
    for term in terms_of(curve.terms for curve in found.training):
        figure = plots.training(found.training, term, titles, _heading(term))
        panels.append(plots.svg(figure, f"training-{term}", text(f"Training: {_heading(term)}")))
    return markup.section("Training", f'<p class="sub">{text(about)}</p>', _grid(panels))


def _grid(panels: Sequence[str]) -> str:
    return f'<div class="panels">{"".join(panels)}</div>'


def _galleries(found: Contents, told: Callable[[float, str], None]) -> list[str]:
    unit = found.study.lesions.task.unit
    if not found.explained:
        reason = (
            f"There is no picture of a {unit}: the study has no finished trial of the {_network(found.study)} that "
            f"held {unit}s out, or its folder lacks the patches or trainings."
        )
        titles = (f"Explanations of held-out {unit}s", f"Reconstructions and feature maps of held-out {unit}s")
        own = titles if found.study.lesions.system == DEFAULT else titles[:1]
        return [markup.section(title, f"<p>{text(reason)}</p>") for title in own]
    maps, made = [], []
    for number, each in enumerate(found.explained):
        told(0.2 + 0.8 * number / len(found.explained), f"drawing {unit} {each.shown.lesion}")
        caption = _caption(each.shown)
        maps.append(_figure(gallery_pictures.maps_png(each), caption))
        if each.shown.rank == gallery.RANKS[0] and each.decoded:
            made.append(_figure(gallery_pictures.reconstruction_png(each), caption))
    about = f"{gallery.rule(found.study.lesions.task)} {gallery_pictures.maps_about(found.study)}"
    shown = [
        markup.section(f"Explanations of held-out {unit}s", f'<p class="sub">{text(about)}</p>', *maps, kind="wide"),
        markup.section(
            f"Reconstructions and feature maps of held-out {unit}s",
            f'<p class="sub">{text(f"The surest {unit} of each group. " + gallery_pictures.RECONSTRUCTIONS_ABOUT)}</p>',
            *made,
            kind="wide",
        ),
    ]
    return shown if made else shown[:1]


def _who(shown: gallery.Shown) -> str:
    if shown.task.unit == PATIENT:
        return f"Patient {shown.patient}"
    return f"{shown.task.unit.capitalize()} {shown.lesion} of patient {shown.patient}"


def _network(study: Study) -> str:
    """Its title as within a sentence, without what stands in brackets."""
    title = system_of(study.lesions.system).title.split(" (")[0]
    return title[0].lower() + title[1:] if study.lesions.system == DEFAULT else title


def _figure(png: bytes, caption: str) -> str:
    picture = figures.scrolled(markup.image(png, caption))
    return f"<figure>{picture}<figcaption>{text(caption)}</figcaption></figure>"


def _caption(shown: gallery.Shown) -> str:
    task = shown.task
    verdict = "called correctly" if shown.right else "called WRONGLY"
    return (
        f"{_who(shown)}: truly {task.names[shown.label]}, {verdict} ({shown.rank} of its group); "
        f"{shown.answer}; held out in trial "
        f"{shown.record.number + 1} of “{shown.record.protocol}”, "
        f"{'first' if shown.time_point == 'baseline' else 'second'} MRI."
    )
