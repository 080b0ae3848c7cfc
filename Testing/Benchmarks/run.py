"""Measures PulsarCAM against the plain forward pass and the public libraries; ``make bench`` starts it.

Every comparison takes turns within one run, so that ratios hold on a machine that is busy with other things; absolute
times do not. A missed target is said and does not fail the run; an error does.
"""

from __future__ import annotations

import argparse
import json
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

PARTS = ("forward", "libraries", "process")


def parts(quick: bool) -> dict[str, Callable[[], Iterable[Row]]]:
    """What is measured, by name."""
    import forward
    import libraries
    import whole_process

    threads = sorted({1, min(2, cores())})
    return {
        "forward": lambda: forward.rows(threads, quick),
        "libraries": lambda: libraries.rows(quick),
        "process": lambda: whole_process.rows(quick),
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer slices and turns; figures are rougher")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "bench-results", help="folder of benchmark.json")
    options = parser.parse_args()
    facts, found, began = describe(), [], time.time()
    print(_about(facts, options.quick), flush=True)
    for name, measure in parts(options.quick).items():
        if options.only and name not in options.only:
            continue
        for row in measure():
            _print_row(row, found)
            found.append(row)
    verdicts = [row.verdict for row in found]
    print(f"\n{verdicts.count('met')} targets met, {verdicts.count('MISSED')} missed; {time.time() - began:.0f} s.")
    _save(options.output, facts, found, options.quick)
    return 0


def _about(facts: dict, quick: bool) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"# Benchmark{' (quick)' * quick}\n\n{facts['processor']}; {facts['cores']} cores, {facts['memory_gb']} GB, "
        f"{facts['system']}; Python {facts['python']}, {versions}; load at the start {facts['load_at_start']}.\n"
        "Times are the best of several turns; ratios are best over best of turns taken in one run."
    )


def _print_row(row: Row, before: list[Row]) -> None:
    if not before or before[-1].group != row.group:
        print(f"\n## {row.group}\n\n| what | figure | target | | note |\n|---|---|---|---|---|")
    print(_line(row), flush=True)


def _line(row: Row) -> str:
    return f"| {row.what} | {row.value:.{_digits(row)}f} {row.unit} | {row.limit} | {row.verdict} | {row.note} |"


def _digits(row: Row) -> int:
    return 1 if row.value >= 10 else 3 if row.limit.startswith("<=") else 2


def _save(folder: Path, facts: dict, found: list[Row], quick: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"machine": facts, "quick": quick, "rows": [row.to_json() for row in found]}
    (folder / "benchmark.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Written: {folder / 'benchmark.json'}")


if __name__ == "__main__":
    sys.exit(main())
