"""Orthanc, an open PACS, on the loopback address at free ports, with an empty database in a folder of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST, TITLE = "127.0.0.1", "ORTHANC"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SECONDS = 60


@dataclass(frozen=True)
class Orthanc:
    """A running one.

    Attributes:
        http, dicom: its ports.
    """

    http: int
    dicom: int

    @property
    def dimse(self) -> tuple[str, ...]:
        """Arguments of ``pulsarcam dicom get`` and ``send`` for DICOM's own protocol."""
        return (f"{HOST}:{self.dicom}", "--called", TITLE)

    @property
    def web(self) -> tuple[str, ...]:
        """The same for DICOMweb."""
        return (f"http://{HOST}:{self.http}/dicom-web",)

    def asked(self, path: str):
        """What Orthanc's own interface answers."""
        with urllib.request.urlopen(f"http://{HOST}:{self.http}{path}", timeout=SECONDS) as answer:
            return json.loads(answer.read())


def missing() -> str:
    """What is not installed, for a sentence; empty where all is there."""
    if _program() is None:
        return "Orthanc is not installed (Debian package orthanc; Testing/dicom_peers.sh installs it)"
    if not PLUGIN.exists():
        return (
            "Orthanc's DICOMweb is not installed (Debian package orthanc-dicomweb; Testing/dicom_peers.sh installs it)"
        )
    return ""


def _program() -> str | None:
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")


@contextmanager
def an_orthanc(folder: Path) -> Iterator[Orthanc]:
    """A PACS that lives as long as the context; only this machine is let in."""
    made = Orthanc(*_free_ports(2))
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(PLUGIN)],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpPort": made.http,
        "DicomAet": TITLE,
        "DicomPort": made.dicom,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowFind": False,
        "DicomAlwaysAllowGet": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {
            "us": {"AET": "PULSARCAM", "Host": HOST, "Port": 1} | _allowed(True),
            "shy": {"AET": "SHY", "Host": HOST, "Port": 1} | _allowed(False),
        },
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
        "HttpsCACertificates": "",
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen([_program(), str(file)], stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_for(made, process, folder / "orthanc.log")
            yield made
        finally:
            process.terminate()
            process.wait(SECONDS)


def _allowed(what: bool) -> dict[str, bool]:
    return dict.fromkeys(("AllowFind", "AllowGet", "AllowStore"), what)


def _wait_for(made: Orthanc, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            made.asked("/system")
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-2000:])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((HOST, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
