"""What the networks of a study's trials have learnt to see in its units, for models that learn from that."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError, OutputError
from ...io.plain_files import read_plain
from ...training.units.samples import TrainingSamples
from ..records import trial_folder
from ..splits import Split
from .network_model import TRAINING, NetworkStudyModel, samples_of
from .samples_file import load_samples

KEPT = "learnt_features.npz"
"""In a trial's folder, so that what took minutes is not computed for every report."""

MOST_BYTES = 1 << 30
"""Of such a file."""


def network_of(model: Any) -> NetworkStudyModel | None:
    """The network itself, or the first of those that are tuned, which differ in their settings alone."""
    first = getattr(model, "candidates", (model,))[0]
    return first if isinstance(first, NetworkStudyModel) else None


def originals_of(model: Any) -> TrainingSamples | None:
    """One unchanged sample of every unit as a model's network sees it; None where the study has none."""
    network = network_of(model)
    if network is None or model.time_points[0] not in load_samples(network.samples):
        return None
    known = network.samples_of_point(model.time_points[0])
    return samples_of(known, np.unique(known.originals().units).tolist())


def kept_features(
    folder: Path, units: int, network: NetworkStudyModel, split: Split, samples: Callable[[], TrainingSamples | None]
) -> np.ndarray | None:
    """What the network of the split's trial makes of every unit, ``[units, f]``; None where its folder was tidied up.

    It is computed once, kept beside the trial, and used while the trial's weights are those.

    Args:
        folder: of the study.
        units: of the study; those without a sample are NaN.
        network: whose trials these are.
        split: of the trial.
        samples: gives those of :func:`originals_of`; asked only where it is needed.
    """
    from ...io.atomic import write_durably
    from ...training.trial import finished_trial

    place = trial_folder(folder, network.name, split)
    trained = finished_trial(place / TRAINING)
    if trained is None:
        return None
    sha256 = f"{trained.sha256}{network.sha256}"
    kept = _kept(place / KEPT, sha256)
    if kept is not None:
        return kept
    shown = samples()
    if shown is None or not len(shown):
        return None
    features = network.system.learnt_features(trained.model(), shown.images, shown.masks)
    found = None
    if features is not None:
        found = np.full((units, features.shape[1]), np.nan)
        found[shown.units] = features
        content = io.BytesIO()
        np.savez(content, features=found, sha256=np.array(sha256))
        try:
            write_durably(place / KEPT, content.getvalue())
        except OutputError:
            return found  # a study may be looked at where nothing can be written
    return found


def _kept(path: Path, sha256: str) -> np.ndarray | None:
    try:
        content = read_plain(path, "file of features", at_most=MOST_BYTES)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return found["features"] if str(found["sha256"]) == sha256 else None
    except (InputError, OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
