"""Small models that tell a class from numbers: what a study's images, or what its networks have learnt, give away."""

from __future__ import annotations

from typing import Any

import numpy as np

QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)

BLOCKS = 3
"""Parts of each axis whose means are numbers of an image."""

AT_ONCE = 8
"""Images that are in memory together."""

PULL = 10.0
"""Standardised columns have so much variance together before the penalty is put on their weights."""


def image_numbers(images: Any) -> np.ndarray:
    """What can be said of images without learning: brightness, contrast, grain and where it is bright.

    Args:
        images: ``[n, channels, *size]``, an array or one in a file.

    Returns:
        ``[n, channels, numbers]``: quantiles, mean, standard deviation, share of zeros, differences of neighbours in
        standard deviations along each axis (a scanner's grain and sharpness), and means of :data:`BLOCKS` parts along
        each axis.
    """
    parts = [
        np.stack([[_of_channel(np.asarray(channel, dtype=np.float64)) for channel in image] for image in chunk])
        for start in range(0, len(images), AT_ONCE)
        if len(chunk := images[start : start + AT_ONCE])
    ]
    return np.concatenate(parts)


def _of_channel(channel: np.ndarray) -> np.ndarray:
    spread = float(channel.std())
    grain = [float(np.abs(np.diff(channel, axis=a)).mean()) / (spread or 1.0) for a in range(channel.ndim)]
    where = channel
    for axis in range(channel.ndim):
        parts = np.array_split(where, min(BLOCKS, where.shape[axis]), axis=axis)
        where = np.stack([part.mean(axis=axis) for part in parts], axis=axis)
    own = [*np.quantile(channel, QUANTILES), channel.mean(), spread, float((channel == 0).mean()), *grain]
    return np.concatenate([own, where.ravel()])


def told_from(
    numbers: np.ndarray, classes: np.ndarray, count: int, train: np.ndarray, asked: np.ndarray, seed: int
) -> np.ndarray:
    """Probabilities ``[m, count]`` for some units by a small regularised linear model that learnt from others.

    Args:
        numbers: ``[L, p]``; NaN where one is not known.
        classes: int ``[L]``.
        count: of classes.
        train, asked: indices of units.
        seed: of the solver.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from ...features.models.steps import logistic

    labels = classes[train]
    there = np.bincount(labels, minlength=count)
    if (there > 0).sum() < 2:
        return np.tile(there / max(there.sum(), 1), (len(asked), 1))
    strength = min(1.0, PULL / numbers.shape[1])
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        logistic(strength, balanced=True, seed=seed % 2**31),
    )
    model.fit(numbers[train], labels)
    found = np.zeros((len(asked), count))
    found[:, model.classes_] = model.predict_proba(numbers[asked])
    return found
