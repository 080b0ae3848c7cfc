"""All checks of a model from end to end: with models of permuted labels, summed up, and short enough for its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InputError
from ..evaluation.card_sections import rounded
from .checks import Settings, check_explanations
from .subjects import Subject
from .summary import NO_CONTROL, summarise
from .table import COLUMNS, words

if TYPE_CHECKING:
    from ..systems.bundles.bundle import ModelBundle
    from ..training.units.samples import TrainingSamples

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class LabelControl:
    """Models that are trained like the one that is judged, but on labels dealt out anew.

    Attributes:
        models: how many; 0 for none.
        samples: gives the samples to train on, with changed copies, for the settings of the model.
        epochs: instead of the model's own number.
        folder: where the trainings are kept, so that they go on when they were stopped; None keeps nothing.
    """

    models: int
    samples: Callable[[Any], TrainingSamples]
    epochs: int | None = None
    folder: Path | None = None


def judge_explanations(
    bundle: ModelBundle,
    subjects: Sequence[Subject],
    settings: Settings | None = None,
    *,
    methods: Sequence[str] | None = None,
    control: LabelControl | None = None,
    choices: Mapping[str, Any] | None = None,
    resamples: int = 2000,
    on_cost: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Every check of a model's maps, as :func:`~.summary.summarise` gives it, with ``label_control``.

    Args:
        bundle: the model.
        subjects: units, prepared with the model's preprocessing.
        settings: of the checks.
        methods: names of the maps to be checked; None: the system's usual ones.
        control: models on permuted labels; without, or where they cannot be trained, the result says why.
        choices: settings of methods that are not the usual ones.
        resamples: bootstrap samples of patients.
        on_cost: is told how long the checks will take, where that is long.
        progress: called with the share done and a text.

    Raises:
        InputError: no unit, or the control's folder holds another training.
    """
    tell = progress or (lambda _share, _text: None)
    wanted = control is not None and control.models > 0
    begin = 0.5 if wanted else 0.0
    ensembles, about = [], {"reason": NO_CONTROL}
    if wanted:
        ensembles, about = _controls(bundle, control, lambda share, text: tell(begin * share, text))
    found = check_explanations(
        bundle,
        subjects,
        settings,
        methods=methods,
        label_controls=ensembles,
        choices=choices,
        on_cost=on_cost,
        progress=lambda share, text: tell(begin + (1 - begin) * share, text),
    )
    summary = summarise(found, resamples=resamples, no_control=about.get("reason", NO_CONTROL))
    return summary | {"label_control": about}


def _controls(bundle: ModelBundle, control: LabelControl, tell: Progress) -> tuple[list, dict[str, Any]]:
    from ..training.permuted_label_control import settings_of_card, train_label_controls

    task = bundle.card.system.task
    try:
        settings = settings_of_card(bundle.card)
    except InputError as error:
        return [], {"reason": str(error).rstrip(".")}
    samples = control.samples(settings)
    if len(np.unique(samples.labels)) < 2:
        return [], {"reason": f"the {task.unit}s to train on all have the same {task.label.column}"}
    own = {"epochs": control.epochs, "folder": control.folder, "progress": tell}
    models = train_label_controls(samples, settings, control.models, **own)
    about = {
        "models": len(models),
        "epochs": control.epochs or settings.epochs,
        "epochs_of_the_model": settings.epochs,
        "lesions": len(samples.originals()),
        "text": f"each one network, trained as the members were on the same {task.unit}s with labels dealt out anew",
    }
    return [bundle.card.system.predictor([model]) for model in models], about


def card_section(summary: dict[str, Any], about: str) -> dict[str, Any]:
    """The checks as the section ``explanation_checks`` of a card: what the table shows, and the words.

    Args:
        summary: of :func:`judge_explanations`.
        about: on which units.
    """
    maps = {
        name: {
            "scores": {score: each["scores"][score] for score in COLUMNS if each["scores"].get(score)},
            "verdicts": each["verdicts"],
            "passed": each["passed"],
        }
        for name, each in summary["maps"].items()
    }
    kept = (
        "unit",
        "lesions",
        "patients",
        "members",
        "auc",
        "image",
        "not_measured",
        "label_control",
        "settings",
        "limits",
    )
    return rounded({"about": about, "text": words(summary), **{key: summary[key] for key in kept}, "maps": maps})
