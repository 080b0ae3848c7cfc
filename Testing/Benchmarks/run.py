"""Measures PulsarCAM against the plain forward pass and the public libraries; ``make bench`` starts it.

Every comparison takes turns within one run, so that ratios hold on a machine that is busy with other things; absolute
times do not. A missed target is said and does not fail the run; an error does.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a spinning thread would take the core from what is measured next

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
torch.set_num_threads(1)

from machine import cores, describe  # noqa: E402
from measuring import Row  # noqa: E402
from printing import print_end, print_head, print_rows, save  # noqa: E402

PARTS = ("forward", "libraries", "process", "trials", "occlusion")
HOW = (
    "Times are the best of several turns; ratios are best over best of turns taken in one run; "
    "those of (d) are medians over turns, those of (e) are of processor seconds."
)


def parts(quick: bool, keras: bool) -> dict[str, Callable[[], Iterable[Row]]]:
    """What is measured, by name."""
    import forward
    import libraries
    import occlusion
    import trials
    import whole_process

    threads = sorted({1, min(2, cores())})
    return {
        "forward": lambda: forward.rows(threads, quick),
        "libraries": lambda: libraries.rows(quick),
        "process": lambda: whole_process.rows(quick),
        "trials": lambda: trials.rows(quick, keras),
        "occlusion": lambda: occlusion.rows(quick),
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer slices and turns; figures are rougher")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--keras", action="store_true", help="the trials in Keras as well; its set-up takes minutes")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "bench-results", help="folder of benchmark.json")
    options = parser.parse_args()
    facts, found, began = describe(), [], time.time()
    print_head(f"Benchmark{' (quick)' * options.quick}", facts, HOW)
    for name, measure in parts(options.quick, options.keras).items():
        if not options.only or name in options.only:
            print_rows(measure(), found)
    print_end(found, time.time() - began)
    save(options.output / "benchmark.json", facts, found, quick=options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
