"""Reading files in a process of its own: if a native reader crashes or never ends, this process goes on.

Every reader of images, doses and transforms goes through :func:`apart`. Within :func:`reading_apart`, which is what
``--safe-reading`` asks for, the file is read by a child, which lives as long as the block and is started anew after it
has died; otherwise reading is an ordinary call. Between the processes go JSON and plain arrays, nothing that could be
executed. Where the environment variable asks for it, workers of a training read so, too.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from ..core import errors
from ..core.case import DicomSource, Image
from ..core.errors import Cure, InputError, PulsarCAMError
from ..core.geometry.volume import VolumeGeometry
from ..core.visible import decoded
from .plain_files import shown_path
from .workers import end_with

VARIABLE = "PULSARCAM_SAFE_READING"
"""Environment variable that is "1" while files are read apart."""

LONGEST_S = 300.0
"""A file that takes longer to read is given up."""

PROGRAM = "from PulsarCAMLib.io.apart import serve; serve()"
"""What the child runs."""

READERS = ("volumes", "dose", "transforms", "dicom.structures", "dicom.segments")
"""Modules of this room whose readers the child may call."""

Read = TypeVar("Read", bound=Callable[..., Any])


def apart(read: Read) -> Read:
    """A reader that is called in the child while files are read apart; its first argument is the path."""

    @functools.wraps(read)
    def either(path, *arguments, **named):
        if os.environ.get(VARIABLE) != "1":
            return read(path, *arguments, **named)
        return _CHILD.ask(read.__module__.removeprefix(f"{__package__}."), read.__name__, path, arguments, named)

    return either  # type: ignore[return-value]


@contextmanager
def reading_apart() -> Iterator[None]:
    """Within it, files are read in a process of its own."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
        _CHILD.end()


class _Child:
    """The process that reads, started when it is first needed."""

    def __init__(self) -> None:
        self._process: Any = None
        self._lock = threading.Lock()

    def ask(self, module: str, reader: str, path, arguments: tuple, named: dict[str, Any]) -> Any:
        """What a reader returns or raises, or that it died."""
        told = [_plain(each) for each in (path, *arguments)]
        question = {"module": module, "reader": reader, "arguments": told, "named": named}
        with self._lock:
            process = self._started()
            late = threading.Event()

            def give_up() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(LONGEST_S, give_up)
            timer.start()
            try:
                _send(process.stdin, question, [])
                answer, arrays = _receive(process.stdout)
            except (OSError, EOFError) as error:
                self.end()
                why = (
                    f"takes longer than {LONGEST_S:.0f} s to read"
                    if late.is_set()
                    else "ends the program that reads it"
                )
                raise InputError(
                    f"{shown_path(path)} {why}: it is damaged, or made to do harm; get it anew from its source."
                ) from error
            finally:
                timer.cancel()
        if "error" in answer:
            raise _error(answer)
        return _unpacked(answer["value"], arrays)

    def _started(self) -> Any:
        if self._process is None or self._process.poll() is not None:
            root = str(Path(__file__).resolve().parents[2])
            paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
            environment = {k: v for k, v in os.environ.items() if k != VARIABLE} | {"PYTHONPATH": paths}
            # -P: the folder in which the command was given may hold a numpy.py
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        return self._process

    def end(self) -> None:
        """Stop the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not sent is for nobody
                    pipe.close()


_CHILD = _Child()
atexit.register(_CHILD.end)


def serve() -> None:
    """What the child does: read what it is asked for, until nobody asks any more."""
    end_with(os.getppid())  # a reader that never comes back does not outlive who asked
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):  # native readers write there
        os.dup2(nowhere, standard)
    while True:
        try:
            question, _ = _receive(questions)
        except (EOFError, KeyboardInterrupt):
            return
        arrays: list[np.ndarray] = []
        answer: dict[str, Any]
        path, *arguments = question["arguments"]
        try:
            if question["module"] not in READERS:
                raise InputError(f"There is no reader of {question['module']}.")
            module = importlib.import_module(f".{question['module']}", __package__)
            value = getattr(module, question["reader"])(Path(path), *arguments, **question["named"])
            answer = {"value": _packed(value, arrays)}
        except PulsarCAMError as error:
            cure = None if error.cure is None else vars(error.cure)
            answer = {"error": type(error).__name__, "what": error.what, "cure": cure}
        except OSError as error:
            what = f"{shown_path(Path(path))} cannot be read ({error.strerror or error}); see whether it may be read."
            answer = {"error": "InputError", "what": what, "cure": None}
        except MemoryError:
            answer = {"error": "MemoryError", "what": "", "cure": None}
        _send(answers, answer, arrays)


def _error(answer: dict[str, Any]) -> Exception:
    if answer["error"] == "MemoryError":
        return MemoryError()
    kind = getattr(errors, answer["error"], InputError)
    return kind(answer["what"], Cure(**answer["cure"]) if answer["cure"] else None)


def _plain(argument: Any) -> Any:
    return os.fspath(argument) if isinstance(argument, os.PathLike) else argument


def _send(pipe: BinaryIO, message: dict[str, Any], arrays: list[np.ndarray]) -> None:
    """A message and arrays: the length of the JSON text in eight bytes, the text, the bytes of the arrays."""
    kinds = [[array.dtype.str, list(array.shape)] for array in arrays]
    text = json.dumps({"message": message, "arrays": kinds}).encode("ascii")
    pipe.write(len(text).to_bytes(8, "little") + text)
    for array in arrays:
        pipe.write(np.ascontiguousarray(array).data.cast("B"))
    pipe.flush()


def _receive(pipe: BinaryIO) -> tuple[dict[str, Any], list[np.ndarray]]:
    told = json.loads(_exactly(pipe, int.from_bytes(_exactly(pipe, 8), "little")))
    arrays = []
    for code, shape in told["arrays"]:
        dtype = np.dtype(code)
        held = _exactly(pipe, math.prod(shape) * dtype.itemsize)
        arrays.append(np.frombuffer(held, dtype).reshape(shape))
    return told["message"], arrays


def _exactly(pipe: BinaryIO, count: int) -> bytearray:
    """So many bytes, in memory that may be written to.

    Raises:
        EOFError: the other end is gone.
    """
    held = bytearray(count)
    view, at = memoryview(held), 0
    while at < count:
        got = pipe.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        at += got
    return held


def _packed(value: Any, arrays: list[np.ndarray]) -> dict[str, Any]:
    """What a reader returns, as JSON with the numbers of its arrays."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, tuple):
        return {"tuple": [_packed(each, arrays) for each in value]}
    if value is None or isinstance(value, (str, int, float, dict, list)):
        return {"plain": value}
    if isinstance(value, VolumeGeometry):
        return {"geometry": [value.shape, value.spacing, value.origin, value.direction]}
    if isinstance(value, Image):
        source = None if value.source is None else vars(value.source)
        return {"image": _packed((value.voxels, value.geometry), arrays), "source": source, "notes": value.notes}
    import SimpleITK as sitk

    place = [value.GetSpacing(), value.GetOrigin(), value.GetDirection()]
    texts = {key: decoded(value.GetMetaData(key)) for key in value.GetMetaDataKeys()}  # SimpleITK takes back UTF-8
    components = value.GetNumberOfComponentsPerPixel()
    arrays.append(sitk.GetArrayFromImage(value))
    return {"sitk": len(arrays) - 1, "place": place, "texts": texts, "vectors": components > 1}


def _unpacked(told: dict[str, Any], arrays: list[np.ndarray]) -> Any:
    if "array" in told:
        return arrays[told["array"]]
    if "tuple" in told:
        return tuple(_unpacked(each, arrays) for each in told["tuple"])
    if "plain" in told:
        return told["plain"]
    if "geometry" in told:
        return VolumeGeometry(*told["geometry"])
    if "image" in told:
        source = told["source"]
        instances = source and source | {"instance_uids": tuple(source["instance_uids"])}
        voxels, geometry = _unpacked(told["image"], arrays)
        source = DicomSource(**instances) if instances else None
        return Image(voxels, geometry, source, tuple(told["notes"]))
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(arrays[told["sitk"]], isVector=told["vectors"])
    for put, values in zip((image.SetSpacing, image.SetOrigin, image.SetDirection), told["place"], strict=True):
        put(values)
    for key, text in told["texts"].items():
        image.SetMetaData(key, text)
    return image
