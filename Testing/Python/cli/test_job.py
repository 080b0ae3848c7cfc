"""A command as a job: watched and stopped through its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from PulsarCAMLib.cli import job

ROOT = Path(__file__).resolve().parents[3]


def started(folder: Path, *arguments: str, code: str = "") -> subprocess.Popen:
    """A job; ``code`` stands for the command."""
    runner = f"import sys; from pathlib import Path; from PulsarCAMLib.cli import job\n{code}\n"
    runner += "sys.exit(job.run(Path(sys.argv[1]), sys.argv[2:]))"
    command = [sys.executable, "-c", runner, str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_output_errors_and_exit_code_are_in_the_folder_and_nowhere_else(tmp_path):
    process = started(tmp_path, "cohort", "check", str(tmp_path / "gone.csv"))
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 3
    assert json.loads((tmp_path / job.END).read_text()) == {"code": 3}
    assert (tmp_path / job.ERRORS).read_text().startswith("pulsarcam: error: ")
    assert (tmp_path / job.OUTPUT).read_text() == ""


def test_a_job_that_waits_is_stopped_as_by_ctrl_c_and_cleans_up(tmp_path):
    code = (
        "import time\n"
        "def waiting(_arguments):\n"
        "    try:\n"
        "        time.sleep(600)\n"
        "    except KeyboardInterrupt:\n"
        "        print('cleaned up'); return 130\n"
        "job.main = waiting\n"
    )
    process = started(tmp_path, code=code)
    while not (tmp_path / job.ALIVE).exists():
        assert process.poll() is None
        time.sleep(0.02)
    assert (tmp_path / job.ALIVE).read_text() == str(process.pid)
    (tmp_path / job.STOP).touch()
    process.communicate(timeout=60)
    assert (tmp_path / job.OUTPUT).read_text() == "cleaned up\n"
    assert json.loads((tmp_path / job.END).read_text()) == {"code": 130}


def test_a_stop_that_comes_too_late_does_not_hide_how_the_job_ended(tmp_path):
    code = (
        "write = job.json.dumps\n"
        "job.main = lambda _: 0\n"
        "job.json.dumps = lambda value: (job._interrupt(), write(value))[1]\n"
    )
    assert started(tmp_path, code=code).wait(timeout=60) == 0
    assert json.loads((tmp_path / job.END).read_text()) == {"code": 0}
    assert (tmp_path / job.ERRORS).read_text() == ""


@pytest.mark.skipif(os.name != "posix", reason="sessions are POSIX's")
def test_ctrl_c_in_the_terminal_of_slicer_does_not_reach_a_job(tmp_path):
    code = "import os\njob.main = lambda _: print(os.getsid(0) == os.getpid()) or 0"
    started(tmp_path, code=code).communicate(timeout=60)
    assert (tmp_path / job.OUTPUT).read_text() == "True\n"
