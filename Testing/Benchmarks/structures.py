"""How long does a structure set of twenty lesions take to become masks? Best, median and first of five.

Run by hand, from the checkout: ``.venv/bin/python Testing/Benchmarks/structures.py``
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE / "Python")]

from making_structures import a_circle, a_structure_set, on_plane  # noqa: E402

from PulsarCAMLib.core.geometry.volume import VolumeGeometry  # noqa: E402
from PulsarCAMLib.lesions.from_files import read_lesions  # noqa: E402

MRI = VolumeGeometry((180, 512, 512), (0.5, 0.5, 1.0))
LESIONS, PLANES, POINTS, TIMES = 20, 20, 120, 5


def main() -> None:
    """Print the times."""
    rng = np.random.default_rng(1)
    structures = []
    for n in range(LESIONS):
        at, first = rng.uniform(-90, 90, 2), int(rng.integers(5, 150))
        radii = 10 * np.sqrt(1 - np.linspace(-0.95, 0.95, PLANES) ** 2)
        planes = [on_plane(a_circle(r, at, POINTS), first + k, MRI) for k, r in enumerate(radii)]
        structures.append((f"GTV {n + 1}", planes))
    with tempfile.TemporaryDirectory() as folder:
        path = a_structure_set(Path(folder) / "rs.dcm", structures)
        took, worked = [], []
        for _ in range(TIMES):
            start, before = time.perf_counter(), time.process_time()
            lesions, _ = read_lesions(path, MRI, frame="")
            took.append(time.perf_counter() - start)
            worked.append(time.process_time() - before)
    print(f"{len(lesions)} lesions, {LESIONS * PLANES} contours of {POINTS} points, MRI of {MRI.shape}:")
    print(f"best {min(took):.3f} s, median {statistics.median(took):.3f} s, first {took[0]:.3f} s")
    print(
        f"of the processor: best {min(worked):.3f} s, median {statistics.median(worked):.3f} s, first {worked[0]:.3f} s"
    )


if __name__ == "__main__":
    main()
