"""Compares two recordings of ``record_outputs.py`` file by file, value by value.

Each file is read into a table of values: voxels and header of an image, cells, JSON entries, tensors, the visible text
of a page, the members of a scene. A value is identical bit for bit, or within 1e-6, or it differs. Numbers are relative
to the larger of the two, voxels and tensors to the largest of their array. Pictures are told separately and decide
nothing.

Deliberate renames, from old to new, stand in a JSON file (``--renames``)::

    {"files": {"result/lesions.csv": "result/lesion_results.csv"},
     "keys": {"quantity": "voxel_measure"},
     "texts": {"the old sentence": "the new sentence"}}

``files``: (part of) a path, whole names. ``keys``: names of columns and of JSON entries, and values that are exactly
that. ``texts``: any part of a text, of what a command says and of a page.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
from PIL import Image
from safetensors import safe_open

TOLERANCE = 1e-6
PICTURE = "picture"

IGNORED_FILES = {
    r"(^|/)[^/]*\.lock$": "a lock that was held while the command ran",
    r"(^|/)[0-9a-f]{40,}\.json$": "a kept lesion, named by a hash of its settings; what uses it is compared",
}
"""Pattern of a path -> why it is not compared."""

IGNORED_KEYS = {
    r"(^|/)(versions|software|pulsarcam)(/|$)": "versions of libraries and of PulsarCAM",
    r"(^|/)(commit|date|created)$": "the commit that made it, and when",
    r"(^|/)(seconds|minutes)(_since_last_start)?(/|$)": "how long it took",
    r"(^|/)machine(/|$)": "where it ran",
}
"""Pattern of a JSON entry's name (its path with slashes) -> why it is not compared. Cells of tables all are."""

IGNORED_TEXTS = {
    r"\bS_[A-Za-z0-9]{16}\b": "IDs that Slicer deals out at random to the segments of a scene",
    r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?": "dates and times",
    r"\b\d+(\.\d+)? ?(s|ms|min|h)\b": "durations",
    r"(?<![\w.])/(tmp|home|root|work|private|var|Users)/[^\s\"'<>]*": "absolute paths",
}
"""Pattern in a text -> what it is; taken out of texts and image headers before they are compared."""

NUMBER = re.compile(r"[-+−]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
Key = tuple[str, ...]
Values = dict[Key, object]


class _Visible(HTMLParser):
    """Visible text of a page, and its pictures."""

    def __init__(self):
        super().__init__()
        self.lines: list[str] = []
        self.pictures: list[bytes] = []
        self.hidden = 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "script")
        found = re.match(r"data:image/png;base64,(.*)", dict(attrs).get("src") or "", re.DOTALL)
        if found:
            self.pictures.append(base64.b64decode(found[1]))

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if data.strip() and not self.hidden:
            self.lines.append(" ".join(data.split()))


def _flat(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(each, (*key, str(name)))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _flat(each, (*key, str(index)))
    elif not any(re.search(pattern, "/".join(key)) for pattern in IGNORED_KEYS):
        yield key, value


def _comparable(text: str) -> str:
    for pattern in IGNORED_TEXTS:
        text = re.sub(pattern, "…", text)
    return text


def _text(text: str) -> Values:
    lines = enumerate(_comparable(text).splitlines(), 1)
    return {(f"line {number}",): " ".join(line.split()) for number, line in lines}


def _json(path: Path) -> Values:
    text = path.read_text(encoding="utf-8")
    try:
        return dict(_flat(json.loads(text)))
    except json.JSONDecodeError:  # one object per line
        return dict(_flat([json.loads(line) for line in text.splitlines() if line.strip()]))


def _table(path: Path) -> Values:
    if path.suffix == ".xlsx":
        table = pd.read_excel(path, dtype=str, keep_default_na=False)
    else:
        table = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", dtype=str, keep_default_na=False)
    values: Values = {("columns", str(index)): name for index, name in enumerate(table.columns)}
    for name in table.columns:
        values |= {(f"row {row}", str(name)): cell for row, cell in enumerate(table[name], 1)}
    return values


def _image(path: Path) -> Values:
    image = sitk.ReadImage(path)
    values: Values = {
        ("voxels",): sitk.GetArrayFromImage(image),
        ("voxel type",): image.GetPixelIDTypeAsString(),
        ("spacing",): np.array(image.GetSpacing()),
        ("origin",): np.array(image.GetOrigin()),
        ("direction",): np.array(image.GetDirection()),
    }
    return values | {("header", key): _comparable(image.GetMetaData(key)) for key in image.GetMetaDataKeys()}


def _tensors(path: Path) -> Values:
    with safe_open(path, framework="np") as file:
        values: Values = {("tensor", name): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        return values | dict(_flat(dict(file.metadata() or {}), ("metadata",)))


def _arrays(path: Path) -> Values:
    with np.load(path, allow_pickle=False) as file:
        return {("array", name): file[name] for name in file.files}


def _page(path: Path) -> Values:
    page = _Visible()
    page.feed(path.read_text(encoding="utf-8"))
    pictures = {(PICTURE, str(n)): _pixels(io.BytesIO(data)) for n, data in enumerate(page.pictures, 1)}
    return _text("\n".join(page.lines)) | pictures


def _pixels(source) -> np.ndarray:
    with Image.open(source) as picture:
        return np.asarray(picture.convert("RGBA"))


def _scene(path: Path) -> Values:
    values: Values = {}
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        for member in files_of(Path(folder)):
            values |= {(member, *key): value for key, value in read_values(Path(folder, member)).items()}
    return values


READERS = {
    ".json": _json, ".jsonl": _json, ".csv": _table, ".tsv": _table, ".xlsx": _table, ".nrrd": _image, ".gz": _image,
    ".safetensors": _tensors, ".npz": _arrays, ".html": _page, ".mrb": _scene,
    ".png": lambda path: {(PICTURE,): _pixels(path)},
}  # fmt: skip


def read_values(path: Path) -> Values:
    """The values of a file by their place in it; a file of another kind is read as lines of text."""
    reader = READERS.get(path.suffix)
    return reader(path) if reader else _text(path.read_text(encoding="utf-8", errors="replace"))


def files_of(folder: Path) -> list[str]:
    """Files below a folder as relative paths, without links and what is ignored."""
    names = (
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )
    return sorted(name for name in names if not any(re.search(pattern, name) for pattern in IGNORED_FILES))


def difference(old: object, new: object) -> float:
    """0: the same bit for bit; else the relative difference; infinite where it is none of numbers."""
    if isinstance(old, np.ndarray) or isinstance(new, np.ndarray):
        return _array_difference(np.asarray(old), np.asarray(new))
    if type(old) is type(new) and (old == new or (old != old and new != new)):
        return 0.0
    numeric = (int, float)
    if isinstance(old, bool) or isinstance(new, bool):
        return np.inf
    if isinstance(old, numeric) and isinstance(new, numeric):
        return _relative(float(old), float(new))
    if not (isinstance(old, str) and isinstance(new, str)) or NUMBER.split(old) != NUMBER.split(new):
        return np.inf
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return max((_relative(*(float(each.replace("−", "-")) for each in pair)) for pair in pairs), default=np.inf)


def _relative(old: float, new: float) -> float:
    if old == new:
        return np.finfo(float).tiny  # written otherwise, such as 1 and 1.0
    apart = abs(old - new) / max(abs(old), abs(new))
    return apart if apart == apart else np.inf


def _array_difference(old: np.ndarray, new: np.ndarray) -> float:
    if old.shape != new.shape or old.dtype != new.dtype:
        return np.inf
    if old.tobytes() == new.tobytes():
        return 0.0
    if old.dtype.kind not in "iufb":
        return 0.0 if np.array_equal(old, new) else np.inf
    a, b = old.astype(float), new.astype(float)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf
    apart = float(np.nanmax(np.abs(a - b), initial=0, where=np.isfinite(a)))
    scale = float(np.nanmax(np.abs(a), initial=0, where=np.isfinite(a)))
    return apart / scale if scale and apart else (np.inf if apart else np.finfo(float).tiny)


@dataclass
class Compared:
    """What is different in one file."""

    path: str
    largest: float = 0.0
    places: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def compare_files(path: str, old: Path, new: Path, renames: dict | None = None) -> Compared:
    """All values of a file, old and new."""
    found = Compared(path)
    if not renames and old.read_bytes() == new.read_bytes():
        return found
    before, after = _renamed(read_values(old), renames or {}), read_values(new)
    missing = object()
    for key in [*before, *(key for key in after if key not in before)]:
        a, b = before.get(key, missing), after.get(key, missing)
        apart = np.inf if a is missing or b is missing else difference(a, b)
        if not apart:
            continue
        where = " / ".join(key)
        if PICTURE in key:
            found.pictures.append(f"{where}: {_how_many(a, b)}")
            continue
        found.largest = max(found.largest, apart)
        if apart > TOLERANCE:
            alone = "new" if a is missing else "old" if b is missing else ""
            found.places.append(f"{where}: {f'only in {alone}' if alone else _how_much(a, b, apart)}")
    return found


def _how_much(old: object, new: object, apart: float) -> str:
    if isinstance(old, np.ndarray):
        if old.shape != new.shape or old.dtype != new.dtype:
            return f"{old.dtype} {old.shape} -> {new.dtype} {new.shape}"
        first = tuple(map(int, np.argwhere(old != new)[0]))
        return f"{apart:.2g} of the largest, {_how_many(old, new)}, first at {first}: {old[first]} -> {new[first]}"
    size = f"{apart:.2g} relative, " if np.isfinite(apart) else ""
    return f"{size}{str(old)[:150]!r} -> {str(new)[:150]!r}"


def _how_many(old: object, new: object) -> str:
    if not (isinstance(old, np.ndarray) and isinstance(new, np.ndarray)) or old.shape != new.shape:
        return "another size, or missing"
    return f"{int((old != new).sum())} of {old.size} values"


def _renamed(values: Values, renames: dict) -> Values:
    keys, texts = renames.get("keys", {}), renames.get("texts", {})

    def new(value: object) -> object:
        if not isinstance(value, str):
            return value
        value = keys.get(value, value)
        for before, after in texts.items():
            value = value.replace(before, after)
        return value

    return {tuple(keys.get(part, part) for part in key): new(value) for key, value in values.items()}


def _renamed_path(path: str, renames: dict) -> str:
    path = f"/{path}/"
    for before, after in renames.get("files", {}).items():
        path = path.replace(f"/{before}/", f"/{after}/")
    return path.strip("/")


def compare(old: Path, new: Path, renames: dict | None = None) -> tuple[list[Compared], list[str]]:
    """Returns what was found in every file of both folders, and a sentence for each file that one of them lacks."""
    renames = renames or {}
    before = {_renamed_path(path, renames): path for path in files_of(old)}
    after = set(files_of(new))
    alone = [f"only in old: {path}" for path in before if path not in after]
    alone += [f"only in new: {path}" for path in sorted(after - set(before))]
    both = [path for path in before if path in after]
    return [compare_files(path, old / before[path], new / path, renames) for path in both], alone


def report(old: Path, new: Path, renames: Path | None = None, most: int = 8) -> int:
    """Prints the comparison; returns the exit code: 1 if anything is beyond 1e-6, or a file is on one side only."""
    files, alone = compare(old, new, json.loads(renames.read_text(encoding="utf-8")) if renames else None)
    differing = [each for each in files if each.largest > TOLERANCE]
    close = [each for each in files if 0 < each.largest <= TOLERANCE]
    for each in differing:
        print(f"DIFFERS  {each.path}: {len(each.places)} places")
        print("".join(f"    {place}\n" for place in each.places[:most]), end="")
    for each in close:
        print(f"within {TOLERANCE:g}  {each.path}: at most {each.largest:.2g}")
    for sentence in alone:
        print(sentence)
    pictures = [(each.path, place) for each in files for place in each.pictures]
    for path, place in pictures:
        print(f"pixels (decide nothing)  {path}: {place}")
    print(
        f"{len(files)} files on both sides: {len(files) - len(differing) - len(close)} identical bit for bit, "
        f"{len(close)} within {TOLERANCE:g}, {len(differing)} differ; {len(alone)} on one side only; "
        f"{len(pictures)} pictures with other pixels."
    )
    return int(bool(differing or alone or not files))
