"""What the console says: progress without a terminal, faults of the system, names with control characters, Ctrl-C."""

from __future__ import annotations

import io
import signal
import sys

import pytest

from PulsarCAMLib import cli
from PulsarCAMLib.cli import console
from PulsarCAMLib.cli.console import INPUT, ProgressLines, TimedBar, guarded, note, table, warn


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_long_run_tells_a_line_a_minute_where_there_is_no_terminal(capsys):
    clock = Clock()
    lines = ProgressLines(quiet=False, clock=clock)
    for second in range(0, 200, 10):
        clock.now = float(second)
        lines.tell(second / 200, f"member 1 of 2: epoch {second}\x1b[2J")
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"pulsarcam: progress: {share} member 1 of 2: epoch {second}\\x1b[2J"
        for share, second in ((" 30%", 60), (" 60%", 120), (" 90%", 180))
    ]


def test_a_short_run_a_quiet_one_and_a_terminal_tell_none(capsys, monkeypatch):
    clock = Clock()
    short, quiet = ProgressLines(quiet=False, clock=clock), ProgressLines(quiet=True, clock=clock)
    clock.now = 59.0
    short.tell(0.5, "half")
    clock.now = 500.0
    quiet.tell(0.5, "half")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = ProgressLines(quiet=False, clock=clock)
    clock.now = 5000.0
    shown.tell(0.5, "half")
    assert capsys.readouterr().err == ""


def test_stages_of_a_run_tell_lines(capsys, monkeypatch):
    monkeypatch.setattr(console, "LINE_SECONDS", 0.0)
    with TimedBar(quiet=False) as bar, bar.stage("training") as tell:
        tell(0.25, "member 1 of 4")
    assert capsys.readouterr().err == "pulsarcam: progress:  25% training: member 1 of 4\n"


def test_what_the_system_says_of_a_file_is_a_sentence(capsys):
    def work():
        open("/nowhere/at/all", encoding="utf-8")  # noqa: SIM115, PTH123

    assert guarded(work) == INPUT
    said = capsys.readouterr().err
    assert said.startswith("pulsarcam: error: /nowhere/at/all cannot be used: No such file")
    assert "unexpected" not in said


def test_control_characters_are_told_wherever_something_is_said(capsys):
    warn("Lesion “a\x1b[31mb”")
    note("x\x07")
    assert capsys.readouterr().err == "pulsarcam: warning: Lesion “a\\x1b[31mb”\npulsarcam: x\\x07\n"
    assert "\x1b" not in table([{"a": "\x1b[2J", "b": 1.0}], {"a": "A", "b": "B"})


def test_a_terminal_that_lacks_a_character_ends_nothing(monkeypatch):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert cli.main(["bundle", "show", "synthetic-demo"]) == 0
    assert narrow.errors == "backslashreplace"


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="signals")
def test_ctrl_c_before_and_after_the_work_prints_no_traceback(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGINT)
    try:
        monkeypatch.setattr(cli, "main", lambda: 3)
        with pytest.raises(SystemExit) as ended:
            cli.program()
        assert ended.value.code == 3
        signal.raise_signal(signal.SIGINT)  # the last second: nothing happens
        signal.signal(signal.SIGINT, before)

        def interrupted():
            raise KeyboardInterrupt

        monkeypatch.setattr(cli, "main", interrupted)
        with pytest.raises(SystemExit) as ended:
            cli.program()
        assert ended.value.code == 130
        assert capsys.readouterr().err == "pulsarcam: error: interrupted.\n"
    finally:
        signal.signal(signal.SIGINT, before)
