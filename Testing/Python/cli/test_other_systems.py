"""What the command line says to whoever uses a system that is not the lesions': options, cards, findings, refusals."""

import csv
import json

import numpy as np
import pytest
from making_files import files_in, written
from stranger import STRANGER

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.registry import register, unregister

GRID = VolumeGeometry((6, 12, 12), (1.0, 1.0, 2.0), (5.0, -7.0, 3.0))
QUICK = ("--system", "stranger", "--epochs", "1", "--batch-size", "8", "--members", "1", "--quiet")


@pytest.fixture(scope="module", autouse=True)
def stranger():
    register(STRANGER)
    yield STRANGER
    unregister(STRANGER.name)


def brain(label, seed):
    voxels = np.random.default_rng(seed).normal(100, 5, GRID.shape)
    voxels[1:4, 2 : 5 + 2 * label, 2 : 5 + 2 * label] += 200
    return voxels.astype(np.float32)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    for n in range(15):
        written(folder / f"flair{n}.nrrd", brain(n % 3, n), GRID)
    rows = [[f"P{n:02d}", f"flair{n}.nrrd", STRANGER.task.names[n % 3]] for n in range(15)]
    return table_of(folder / "cohort.csv", rows)


def table_of(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["patient", "flair", "size"], *rows])
    return path


@pytest.fixture(scope="module")
def model(cohort):
    out = cohort.parent / "sizes"
    command = ["train", str(cohort), "-o", str(out), *QUICK, "--protocols", "none", "--validation-share", "0.35"]
    assert main(command) == 0
    return out


def said(capsys, *arguments):
    code = main([str(each) for each in arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [(("--device", "cuda"), "finds no GPU"), (("--patience", "3", "--validation-share", "0"), "early")],
)
def test_a_training_that_cannot_begin_leaves_nothing_that_blocks_the_next(cohort, tmp_path, capsys, more, says):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    code, err = said(capsys, "train", cohort, "-o", tmp_path / "m", *QUICK, "--protocols", "none", *more)
    assert code == 3
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_its_gpu_leaves_nothing(cohort, tmp_path, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    options = ("--system", "stranger", "--protocols", "patients", "--device", "cuda", "--quiet")
    code, err = said(capsys, "study", cohort, "-o", tmp_path / "run", *options)
    assert code == 3
    assert "finds no GPU" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("patients", "classes", "more", "says"),
    [
        (20, 1, ("train", "--protocols", "none"), "All patients with images and a known size are small"),
        (20, 1, ("study", "--protocols", "patients"), "needs at least 5 of each"),
        (1, 1, ("train", "--protocols", "none"), "All patients with images"),
        (2, 2, ("train", "--protocols", "none"), "no way to set 20% of 2 patients aside"),
        (9, 3, ("train", "--protocols", "patients", "--validation-share", "0"), "needs at least 5 of each"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_before_an_image_is_read(tmp_path, capsys, patients, classes, more, says):
    """These files are no images, which only somebody who opens them knows."""
    names = STRANGER.task.names
    rows = [[f"P{n:02d}", f"{n}.nrrd", names[n % classes]] for n in range(patients)]
    for _, name, _ in rows:
        (tmp_path / name).write_text("no image", encoding="utf-8")
    table = table_of(tmp_path / "cohort.csv", rows)
    command, *options = more
    own = ("--system", "stranger", "--quiet")
    code, err = said(capsys, command, table, "-o", tmp_path / "out", *own, *options)
    assert code == 3
    assert says in err
    assert "no image" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("system", "flag", "value"),
    [("rice-net", "--label-rule", "rano-2.0"), ("rice-net", "--shrinkage", "0.3"), ("rano", "--shrinkage", "0.3")],
)
@pytest.mark.parametrize(
    "command", [("train", "x.csv", "-o", "m"), ("study", "x.csv", "-o", "m"), ("cohort", "check", "x.csv")]
)
def test_options_of_other_systems_labels_are_hidden_and_refused(capsys, command, system, flag, value):
    assert main([*command, "--system", system, flag, value]) == 3
    assert capsys.readouterr().err == f"pulsarcam: error: The system {system} has no {flag}; leave it out.\n"
    main([*command, "--system", system, "--help"])
    shown = capsys.readouterr().out
    assert f"{flag} " not in shown.split("examples:")[0]
    assert "--system" in shown


def test_rano_offers_its_rules_and_help_of_explain_names_every_systems_usual_choice(capsys):
    main(["cohort", "check", "--system", "rano", "--help"])
    assert "(imaging-2.0)" in " ".join(capsys.readouterr().out.split())
    main(["explain", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(pixelwise; rano: saliency; rice-net: saliency" in shown
    assert "(non-response; rano: pd; rice-net: recurrence" in shown
    assert "patients.csv or visits.csv" in shown


def test_an_input_named_twice_is_refused(capsys):
    assert main(["train", "x.csv", "-o", "m", "--system", "rice-net", "--inputs", "event,event"]) == 2
    assert "'event,event' names event twice; name each once" in capsys.readouterr().err


def test_the_card_tells_a_command_that_this_system_takes(model):
    command = json.loads((model / "card.json").read_text(encoding="utf-8"))["training"]["command"]
    assert "--system stranger" in command
    assert "--epochs 1" in command
    for foreign in ("--filters", "--mode", "--loss-weights", "--rotations", "--shrinkage", "--pictures-every"):
        assert f"{foreign} " not in command


def test_agreement_says_that_it_compares_inside_lesions(cohort, model, capsys, tmp_path):
    code, err = said(capsys, "agreement", cohort, "-o", tmp_path / "out", "--model", model)
    assert code == 3
    assert "The model “sizes” answers for patients" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--labels", "1"), "leave out --labels."),
        (("--segments", "a", "--parts", "separate"), "leave out --segments and --parts."),
    ],
)
def test_choices_among_lesions_are_refused_where_there_are_none(cohort, model, capsys, tmp_path, options, named):
    flair = cohort.parent / "flair1.nrrd"
    code, err = said(capsys, "explain", flair, "-o", tmp_path / "out", "--model", model, *options)
    assert code == 3
    assert "takes no lesions, so there is nothing to choose from" in err
    assert named in err
    assert list(tmp_path.iterdir()) == []


def test_an_image_of_several_volumes_is_told_by_its_own_title(cohort, model, capsys, tmp_path):
    import SimpleITK as sitk

    several = sitk.JoinSeries([GRID.to_sitk(brain(0, n)) for n in range(2)])
    sitk.WriteImage(several, str(tmp_path / "4d.nii.gz"))
    code, err = said(capsys, "explain", tmp_path / "4d.nii.gz", "-o", tmp_path / "out", "--model", model)
    assert code == 3
    assert "extract the FLAIR MRI from it first" in err
    table = table_of(tmp_path / "cohort.csv", [["P1", "4d.nii.gz", "small"]])
    assert main(["cohort", "check", str(table), "--system", "stranger"]) == 3
    assert "extract the FLAIR MRI from it first" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (lambda v: np.full_like(v, np.nan), "is NaN or infinite everywhere"),
        (np.zeros_like, "holds one single value"),
        (lambda v: np.where(np.indices(v.shape)[0] < 4, np.inf, v), "67% of the voxels"),
        (lambda v: np.where(np.indices(v.shape)[0] < 2, np.nan, 7.0), "holds one single value"),
    ],
)
def test_an_image_that_shows_nothing_is_a_finding(tmp_path, capsys, fill, says):
    written(tmp_path / "flair.nrrd", fill(brain(0, 0)).astype(np.float32), GRID)
    table = table_of(tmp_path / "cohort.csv", [["P1", "flair.nrrd", "small"]])
    assert main(["cohort", "check", str(table), "--system", "stranger"]) == 3
    out = capsys.readouterr().out
    assert says in out
    assert "1 error" in out


@pytest.mark.parametrize("cell", ["huge", "#N/A"])
def test_a_class_that_cannot_be_read_is_told_once(cohort, capsys, cell):
    rows = [[f"P{n:02d}", f"flair{n}.nrrd", STRANGER.task.names[n % 3] if n else cell] for n in range(15)]
    table = table_of(cohort.parent / "unread.csv", rows)
    assert main(["cohort", "check", str(table), "--system", "stranger"]) == 3
    out = capsys.readouterr().out
    assert out.count("P00") == 1
    assert f"“{cell}” in the column size cannot be read" in out


def test_a_study_that_goes_on_with_other_epochs_is_told_which(cohort, tmp_path, capsys):
    command = ["study", str(cohort), "-o", str(tmp_path / "run"), *("--system", "stranger", "--batch-size", "8")]
    command += ["--protocols", "patients", "--trials", "1", "--controls", "0", "--folds", "3", "--quiet", "--no-report"]
    assert main([*command, "--epochs", "1"]) == 0
    kept = files_in(tmp_path)
    assert main([*command, "--epochs", "2", "--learning-rate", "0.01"]) == 3
    err = capsys.readouterr().err
    assert "with other settings (epochs: 1 there, 2 here; learning rate: 0.0005 there, 0.01 here)" in err
    assert main([*command, "--epochs", "1", "--study-seed", "7"]) == 3
    assert "(seed: 0 there, 7 here)" in capsys.readouterr().err
    assert files_in(tmp_path) == kept


def test_columns_of_a_system_are_its_own(capsys):
    assert main(["cohort", "columns", "--system", "stranger"]) == 0
    out = capsys.readouterr().out
    assert "One row per patient" in out
    assert "Needed: patient, flair." in out
    assert "  size " in out
    own = out.split("  clinical_")[0]
    assert not any(word in own for word in ("lesion", "response", "segmentation", "followup"))
    assert main(["cohort", "columns"]) == 0
    out = capsys.readouterr().out
    assert "Needed: patient, lesion." in out
    assert "  segmentation " in out
    assert "--system" in out


def test_columns_of_a_system_that_compares_visits_are_those_of_one_visit(capsys):
    assert main(["cohort", "columns", "--system", "rano"]) == 0
    out = capsys.readouterr().out
    assert "One row per visit; " in out
    assert "Needed: patient, t1, t2, flair." in out
    assert "read from the column rano, or where it is empty computed" in out
    assert "FLAIR MRI of this visit" in out
    assert "time_point" not in out
