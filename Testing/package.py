"""Makes the archives that Slicer's Extensions Manager takes ("Install extension from file"), without compiling.

    python Testing/package.py                                  # into ./dist, for Linux and Windows
    python Testing/package.py --slicer 5.12 --macos 34045      # for one Slicer; and for macOS, by Slicer's revision

The layout is what ``qSlicerExtensionsManagerModel`` reads (Slicer, Base/QTCore): a gzipped tar of files in one folder,
in it ``lib/Slicer-X.Y/qt-scripted-modules`` with the module beside its library, and
``share/Slicer-X.Y/PulsarCAM.s4ext``, the description, from whose name comes the extension's. Slicer looks only into the
folders of its own version, so that each has an archive. On macOS it also wants all of it under
``Slicer.app/Contents/Extensions-REVISION/PulsarCAM``; the revision stands in *Help > About*.

Files are those of the CMake lists; one commit always gives the very same archive.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "Testing"))

from update_cmake_lists import LIBRARIES, files_to_install  # noqa: E402

from PulsarCAMLib import __version__  # noqa: E402
from PulsarCAMLib.core.errors import OutputError, PulsarCAMError  # noqa: E402
from PulsarCAMLib.io.atomic import write_whole  # noqa: E402

NAME = "PulsarCAM"
SLICERS = ("5.10", "5.12", "5.13")
"""Versions of Slicer with the Python that the library needs, 3.11 or newer; 5.13 is the preview."""

CHANGED = "-changed"
"""Behind the revision where files differ from their commit."""


def description(root: Path, revision: str) -> str:
    """Text of the ``.s4ext`` file: a key and its value in one line each; ``#`` begins a comment.

    Args:
        root: the checkout.
        revision: its commit.

    Raises:
        OutputError: CMakeLists.txt lacks a field.
    """
    cmake = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    entry = json.loads((root / f"{NAME}.json").read_text(encoding="utf-8"))

    def field(name: str) -> str:
        found = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]*)"\)', cmake)
        if len(found) != 1:
            raise OutputError(f"CMakeLists.txt sets EXTENSION_{name} {len(found)} times; set it once.")
        return " ".join(found[0].split())

    values = {
        "scm": entry["scm_type"], "scmurl": entry["scm_url"], "scmrevision": revision,
        "depends": field("DEPENDS"), "build_subdirectory": entry["build_subdirectory"],
        "homepage": field("HOMEPAGE"), "contributors": field("CONTRIBUTORS"), "category": entry["category"],
        "iconurl": field("ICONURL"), "status": "", "description": field("DESCRIPTION"),
        "screenshoturls": field("SCREENSHOTURLS"), "enabled": "1",
    }  # fmt: skip
    told = f"# {NAME} {__version__}; the extension is called as this file is\n"
    return told + "".join(f"{key} {value}".rstrip() + "\n" for key, value in values.items())


def files_of_extension(root: Path, slicer: str, revision: str) -> Iterator[tuple[str, bytes]]:
    """Every file below the extension's folder in Slicer, with its content."""
    modules = f"lib/Slicer-{slicer}/qt-scripted-modules"
    for library in LIBRARIES:
        lists = files_to_install(root / library)
        folder = modules if library == NAME else f"{modules}/{library}"
        for file in (*lists["SCRIPTS"], *lists["RESOURCES"]):
            yield f"{folder}/{file}", (root / library / file).read_bytes()
    share = f"share/Slicer-{slicer}"
    yield f"{share}/{NAME}.s4ext", description(root, revision).encode()
    yield f"{share}/{NAME}/LICENSE.txt", (root / "LICENSE.txt").read_bytes()


def archive(root: Path, slicer: str, macos: str | None = None) -> tuple[str, bytes]:
    """Name and content of an archive.

    Args:
        root: the checkout.
        slicer: version of Slicer, as 5.12.
        macos: Slicer's revision, for macOS; None: for Linux and Windows.
    """
    revision, date = revision_of(root)
    system = f"macosx-r{macos}" if macos else "linux-win"
    top = f"{NAME}-{__version__}-{revision[:7] + CHANGED if revision.endswith(CHANGED) else revision[:7]}-{system}"
    top = f"{top}-Slicer-{slicer}"
    inner = f"{top}/Slicer.app/Contents/Extensions-{macos}/{NAME}" if macos else top
    content = io.BytesIO()
    # Slicer takes the first name for that of a file in the top folder: no folder may have an entry of its own.
    with (
        gzip.GzipFile(filename="", fileobj=content, mode="wb", mtime=date) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name, data in sorted(files_of_extension(root, slicer, revision)):
            entry = tarfile.TarInfo(f"{inner}/{name}")
            entry.size, entry.mtime, entry.mode = len(data), date, 0o644
            tar.addfile(entry, io.BytesIO(data))
    return f"{top}.tar.gz", content.getvalue()


def revision_of(root: Path) -> tuple[str, int]:
    """Commit of a checkout and its time in seconds; "NA" and 0 where there is none."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        revision, date = git("log", "-1", "--format=%H %ct").split()
        changed = git("status", "--porcelain", "--untracked-files=no", *LIBRARIES, "CMakeLists.txt", f"{NAME}.json")
    except (OSError, subprocess.CalledProcessError, ValueError):
        return "NA", 0
    return revision + (CHANGED if changed else ""), int(date)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="python Testing/package.py"
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", help="folder (%(default)s)")
    parser.add_argument(
        "--slicer", nargs="+", type=_version, default=SLICERS, metavar="X.Y", help=f"versions ({' '.join(SLICERS)})"
    )
    parser.add_argument(
        "--macos", nargs="+", type=_revision, default=(), metavar="REVISION",
        help="for macOS as well, by Slicer's revision as Help > About tells it",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.macos and len(options.slicer) != 1:
        parser.error("a revision is that of one Slicer; name it with --slicer X.Y")
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        for slicer in options.slicer:
            for macos in (None, *options.macos):
                name, content = archive(ROOT, slicer, macos)
                write_whole(options.output / name, content, overwrite=True)
                system = f"macOS, revision {macos}" if macos else "Linux and Windows"
                print(f"{options.output / name}  ({len(content) / 1e6:.1f} MB)  for Slicer {slicer}, {system}")
    except OSError as error:
        why = error.strerror or error
        print(f"{options.output} cannot be made or written to ({why}); name a folder with -o.", file=sys.stderr)
        return 1
    except PulsarCAMError as error:
        print(error, file=sys.stderr)
        return 1
    print("\nIn Slicer: View > Extensions Manager > Install from file..., choose the one of your version, restart.")
    print("Install the extension PyTorch as well; from a file Slicer does not fetch what an extension needs.")
    return 0


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text} is not two numbers as in 5.12")
    return text


def _revision(text: str) -> str:
    if not re.fullmatch(r"\d+", text):
        raise argparse.ArgumentTypeError(f"{text} is not a number as in 34045")
    return text


if __name__ == "__main__":
    sys.exit(main())
