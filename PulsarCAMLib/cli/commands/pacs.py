"""``pulsarcam dicom get`` and ``send``: a study from a PACS, and objects back into it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..options.places import InputPath, add_output

if TYPE_CHECKING:
    from ...io.pacs.contract import Pacs

SHOWN = 5
"""So many names of damaged files are told."""

EXAMPLES = """\
examples:
  pulsarcam dicom get pacs.example.org:104 --called ARCHIVE --patient 4711 -o export
  pulsarcam dicom get https://pacs.example.org/dicom-web --patient 4711 --study 2 -o export
  pulsarcam explain export -o result --dicom-out
  pulsarcam dicom send pacs.example.org:104 --called ARCHIVE result/dicom

PACS is HOST:PORT for DICOM's own protocol (C-FIND, C-GET, C-STORE), or the address of a DICOMweb service. Certificates
are always verified; name and password of a DICOMweb service are taken from .netrc.

"""


def add_pacs(actions, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parsers; arguments as :func:`~.cohort.add_cohort`."""
    get = command(actions, "get", "fetch a study of one patient from a PACS into a new folder", EXAMPLES + epilog)
    _add_address(get)
    get.add_argument("--patient", required=True, metavar="ID", help="patient ID, exactly as the PACS has it")
    get.add_argument("--study", metavar="N", help="number in the list of the patient's studies, or Study Instance UID")
    add_output(get, "FOLDER", "folder to be made", required=True)
    get.add_argument("--quiet", action="store_true", help="no progress bar")
    send = command(actions, "send", "store DICOM files in a PACS", EXAMPLES + epilog)
    _add_address(send)
    send.add_argument("files", nargs="+", type=InputPath, metavar="FILE", help="DICOM files, or folders with them")
    send.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pacs", metavar="PACS", help="HOST:PORT, or https://... of a DICOMweb service")
    parser.add_argument("--called", type=_title, metavar="AE", help="the PACS's AE title (ANY-SCP)")
    parser.add_argument("--calling", type=_title, metavar="AE", help="our AE title, if it must know us (PULSARCAM)")
    parser.add_argument("--tls", action="store_true", help="encrypt the connection to HOST:PORT")
    parser.add_argument(
        "--ca", type=InputPath, metavar="FILE", help="certificates to trust instead of the system's (PEM)"
    )
    parser.add_argument(
        "--cert", type=InputPath, metavar="FILE", help="our own certificate, where the PACS asks for one"
    )
    parser.add_argument("--key", type=InputPath, metavar="FILE", help="its key")


def _title(text: str) -> str:
    """An AE title (PS3.5 6.2)."""
    if not text.strip() or len(text) > 16 or not text.isascii() or not text.isprintable() or "\\" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no AE title: 1 to 16 letters, digits, spaces or signs")
    return text.strip()


def pacs_of(options) -> Pacs:
    """The PACS that options name.

    Raises:
        DependencyError: a library for it is missing.
        InputError: no address, or options of the other protocol.
    """
    from ...core.errors import InputError
    from ...core.requirements import FOR_PACS, require
    from ...core.visible import visible
    from ...io.pacs.contract import Tls
    from ...io.pacs.dimse import DimsePacs
    from ...io.pacs.web import WebPacs

    require(FOR_PACS, extra="dicom", in_slicer="use the module DICOM, which does the same")
    files = [Path(each) if each else None for each in (options.ca, options.cert, options.key)]
    if options.key and not options.cert:
        raise InputError("--key goes with --cert; give both or none.")
    tls = Tls(*files) if options.tls or any(files) else None
    if "://" in options.pacs:
        if options.called or options.calling:
            raise InputError("AE titles belong to DICOM's own protocol; leave them out with a DICOMweb address.")
        return WebPacs(options.pacs, tls)
    host, colon, port = options.pacs.rpartition(":")
    if not (host and colon and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
        raise InputError(f"{visible(options.pacs)!r} is neither HOST:PORT nor the address of a DICOMweb service.")
    titles = {key: value for key in ("called", "calling") if (value := getattr(options, key))}
    return DimsePacs(host.strip("[]"), int(port), **titles, tls=tls)


def get(options) -> None:
    """``dicom get``: print how many objects came.

    Raises:
        InputError: the PACS does not answer, or has no such study.
        OutputError: the folder cannot be made.
    """
    from ...core.pluralize import pluralize
    from ...io.pacs.contract import chosen_study
    from ...io.plain_files import shown_path
    from ...io.result_folder import ResultFolder
    from ..console import Progress, warn

    pacs, folder = pacs_of(options), ResultFolder(options.output)
    folder.check()
    study = chosen_study(pacs.name, pacs.studies(options.patient), options.study)
    with folder, Progress(options.quiet) as progress:
        told = progress.part(0, 1)
        many = max(study.instances, 1)
        count = pacs.fetch(study.uid, folder.made, lambda n: told(min(n / many, 1), f"Fetching object {n}"))
        cut = _cut(folder.made)
    if cut:
        shown = f"{', '.join(cut[:SHOWN])}{', ...' if len(cut) > SHOWN else ''}"
        warn(
            f"{len(cut)} of {pluralize(count, 'object')} came damaged or cut off ({shown}) and will not be read; fetch "
            "the study once more, and where they come so again, let the PACS's administrator mend them."
        )
    print(f"{pluralize(count, 'object')} in {shown_path(Path(options.output))}.")


def _cut(folder: Path) -> list[str]:
    """Names of the files that do not hold what their headers say."""
    from ...core.errors import InputError
    from ...io.dicom.files import refuse_cut

    found = []
    for path in sorted(folder.iterdir()):
        try:
            refuse_cut(path)
        except InputError:
            found.append(path.name)
    return found


def send(options) -> None:
    """``dicom send``: print how many objects went.

    Raises:
        InputError: a file is not there, no DICOM, or cut off.
        OutputError: the PACS does not answer, or refuses one of them.
    """
    from ...core.errors import InputError
    from ...core.pluralize import pluralize
    from ...io.dicom.files import is_dicom, refuse_cut
    from ...io.plain_files import shown_path
    from ..console import Progress

    pacs = pacs_of(options)
    files = list(dict.fromkeys(path for each in options.files for path in _files_of(Path(each))))
    if not files:
        raise InputError(f"{shown_path(Path(options.files[0]))} holds no DICOM file; give those that are to be sent.")
    for path in filter(is_dicom, files):
        refuse_cut(path)
    with Progress(options.quiet) as progress:
        told = progress.part(0, 1)
        pacs.send(files, lambda n: told(n / len(files), f"Sending object {n + 1} of {len(files)}"))
    print(f"{pluralize(len(files), 'object')} sent.")


def _files_of(place: Path) -> Iterator[Path]:
    """The file itself, or the DICOM files of a folder."""
    from ...io.dicom.files import is_dicom
    from ...io.plain_files import is_folder, plain_file

    if is_folder(place):
        yield from (path for path in sorted(place.rglob("*")) if is_dicom(path))
    else:
        yield plain_file(place)
