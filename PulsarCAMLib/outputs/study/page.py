"""The page of a study: one HTML file with its pictures inside, without scripts, dates or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...core.pluralize import pluralize
from ...core.task import PATIENT, Task
from ...core.vocabulary import TIME_POINTS
from ...evaluation.predictions import default_task
from ...study.figures.entries import on_mri, percent, system_in, task_of
from ...study.figures.flattering import why_title
from ...study.figures.narrative import counted, verdicts
from ...study.run import Study
from ...study.settings import asked_twice
from ...systems.contract import System
from ...systems.registry import DEFAULT, system_of
from ..pages.templating import render
from . import ablation, figures, gallery, gallery_pictures, input_controls, plots, shortcuts, volume_change
from .choices import MOST_SHOWN
from .curves import MemberCurve, ModelCurves, TrainingCurve, terms_of

SYNTHETIC = "SYNTHETIC: the {}s of this study are generated. No figure here says anything about patients."


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that the page shows.

    Attributes:
        study: whose.
        summary: of :func:`~...study.figures.summary.summarise`.
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
    summary, task = found.summary, found.study.lesions.task
    words = summary["sentences"]
    question = f" which {task.unit}s {task.do}?" if task.binary else f": {task.title}?"
    told(0.0, "drawing curves")
    return render(
        "study_report.html",
        title=f"How well do models tell{question}",
        about=_about(summary),
        synthetic=SYNTHETIC.format(task.unit) if summary["synthetic"] else "",
        unit=task.unit,
        answer=_answer(summary),
        please_note=[*words["state"], *found.gaps],
        protocols=figures.protocols(summary),
        why_title=why_title(words["why_flattering"]),
        why_flattering=words["why_flattering"],
        beside_the_paper=figures.beside_the_paper(summary),
        differences=figures.differences(summary),
        input_controls=input_controls.section(summary),
        ablation=ablation.section(summary),
        volume_change=volume_change.section(summary),
        shortcuts=shortcuts.section(summary),
        curves=_curves(found),
        members=_members(found.members, task_of(found.summary)),
        training=_training(found),
        galleries=_galleries(found, told),
        choices=figures.choices(summary, found.choices, MOST_SHOWN),
        models=[(model["title"], model["about"] or "–") for model in summary["models"]],
        cautions=words["cautions"],
        facts=found.facts,
    )


def _about(summary: dict[str, Any]) -> str:
    system = system_in(summary)
    task = system.task
    second = f", {summary['second_mri']} with a second MRI" if asked_twice(system) else ""
    told = (
        f"{counted(summary, task)}, {summary['responses']} {task.of(task.positive).adjective} "
        f"({percent(summary['prevalence'])}){second}."
    )
    if summary["shrinkage"] is None:
        return told
    return (
        f"{told} {task.positive.capitalize()}: a {task.unit} has lost more than {percent(summary['shrinkage'])} of its "
        "volume at follow-up."
    )


def _answer(summary: dict[str, Any]) -> list[dict[str, str]]:
    """Plain sentences first, then the qualified ones, each with the title of its model apart."""
    titles = {model["title"] for model in summary["models"]}
    lines = [{"head": sentence, "told": ""} for sentence in summary["sentences"]["plain"]]
    for sentence in summary["sentences"]["headline"]:
        head, _, rest = sentence.partition(": ")
        lines.append({"head": head, "told": rest} if head in titles else {"head": "", "told": sentence})
    return lines


def _curves(found: Contents) -> list[dict[str, Any]]:
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
            plots.svg(draw(curves, names, colors, heading), f"{name}-{n}", f"{title}: {heading}")
            for n, (heading, curves) in enumerate(_by_protocol(found))
        ]
        if panels:
            parts.append({"title": title, "about": about, "panels": panels})
    return parts + _class_calibration(found, names, colors)


def _class_calibration(found: Contents, names: dict[str, str], colors: dict[str, str]) -> list[dict[str, Any]]:
    """One plot a class and protocol, where there are more than two classes."""
    task, system, panels = found.study.lesions.task, system_in(found.summary), []
    for protocol in found.summary["protocols"]:
        for point in TIME_POINTS:
            own = (protocol["name"], point)
            curves = [c for c in found.curves if (c.results.protocol, c.results.time_point) == own and c.by_class]
            curves = [c for c in curves if "[" not in c.results.model and any(c.by_class.values())]
            for name in task.names if curves else ():
                heading = f"{name}, {protocol['title']}{on_mri(point, system)}"
                figure = plots.class_calibration(curves, name, names, colors, heading)
                panels.append(plots.svg(figure, f"calibration-class-{len(panels)}", f"Calibration: {heading}"))
    about = (
        f"Of the pool, each class against all others, in bins of about equal counts. Above the diagonal {task.unit}s "
        "are of the class more often than predicted. Lines: 95 % intervals (Wilson), too narrow where a patient has "
        f"several {task.unit}s. Means over many trials are less extreme than a single model's answers."
    )
    return [{"title": "Calibration of every class", "about": about, "panels": panels}] if panels else []


def _by_protocol(found: Contents) -> list[tuple[str, Sequence[ModelCurves]]]:
    groups, system = [], system_in(found.summary)
    for protocol in found.summary["protocols"]:
        for point in TIME_POINTS:
            curves = [
                each
                for each in found.curves
                if (each.results.protocol, each.results.time_point) == (protocol["name"], point)
                and each.roc.area is not None
            ]
            if curves:
                groups.append((f"{protocol['title']}{on_mri(point, system)}", curves))
    return groups


def _members(members: Sequence[MemberCurve], task: Task) -> dict[str, Any] | None:
    if not members:
        return None
    aside = (
        "orange: patients set aside, whom no member learnt from"
        if any(each.validation for each in members)
        else "no patients were set aside, so there are no curves of validation"
    )
    about = (
        f"Of the bundle itself, {pluralize(len(members), 'member')}, one line each. Blue: {task.unit}s that were "
        f"learnt from, {'rotated' if task == default_task() else 'changed'} copies included, as the epoch went; "
        f"{aside}. Dot: the epoch whose weights the member has."
    )
    panels = [
        plots.svg(plots.members(members, term, _heading(term)), f"members-{term}", f"Members: {_heading(term)}")
        for term in _accuracy_first(terms_of(each.training for each in members))
    ]
    return {"title": "Training and validation of the members", "about": about, "panels": panels}


def _accuracy_first(terms: Sequence[str]) -> list[str]:
    return sorted(terms, key=lambda term: term != "accuracy")


def _heading(term: str) -> str:
    return term if term == "accuracy" else f"{term} loss"


def _training(found: Contents) -> dict[str, Any] | None:
    settings, network = found.study.settings, _network(found.study)
    if not found.training:
        reason = f"There are no curves: no training of the {network} is in the study's folder."
        return {"title": "Training", "about": reason, "panels": []} if settings.network in settings.models else None
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
        panels.append(plots.svg(figure, f"training-{term}", f"Training: {_heading(term)}"))
    return {"title": "Training", "about": about, "panels": panels}


def _galleries(found: Contents, told: Callable[[float, str], None]) -> list[dict[str, Any]]:
    unit, system = found.study.lesions.task.unit, system_of(found.study.lesions.system)
    if not found.explained:
        reason = (
            f"There is no picture of a {unit}: the study has no finished trial of the {_network(found.study)} that "
            f"held {unit}s out, or its folder lacks the {system.samples_word} or trainings."
        )
        titles = (f"Explanations of held-out {unit}s", f"Reconstructions and feature maps of held-out {unit}s")
        own = titles if system.can_decode else titles[:1]
        return [{"title": title, "about": reason, "figures": []} for title in own]
    maps, made = [], []
    plain = verdicts(found.summary)[:1]
    verdict, warns = (plain[0].sentence, plain[0].warns) if plain else ("", False)
    for number, each in enumerate(found.explained):
        told(0.2 + 0.8 * number / len(found.explained), f"drawing {unit} {each.shown.lesion}")
        caption = f"{verdict} {_caption(each.shown, system)}" if warns else _caption(each.shown, system)
        maps.append({"png": gallery_pictures.maps_png(each), "caption": caption})
        if each.shown.rank == gallery.RANKS[0] and each.decoded:
            made.append({"png": gallery_pictures.reconstruction_png(each), "caption": caption})
    about = f"{gallery.rule(found.study.lesions.task)} {gallery_pictures.maps_about(found.study)}"
    about = f"{verdict} {about}".strip()
    shown = [{"title": f"Explanations of held-out {unit}s", "about": about, "figures": maps}]
    if made:
        about = f"{verdict} The surest {unit} of each group. {gallery_pictures.RECONSTRUCTIONS_ABOUT}".strip()
        title = f"Reconstructions and feature maps of held-out {unit}s"
        shown.append({"title": title, "about": about, "figures": made})
    return shown


def _who(shown: gallery.Shown) -> str:
    if shown.task.unit == PATIENT:
        return f"Patient {shown.patient}"
    return f"{shown.task.unit.capitalize()} {shown.lesion} of patient {shown.patient}"


def _network(study: Study) -> str:
    """Its title as within a sentence, without what stands in brackets."""
    title = system_of(study.lesions.system).title.split(" (")[0]
    return title[0].lower() + title[1:] if study.lesions.system == DEFAULT else title


def _caption(shown: gallery.Shown, system: System) -> str:
    task = shown.task
    verdict = "called correctly" if shown.right else "called WRONGLY"
    return (
        f"{_who(shown)}: truly {task.names[shown.label]}, {verdict} ({shown.rank} of its group); "
        f"{shown.answer}; held out in trial {shown.record.number + 1} of “{shown.record.protocol}”"
        f"{on_mri(shown.time_point, system)}."
    )
