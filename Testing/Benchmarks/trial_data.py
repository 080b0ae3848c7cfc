"""What every contestant of the many-trials benchmark is given, and how it is asked. NumPy only.

A contestant is a process of its own, so that each has its framework's own defaults. It reads one command in a line of
JSON, ``{"trials": [0, 1], "epochs": 150, ...}``, and answers with one, ``{"seconds": ..., "answers": ...}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAMPLES, TRIALS = "samples.npz", "trials.json"


@dataclass(frozen=True, eq=False)
class Trial:
    """One division into lesions that are learnt from and lesions that are asked.

    Attributes:
        images: float32 ``[N, 1, s, s]`` to learn from, rotated copies among them.
        masks: bool, the same shape.
        labels: float32 ``[N]``, 1 response.
        asked: images and masks of the lesions that are asked, one pair for each MRI.
        seed: of everything random.
    """

    images: np.ndarray
    masks: np.ndarray
    labels: np.ndarray
    asked: tuple[tuple[np.ndarray, np.ndarray], ...]
    seed: int


class Trials:
    """The trials of a study's protocol, from its patches and ``trials.json``."""

    def __init__(self, folder: Path) -> None:
        self._splits = json.loads((folder / TRIALS).read_text())
        with np.load(folder / SAMPLES, allow_pickle=False) as arrays:
            self._arrays = {name: arrays[name] for name in arrays.files}

    def __getitem__(self, number: int) -> Trial:
        split = self._splits[number]
        labels = np.array(split["labels"], dtype=np.float32)
        lesions = self._arrays["baseline_lesions"]
        known = np.isin(lesions, split["train"])
        images, masks = (self._arrays[f"baseline_{name}"] for name in ("images", "masks"))
        asked = tuple(self._slices(point, wanted) for point, wanted in split["asked"])
        return Trial(images[known], masks[known], labels[lesions[known]], asked, split["seed"])

    def _slices(self, point: str, wanted: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The slices of some lesions that are not rotated, in the order asked for."""
        originals = np.flatnonzero(self._arrays[f"{point}_rotations"] == 0)
        place = dict(zip(self._arrays[f"{point}_lesions"][originals].tolist(), originals.tolist(), strict=True))
        chosen = [place[lesion] for lesion in wanted]
        return self._arrays[f"{point}_images"][chosen], self._arrays[f"{point}_masks"][chosen]


def serve(do: Callable[[dict], object], about: dict) -> None:
    """Answer commands until there are no more.

    Args:
        do: does one command, which is what is timed; what it returns is handed back.
        about: versions and threads, told first.
    """
    answer_to = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not stand among the answers
    print(json.dumps(about), file=answer_to, flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        answers = do(json.loads(line))
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "answers": answers}), file=answer_to, flush=True)
