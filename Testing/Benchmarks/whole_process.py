"""(c) ``pulsarcam explain`` as a user starts it: wall clock, peak memory, and where the time goes."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from contestants import CORES, two_cores
from machine import cores
from making import LESIONS, scan
from making_dicom_study import study
from measuring import Row

WATCH_S = 0.05
SHIPPED = "synthetic-demo"
GROUP = "(c) pulsarcam explain, 512 x 512 x 180 voxels, 20 lesions, whole process"
DICOM_GROUP = "(c) the same from a folder of DICOM files: MR, RTSTRUCT, RTDOSE"


@dataclass(frozen=True)
class Run:
    """One process.

    Attributes:
        seconds: from start to end.
        memory_gb: highest sum over the process and its children of memory that is theirs (shared pages are shared
            out); 0 where it was not watched.
        printed: standard output and error.
    """

    seconds: float
    memory_gb: float
    printed: str


def rows(quick: bool) -> Iterator[Row]:
    """The report's lines.

    Raises:
        RuntimeError: the command failed.
    """
    with tempfile.TemporaryDirectory(prefix="pulsarcam-bench-") as name:
        folder = Path(name)
        mri, lesions, slices = scan(folder)
        about = f"{LESIONS} lesions on {slices} slices"
        yield from _explain(GROUP, [mri, lesions], folder / "result", about, ("< 10", "<= 1.5"), quick)
        study(folder / "study")
        about = f"{LESIONS} lesions as contours, 180 files of the MRI, the dose"
        yield from _explain(DICOM_GROUP, [folder / "study"], folder / "result", about, ("< 6", ""), quick)


def _explain(
    group: str, inputs: list[Path], output: Path, about: str, limits: tuple[str, str], quick: bool
) -> Iterator[Row]:
    command = [sys.executable, "-m", "PulsarCAMLib.cli", "explain", *map(str, inputs), "--model", SHIPPED]
    command += ["--timings", "--quiet", "--overwrite", "-o", str(output)]
    runs = [_run(command, watch=False) for _ in range(2 if quick else 4)]
    watched = _run(command, watch=True)
    best = min(runs, key=lambda run: run.seconds)
    every = ", ".join(f"{run.seconds:.1f}" for run in runs)
    about = f"best of {every} s; {about}; {min(CORES, cores())} cores; shipped model"
    yield Row(group, "wall clock", best.seconds, "s", limits[0], about)
    memory = max(watched.memory_gb, _own_peak_gb(watched.printed))
    about = "process and children, shared pages shared out, in a run of its own"
    yield Row(group, "peak memory", memory, "GB", limits[1], about)
    for step, seconds in _steps(best.printed):
        yield Row(group, f"of it: {step}", seconds, "s")


def _run(command: list[str], watch: bool) -> Run:
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = psutil.Popen(command, stdout=printed, stderr=subprocess.STDOUT, preexec_fn=two_cores)
        peak = 0.0
        while watch and process.poll() is None:
            peak = max(peak, _memory(process))
            time.sleep(WATCH_S)
        code = process.wait()
        seconds = time.perf_counter() - start
        printed.seek(0)
        text = printed.read()
    if code:
        raise RuntimeError(f"pulsarcam explain ended with {code}: {text.strip()}")
    return Run(seconds, peak / 1e9, text)


def _memory(process: psutil.Process) -> float:
    total = 0
    for each in [process, *_children(process)]:
        try:
            used = each.memory_full_info()
            total += getattr(used, "pss", used.uss)
        except psutil.Error:
            continue
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _own_peak_gb(printed: str) -> float:
    """What the system says of the main process alone, which no short peak escapes; part of ``--timings``."""
    found = re.search(r"peak memory\s+(\d+) MiB", printed)
    return int(found[1]) * 2**20 / 1e9 if found else 0.0


def _steps(printed: str) -> list[tuple[str, float]]:
    """What ``--timings`` says: a name and seconds on a line."""
    found = re.findall(r"^\s*([A-Za-z][A-Za-z ,]*?)[\s:]+([0-9.]+) ?s\b", printed, flags=re.MULTILINE)
    return [(name.strip(), float(seconds)) for name, seconds in found]
