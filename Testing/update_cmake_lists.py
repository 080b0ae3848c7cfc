"""Writes into the CMakeLists.txt of PulsarCAM and PulsarCAMLib the files that lie beside them.

What is not listed there is missing from the installed extension, so nobody should keep these lists by hand. A new file
is listed once git knows it, so ``git add`` it first::

    python Testing/update_cmake_lists.py            # write the lists
    python Testing/update_cmake_lists.py --check    # only tell which lists are not true
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = {"PulsarCAM": "MODULE", "PulsarCAMLib": "PULSARCAMLIB"}
"""Folder of a scripted module -> prefix of its two CMake variables."""


def files_of(folder: Path) -> list[Path]:
    """Returns the files of a folder, relative to it: in a git checkout those that git knows, for only these ship."""
    command = ["git", "-C", folder, "ls-files", "-z", "."]
    try:
        known = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        known = []
    listed = [Path(name) for name in known if name and (folder / name).is_file()]
    return listed or [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]


def files_to_install(folder: Path) -> dict[str, list[str]]:
    """Returns the scripts and the resources of a module's folder, as paths relative to it, sorted."""
    visible = [
        path for path in files_of(folder) if not any(p.startswith(".") or p == "__pycache__" for p in path.parts)
    ]
    resources = {path for path in visible if path.parts[0] == "Resources"}
    scripts = {path for path in visible if path.suffix == ".py"} - resources
    return {
        "SCRIPTS": sorted(path.as_posix() for path in scripts),
        "RESOURCES": sorted(path.as_posix() for path in resources),
    }


def with_lists(cmake: str, prefix: str, lists: dict[str, list[str]]) -> str:
    """Returns the CMake text with ``set(<prefix>_PYTHON_SCRIPTS ...)`` and ``..._RESOURCES`` replaced.

    Raises:
        ValueError: the text does not set one of the two variables exactly once.
    """
    for kind, paths in lists.items():
        variable = f"{prefix}_PYTHON_{kind}"
        block = "".join(f"\n  {path}" for path in paths)
        cmake, count = re.subn(rf"set\({variable}\s[^)]*\)", f"set({variable}{block}\n  )", cmake)
        if count != 1:
            raise ValueError(f"{variable} is set {count} times instead of once")
    return cmake


def untrue_lists(root: Path = ROOT) -> dict[Path, str]:
    """Returns the CMakeLists.txt files that differ from their folders, with the text they should have."""
    wrong = {}
    for name, prefix in LIBRARIES.items():
        path = root / name / "CMakeLists.txt"
        now = path.read_text(encoding="utf-8")
        expected = with_lists(now, prefix, files_to_install(path.parent))
        if now != expected:
            wrong[path] = expected
    return wrong


def main() -> int:
    """Runs the command line; the exit code is 1 when ``--check`` found a list that is not true."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail when a list is not true")
    check = parser.parse_args().check
    wrong = untrue_lists()
    for path, text in wrong.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        what = "is not true, run: python Testing/update_cmake_lists.py" if check else "written"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {what}\n")
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
