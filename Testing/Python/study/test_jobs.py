"""Many trainings: spread, lost, repeated, never done twice."""

import json
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from making_trials import Guesser, some_jobs, some_lesions

from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.study.jobs import ATTEMPTS, run_jobs
from PulsarCAMLib.study.records import RESULT, Answers, TrialRecord, read_record


def bytes_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob(RESULT)}


def test_what_comes_out_does_not_depend_on_how_it_was_spread(tmp_path):
    told = []
    alone = run_jobs(some_jobs(tmp_path / "one"), progress=lambda share, _text: told.append(share))
    spread = run_jobs(some_jobs(tmp_path / "two"), at_once=2)
    assert len(alone) == len(spread) == 13
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert told[-1] == 1.0


def test_two_workers_of_a_dask_cluster_give_the_same_and_use_both(tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    run_jobs(some_jobs(tmp_path / "one"))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        assert len(cluster.workers) == 2
        run_jobs(some_jobs(tmp_path / "dask"), scheduler=cluster.scheduler_address)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "dask")


def test_a_scheduler_that_does_not_answer_is_named_in_one_sentence(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")

    def no_answer(*_arguments, **_options):
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", no_answer)
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9"):
        run_jobs(some_jobs(tmp_path), scheduler="tcp://127.0.0.1:9")


def test_a_finished_trial_is_never_computed_again(tmp_path):
    jobs = some_jobs(tmp_path)
    run_jobs(jobs[:4])
    (jobs[1].folder / RESULT).unlink()
    run_jobs(jobs)
    begun = [len((job.folder / "begun").read_text()) for job in jobs]
    assert begun == [1, 2, *[1] * 11]


def test_a_trial_that_is_lost_with_its_process_is_repeated(tmp_path):
    lost = run_jobs(some_jobs(tmp_path / "lost", Guesser(dies=1), trials=2, controls=0), at_once=2)
    sound = run_jobs(some_jobs(tmp_path / "sound", trials=2, controls=0))
    for one, other in zip(lost, sound, strict=True):
        assert np.array_equal(one.answers[0].probabilities, other.answers[0].probabilities)


def test_a_worker_that_is_replaced_is_no_warning_and_every_other_warning_comes_through(tmp_path, monkeypatch):
    said = ("A worker stopped while some jobs were given to the executor. This can be", "Something else")

    class Loud(joblib.Parallel):
        def __call__(self, calls):
            for words in said:
                warnings.warn(words, UserWarning, stacklevel=1)
            return super().__call__(calls)

    monkeypatch.setattr(joblib, "Parallel", Loud)
    with pytest.warns(UserWarning, match="Something else") as heard:
        run_jobs(some_jobs(tmp_path, trials=2, controls=0), at_once=2)
    assert [str(warning.message) for warning in heard] == ["Something else"]


def test_a_trial_that_is_lost_every_time_ends_with_a_sentence(tmp_path, monkeypatch):
    assert ATTEMPTS > 2
    monkeypatch.setattr("PulsarCAMLib.study.jobs.ATTEMPTS", 2)  # each starts two processes
    with pytest.raises(InputError, match="lost with their processes 2 times"):
        run_jobs(some_jobs(tmp_path, Guesser(dies=9), trials=2, controls=0), at_once=2)


def test_a_folder_of_another_study_is_refused_and_left_as_it_is(tmp_path):
    run_jobs(some_jobs(tmp_path, trials=2, controls=0))
    before = bytes_of(tmp_path)
    with pytest.raises(InputError, match="other settings or other data"):
        run_jobs(some_jobs(tmp_path, Guesser(flavour="b"), trials=2, controls=0))
    with pytest.raises(InputError, match="other settings or other data"):
        run_jobs(some_jobs(tmp_path, lesions=some_lesions(seed=1), trials=2, controls=0))
    assert bytes_of(tmp_path) == before


def test_a_damaged_record_is_named(tmp_path):
    (job,) = some_jobs(tmp_path, trials=1, controls=0)
    run_jobs([job])
    path = job.folder / RESULT
    path.write_text(path.read_text()[:-30])
    with pytest.raises(InputError, match="damaged"):
        run_jobs([job])


@dataclass(frozen=True)
class Failing(Guesser):
    def fit_predict(self, task):
        raise InputError("The MRI of row 7 cannot be read.")


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_trials_own_error_comes_through(tmp_path, at_once):
    with pytest.raises(InputError, match="row 7"):
        run_jobs(some_jobs(tmp_path, Failing(), trials=2, controls=0), at_once=at_once)


def test_stopping_keeps_what_is_done(tmp_path):
    jobs = some_jobs(tmp_path, trials=4, controls=0)
    with pytest.raises(Cancelled):
        run_jobs(jobs, cancelled=lambda: (jobs[1].folder / RESULT).exists())
    assert [(job.folder / RESULT).exists() for job in jobs] == [True, True, False, False]


def test_a_record_keeps_every_digit_and_no_answer_stays_none(tmp_path):
    found = np.array([0.1 + 0.2, np.nan, 1 / 3])
    answers = (Answers("second", np.array([4, 2, 9]), found),)
    record = TrialRecord("cam", "patients", True, 6, np.array([0, 1, 1]), np.array([0, 2]), answers, 0.31, "here", {})
    (tmp_path / RESULT).write_bytes(record.to_json("id"))
    again = read_record(tmp_path, "id")
    assert np.array_equal(again.answers[0].probabilities, found, equal_nan=True)
    assert np.array_equal(again.answers[0].lesions, [4, 2, 9])
    assert (again.threshold, again.control, again.number, again.threshold_from) == (0.31, True, 6, "here")
    kept = json.loads((tmp_path / RESULT).read_text())
    assert kept["answers"][0]["probabilities"][1] is None
    assert {"PulsarCAM", "torch", "numpy"} <= set(kept["software"])
