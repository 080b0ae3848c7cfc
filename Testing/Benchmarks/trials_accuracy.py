"""Whether speed costs anything: the plain loop's and PulsarCAM's answers to the same splits, each trained whole.

Both learn from the same patches of the same lesions with the same seeds; their random numbers differ, so that single
lesions are answered differently, as by two seeds of one of them. What must agree is how good the answers are.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from contestants import Contestant
from measuring import Row
from sklearn.metrics import accuracy_score, roc_auc_score
from trial_data import SAMPLES
from trials_study import borrow, lesion_splits, prepare

from PulsarCAMLib.core.vocabulary import CAM
from PulsarCAMLib.study.figures.pairs import corrected_interval
from PulsarCAMLib.study.records import read_record, trial_folder
from PulsarCAMLib.study.splits import Split

GROUP = "(d) test lesions of {} splits by lesion, {} epochs, {}"
OURS, PLAIN = "PulsarCAM", "plain loop"
CUTOFF = 0.5

Answers = list[list[float]]


def rows(count: int, epochs: int, run: Path | None, cohort: Path | None, kept: Path) -> Iterator[Row]:
    """The report's lines; a training that is there already, in ``kept`` or in ``run``, is not made again.

    Args:
        count: splits.
        epochs: of every training.
        run: study whose splits and patches are taken, and whose answers where it has them; None: a new one.
        cohort: of the new one; None: the acceptance cohort.
        kept: folder for what is trained here.
    """
    with tempfile.TemporaryDirectory(prefix="pulsarcam-bench-") as name:
        study = Path(name) / "study"
        about = f"patches of the study {run}"
        if run:
            borrow(run, study, count)
        else:
            about = prepare(Path(name), cohort, count).about
        splits = lesion_splits(study, count)
        plain = _trained("trials_plain.py", study, splits, epochs, kept)
        found = {PLAIN: plain, OURS: _from_study(run, splits, epochs) if run else {}}
        missing = [split for split in splits if split.number not in found[OURS]]
        found[OURS] |= _trained("trials_ours.py", study, missing, epochs, kept)
    group = GROUP.format(count, epochs, about)
    test_share = mean(len(split.labels) / len(split.train) - 1 for split in splits)
    for at, (point, _) in enumerate(splits[0].asked):
        for measure, figure in (("AUC", roc_auc_score), ("accuracy", _accuracy)):
            values = {who: [_of(figure, s, each[s.number], at) for s in splits] for who, each in found.items()}
            yield from _compared(group, f"{measure}, {point} MRI", values, test_share)
    yield _agreement(group, splits, found)


def _trained(script: str, study: Path, splits: list[Split], epochs: int, kept: Path) -> dict[int, Answers]:
    """Answers by number of the split; what is not there is trained."""
    kept.mkdir(parents=True, exist_ok=True)
    patches = hashlib.sha256((study / SAMPLES).read_bytes()).hexdigest()
    found, contestant = {}, None
    for split in splits:
        key = hashlib.sha256(f"{patches}{split.seed}{split.train.tolist()}{epochs}".encode()).hexdigest()
        path = kept / f"{Path(script).stem}-{split.place}.json"
        there = json.loads(path.read_text()) if path.exists() else {}
        if there.get("key") != key:
            # Accuracy does not depend on threads, so that the caller's settings of them are left.
            contestant = contestant or Contestant(script, study, defaults=False)
            answer = contestant.ask([split.number], epochs)
            there = {"key": key, "seconds": round(answer.seconds, 1), "answers": answer.probabilities[0]}
            path.write_text(json.dumps(there) + "\n")
        found[split.number] = there["answers"]
    if contestant:
        contestant.close()
    return found


def _from_study(run: Path, splits: list[Split], epochs: int) -> dict[int, Answers]:
    """Answers that a study has already, if its trainings had as many epochs."""
    found = {}
    for split in splits:
        record = read_record(trial_folder(run, CAM, split))
        if record and record.details["epochs"] == epochs and np.array_equal(record.train, split.train):
            found[split.number] = [answers.probabilities.tolist() for answers in record.answers]
    return found


def _of(figure, split: Split, answers: Answers, at: int) -> float:
    return float(figure(split.labels[split.asked[at][1]], np.array(answers[at])))


def _accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return accuracy_score(labels, probabilities >= CUTOFF)


def _compared(group: str, what: str, values: dict[str, list[float]], test_share: float) -> Iterator[Row]:
    """Means with standard deviations, and the paired difference as the study's report has it."""
    for who, each in values.items():
        spread = f" +- {stdev(each):.3f}" if len(each) > 1 else ""
        yield Row(group, f"{what}: {who}", mean(each), "", note=f"{mean(each):.3f}{spread}; {_listed(each)}")
    differences = [ours - plain for ours, plain in zip(values[OURS], values[PLAIN], strict=True)]
    found = corrected_interval(differences, test_share)
    note = f"{found['mean']:+.3f}"
    if found["low"] is not None:
        note += f", 95 % interval {found['low']:+.3f} to {found['high']:+.3f} over splits (Nadeau and Bengio)"
    yield Row(group, f"{what}: {OURS} - {PLAIN}, paired", found["mean"], "", note=note)


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _agreement(group: str, splits: list[Split], found: dict[str, dict[int, Answers]]) -> Row:
    ours, plain = (
        np.concatenate([np.concatenate(each[split.number]) for split in splits]) for each in (found[OURS], found[PLAIN])
    )
    same = float(((ours >= CUTOFF) == (plain >= CUTOFF)).mean())
    correlation = float(np.corrcoef(ours, plain)[0, 1])
    return Row(group, "lesions called the same by both", 100 * same, "%", note=f"correlation {correlation:.2f}")
