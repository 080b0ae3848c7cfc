"""RICE-Net: what it sees and refuses, its network, its synthetic cohorts, and the whole way at tiny size."""

import csv
import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import written

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError, DependencyError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.ricenet.architecture import ResNetSizes
from PulsarCAMLib.systems.ricenet.preprocessing import RicePreprocessing
from PulsarCAMLib.systems.ricenet.recipe import BOTH, DOSE, IMAGE, NOTHING, RiceCohort
from PulsarCAMLib.systems.ricenet.synthetic import CLOUD, NODULE, draw_patient, images_of
from PulsarCAMLib.systems.ricenet.system import RICE_NET
from PulsarCAMLib.systems.ricenet.task import EVENT, POSTOP, RECURRENCE, RICE, RTDOSE

GRID = VolumeGeometry((12, 12, 12), (14.0, 14.0, 14.0), (-77.0, -77.0, -77.0))
PLAIN = {"registration": "none", "brain": "none", "size": (8, 8, 8), "spacing": (20.0, 20.0, 20.0)}
SMALL = ResNetSizes(widths=(2, 4, 4, 4), blocks=(1, 1, 1, 1))


def case(**without):
    rng = np.random.default_rng(0)
    images = {name: rng.uniform(1, 60, GRID.shape).astype(np.float32) for name in (EVENT, POSTOP, RTDOSE)}
    kept = {name: Image(voxels, GRID) for name, voxels in images.items() if name not in without}
    return Case(kept, reference=EVENT)


def prepared(inputs, given):
    return RICE_NET.prepare(given, RicePreprocessing(inputs=inputs, **PLAIN), lambda *_: None)[0]


@pytest.mark.parametrize("inputs", [(RTDOSE,), (EVENT, POSTOP), (RTDOSE, EVENT, POSTOP)])
def test_the_network_sees_the_inputs_of_its_card_in_the_papers_order(inputs):
    preprocessing = RicePreprocessing(inputs=inputs, **PLAIN)
    assert [roles for (roles,) in RICE_NET.channel_roles(preprocessing)] == [
        name for name in (POSTOP, EVENT, RTDOSE) if name in inputs
    ]
    assert RicePreprocessing.from_card(json.loads(json.dumps(preprocessing.to_card()))) == preprocessing
    whole = prepared((POSTOP, EVENT, RTDOSE), case()).images[0]
    order = {POSTOP: 0, EVENT: 1, RTDOSE: 2}
    np.testing.assert_array_equal(prepared(inputs, case()).images[0], whole[sorted(order[name] for name in inputs)])


def test_the_dose_is_told_in_shares_of_60_gy():
    dose = prepared((RTDOSE,), case()).images[0, 0]
    assert 0.5 < dose.max() <= 1.0


def test_what_it_was_trained_with_must_be_there_and_what_it_never_saw_need_not():
    with pytest.raises(InputError, match=r"The radiation dose is missing .* which this model was trained with"):
        prepared((EVENT, RTDOSE), case(rtdose=None))
    assert prepared((EVENT,), case(rtdose=None, postop=None)).images.shape == (1, 1, 8, 8, 8)
    assert not any("dose" in sentence for sentence in prepared((EVENT,), case(rtdose=None)).warnings)


def test_a_dose_of_one_fraction_is_refused():
    given = case()
    images = {**given.images, RTDOSE: Image(given.images[RTDOSE].voxels / 30, GRID)}
    with pytest.raises(InputError, match="2 Gy only, which is one fraction or no Gy; multiply"):
        prepared((EVENT, RTDOSE), Case(images, reference=EVENT))


def test_preprocessing_that_cannot_be_meant_is_refused():
    with pytest.raises(BundleError, match="leave the subtraction out"):
        RicePreprocessing(subtraction=True)
    with pytest.raises(BundleError, match="one or more of postop, event, rtdose"):
        RicePreprocessing(inputs=())


def test_the_network_is_monais_resnet18_of_as_many_channels_as_inputs():
    torch = pytest.importorskip("torch")
    nets = pytest.importorskip("monai.networks.nets")
    with torch.device("meta"):
        ours = RICE_NET.network(ResNetSizes(), RicePreprocessing(inputs=(EVENT, RTDOSE))).resnet
        theirs = nets.resnet18(spatial_dims=3, n_input_channels=2, num_classes=2)
    mine, published = ({name: value.shape for name, value in net.state_dict().items()} for net in (ours, theirs))
    assert mine == published
    small = RICE_NET.network(SMALL, RicePreprocessing(inputs=(EVENT,)))
    layers = RICE_NET.explained_layers(small)
    assert [
        layers[name] is getattr(small.resnet, layer) for name, layer in (("", "layer4"), ("shallow", "layer2"))
    ] == [
        True,
        True,
    ]
    assert RICE_NET.explained_layer(small) is small.resnet.layer4
    assert len(RICE_NET.checkpointed_parts(small)) == 4


def test_without_monai_one_sentence_says_what_to_install(monkeypatch):
    import PulsarCAMLib.core.requirements as requirements

    real = requirements.look_at
    gone = requirements.Package("monai>=1.4", "monai", None, False)
    monkeypatch.setattr(requirements, "look_at", lambda each: gone if each.startswith("monai") else real(each))
    with pytest.raises(DependencyError, match=r"PulsarCAM needs MONAI, which is not installed.*pulsarcam\[models3d\]"):
        RICE_NET.network(SMALL, RicePreprocessing())


def patients(decides, count=12, seed=3):
    recipe = RiceCohort(seed=seed, decides=decides, voxels=12, spacing_mm=14)
    return [(draw_patient(recipe, n), images_of(draw_patient(recipe, n), recipe, n)) for n in range(count)]


@pytest.mark.parametrize(("decides", "by_look", "by_dose"), [
    (IMAGE, True, False), (DOSE, False, True), (BOTH, True, True), (NOTHING, False, False),
])  # fmt: skip
def test_what_decides_tells_the_outcome_and_nothing_else_does(decides, by_look, by_dose):
    drawn = patients(decides)
    outcome = np.array([patient.outcome == RECURRENCE for patient, _ in drawn])
    solid = np.array([patient.look == NODULE for patient, _ in drawn])
    peak = np.array([images[RTDOSE][0].max() for _, images in drawn])
    assert outcome.sum() == 6
    assert bool((solid == outcome).all()) == by_look
    assert bool(peak[outcome].max() < peak[~outcome].min()) == by_dose
    if by_dose:
        assert peak[~outcome].min() > 75
        assert peak[outcome].max() < 66


def test_a_cohort_is_reproducible_and_its_truth_lies_in_the_brain():
    recipe = RiceCohort(seed=5, voxels=24, spacing_mm=7)
    first, again = (images_of(draw_patient(recipe, 4), recipe, 4) for _ in range(2))
    assert all(np.array_equal(first[name][0], again[name][0]) for name in first)
    planted, brain = first["truth_planted_map"][0] > 0, first[EVENT][0] != 0
    assert 3 <= planted.sum() < 0.1 * brain.sum()
    assert not (planted & ~brain).any()
    assert draw_patient(recipe, 4).look in (NODULE, CLOUD)
    assert first["truth_boost_map"][1].same_grid(first[RTDOSE][1])
    other = images_of(draw_patient(RiceCohort(seed=6, voxels=24, spacing_mm=7), 4), recipe, 4)
    assert not np.array_equal(first[EVENT][0], other[EVENT][0])
    changed = first[EVENT][0].astype(float) / first[EVENT][0].mean() - first[POSTOP][0] / first[POSTOP][0].mean()
    assert changed[planted].mean() > 0.2 > abs(changed[brain & ~planted].mean()), "it is new on the event MRI"


TINY = ["--registration", "none", "--brain", "none", "--size", "8,8,8", "--spacing", "20,20,20",
        "--widths", "2,4,4,4", "--blocks", "1,1,1,1", "--epochs", "2", "--batch-size", "4"]  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    out = tmp_path_factory.mktemp("rice") / "cohort"
    options = ["--system", "rice-net", "--patients", "12", "--voxels", "12", "--spacing-mm", "14", "--quiet"]
    assert main(["cohort", "make-synthetic", *options, "-o", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def model(cohort):
    out = cohort.parent / "model"
    table, how = str(cohort / "cohort.csv"), ["--members", "2", "--ensemble", "majority", "--protocols", "none"]
    assert main(["train", table, "-o", str(out), "--system", "rice-net", *TINY, *how, "--keep-run", "--quiet"]) == 0
    return out


def test_the_cohort_is_as_a_table_must_be(cohort, capsys):
    assert main(["cohort", "check", str(cohort / "cohort.csv"), "--system", "rice-net"]) == 0
    assert "6 rice, 6 recurrence" in capsys.readouterr().out
    again = ["cohort", "make-synthetic", "--system", "rice-net", "-o", str(cohort), "--quiet"]
    assert main(again) == 5, "nothing is overwritten in silence"
    assert main(["cohort", "make-synthetic", "--system", "rice-net", "-o", str(cohort.parent / "no"), "--voxels", "8",
                 "--spacing-mm", "3", "--quiet"]) == 3  # fmt: skip
    assert "smaller than the head" in capsys.readouterr().err
    assert not (cohort.parent / "no").exists()


def test_members_learn_without_a_fold_each_and_vote(model):
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert card["decision"]["ensemble"] == "majority"
    assert card["preprocessing"]["inputs"] == [POSTOP, EVENT, RTDOSE]
    trials = [json.loads(path.read_text()) for path in sorted(model.parent.glob("model.training/member-*/trial.json"))]
    assert [(t["training"]["patients"], t["validation"]["patients"]) for t in trials] == [(5, 5), (5, 5)]
    assert trials[0]["identity"] != trials[1]["identity"]


def test_a_new_case_is_explained_with_maps_of_each_input(cohort, model, capsys):
    rows = list(csv.DictReader((cohort / "cohort.csv").open(encoding="utf-8")))
    files = [str(cohort / rows[1][EVENT]), "--postop", str(cohort / rows[1][POSTOP])]
    out = cohort.parent / "result"
    command = ["explain", *files, "-o", str(out), "--model", str(model), "--method", "saliency", "--quiet"]
    assert main(command) == 3
    assert "The radiation dose is missing" in capsys.readouterr().err
    assert not out.exists()
    assert main([*command, "--rtdose", str(cohort / rows[1][RTDOSE]), "--input", "each"]) == 0
    maps = sorted(path.name for path in out.glob("saliency*mean.nrrd"))
    assert all(any(name in each for each in maps) for name in (POSTOP, RTDOSE)), maps
    of_dose = next(path for path in out.glob("saliency*rtdose*mean.nrrd"))
    grid = VolumeGeometry.from_sitk(sitk.ReadImage(str(cohort / rows[1][RTDOSE])))
    assert VolumeGeometry.from_sitk(sitk.ReadImage(str(of_dose))).same_grid(grid), "on the dose's own grid"
    answer = next(csv.DictReader((out / "patients.csv").open(encoding="utf-8")))
    assert float(answer["probability_recurrence"]) in (0.0, 0.5, 1.0), "a share of two votes"


def test_a_patient_without_an_input_is_named_before_anything_is_trained(cohort, tmp_path, capsys):
    rows = list(csv.DictReader((cohort / "cohort.csv").open(encoding="utf-8")))
    table = cohort / "less.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, ["patient", EVENT, "outcome"], extrasaction="ignore")
        lines.writeheader()
        lines.writerows(rows)
    whole = ["train", str(table), "-o", str(tmp_path / "m"), "--system", "rice-net", *TINY, "--members", "2"]
    assert main([*whole, "--protocols", "none", "--quiet"]) == 3
    said = capsys.readouterr().err
    first = ", ".join(row["patient"] for row in rows[:3])
    alike = rf"{first}, … +error +The post-operative T1 is missing.*\(and {len(rows) - 1} more like this\)"
    assert re.search(alike, said), said
    assert main(["cohort", "check", str(table), "--system", "rice-net", "-o", str(tmp_path / "found.csv"), "--quiet"])
    found = list(csv.DictReader((tmp_path / "found.csv").open(encoding="utf-8-sig")))
    missing = [each["patient"] for each in found if "post-operative T1 is missing" in each["what"]]
    assert missing == [row["patient"] for row in rows]


def test_images_that_do_not_meet_are_refused(cohort, model, tmp_path, capsys):
    rows = list(csv.DictReader((cohort / "cohort.csv").open(encoding="utf-8")))
    far = VolumeGeometry(GRID.shape, GRID.spacing, (900.0, 0.0, 0.0))
    written(tmp_path / "far.nrrd", np.random.default_rng(0).uniform(1, 60, GRID.shape).astype(np.float32), far)
    files = [
        str(cohort / rows[1][EVENT]),
        "--postop",
        str(cohort / rows[1][POSTOP]),
        "--rtdose",
        str(tmp_path / "far.nrrd"),
    ]
    assert main(["explain", *files, "-o", str(tmp_path / "out"), "--model", str(model), "--quiet"]) == 3
    assert "was another patient's chosen?" in capsys.readouterr().err


def test_the_words_are_its_own():
    assert RICE_NET.task.names == (RICE, RECURRENCE)
    assert RICE_NET.task.positive == RECURRENCE
    assert "ResNet of 2-2-2-2 blocks" in RICE_NET.network_words(ResNetSizes())


def test_a_head_that_lies_otherwise_on_the_event_mri_is_brought_to_the_other():
    recipe = RiceCohort(seed=2, voxels=28, spacing_mm=6, misregistration=2)
    patient = draw_patient(recipe, 1)
    images = images_of(patient, recipe, 1)
    given = Case({name: Image(*images[name]) for name in (EVENT, POSTOP, RTDOSE)}, reference=EVENT)
    agreement = {}
    for way in ("none", "halfway"):
        preprocessing = RicePreprocessing(registration=way, brain="none", size=(24, 24, 24), spacing=(7.0, 7.0, 7.0))
        (sample,) = RICE_NET.prepare(given, preprocessing, lambda *_: None)
        before, event, _ = sample.images[0]
        agreement[way] = np.corrcoef(before[sample.masks[0, 0]], event[sample.masks[0, 0]])[0, 1]
    assert agreement["halfway"] > agreement["none"] + 0.05


def test_a_card_that_lets_members_answer_otherwise_is_refused(model, tmp_path, capsys):
    for name in ("card.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    card["decision"]["ensemble"] = "loudest"
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert main(["bundle", "check", str(tmp_path)]) == 4
    assert "the ensemble 'loudest'; it must be mean or majority" in capsys.readouterr().out
