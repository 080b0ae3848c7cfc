"""What the inputs are worth: subsets by name, on the samples of all; a table that finds what was planted."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from making_studies import made_study, some_patients

from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.cli.study.command import study_settings_of
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.outputs.study import ablation as report
from PulsarCAMLib.outputs.study.console import summary_lines
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.models.samples_file import save_samples
from PulsarCAMLib.study.models.study_models import network_study_model
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.learning.learner import StoredArray, TrainingSamples
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.systems.subsets import input_subset

RICE_NET, RANO = system_of("rice-net"), system_of("rano")
SUBSETS = ("postop", "event", "rtdose", "postop+event", "postop+rtdose", "event+rtdose")
MODELS = ("rice-net", *(f"rice-net[{name}]" for name in SUBSETS))
SOME = ("rice-net", *(f"rice-net[{name}]" for name in ("postop", "event", "rtdose", "postop+rtdose")))


def answers(carrier):
    """Networks that see ``carrier`` are right 19 times in 20 where labels are true; all others guess."""

    def answer(model, split, point, units):
        rng = np.random.default_rng([split.seed, len(model)])
        guess = rng.random(len(units))
        if split.control or not (model == "rice-net" or carrier in model):
            return guess
        right = np.where(np.arange(len(units)) % 20 == 9, 1 - split.labels[units], split.labels[units])
        return 0.1 + 0.6 * right + 0.2 * guess

    return answer


def ablated(carrier, tmp_path, models=SOME, patients=60, **own):
    settings = {"system": "rice-net", "protocols": ("patients",), "trials": 8, "controls": 10, "folds": 4} | own
    study = made_study(tmp_path, answers(carrier), models=models, lesions=some_patients(patients), **settings)
    return summarise(study, 20)


@pytest.fixture(scope="module")
def by_dose(tmp_path_factory):
    return ablated("rtdose", tmp_path_factory.mktemp("dose"))


def test_the_papers_subsets_are_the_usual_ones():
    assert RICE_NET.usual_subsets(RICE_NET.preprocessing()) == SUBSETS
    usual = RANO.usual_subsets(RANO.preprocessing())
    assert usual == ("t1", "t2", "flair", "t1+t2", "t1+flair", "t2+flair", "now", "before")


@pytest.mark.parametrize(
    ("system", "name", "plain", "channels"),
    [
        (RICE_NET, "rtdose", "rtdose", (2,)),
        (RICE_NET, "rtdose+postop", "postop+rtdose", (0, 2)),
        (RANO, "flair+t1", "t1+flair", (0, 1, 4, 5)),
        (RANO, "before", "before", (1, 3, 5)),
        (RANO, "now+t2", "t2+now", (2,)),
        (RANO, "t2+now+before", "t2", (2, 3)),
    ],
)
def test_a_subset_has_the_channels_of_its_inputs_and_a_network_of_that_many(system, name, plain, channels):
    found = input_subset(system, system.preprocessing(), name)
    assert (found.name, found.channels) == (plain, channels)
    assert len(system.channel_roles(found.preprocessing)) == len(channels)


@pytest.mark.parametrize(
    ("system", "name", "says"),
    [
        (RICE_NET, "dose", "'dose' is no part of what RICE-Net sees; it sees postop, event, rtdose"),
        (RICE_NET, "postop+event+rtdose", "is all that RICE-Net sees, which is the network itself"),
        (RANO, "now+before", "is all that RANO response sees"),
        (system_of(), "t1", "its network sees one image only"),
    ],
)
def test_what_is_no_subset_is_refused_in_a_sentence(system, name, says):
    with pytest.raises(InputError, match=says):
        input_subset(system, system.preprocessing(), name)


def test_after_a_subtraction_there_are_no_visits_to_leave_out():
    whole = replace(RANO.preprocessing(), subtraction=True)
    assert RANO.usual_subsets(whole)[-1] == "t2+flair"
    assert input_subset(RANO, whole, "t2").channels == (1,)


def test_a_network_of_a_subset_learns_from_the_prepared_samples_without_the_other_channels(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 3, 2, 2, 2)).astype(np.float32)
    masks = np.ones((4, 1, 2, 2, 2), dtype=bool)
    numbers = np.arange(4)
    samples = TrainingSamples(images, masks, numbers % 2, numbers, numbers, np.zeros(4))
    save_samples(tmp_path / "samples.npz", {"baseline": samples})
    settings = StudySettings(system="rice-net", models=("rice-net", "rice-net[rtdose+postop]"), protocols=("patients",))
    assert settings.models[1] == "rice-net[postop+rtdose]"
    assert settings.fused == ("rice-net",)
    assert settings.feature_models == ()
    model = network_study_model(settings, "0", tmp_path / "samples.npz", "postop+rtdose")
    assert (model.name, model.title) == (settings.models[1], "RICE-Net: post-operative T1 + radiation dose")
    assert model.settings.preprocessing.inputs == ("postop", "rtdose")
    assert np.array_equal(model.samples_of_point("baseline").images, images[:, [0, 2]])
    assert model.identity() != network_study_model(settings, "0", tmp_path / "samples.npz").identity()


def test_channels_of_samples_in_a_file_are_chosen_when_they_are_read(tmp_path):
    images = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    images.tofile(tmp_path / "images.raw")
    stored = StoredArray(tmp_path / "images.raw", (3, 2), images.dtype, np.arange(4))
    samples = TrainingSamples(stored, stored, *(np.arange(4) for _ in range(4))).seeing((2, -1))
    expected = np.stack([images[:, 2], np.zeros((4, 2), np.float32)], axis=1)
    assert samples.images.shape == expected.shape
    for index in (1, slice(1, 3)):
        assert np.array_equal(samples.images[index], expected[index])
    assert np.array_equal(np.array(samples.images[np.array([3, 0])]), expected[[3, 0]])
    assert np.array_equal(images, np.array(stored)), "the file is as it was"


def test_where_the_dose_decides_it_does_as_well_alone_and_the_images_do_not(by_dose):
    (table,) = by_dose["ablation"]
    rows = {row["model"]: row for row in table["rows"]}
    assert {row["model"] for row in table["rows"][:3]} == {"rice-net", *(m for m in SOME if "rtdose" in m)}
    values = [row["value"] for row in table["rows"]]
    assert values == sorted(values, reverse=True)
    assert rows["rice-net"]["against_all"] is None
    assert rows["rice-net[rtdose]"]["better_than_control"] is True
    assert rows["rice-net[event]"]["against_all"]["high"] < 0
    told = " ".join(table["sentences"])
    assert "radiation dose alone does as well as all inputs" in told
    assert "event T1 alone does worse than all inputs" in told
    (chance,) = (each for each in table["sentences"] if each.startswith("No better than their controls"))
    assert "dose" not in chance
    assert any("radiation dose alone does as well" in sentence for sentence in by_dose["sentences"]["headline"])


def test_where_the_event_decides_the_dose_alone_does_worse(tmp_path):
    (table,) = ablated("event", tmp_path)["ablation"]
    told = " ".join(table["sentences"])
    assert "radiation dose alone does worse than all inputs" in told
    assert "event T1 alone does as well as all inputs" in told


def test_differences_are_subset_minus_all_whichever_comes_first(by_dose):
    (table,) = by_dose["ablation"]
    whole = next(row["value"] for row in table["rows"] if row["model"] == "rice-net")
    for row in table["rows"]:
        if row["against_all"]:
            assert row["against_all"]["value"] == pytest.approx(row["value"] - whole)
            assert row["against_all"]["low"] <= row["against_all"]["value"] <= row["against_all"]["high"]


def test_leave_one_out_is_told_by_its_pools(tmp_path):
    (table,) = ablated("rtdose", tmp_path, SOME[:4], 16, protocols=("leave-one-patient-out",))["ablation"]
    first = table["rows"][0]
    assert first["sd"] is None
    assert first["value"] == first["pooled"]["value"]
    assert {row["against_all"]["metric"] for row in table["rows"] if row["against_all"]} == {"auc"}


def test_page_lines_and_file_show_the_table(by_dose):
    shown = report.section(by_dose)["tables"][0]
    assert len(shown["rows"]) == len(SOME)
    lines = "\n".join(summary_lines(by_dose))
    assert "What the inputs are worth, (c) split by patient:" in lines
    rows = list(csv.DictReader(io.StringIO(report.table(by_dose))))
    assert [row["model"] for row in rows] == [row["model"] for row in by_dose["ablation"][0]["rows"]]
    assert float(rows[0]["value"]) == by_dose["ablation"][0]["rows"][0]["value"]


def chosen(*options):
    arguments = ["study", "a.csv", "-o", "run", "--system", "rice-net", *options]
    return study_settings_of(make_parser("rice-net").parse_args(arguments))


def test_the_dose_alone_stands_beside_the_network_and_more_subsets_are_asked_for():
    assert chosen().models == ("rice-net", "rice-net[rtdose]")
    assert chosen("--ablate", "all").models == MODELS
    assert chosen("--ablate", "rtdose+event", "--models", "majority").models[:2] == (
        "rice-net",
        "rice-net[event+rtdose]",
    )
    assert chosen("--models", "majority").models == ("majority",)
    with pytest.raises(InputError, match="is no part of what RICE-Net sees"):
        chosen("--ablate", "t1")


def test_macro_f1_of_the_paper_is_told_of_two_classes(by_dose):
    from sklearn.metrics import f1_score

    from PulsarCAMLib.evaluation.metrics import evaluate_predictions
    from PulsarCAMLib.evaluation.multiclass import predictions_of, weighted_metric

    assert by_dose["table_1"] == ["balanced_accuracy", "macro_f1", "auc"]
    truth, p = np.array([0, 0, 1, 1, 1, 0]), np.array([0.2, 0.7, 0.9, 0.4, 0.8, 0.1])
    expected = f1_score(truth, p >= 0.5, average="macro")
    assert evaluate_predictions(truth, p, task=RICE_NET.task).values["macro_f1"].value == pytest.approx(expected)
    given = predictions_of(truth, p, task=RICE_NET.task)
    assert weighted_metric("macro_f1", given, np.ones((1, 6))) == pytest.approx([expected])
    assert "macro_f1" not in evaluate_predictions(truth, p).values, "of tasks that name it only"
