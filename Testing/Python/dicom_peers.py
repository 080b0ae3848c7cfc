"""Independent programs that judge and read DICOM objects: dciodvfy (dicom3tools), dcmqi in two versions, plastimatch.

All are optional: :func:`program` says where one is, or the tests that need it are left out with a sentence.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

OLD_DCMQI = "0.4.0"
"""The version in 3D Slicer; the other one is that of requirements-lock.txt."""

EXPLAINED = {
    r"Unrecognized defined term = <99PULSARCAM>": "codes of our own, declared in Coding Scheme Identification Sequence",
    r"SpecificCharacterSet\(0008,0005\)> - Attribute is not present in standard DICOM IOD": "stands in items of the "
    "user's own structure set, which is copied as it is",
    r"ReferencedRTPlanSequence\(300c,0002\)> - Missing attribute": "a prescription map is the dose of no plan",
    r"Retired Person Name form": "the patient's name is copied as it is",
}
"""Messages of dciodvfy that are neither errors nor the source's, with the reason."""


def program(name: str, version: str = "") -> Path | None:
    """Where a program of the virtual environment or the machine is; of dcmqi's old version in a folder of its own."""
    if version:
        at = Path(sys.prefix) / f"dcmqi-{version}" / "dcmqi" / "bin" / name
        return at if at.exists() else None
    own = Path(sys.prefix) / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    return Path(found) if found else None


def messages(path: Path) -> list[str]:
    """What dciodvfy says of an object, one line each.

    It ends at voxels of 32 bits (assertion in attrothr.cc), in public doses of planning systems as well: of a dose it
    is given a copy of 16 bits.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = pydicom.dcmread(path)
        if data.get("BitsAllocated") == 32 and "PixelData" in data:
            data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
            data.PixelData = data.PixelData[: len(data.PixelData) // 2]
            data["PixelData"].VR = "OW"
            path = Path(folder) / "dose.dcm"
            data.save_as(path)
        told = subprocess.run([program("dciodvfy"), "-new", path], capture_output=True, text=True, errors="replace")
    assert told.returncode >= 0, f"dciodvfy ended in {path.name}: {told.stderr[-300:]}"
    return [line.strip() for line in (told.stdout + told.stderr).splitlines() if line.startswith(("Error", "Warning"))]


def unexplained(path: Path, sources: Sequence[Path]) -> list[str]:
    """Messages of dciodvfy that the source objects do not have as well and that have no reason in :data:`EXPLAINED`."""
    theirs = {message for source in sources for message in messages(source)}
    return [
        message
        for message in messages(path)
        if message not in theirs and not any(re.search(known, message) for known in EXPLAINED)
    ]


def by_dcmqi(path: Path, folder: Path, name: str, version: str = "") -> list[sitk.Image]:
    """Volumes that dcmqi makes of a SEG (``segimage2itkimage``) or a parametric map (``paramap2itkimage``)."""
    folder.mkdir()
    ran = subprocess.run(
        [program(name, version), "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd", "-p", "out"]
        if name.startswith("seg")
        else [program(name, version), "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd"],
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert ran.returncode == 0, f"{name} {version} ended with {ran.returncode}: {ran.stdout[-800:]}{ran.stderr[-800:]}"
    files = sorted(folder.glob("*.nrrd"), key=lambda each: [int(n) for n in re.findall(r"\d+", each.name)])
    return [sitk.ReadImage(str(each)) for each in files]


def by_plastimatch(path: Path, series: Path, folder: Path) -> dict[str, sitk.Image]:
    """Masks that plastimatch makes of a structure set on the grid of a series, by the structures' names in files."""
    command = ["convert", "--input", path, "--referenced-ct", series, "--output-prefix", folder]
    ran = subprocess.run(
        [program("plastimatch"), *command, "--prefix-format", "nrrd"], capture_output=True, text=True, errors="replace"
    )
    assert ran.returncode == 0, ran.stdout[-800:] + ran.stderr[-800:]
    return {each.stem: sitk.ReadImage(str(each)) for each in sorted(folder.rglob("*.nrrd"))}


def dose_by_plastimatch(path: Path, folder: Path) -> sitk.Image:
    """The dose in Gy that plastimatch reads."""
    folder.mkdir()
    out = folder / "dose.nrrd"
    command = ["convert", "--input-dose-img", path, "--output-dose-img", out]
    subprocess.run([program("plastimatch"), *command], capture_output=True, check=True)
    return sitk.ReadImage(str(out))


def report_by_dcmqi(report: Path, folder: Path, version: str = "") -> dict:
    """What dcmqi reads of a TID 1500 report."""
    folder.mkdir()
    out = folder / "report.json"
    command = ["--inputDICOM", report, "--outputMetadata", out]
    ran = subprocess.run(
        [program("tid1500reader", version), *command], capture_output=True, text=True, errors="replace"
    )
    assert ran.returncode == 0, ran.stdout[-800:] + ran.stderr[-800:]
    return json.loads(out.read_text())


def on_grid(image: sitk.Image, geometry) -> np.ndarray:
    """Voxels of an image at the centres of a grid's voxels, zero elsewhere; only where the two lattices are one."""
    ijk = np.array([image.TransformPhysicalPointToContinuousIndex(geometry.to_lps([i, j, k]).tolist())
                    for k, j, i in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))])  # fmt: skip
    assert np.abs(ijk - np.rint(ijk)).max() < 0.01, f"the lattices differ: {ijk}"
    moved = sitk.Resample(image, geometry.to_sitk(np.zeros(geometry.shape, np.uint8)), sitk.Transform(),
                          sitk.sitkNearestNeighbor, 0.0, image.GetPixelID())  # fmt: skip
    return sitk.GetArrayFromImage(moved)
