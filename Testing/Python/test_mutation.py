"""Mutation testing finds what no test sees, and takes nothing for seen that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mutate
import pytest
from mutation.changes import all_mutants, mutants_of, mutated
from mutation.covering import Covering
from mutation.trying import Server

SOURCE = '''"""A limit."""

LIMIT = 3


def too_many(count: int, also: bool = False) -> bool:
    """Whether there are more than the limit."""
    if also:
        return True
    return count > LIMIT


def nobody_asks(a, b):
    return a + b
'''

TESTS = """
from PulsarCAMLib.core.few import too_many

def test_more():
    assert too_many(9)

def test_fewer():
    assert not too_many(1)

def test_also():
    assert too_many(1, also=True)
"""


def test_changes_are_those_of_the_text():
    found = mutants_of(SOURCE, "PulsarCAMLib/core/few.py")
    assert [(each.line, each.what) for each in found] == [
        (3, "3 -> 4"),
        (8, "if -> if not"),
        (6, "False -> True"),
        (10, "Gt -> GtE"),
        (14, "Add -> Sub"),
        (9, "True -> False"),
    ]
    texts = [mutated(SOURCE, each.number) for each in found]
    assert "LIMIT = 4" in texts[0]
    assert "if not also" in texts[1]
    assert "also: bool=True" in texts[2]
    assert "count >= LIMIT" in texts[3]
    assert "a - b" in texts[4]
    assert "return False" in texts[5]
    assert len(set(texts)) == len(found)


def test_texts_and_decorators_are_left_alone():
    assert mutants_of('NAME = "a" + "b"\nTEXT = f"{NAME}" + NAME\n', "x.py") == []
    assert mutants_of("@dataclass(frozen=True)\nclass A:\n    b: int\n", "x.py") == []


def test_what_is_known_of_a_file_ends_with_its_text():
    before, after = (mutants_of(text, "x.py")[0].key for text in ("A = 1\n", "A = 1  # one\n"))
    assert before != after


def test_tests_that_run_the_lines_come_first_and_those_beside_them_last():
    file = "PulsarCAMLib/core/few.py"
    tests = [
        ("t/test_few.py::a", 2.0),
        ("t/test_few.py::b", 1.0),
        ("t/test_many.py::c", 0.1),
        ("t/test_far.py::d", 0.1),
    ]
    covering = Covering(tests, {file: {6: [0, 1, 2], 8: [0, 1, 2], 10: [0, 2]}})
    mutants = {(each.line, each.what): each for each in mutants_of(SOURCE, file)}
    assert covering.seeing(mutants[10, "Gt -> GtE"]) == [0, 2, 1]
    assert covering.seeing(mutants[3, "3 -> 4"]) == [1, 0, 2]  # runs when the module is imported
    assert covering.seeing(mutants_of(SOURCE, "PulsarCAMLib/core/other.py")[0]) == []


@pytest.fixture
def a_checkout(tmp_path) -> Path:
    for name, text in {"PulsarCAMLib/core/few.py": SOURCE, "Testing/Python/test_few.py": TESTS}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for folder in ("PulsarCAMLib", "PulsarCAMLib/core"):
        (tmp_path / folder / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    return tmp_path


def test_survivors_are_those_that_no_test_can_tell(a_checkout):
    names = [f"Testing/Python/test_few.py::test_{each}" for each in ("more", "fewer", "also")]
    lines = {8: [0, 1, 2], 9: [2], 10: [0, 1]}
    covering = Covering([(name, 0.01) for name in names], {"PulsarCAMLib/core/few.py": lines})
    server = Server(a_checkout, heavy=("pytest",))
    try:
        fates = {
            each.what: mutate.fate(each, server, a_checkout, covering) for each in all_mutants(a_checkout, ["core"])
        }
        assert server.run(names, 30) == 0
    finally:
        server.close()
    assert fates == {
        "3 -> 4": "survived",
        "if -> if not": "killed",
        "False -> True": "killed",
        "Gt -> GtE": "survived",
        "Add -> Sub": "survived",  # no test of the file calls it
        "True -> False": "killed",
    }
    assert (a_checkout / "PulsarCAMLib" / "core" / "few.py").read_text(encoding="utf-8") == SOURCE


def test_a_run_that_does_not_end_is_ended(a_checkout):
    (a_checkout / "Testing" / "Python" / "test_few.py").write_text("def test_on():\n    while True:\n        pass\n")
    server = Server(a_checkout, heavy=("pytest",))
    try:
        assert server.run(["Testing/Python/test_few.py"], 2) == -1
    finally:
        server.close()


def test_lines_are_written_down_by_test(tmp_path):
    root = Path(__file__).resolve().parents[2]
    found = tmp_path / "covering.json"
    test = "Testing/Python/core/test_pluralize.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "mutation.covering"]
    pytest.importorskip("coverage", reason="coverage is not installed (extra lint)")
    subprocess.run(
        [*command, "--covering", str(found), test],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'Testing'}:{root / 'Testing' / 'Python'}"},
        capture_output=True,
        check=True,
    )
    covering = Covering.read(found)
    assert covering.tests
    assert all(name.startswith(test) for name, _ in covering.tests)
    assert any(name.startswith("PulsarCAMLib/core/") for name in covering.lines)
