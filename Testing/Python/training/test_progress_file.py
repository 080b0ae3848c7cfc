"""The file by which another process sees how far a run is."""

import json

import pytest

from PulsarCAMLib.io.progress_file import DONE, PROGRESS, ProgressFile, RunProgress, read_progress

STAGES = {"checking": 1.0, "training": 4.0, "writing": 0.0}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_overall_share_follows_the_weights_of_the_stages(tmp_path, clock):
    file = ProgressFile(tmp_path, STAGES, clock)
    file.stage("checking")
    assert read_progress(tmp_path) == RunProgress("checking", 0.0, 0.0, "")
    tell = file.stage("training")
    clock.now = 1.0
    tell(0.5, "epoch 3 of 6")
    assert read_progress(tmp_path) == RunProgress("training", 0.5, 0.6, "epoch 3 of 6")
    assert json.loads((tmp_path / PROGRESS).read_text())["format"] == "PulsarCAM progress"
    file.done()
    assert read_progress(tmp_path) == RunProgress(DONE, 1.0, 1.0, "")
    assert [path.name for path in tmp_path.iterdir()] == [PROGRESS]


def test_within_a_stage_it_is_written_at_most_twice_a_second(tmp_path, clock):
    tell = ProgressFile(tmp_path, STAGES, clock).stage("training")
    clock.now = 0.4
    tell(0.2, "too early")
    assert read_progress(tmp_path).text == ""
    clock.now = 0.5
    tell(0.3, "in time")
    assert read_progress(tmp_path).text == "in time"


def test_the_overall_share_never_falls_and_an_earlier_stage_has_nothing_more_to_say(tmp_path, clock):
    file = ProgressFile(tmp_path, STAGES, clock)
    old = file.stage("checking")
    new = file.stage("training")
    clock.now = 1.0
    old(1.0, "late")
    assert read_progress(tmp_path).stage == "training"
    new(0.5, "")
    clock.now = 2.0
    new(0.1, "again")
    assert read_progress(tmp_path) == RunProgress("training", 0.1, 0.6, "again")


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, clock):
    ProgressFile(tmp_path / "gone", STAGES, clock).stage("checking")
    assert read_progress(tmp_path / "gone") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": "other"}', '{"format": "PulsarCAM progress"}'])
def test_what_is_no_progress_is_not_taken_for_one(tmp_path, content):
    (tmp_path / PROGRESS).write_text(content)
    assert read_progress(tmp_path) is None
