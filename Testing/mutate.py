"""Mutation testing: changes one thing in the code at a time and sees whether a test fails.

    python Testing/mutate.py --rooms core,lesions,systems,explanation --most 200 --seed 1 --jobs 2

Every mutant lives in a copy of the checkout, never in the checkout itself. A mutant that no test of its rooms kills
survives: it is printed with file, line and change, to be killed by a test or named as one that changes nothing.
``--most`` draws that many of all mutants by chance; the score then has an interval (Wilson, 95 %).
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "PulsarCAMLib"

TESTS = {
    "core": ("core", "lesions", "explanation", "io", "test_examples.py", "desktop/test_dependencies.py"),
    "lesions": ("lesions", "scene/test_inputs.py", "test_examples.py"),
    "systems": ("systems", "explanation"),
    "explanation": (
        "explanation",
        "systems/autoencoder/test_inspection.py",
        "agreement/test_agreement.py",
        "test_examples.py",
    ),
}
"""Room to the tests that guard it, below Testing/Python; those that are not there are passed over."""

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div}
JOINED = {ast.And: ast.Or, ast.Or: ast.And}
SECONDS = 900


@dataclass(frozen=True)
class Mutant:
    """One change: the ``number``-th that :func:`changes` finds in a file."""

    file: Path
    number: int
    line: int
    what: str


def changes(tree: ast.AST) -> Iterator[tuple[int, str, object]]:
    """Line, words, and a function that makes the change in the tree; texts and annotations are left alone."""
    decorators = {
        id(each) for node in ast.walk(tree) for top in getattr(node, "decorator_list", ()) for each in ast.walk(top)
    }
    for node in ast.walk(tree):
        if id(node) in decorators:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
            old, new = type(node.ops[0]), COMPARED[type(node.ops[0])]
            yield node.lineno, f"{old.__name__} -> {new.__name__}", lambda n=node, o=new: n.ops.__setitem__(0, o())
        elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED and not _is_text(node):
            new = COMPUTED[type(node.op)]
            yield (
                node.lineno,
                f"{type(node.op).__name__} -> {new.__name__}",
                lambda n=node, o=new: setattr(n, "op", o()),
            )
        elif isinstance(node, ast.BoolOp):
            new = JOINED[type(node.op)]
            yield (
                node.lineno,
                f"{type(node.op).__name__} -> {new.__name__}",
                lambda n=node, o=new: setattr(n, "op", o()),
            )
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.lineno, "not removed", lambda n=node: setattr(n, "op", ast.UAdd())
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node.lineno, f"{node.value} -> {not node.value}", lambda n=node: setattr(n, "value", not n.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield node.lineno, f"{node.value} -> {node.value + 1}", lambda n=node: setattr(n, "value", n.value + 1)
        elif isinstance(node, ast.If):
            yield node.lineno, "if -> if not", lambda n=node: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )


def all_mutants(rooms: list[str]) -> list[Mutant]:
    """Every mutant of these rooms."""
    found = []
    for room in rooms:
        for file in sorted((ROOT / LIBRARY / room).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for number, (line, what, _) in enumerate(changes(tree)):
                found.append(Mutant(file.relative_to(ROOT), number, line, what))
    return found


def mutated(source: str, number: int) -> str:
    """The file's text with its ``number``-th change made."""
    tree = ast.parse(source)
    _, _, change = list(changes(tree))[number]
    change()
    return ast.unparse(ast.fix_missing_locations(tree))


def nearest_first(file: Path, folder: Path) -> list[Path]:
    """Files of tests that guard a file's room, those with its or its folder's name first: most mutants die there."""
    found = [
        test
        for name in TESTS[file.parts[1]]
        for test in ([folder / name] if name.endswith(".py") else sorted((folder / name).rglob("test_*.py")))
        if test.is_file()
    ]
    near = [file.stem, *file.parts[2:-1]]
    return sorted(found, key=lambda test: -sum(name in test.as_posix() for name in near))


def is_killed(mutant: Mutant, checkout: Path) -> bool:
    """Whether a test fails in a checkout that holds this mutant alone."""
    path = checkout / mutant.file
    before = path.read_text(encoding="utf-8")
    path.write_text(mutated(before, mutant.number), encoding="utf-8")
    tests = [str(p) for p in nearest_first(mutant.file, checkout / "Testing" / "Python")]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, timeout=SECONDS, check=False)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(before, encoding="utf-8")


def copy_of_checkout(folder: Path) -> Path:
    """What git knows, as it is in the working tree."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def interval(killed: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, killed / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return middle - reach, middle + reach


def main() -> int:
    """Run the command line; the exit code is 1 when a mutant survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", default="core,lesions,systems,explanation")
    parser.add_argument("--most", type=int, default=0, help="draw this many (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no mutant after this time")
    options = parser.parse_args()
    everything = all_mutants(options.rooms.split(","))
    drawn = list(everything)
    random.Random(options.seed).shuffle(drawn)
    drawn = drawn[: options.most] if options.most else drawn
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(options.jobs) as pool:
        free: Queue[Path] = Queue()
        for n in range(options.jobs):
            free.put(copy_of_checkout(Path(scratch) / str(n)))

        def one(mutant: Mutant) -> bool | None:
            if time.monotonic() > end:
                return None
            checkout = free.get()
            try:
                return is_killed(mutant, checkout)
            finally:
                free.put(checkout)

        killed = []
        for mutant, dead in zip(drawn, pool.map(one, drawn), strict=True):
            if dead is not None:
                killed.append(dead)
            if dead is False:
                print(f"survived: {mutant.file}:{mutant.line}: {mutant.what}", flush=True)
    if not killed:
        print("no mutant was tried")
        return 1
    low, high = interval(sum(killed), len(killed))
    print(f"{sum(killed)} of {len(killed)} killed ({sum(killed) / len(killed):.1%}, {low:.1%} to {high:.1%}); "
          f"{len(everything)} mutants in all")  # fmt: skip
    return int(not all(killed))


if __name__ == "__main__":
    sys.exit(main())
