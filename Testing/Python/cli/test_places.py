"""What a command makes never replaces what it did not make, unless it is told to; and never what it reads."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.options.places import InputPath, OutputPath, output_path, refuse_own_inputs
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.systems.registry import systems

WORDS = ("ADDRESS", "CLASS", "COLUMN", "METHOD", "NAME", "PART", "RULE", "A,B", "NAME=A,B", "KIND:VALUE", "1,3", "N,N",
         "PACS", "ID")  # fmt: skip
"""Metavars of texts that are no path."""

NO_PATH = {"--title", "--licence", "--time-point", "--series", "--name"}

KEEPS = {
    "features --keep": "finished lesions are added under their own hash, nothing else is touched",
    "study -o": "a study is continued; every other folder is refused",
    "dicom get -o": "patients' files; a folder is made, and one that is there is refused",
}
"""Options for what is made that know no --overwrite, and why."""


def actions():
    """Every option and argument that takes a text, of every command and system: (command, parser, action)."""

    def walk(parser, path):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, inner in action.choices.items():
                    yield from walk(inner, (*path, name))
            elif action.nargs != 0:
                yield " ".join(path), parser, action

    for system in systems():
        yield from walk(make_parser(system.name), ())


def kind_of(action):
    """The class of paths that an option takes, or None."""
    name = getattr(action.type, "__name__", "")
    if action.type is InputPath or name == "_named_transform":
        return InputPath
    return OutputPath if name in ("path", "_output") else None


def outputs():
    """(command, first flag) of every option for what is made."""
    found = {(command, action.option_strings[0]) for command, _, action in actions() if kind_of(action) is OutputPath}
    return sorted(found)


def test_every_text_that_is_no_word_is_known_as_a_path_that_is_read_or_made():
    for command, _, action in actions():
        flag = (action.option_strings or (action.dest,))[0]
        if kind_of(action) or action.choices or action.type is not None or action.help == argparse.SUPPRESS:
            continue
        known = action.metavar in WORDS or flag in NO_PATH or action.metavar == "N" or f"{command} {flag}" in KEEPS
        assert known or flag in ("--system", "--scheduler"), f"{command} {flag}: is this a path that is read or made?"


def test_every_command_that_makes_something_has_the_one_option_for_replacing_it():
    assert {command for command, flag in outputs() if flag == "-o"} >= {
        "explain", "demo", "cohort check", "cohort make-synthetic", "cohort import lumiere", "features", "agreement",
        "train", "study", "evaluate", "sanity",
    }  # fmt: skip
    for command, parser, action in actions():
        if kind_of(action) is OutputPath and f"{command} {action.option_strings[0]}" not in KEEPS:
            told = [each for each in parser._actions if "--overwrite" in each.option_strings]
            assert told, f"{command} {action.option_strings} can never replace anything"
            assert told[0].help.startswith("replace ")


TABLE = "patient,lesion,volume_cm3,followup_volume_cm3\na,1,2,1\n"


def commands(folder: Path):
    """Command, flag and a call of it that would write to ``OUT``, without what it needs to go on for long."""
    table, out = str(folder / "t.csv"), "OUT"
    imports = ("lumiere", "proteas", "yale", "gamma-knife", "openbtai")
    calls = {
        ("explain", "-o"): ["explain", "mri.nrrd", "mask.nrrd", "-o", out],
        ("explain", "--pseudonyms"): ["explain", table, "-o", "x", "--pseudonyms", out],
        ("cohort from-dicom", "-o"): ["cohort", "from-dicom", str(folder), "-o", out],
        ("cohort from-dicom", "--pseudonyms"): [
            "cohort",
            "from-dicom",
            str(folder),
            "-o",
            "x.csv",
            "--pseudonyms",
            out,
        ],
        ("demo", "-o"): ["demo", "-o", out],
        ("dicom get", "-o"): ["dicom", "get", "127.0.0.1:1", "--patient", "1", "-o", out],
        ("dose", "-o"): ["dose", str(folder), "-o", out],
        ("cohort check", "-o"): ["cohort", "check", table, "--no-images", "-o", out],
        ("cohort check", "--labels"): ["cohort", "check", table, "--no-images", "--labels", out],
        ("cohort make-synthetic", "-o"): ["cohort", "make-synthetic", "--patients", "1", "-o", out],
        ("cohort import proteas", "--cores"): [
            "cohort",
            "import",
            "proteas",
            str(folder),
            "-o",
            "x.csv",
            "--cores",
            out,
        ],
        ("cohort import-openbtai", "-o"): ["cohort", "import-openbtai", table, "-o", out],
        ("bundle calibrate", "-o"): ["bundle", "calibrate", "synthetic-demo", table, "-o", out],
        ("bundle add-reference", "-o"): ["bundle", "add-reference", "synthetic-demo", table, "-o", out],
        ("features", "-o"): ["features", table, "-o", out],
        ("agreement", "-o"): ["agreement", table, "-o", out],
        ("train", "-o"): ["train", table, "-o", out],
        ("study", "-o"): ["study", table, "-o", out],
        ("evaluate", "-o"): ["evaluate", str(folder), "-o", out],
        ("sanity", "-o"): ["sanity", "synthetic-demo", "-o", out],
    }
    return calls | {(f"cohort import {n}", "-o"): ["cohort", "import", n, str(folder), "-o", out] for n in imports}


def test_every_output_option_is_among_those_that_are_tried(tmp_path):
    assert set(commands(tmp_path)) == set(outputs()), "a new option for what is made needs a call in `commands`"


FOREIGN = "somebody's own notes"


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize(("command", "flag"), outputs())
def test_what_somebody_else_made_stays(tmp_path, monkeypatch, capsys, command, flag, told):
    """A file is in the way of a file, a folder with a file in it in the way of a folder."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    (source / "t.csv").write_text(TABLE)
    arguments = commands(source)[command, flag]
    makes_files = command in ("cohort check", "features", "sanity", "dose") or ("import" in command and flag == "-o")
    makes_files |= (command, flag) == ("cohort from-dicom", "-o")
    place = tmp_path / ("out.csv" if makes_files else "out")
    mine = place if makes_files else place / "notes.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text(FOREIGN)
    if told and makes_files:
        return  # it was told to replace this file, and may
    if told and f"{command} {flag}" in KEEPS:
        return
    given = [str(place) if each == "OUT" else each for each in arguments]
    code = main([*given, *(["--overwrite"] if told else [])])
    assert mine.read_text() == FOREIGN
    said = capsys.readouterr().err
    if (command == "cohort import proteas" and flag == "--cores") or command == "evaluate":
        assert code in (3, 5), said  # the source is looked at first
    else:
        assert code == 5, said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([place.name, "source"])


@pytest.mark.parametrize(("command", "flag"), outputs())
def test_what_a_command_reads_is_never_what_it_makes(tmp_path, monkeypatch, capsys, command, flag):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    for name in ("mri.nrrd", "mask.nrrd"):
        (tmp_path / name).write_text("x")
    arguments = commands(tmp_path)[command, flag]
    own = {"explain": "mri.nrrd", "evaluate": str(tmp_path)}.get(command, str(tmp_path / "t.csv"))
    if command in ("demo", "cohort make-synthetic", "dicom get"):
        return  # they read nothing
    if ("import" in command and command != "cohort import-openbtai") or command in ("cohort from-dicom", "dose"):
        own = str(tmp_path)
    if command == "sanity":
        arguments = [*arguments, "--cohort", own]
    if (command, flag) == ("explain", "--pseudonyms"):
        own = str(tmp_path / "t.csv")
    given = [own if each == "OUT" else each for each in arguments]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main([*given, *([] if f"{command} {flag}" in KEEPS else ["--overwrite"])]) == 5
    assert "what this command reads; choose another name" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_findings_never_go_into_the_users_own_table(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text(TABLE)
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(table)]) == 5
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(table), "--overwrite"]) == 5
    assert main(["cohort", "check", str(table), "--no-images", "--labels", str(table), "--overwrite"]) == 5
    assert table.read_text() == TABLE
    found = tmp_path / "f.csv"
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(found)]) == 0
    first = found.read_bytes()
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(found)]) == 5
    assert "add --overwrite to replace it" in capsys.readouterr().err
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(found), "--overwrite"]) == 0
    assert found.read_bytes() == first


def test_a_file_that_a_table_names_is_read_too(tmp_path, capsys):
    (tmp_path / "mask.csv").write_text("x")
    table = tmp_path / "t.csv"
    table.write_text("patient,lesion,segmentation\na,1,mask.csv\n")
    code = main(["cohort", "check", str(table), "--no-images", "-o", str(tmp_path / "mask.csv"), "--overwrite"])
    assert code == 5
    assert "mask.csv is what this command reads" in capsys.readouterr().err


def namespace(read: Path, made: Path, *beside: str) -> argparse.Namespace:
    return argparse.Namespace(cohort=InputPath(read), output=output_path(*beside)(str(made)))


def test_what_is_made_beside_an_output_is_looked_at_too(tmp_path):
    settings = tmp_path / "a.settings.json"
    settings.write_text("{}")
    with pytest.raises(OutputError, match=r"a\.settings\.json is what this command reads"):
        refuse_own_inputs(namespace(settings, tmp_path / "a.csv", "{stem}.settings.json"))


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_other_names_of_one_file_are_seen_through(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "soft.csv").symlink_to("a.csv")
    os.link(tmp_path / "a.csv", tmp_path / "hard.csv")
    for name in ("soft.csv", "hard.csv", "./a.csv"):
        with pytest.raises(OutputError, match="reads"):
            refuse_own_inputs(namespace(tmp_path / "a.csv", tmp_path / name))


def test_a_folder_with_an_input_in_it_is_not_replaced_and_one_beside_it_is(tmp_path):
    inner = tmp_path / "out" / "scan" / "mri.nrrd"
    inner.parent.mkdir(parents=True)
    inner.write_text("x")
    with pytest.raises(OutputError, match=r"holds .*mri\.nrrd, which this command reads"):
        refuse_own_inputs(namespace(inner, tmp_path / "out"))
    (tmp_path / "out" / "result").mkdir()
    refuse_own_inputs(namespace(inner, tmp_path / "out" / "result"))
    refuse_own_inputs(namespace(tmp_path / "none.nrrd", tmp_path / "none.nrrd"))


def test_a_cohort_or_a_model_with_files_of_somebody_elses_is_not_replaced(tmp_path, capsys):
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    (cohort / "cohort.csv").write_text(TABLE)
    assert main(["cohort", "make-synthetic", "-o", str(cohort), "--patients", "1", "--overwrite"]) == 5
    assert (cohort / "cohort.csv").read_text() == TABLE, "a hospital's table may be called so, too"
    bundle = tmp_path / "model"
    bundle.mkdir()
    (bundle / "card.json").write_text(json.dumps({}))
    (bundle / "notes.txt").write_text(FOREIGN)
    table = tmp_path / "t.csv"
    table.write_text(TABLE)
    assert main(["train", str(table), "-o", str(bundle), "--overwrite"]) == 5
    assert "notes.txt" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="devices")
def test_a_device_is_never_replaced(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(TABLE)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(pipe), "--overwrite"]) == 5
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["x" * 300, "y/" * 3000 + "z", "a\0b", "\ud800"])
@pytest.mark.parametrize(("command", "flag"), outputs())
def test_a_place_that_no_system_has_is_a_sentence(tmp_path, monkeypatch, capsys, command, flag, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    if command == "evaluate":
        return  # there is no study here
    ending = ".csv" if command in ("sanity", "features") or "import" in command else ""
    given = [place + ending if each == "OUT" else each for each in commands(tmp_path)[command, flag]]
    code, said = main(given), capsys.readouterr().err
    assert code in (3, 5), said
    assert "unexpected" not in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv"]
