"""The RANO paper's own protocol by name: splits by visit, the epoch chosen on what is tested, what that gains."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from making_studies import made_study, some_patients
from stranger import STRANGER

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import BEST_EPOCH, FLATTERING
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.jobs import Job, do_job
from PulsarCAMLib.study.models.network_model import NetworkStudyModel
from PulsarCAMLib.study.models.samples_file import save_samples
from PulsarCAMLib.study.records import read_record
from PulsarCAMLib.study.settings import StudySettings, usual_protocols
from PulsarCAMLib.study.splits import protocol_splits
from PulsarCAMLib.systems.learning.learner import TrainingSamples
from PulsarCAMLib.systems.registry import register, system_of, unregister

COUNTS = {"trials": 2, "controls": 1, "folds": 3, "seed": 0}


def test_it_is_usual_for_visits_flatters_and_is_refused_for_patients():
    assert usual_protocols(system_of("rano")) == (BEST_EPOCH, "patients")
    assert BEST_EPOCH in FLATTERING
    with pytest.raises(InputError, match="“best-epoch” splits by lesion, and RICE-Net answers for patients"):
        StudySettings(system="rice-net", protocols=(BEST_EPOCH,))


def test_its_splits_are_those_by_unit():
    units = some_patients(24, "rano")
    pairs = zip(protocol_splits(units, BEST_EPOCH, **COUNTS), protocol_splits(units, "lesions", **COUNTS), strict=True)
    for mine, other in pairs:
        assert np.array_equal(mine.train, other.train)
        assert mine.seed != other.seed


@pytest.fixture
def jobs(tmp_path):
    register(STRANGER)
    units = some_patients(12, "stranger")
    rng = np.random.default_rng(3)
    images = rng.normal(size=(12, 2, 4, 4, 4)).astype(np.float32)  # nothing to learn, so later epochs are worse
    numbers = np.arange(12)
    masks = np.ones((12, 1, 4, 4, 4), dtype=bool)
    samples = TrainingSamples(images, masks, units.labels, units.patients, numbers, np.zeros(12))
    save_samples(tmp_path / "samples.npz", {"baseline": samples})
    training = STRANGER.training_settings(epochs=6, batch_size=4, learning_rate=0.3)
    model = NetworkStudyModel(tmp_path / "samples.npz", "0", training)
    split = next(iter(protocol_splits(units, BEST_EPOCH, **COUNTS)))
    places = ((name, tmp_path / name) for name in (BEST_EPOCH, "lesions"))
    yield {
        name: Job(model, replace(split, protocol=name), units.patients, at, "fixed", 3, STRANGER.task)
        for name, at in places
    }
    unregister(STRANGER.name)


def test_the_epoch_is_the_best_one_on_the_tested_units_and_the_record_says_so(jobs):
    for job in jobs.values():
        do_job(job)
    records = {name: read_record(job.folder) for name, job in jobs.items()}
    with (jobs[BEST_EPOCH].folder / "training" / "history.csv").open(newline="") as file:
        losses = [float(row["validation_total"]) for row in csv.DictReader(file)]
    assert len(losses) == 6, "it never stops early"
    assert records[BEST_EPOCH].details["epoch_chosen_on_the_tested"] == 1 + int(np.argmin(losses))
    assert 1 + int(np.argmin(losses)) < 6, "else this test says nothing"
    assert "epoch_chosen_on_the_tested" not in records["lesions"].details
    mine, other = (records[name].answers[0].probabilities for name in (BEST_EPOCH, "lesions"))
    assert not np.allclose(mine, other)


def test_the_median_over_runs_stands_beside_its_control_and_the_honest_figure(tmp_path):
    def answer(model, split, point, units):
        rng = np.random.default_rng(split.seed)
        weight = 2.0 if split.protocol == BEST_EPOCH else 0.0
        found = (
            rng.random((len(units), 4))
            + weight * np.eye(4)[split.labels[units]] * (rng.random(len(units)) < 0.9)[:, None]
        )
        return found / found.sum(axis=1, keepdims=True)

    settings = {"system": "rano", "protocols": (BEST_EPOCH, "patients"), "trials": 20, "controls": 3, "folds": 4}
    study = made_study(tmp_path, answer, models=("rano",), lesions=some_patients(32, "rano"), **settings)
    summary = summarise(study, 20)
    entry = next(each for each in summary["table"] if each["protocol"] == BEST_EPOCH)
    figures = [
        np.mean([np.mean(p.argmax(axis=1)[truth == n] == n) for n in range(4)])
        for record in study.of("rano", BEST_EPOCH)
        for p, truth in [(record.answers[0].probabilities, record.labels[record.answers[0].lesions])]
    ]
    assert entry["medians"]["trials"] == pytest.approx(np.median(figures))
    assert "medians" not in next(each for each in summary["table"] if each["protocol"] == "patients")
    reason, told = summary["sentences"]["why_flattering"]
    assert reason.startswith("(d) As arXiv 2504.18268 was judged: splits by visit")
    assert f"median balanced accuracy {np.median(figures):.3f} over 20 runs under (d), with random labels" in told
    assert "(d) minus (c), means:" in told
