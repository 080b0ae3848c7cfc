"""Where a network's answer comes from: controls find out what networks need, in samples, models, words and card."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest
from making_samples import SMALL
from making_studies import made_study, some_patients

from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.cli.study.command import study_settings_of, tell_of_input_controls
from PulsarCAMLib.core.case import Case
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.outputs.study import input_controls as report
from PulsarCAMLib.outputs.study.console import summary_lines
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.input_controls.figures import volumes_are_pixels
from PulsarCAMLib.study.input_controls.unit_volumes import VOLUMES, UnitVolumes, read_volumes
from PulsarCAMLib.study.input_controls.words import input_controls_section
from PulsarCAMLib.study.models.samples_file import save_samples
from PulsarCAMLib.study.models.study_models import input_control_model
from PulsarCAMLib.study.plan import plan_study
from PulsarCAMLib.study.prepare import Prepared, splits_of
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.controls import CONTROLS
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.contract import LabelledUnit
from PulsarCAMLib.systems.learning.learner import TrainingSamples
from PulsarCAMLib.systems.registry import systems
from PulsarCAMLib.training.study_models import TrialTask

NAMES = tuple(each.name for each in CONTROLS)
COLUMNS = ("mean-only", "volume-only")
LESIONS = 48


def patches(secret, seed=0):
    """Discs in noise, half of which respond: they are larger, brighter or in stripes, or have a bright shell around."""
    rng = np.random.default_rng(seed)
    labels = np.arange(LESIONS) % 2
    rows, columns = np.indices((64, 64))
    images = rng.normal(0.5, 0.04, (LESIONS, 1, 64, 64)).astype(np.float32)
    masks = np.zeros(images.shape, dtype=bool)
    for n, label in enumerate(labels):
        radius = rng.uniform(9, 11) + (6 * label if secret == "size" else 0)
        inside = np.hypot(rows - 32, columns - 32) < radius
        masks[n, 0] = inside
        if label and secret == "outside":
            images[n, 0][~inside & (np.hypot(rows - 32, columns - 32) < radius + 6)] += 0.3
        if label and secret == "mean":
            images[n, 0][inside] += 0.25
        if secret == "structure":  # the same grey levels, in stripes or mixed
            stripes = np.where((columns // 4) % 2, 0.2, 0.8)[inside]
            images[n, 0][inside] = stripes if label else rng.permutation(stripes)
    numbers = np.arange(LESIONS)
    return TrainingSamples(images.clip(0, 1), masks, labels, numbers + 1, numbers, np.zeros(LESIONS))


def settings_for(*names):
    training = AUTOENCODER.training_settings(
        architecture=SMALL, epochs=8, batch_size=16, learning_rate=1e-2, rotations=(90.0,)
    )
    return StudySettings(training=training, input_controls=names, protocols=("patients",))


def auc_of(secret, name, folder):
    """Of a control that learnt from half of the lesions, on the others."""
    samples = patches(secret)
    digest = save_samples(folder / "samples.npz", {"baseline": samples})
    model = input_control_model(settings_for(name), digest, folder, name)
    train, asked = np.arange(LESIONS // 2), np.arange(LESIONS // 2, LESIONS)
    task = TrialTask(train, samples.labels, samples.patients, (("baseline", asked),), 3, folder / "trial")
    (p,) = model.fit_predict(task).probabilities
    positive = samples.labels[asked] == 1
    return float((p[positive][:, None] > p[~positive]).mean())


@pytest.mark.parametrize(
    ("secret", "found", "blind"),
    [
        ("size", ("mask-only", "volume-only"), ("mean-only",)),
        ("mean", ("mean-only", "shuffled-inside"), ("volume-only", "mask-only")),
        ("outside", ("outside-only",), ()),
        ("structure", ("inside-only",), ("mean-only", "volume-only")),
    ],
)
def test_a_secret_is_found_by_the_controls_that_see_it_and_by_no_other(secret, found, blind, tmp_path):
    aucs = {}
    for name in (*found, *blind):
        (tmp_path / name).mkdir()
        aucs[name] = auc_of(secret, name, tmp_path / name)
    assert min(aucs[name] for name in found) > 0.85, aucs
    assert all(0.2 < aucs[name] < 0.8 for name in blind), aucs


def test_what_a_control_sees_holds_nothing_of_the_rest():
    samples = patches("mean")
    images, masks, own = samples.images, samples.masks, AUTOENCODER.preprocessing()
    numbers = np.arange(LESIONS)

    def seen(name, given):
        return AUTOENCODER.controlled(name, given, masks, numbers, own)

    np.testing.assert_array_equal(seen("mask-only", images), masks.astype(np.float32))
    for name, rest in (("inside-only", ~masks), ("outside-only", masks)):
        other = np.where(rest, np.float32(0.9) * images[::-1], images)
        np.testing.assert_array_equal(seen(name, images), seen(name, other))
        assert not seen(name, images)[rest].any()
        # a scale that the rest has decided leaves no trace
        np.testing.assert_allclose(seen(name, images), seen(name, images * np.float32(0.5)), atol=1e-6)
    shuffled = seen("shuffled-inside", images)
    np.testing.assert_array_equal(shuffled[~masks], images[~masks])
    assert np.array_equal(np.sort(shuffled[0][masks[0]]), np.sort(images[0][masks[0]]))
    np.testing.assert_array_equal(shuffled[4:6], AUTOENCODER.controlled("shuffled-inside", images[4:6], masks[4:6],
                                                                       numbers[4:6], own))  # fmt: skip
    with pytest.raises(InputError, match="is no network"):
        seen("mean-only", images)
    means = AUTOENCODER.control_column("mean-only", images, masks)
    assert means[3] == pytest.approx(float(images[3][masks[3]].mean()), abs=1e-6)


def test_volumes_are_kept_where_units_become_samples_and_answer_for_them(tmp_path):
    geometry = VolumeGeometry((4, 9, 9), (1, 1, 2))
    masks = [np.zeros(geometry.shape, bool) for _ in range(2)]
    masks[0][1:3, 2:5, 2:5], masks[1][1, 1, 1] = True, True
    lesions = [Lesion.from_mask(f"L{n}", mask) for n, mask in enumerate(masks)]
    case = Case({"t1c": SimpleNamespace(geometry=geometry)}, (), "t1c")
    units = [LabelledUnit("P", Case(case.images, (each,), "t1c"), each.name, 0) for each in lesions]
    kept = UnitVolumes()
    assert list(kept.told(units, {("P", "L0"): 1, ("P", "L1"): 0}, "baseline")) == units
    kept.write(tmp_path)
    assert read_volumes(tmp_path / VOLUMES)["baseline"] == pytest.approx({1: 0.036, 0: 0.002})
    assert read_volumes(tmp_path / "none") is None
    model = input_control_model(settings_for("volume-only"), "0", tmp_path, "volume-only")
    np.testing.assert_allclose(model.numbers("baseline", np.array([1, 0]))[:, 0], np.log([0.036, 0.002]))
    (tmp_path / VOLUMES).write_text("time_point,unit,volume_cm3\nbaseline,0,none\n")
    with pytest.raises(InputError, match="damaged"):
        read_volumes(tmp_path / VOLUMES)


def test_settings_and_options_name_them():
    plain, some = StudySettings(), settings_for("volume-only", "mask-only")
    assert "input_controls" not in plain.to_card()
    assert some.models == ("cam", "cam[volume-only]", "cam[mask-only]")
    assert some.input_controls == ("mask-only", "volume-only")
    assert (some.fused, some.networks, some.feature_models, some.subsets) == (("cam",), ("cam",), (), {})
    assert StudySettings.from_card(some.to_card()) == some
    assert some.identity() == settings_for().identity()  # they may be added to a study that is there
    assert StudySettings(models=("cam", "cam[mask-only]")).input_controls == ("mask-only",)
    with pytest.raises(InputError, match="'mask' is no control of the inputs of Autoencoder-classifier"):
        StudySettings(input_controls=("mask",))
    with pytest.raises(InputError, match="the network does not take part"):
        StudySettings(models=("radiomics",), features={"a": 1}, input_controls=COLUMNS)
    assert [system.name for system in systems() if system.input_controls] == [AUTOENCODER.name]


def asked(*arguments):
    return study_settings_of(make_parser().parse_args(["study", "table.csv", "-o", "run", *arguments]))


def test_cheap_ones_take_part_unless_others_are_named_and_costs_are_told(capsys):
    assert asked().input_controls == COLUMNS
    assert asked("--input-controls", "none").input_controls == ()
    assert asked("--models", "radiomics").input_controls == ()
    assert asked("--input-controls", "mask-only").input_controls == ("mask-only",)
    assert asked("--system", "rano", "--protocols", "patients").input_controls == ()
    every = asked("--input-controls", "all", "--trials", "7")
    assert every.input_controls == NAMES
    tell_of_input_controls(asked(), quiet=False)
    tell_of_input_controls(every, quiet=True)
    assert capsys.readouterr().err == ""
    tell_of_input_controls(every, quiet=False)
    assert "4 times 7 trainings more" in capsys.readouterr().err


def test_they_are_trained_by_patient_on_true_labels_only(tmp_path):
    lesions = some_patients(24, AUTOENCODER.name)
    own = StudySettings(
        protocols=("lesions", "patients"), trials=2, controls=2, folds=3, input_controls=("mask-only", "volume-only")
    )
    facts = {"sha256": {"samples": "0"}}
    plan = plan_study(Prepared(tmp_path, own, lesions, splits_of(own, lesions), facts))
    of = {name: [job.split for job in plan.jobs if job.model.name == name] for name in own.models}
    assert len(of["cam"]) == 8
    for name in own.controlled:
        assert [(split.protocol, split.control) for split in of[name]] == [("patients", False)] * 2
    assert len({job.identity() for job in plan.jobs}) == len(plan.jobs)


def judged(sees, folder, names=NAMES, patients=40, **own):
    """A study in which the network and the controls in ``sees`` are right 19 times in 20, and the others guess."""

    def answer(model, split, point, units):
        rng = np.random.default_rng([split.seed, len(model)])
        guess = rng.random(len(units))
        if split.control or not (model == "cam" or model[4:-1] in sees) or (model == "cam" and "cam" not in sees):
            return guess
        right = np.where(np.arange(len(units)) % 20 == 9, 1 - split.labels[units], split.labels[units])
        return 0.1 + 0.6 * right + 0.2 * guess

    lesions = some_patients(patients, AUTOENCODER.name)
    own = {"protocols": ("patients",), "trials": 5, "controls": 4, "folds": 4} | own
    study = made_study(folder, answer, models=("cam", *(f"cam[{name}]" for name in names)), lesions=lesions, **own)
    return summarise(study, 10)


@pytest.fixture(scope="module")
def by_mask(tmp_path_factory):
    return judged(("cam", "mask-only"), tmp_path_factory.mktemp("mask"))


def test_a_network_that_needs_its_mask_alone_is_told_so_before_anything_else(by_mask):
    found = by_mask["input_controls"]
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == ["network", *NAMES]
    assert rows["mask-only"]["difference"]["low"] < 0 < rows["mask-only"]["difference"]["high"]
    assert all(rows[name]["difference"]["low"] > 0 for name in NAMES if name != "mask-only")
    own = {entry["model"]: entry for entry in by_mask["table"]}
    for name in NAMES:
        assert rows[name]["auc"] == pytest.approx(own[f"cam[{name}]"]["by_split"]["auc"])
        difference = rows["network"]["auc"] - rows[name]["auc"]
        assert rows[name]["difference"]["value"] == pytest.approx(difference)
    (told,) = [sentence for sentence in by_mask["sentences"]["headline"] if sentence.startswith("Where the answer")]
    assert told.endswith("the network need not look at the MRI at all, and its heat maps mean nothing.")
    assert sum("does worse than the network" in sentence for sentence in found["sentences"]) == 5
    assert not any("[" in pair["first"] + pair["second"] for pair in by_mask["differences"])
    (section,) = [report.section(by_mask)]
    assert [row[0] for row in section["rows"]][1:] == [each.title for each in CONTROLS]
    lines = "\n".join(summary_lines(by_mask))
    assert "Where the answer comes from (patients, 40 lesions of 40 patients):" in lines
    table = list(csv.DictReader(io.StringIO(report.table(by_mask))))
    assert [row["control"] for row in table] == list(rows)
    assert float(table[1]["network_minus_control"]) == pytest.approx(rows["mask-only"]["difference"]["value"])


def test_a_study_begun_before_volumes_were_kept_says_that_its_volume_is_pixels(by_mask, tmp_path):
    note = by_mask["input_controls"]["note"]
    assert "is the number of a lesion's pixels" in note
    assert report.section(by_mask)["about"].endswith(note)
    assert summary_lines(by_mask).count(note) == 1
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / VOLUMES).write_text("time_point,unit,volume_cm3\n")
    study = SimpleNamespace(folder=tmp_path / "kept", settings=SimpleNamespace(system=AUTOENCODER.name))
    assert not volumes_are_pixels(study, NAMES)
    study.folder = tmp_path
    assert volumes_are_pixels(study, NAMES)
    assert not volumes_are_pixels(study, ["mask-only"])


def test_a_card_keeps_them_as_verdicts_read_them(by_mask):
    section = input_controls_section(by_mask)
    assert [each["name"] for each in section] == list(NAMES)
    keys = {"name", "auc", "interval", "difference", "difference_interval", "lesions", "patients"}
    for each, row in zip(section, by_mask["input_controls"]["rows"][1:], strict=True):
        assert set(each) == keys
        assert each["interval"] == pytest.approx([row["low"], row["high"]])
        assert each["difference_interval"][0] <= each["difference"] <= each["difference_interval"][1]
        assert (each["lesions"], each["patients"]) == (40, 40)
    assert input_controls_section({}) == []


def test_a_network_that_knows_nothing_shows_nothing_of_what_it_needs(tmp_path):
    summary = judged((), tmp_path, COLUMNS)
    first, *others = summary["input_controls"]["sentences"]
    assert first.startswith("The network itself cannot be told from chance here")
    assert not any("so the network" in sentence or "mean nothing" in sentence for sentence in others)
    assert not any(sentence.startswith("Where the answer") for sentence in summary["sentences"]["headline"])


def test_patients_left_out_one_by_one_are_compared_by_the_pool(tmp_path):
    summary = judged(("cam", "volume-only"), tmp_path, COLUMNS, 20, protocols=("leave-one-patient-out",), controls=0)
    rows = {row["name"]: row for row in summary["input_controls"]["rows"]}
    assert rows["volume-only"]["difference"]["of"] == "pool"
    assert rows["mean-only"]["difference"]["value"] > 0.2


def test_a_card_in_words_lists_them(by_mask):
    from PulsarCAMLib.outputs.pages.card_text import _performance

    block = _performance({"about": "On nobody", "input_controls": input_controls_section(by_mask)}, AUTOENCODER.task)
    (table,) = block.tables
    assert [row[0] for row in table[1:]] == [name.replace("-", " ") for name in NAMES]
    assert table[1][2].startswith(("+", "-"))
    assert " to " in table[1][2]
