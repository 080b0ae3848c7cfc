"""Mutation testing: changes one thing in the code at a time and sees whether a test fails.

    python Testing/mutate.py --rooms core,lesions,systems,explanation --jobs 2 -o build/mutation

First the tests of ``GUARDS`` run once and it is written down which lines each runs (some 20 minutes on one core; again
with ``--again``). Then every mutant meets the tests that run its lines, the nearest and quickest first; what survives
these meets all that can see it. Mutants live in copies of the checkout. A stopped run goes on with the same command:
what is known of a file holds as long as the file stays as it is. A mutant that survives is printed, to be killed by a
test or named as one that changes nothing. ``--most`` tries that many, drawn by chance.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from mutation.changes import Mutant, all_mutants, mutated
from mutation.covering import Covering
from mutation.trying import NO_TESTS, OUT_OF_TIME, PASSED, WRONG_NAME, Server

ROOT = Path(__file__).resolve().parents[1]

GUARDS = (
    *("core", "io", "lesions", "systems", "explanation", "agreement", "trust", "scene/test_inputs.py"),
    *("desktop/test_dependencies.py", "test_examples.py", "test_new_map_method.py"),
)
"""Tests that guard the rooms, below Testing/Python."""

QUICK, WHOLE = 8.0, 60.0
"""Seconds of tests that a mutant meets at first, and at most."""

KILLED, SURVIVED, UNSEEN = "killed", "survived", "unseen"


def record(path: Path) -> None:
    """Run the tests once and write down which lines each runs."""
    tests = [str(ROOT / "Testing" / "Python" / each) for each in GUARDS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "mutation.covering"]
    folders = [ROOT, ROOT / "Testing", ROOT / "Testing" / "Python"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, folders))}
    subprocess.run([*command, "--covering", str(path), *tests], cwd=ROOT, env=environment, check=False)


def fate(mutant: Mutant, server: Server, checkout: Path, covering: Covering) -> str:
    """Whether a test fails in a checkout that holds this mutant alone."""
    seeing = covering.seeing(mutant)
    if not seeing:
        return UNSEEN
    path = checkout / mutant.file
    before = path.read_text(encoding="utf-8")
    path.write_text(mutated(before, mutant.number), encoding="utf-8")
    try:
        first = _within(seeing, covering, QUICK)
        rest = _within(seeing[len(first) :], covering, WHOLE)
        return KILLED if any(part and _fails(part, server, covering) for part in (first, rest)) else SURVIVED
    finally:
        path.write_text(before, encoding="utf-8")


def _within(numbers: list[int], covering: Covering, seconds: float) -> list[int]:
    """The first tests that fit into so many seconds, one at least."""
    taken: list[int] = []
    for number in numbers:
        if taken and covering.seconds([*taken, number]) > seconds:
            break
        taken.append(number)
    return taken


def _fails(numbers: list[int], server: Server, covering: Covering) -> bool:
    names = covering.names(numbers)
    limit = 60 + 10 * covering.seconds(numbers)
    code = server.run(names, limit)
    if code in (WRONG_NAME, NO_TESTS):  # a case that is named after a value that the mutant changed
        code = server.run(sorted({name.split("::")[0] for name in names}), limit)
    return code == OUT_OF_TIME or code != PASSED


def copy_of_checkout(folder: Path) -> Path:
    """What git knows, as it is in the working tree, with the folder of shared data beside it."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shared = ROOT.parent / "shared"
    if shared.is_dir() and not (folder.parent / "shared").exists():
        (folder.parent / "shared").symlink_to(shared.resolve())
    return folder


def interval(killed: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, killed / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return middle - reach, middle + reach


def told(known: dict[str, dict], everything: list[Mutant]) -> str:
    """A line for each room, and the survivors."""
    lines = []
    for room in sorted({each.file.split("/")[1] for each in everything}):
        mine = [each for each in everything if each.file.split("/")[1] == room]
        fates = [known[each.key]["fate"] for each in mine if each.key in known]
        if fates:
            killed = fates.count(KILLED)
            low, high = interval(killed, len(fates))
            lines.append(
                f"{room}: {killed} of {len(fates)} killed ({killed / len(fates):.1%}, {low:.1%} to {high:.1%}), "
                f"{fates.count(UNSEEN)} run by no test; {len(mine)} mutants in all"
            )
    return "\n".join(lines)


def main() -> int:
    """Run the command line; the exit code is 1 when a mutant survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "build" / "mutation", help="what is known (%(default)s)"
    )
    parser.add_argument("--rooms", default="core,lesions,explanation,systems")
    parser.add_argument("--most", type=int, default=0, help="draw this many (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no mutant after this time")
    parser.add_argument("--again", action="store_true", help="find out anew which test runs which lines")
    parser.add_argument("--survivors", action="store_true", help="try those anew that survived")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    covering_file, fates_file = options.output / "covering.json", options.output / "fates.jsonl"
    if options.again or not covering_file.is_file():
        record(covering_file)
    covering = Covering.read(covering_file)
    everything = all_mutants(ROOT, options.rooms.split(","))
    known = {}
    if fates_file.is_file():
        known = {each["key"]: each for each in map(json.loads, fates_file.read_text(encoding="utf-8").splitlines())}
    drawn = list(everything)
    random.Random(options.seed).shuffle(drawn)
    drawn = drawn[: options.most] if options.most else drawn
    rooms = options.rooms.split(",")
    drawn.sort(key=lambda each: rooms.index(each.file.split("/")[1]))
    again = {key for key, each in known.items() if options.survivors and each["fate"] != KILLED}
    drawn = [each for each in drawn if each.key not in known or each.key in again]
    end = time.monotonic() + 60 * options.minutes
    with (
        tempfile.TemporaryDirectory() as scratch,
        ThreadPoolExecutor(options.jobs) as pool,
        fates_file.open("a", encoding="utf-8") as kept,
    ):
        free: Queue[tuple[Server, Path]] = Queue()
        for n in range(options.jobs):
            checkout = copy_of_checkout(Path(scratch) / str(n))
            free.put((Server(checkout), checkout))

        def one(mutant: Mutant) -> str | None:
            if time.monotonic() > end:
                return None
            server, checkout = free.get()
            try:
                return fate(mutant, server, checkout, covering)
            finally:
                free.put((server, checkout))

        for mutant, found in zip(drawn, pool.map(one, drawn), strict=True):
            if found is None:
                continue
            known[mutant.key] = {"key": mutant.key, "line": mutant.line, "what": mutant.what, "fate": found}
            print(json.dumps(known[mutant.key]), file=kept, flush=True)
            if found != KILLED:
                print(f"{found}: {mutant.file}:{mutant.line}: {mutant.what}", flush=True)
        while not free.empty():
            free.get()[0].close()
    print(told(known, everything) or "no mutant was tried")
    return int(any(known[each.key]["fate"] != KILLED for each in everything if each.key in known))


if __name__ == "__main__":
    sys.exit(main())
