"""Files and folders that a command line names: what is read, what is made, and that these are never the same."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


class InputPath(str):
    """A file or folder that a command reads."""

    __slots__ = ()


class OutputPath(str):
    """A file or folder that a command makes.

    Attributes:
        places: absolute paths: its own, and of what is made beside it.
    """

    places: tuple[Path, ...] = ()


def output_path(*beside: str) -> Callable[[str], OutputPath]:
    """A type for argparse: a path that is made, and what the command makes beside it.

    Args:
        beside: names with ``{name}`` and ``{stem}`` of the path in them, such as "{stem}-findings.csv".
    """

    def path(text: str) -> OutputPath:
        if not text.strip():
            raise argparse.ArgumentTypeError(f"{text!r} is no path")
        made, own = OutputPath(text), Path(os.path.abspath(text))  # noqa: PTH100 - a link stays where the user put it
        names = [each.format(name=own.name, stem=own.stem) for each in beside if own.name]
        made.places = (own, *(own.with_name(name) for name in names))
        return made

    return path


def add_output(parser, metavar: str, help: str, *beside: str, flags=("-o", "--output"), **more: Any) -> None:
    """Add an option for what a command makes; see :func:`output_path`."""
    parser.add_argument(*flags, type=output_path(*beside), metavar=metavar, help=help, **more)


def add_overwrite(parser, what: str = "an earlier result at OUT when all is done") -> None:
    """Add the one option by which a command may replace what is there."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace {what}")


def add_model_option(parser) -> None:
    """Add the option for the model: a name, or a folder that is read."""
    text = "installed model or bundle folder (%(default)s)"
    parser.add_argument("--model", type=InputPath, default="synthetic-demo", help=text)


def paths_in(value: Any, kind: type) -> Iterator[Any]:
    """Paths of a kind in a parsed value, however it is nested."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from paths_in(each, kind)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from paths_in(each, kind)


def refuse_own_inputs(options: argparse.Namespace, more: Iterable[str | os.PathLike] = ()) -> None:
    """Nothing that a command reads is replaced by what it makes, not even where it may overwrite.

    Args:
        options: parsed.
        more: read besides what the options name, such as the files of a table.

    Raises:
        OutputError: an output is an input, a folder that holds one, or nowhere on this system.
    """
    from ...core.errors import OutputError
    from ...io.plain_files import is_folder, possible_place, shown_path

    places = [possible_place(place) for each in paths_in(vars(options), OutputPath) for place in each.places]
    made = [place for place in places if os.path.lexists(place)]
    if not made:
        return
    read = list(dict.fromkeys([*paths_in(vars(options), InputPath), *more]))
    real = {place: _real(place) for place in made}
    for source in read:
        there = _real(source) if os.path.lexists(source) else None
        for place in made if there else ():
            if real[place] == there or _is_same(place, source):
                raise OutputError(f"{shown_path(place)} is what this command reads; choose another name for what it "
                                  "makes.")  # fmt: skip
            if is_folder(place) and there.is_relative_to(real[place]):
                raise OutputError(f"{shown_path(place)} holds {shown_path(source)}, which this command reads; choose "
                                  "another folder for what it makes.")  # fmt: skip


def refuse_within(options: argparse.Namespace, folder: str | os.PathLike) -> None:
    """Nothing is made in a folder that is searched for DICOM: the next search would find it there.

    Args:
        options: parsed.
        folder: that is searched.

    Raises:
        OutputError: what ``--output`` names, or lies beside it, is in it.
    """
    from ...core.errors import OutputError
    from ...io.plain_files import shown_path

    for each in paths_in(options.output, OutputPath):
        for place in each.places:
            if _real(place).is_relative_to(_real(folder)):
                raise OutputError(f"{shown_path(place)} would lie in {shown_path(folder)}, which is searched for "
                                  "images; choose a place outside it.")  # fmt: skip


def refuse_within_inputs(options: argparse.Namespace) -> None:
    """Nothing is made in a folder that a command reads images or doses from: the next run would find it there.

    Args:
        options: parsed; the model's folder is none of images.

    Raises:
        OutputError: as :func:`refuse_within`.
    """
    from ...io.plain_files import is_folder

    given = {name: value for name, value in vars(options).items() if name != "model"}
    for path in dict.fromkeys(paths_in(given, InputPath)):
        if is_folder(path):
            refuse_within(options, path)


def _real(path: str | os.PathLike) -> Path:
    return Path(os.path.realpath(path))


def _is_same(first: str | os.PathLike, second: str | os.PathLike) -> bool:
    """Also where names differ in the case of letters only, on systems that take them for one."""
    try:
        return Path(first).samefile(second)
    except (OSError, ValueError):
        return False


def files_of(rows: Iterable[Any]) -> list[Path]:
    """Files that rows of a cohort table name."""
    found: dict[Path, None] = {}
    for row in rows:
        for value in (*vars(row).values(), *row.extra.values()):
            if isinstance(value, Path):
                found[value] = None
    return list(found)
