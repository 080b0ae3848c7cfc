"""A plugin of pytest that writes down which test runs which lines, and how long each takes.

python -m pytest -p mutation.covering --covering covering.json TESTS
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .changes import LIBRARY, Mutant

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser) -> None:
    parser.addoption("--covering", help="the file to write")


def pytest_configure(config) -> None:
    if config.getoption("--covering"):
        config.pluginmanager.register(Recorder(Path(config.getoption("--covering"))), "mutation-recorder")


class Recorder:
    """Watches a run of pytest. Tests that fail are left out: they tell nothing of a mutant."""

    def __init__(self, path: Path) -> None:
        import coverage

        self.path = path
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self.coverage = coverage.Coverage(data_file=None, source=[str(ROOT / LIBRARY)], config_file=False)
        self.coverage.start()

    def pytest_runtest_logstart(self, nodeid, location) -> None:
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid, location) -> None:
        self.coverage.switch_context("")

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        tests = sorted(set(self.seconds) - self.failed)
        numbers = {name: n for n, name in enumerate(tests)}
        data, lines = self.coverage.get_data(), {}
        for file in data.measured_files():
            by_line = {
                line: sorted(numbers[name] for name in names if name in numbers)
                for line, names in data.contexts_by_lineno(file).items()
            }
            lines[Path(file).relative_to(ROOT).as_posix()] = by_line
        written = {"tests": [[name, round(self.seconds[name], 4)] for name in tests], "lines": lines}
        self.path.write_text(json.dumps(written), encoding="utf-8")


@dataclass
class Covering:
    """Which tests run which lines.

    Attributes:
        tests: name and seconds of each.
        lines: file to line to numbers of tests.
    """

    tests: list[tuple[str, float]]
    lines: dict[str, dict[int, list[int]]] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Covering:
        """As :class:`Recorder` wrote it."""
        found = json.loads(path.read_text(encoding="utf-8"))
        lines = {file: {int(line): tests for line, tests in by.items()} for file, by in found["lines"].items()}
        return cls([(name, seconds) for name, seconds in found["tests"]], lines)

    def seeing(self, mutant: Mutant) -> list[int]:
        """Numbers of the tests that can see a mutant, those most likely to fail soonest first.

        A line that runs while its module is imported (a limit, a default) is seen by every test that runs anything
        of the file. What a shared fixture ran is written down for the first test that asked for it: the other tests of
        its file come last.
        """
        by_line = self.lines.get(mutant.file, {})
        of_lines = {n for line in mutant.lines for n in by_line.get(line, ())}
        of_file = {n for tests in by_line.values() for n in tests}
        first = of_lines or of_file
        files = {self._file(n) for n in first}
        beside = {n for n in range(len(self.tests)) if self._file(n) in files} - first
        near = [Path(mutant.file).stem, *Path(mutant.file).parts[2:-1]]

        def order(n: int) -> tuple[float, float]:
            return -sum(name in self._file(n) for name in near), self.tests[n][1]

        return sorted(first, key=order) + sorted(beside, key=order)

    def seconds(self, numbers: list[int]) -> float:
        return sum(self.tests[n][1] for n in numbers)

    def names(self, numbers: list[int]) -> list[str]:
        return [self.tests[n][0] for n in numbers]

    def _file(self, number: int) -> str:
        return self.tests[number][0].split("::")[0]
