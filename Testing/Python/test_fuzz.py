"""Damaged files by chance, in a child that may die: read or refused in one sentence; a few hundred of fixed seed."""

from __future__ import annotations

import fuzz
import pytest


@pytest.mark.parametrize("name", fuzz.KINDS)
def test_every_kind_is_read_as_long_as_nothing_is_damaged(tmp_path, name):
    (tmp_path / "right").mkdir()
    fuzz.KINDS[name].read(fuzz.KINDS[name].make(tmp_path / "right"))


def test_the_same_seed_and_number_are_the_same_file(tmp_path):
    (tmp_path / "right").mkdir()
    right = fuzz.KINDS["nrrd"].make(tmp_path / "right")
    assert fuzz.outcome("nrrd", 1, 3, right, tmp_path / "a") == fuzz.outcome("nrrd", 1, 3, right, tmp_path / "b")
    assert (tmp_path / "a" / right.name).read_bytes() == (tmp_path / "b" / right.name).read_bytes()
    assert (tmp_path / "a" / right.name).read_bytes() != right.read_bytes()


def test_damaged_files_are_read_or_refused_in_one_sentence(capsys):
    assert fuzz.main(["--count", "300", "--seed", "13"]) == 0, capsys.readouterr().out


def test_what_is_worse_than_a_refusal_is_counted_and_the_next_child_goes_on(tmp_path, monkeypatch, capsys):
    """The child is another program here, which dies at its second file and errs at its third."""
    program = tmp_path / "child.py"
    program.write_text(
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "at = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
        "folder = Path(at['--folder'])\n"
        "for n in range(int(at['--child']), int(at['--count'])):\n"
        "    (folder / 'at.json').write_text(json.dumps([n, 'nrrd']))\n"
        "    if n == 1: os.abort()\n"
        "    with (folder / 'outcomes.jsonl').open('a') as notes:\n"
        "        what = ('fault', 'ValueError') if n == 2 else ('read', '')\n"
        "        notes.write(json.dumps([n, 'nrrd', *what, 2000.0]) + '\\n')\n"
    )
    monkeypatch.setattr(fuzz, "__file__", str(program))
    assert fuzz.main(["--count", "4", "--kind", "nrrd"]) == 1
    said = capsys.readouterr().out
    assert "nrrd 1: crash" in said
    assert "nrrd 2: fault: ValueError" in said
    assert said.splitlines()[-2].split() == ["all", "2", "0", "1", "1", "0"]
