"""How long does ``pulsarcam explain`` take for each of many patients, and where does the time go?

Run by hand, from the checkout::

    .venv/bin/python Testing/Benchmarks/many_patients.py --patients 200
    .venv/bin/python Testing/Benchmarks/many_patients.py --patients 10 --size 128 --jobs 2

Patients with three lesions each, as a cohort table of NRRD files, with the shipped model and without pictures, in the
whole process. On a machine that does other work as well, seconds of the processor say more than the clock: both are
told, and what a start costs (imports and the model in each process) is told apart from what a patient costs, by a run
of fewer patients.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PulsarCAMLib.core.geometry.volume import VolumeGeometry  # noqa: E402

LESIONS = 3
LIMIT = 1.5
"""Seconds a patient on two cores."""


def cohort(folder: Path, patients: int, size: int, depth: int) -> Path:
    """A table of patients with noise for an MRI, and three balls of 12, 9 and 6 mm radius as lesions."""
    import SimpleITK as sitk

    geometry = VolumeGeometry((depth, size, size), (1.0, 1.0, 1.0))
    rows = []
    for n in range(patients):
        rng = np.random.default_rng(n)
        image = rng.normal(300, 40, geometry.shape).astype(np.int16)
        labels = np.zeros(geometry.shape, np.uint8)
        k, j, i = np.indices(geometry.shape, sparse=True)
        for value, (radius, share) in enumerate(zip((12, 9, 6), (0.25, 0.5, 0.75), strict=True), start=1):
            centre = share * depth, size * (0.3 + 0.4 * rng.random()), size * (0.3 + 0.4 * rng.random())
            inside = (k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2 < radius**2
            labels[inside] = value
            image[inside] += 200
        for name, values in (("mri", image), ("mask", labels)):
            sitk.WriteImage(geometry.to_sitk(values), str(folder / f"{n:03d}-{name}.nrrd"), True)
        rows += [[f"P{n + 1:03d}", f"lesion {v}", f"{n:03d}-mri.nrrd", f"{n:03d}-mask.nrrd", v] for v in (1, 2, 3)]
    with (folder / "cohort.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["patient", "lesion", "image", "segmentation", "label_value"], *rows])
    return folder / "cohort.csv"


def timed(table: Path, output: Path, jobs: int, more: list[str]) -> tuple[float, float, str]:
    """Clock and processor seconds of a run with its children, and what it printed.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "PulsarCAMLib.cli", "explain", str(table), "-o", str(output), "--no-pictures"]
    command += ["--timings", "--quiet", "--jobs", str(jobs), *more]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, worked, done.stderr


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--size", type=int, default=240, help="voxels along rows and columns (240)")
    parser.add_argument("--depth", type=int, default=155, help="slices (155)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-stability", action="store_true", help="without asking half a voxel otherwise")
    given = parser.parse_args()
    more = ["--no-stability"] if given.no_stability else []
    with tempfile.TemporaryDirectory(prefix="pulsarcam-bench-") as name:
        folder = Path(name)
        few, many = (folder / each for each in ("few", "many"))
        for at, count in ((few, given.jobs), (many, given.patients)):
            at.mkdir()
            cohort(at, count, given.size, given.depth)
        first, first_worked, _ = timed(few / "cohort.csv", few / "out", given.jobs, more)
        took, worked, printed = timed(many / "cohort.csv", many / "out", given.jobs, more)
        again, again_worked, _ = timed(many / "cohort.csv", many / "out", given.jobs, more)
    about = f"{given.patients} patients with {LESIONS} lesions, {given.size} x {given.size} x {given.depth} voxels"
    print(f"{about}, {given.jobs} processes, no pictures:")
    apart = given.patients - given.jobs
    clock, processor = (took - first) / apart, (worked - first_worked) / apart
    print(f"  whole run: {took:.1f} s by the clock, {worked:.1f} s of the processor")
    print(
        f"  a patient in the whole run: {took / given.patients:.2f} s, {worked / given.patients:.2f} s of the processor"
    )
    print(f"  a patient beyond the first {given.jobs}: {clock:.2f} s, {processor:.2f} s of the processor, which is "
          f"{processor / given.jobs:.2f} s on {given.jobs} free cores (limit {LIMIT} s)")  # fmt: skip
    print(f"  the same again, everything done: {again:.1f} s, {again_worked:.1f} s of the processor")
    print("  where the time goes, clock seconds a patient (summed over processes):")
    for step, seconds in re.findall(r"^  (.*?)\s+([0-9.]+) s$", printed, flags=re.MULTILINE):
        if step not in ("wall clock",):
            print(f"    {step:<40}{float(seconds) / given.patients:7.3f} s")


if __name__ == "__main__":
    main()
