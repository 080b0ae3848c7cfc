"""How long do the DICOM objects of twenty lesions on an MRI of 512 x 512 x 180 voxels take? Best of five, by object.

Run by hand, from the checkout: ``.venv/bin/python Testing/Benchmarks/dicom_out.py``; wall clock and processor time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE / "Python")]

from PulsarCAMLib.core.case import Image  # noqa: E402
from PulsarCAMLib.core.geometry.volume import VolumeGeometry  # noqa: E402
from PulsarCAMLib.core.lesion import Lesion  # noqa: E402
from PulsarCAMLib.io.dicom import read_series  # noqa: E402
from PulsarCAMLib.io.dicom.files import quiet  # noqa: E402
from PulsarCAMLib.outputs.dicom.maker import Maker  # noqa: E402
from PulsarCAMLib.outputs.dicom.parametric_map import parametric_map_of  # noqa: E402
from PulsarCAMLib.outputs.dicom.report import Figure, Group, report_of  # noqa: E402
from PulsarCAMLib.outputs.dicom.saving import save  # noqa: E402
from PulsarCAMLib.outputs.dicom.segmentation import segmentation_of  # noqa: E402
from PulsarCAMLib.outputs.dicom.source import read_source  # noqa: E402
from PulsarCAMLib.outputs.dicom.structure_set import Region, structure_set_of  # noqa: E402
from PulsarCAMLib.outputs.dicom.study import write_study  # noqa: E402
from PulsarCAMLib.systems.bundles.bundle import find_bundle  # noqa: E402

MRI = VolumeGeometry((180, 512, 512), (0.5, 0.5, 1.0), (-128.0, -128.0, -90.0))
LESIONS, TIMES = 20, 5


def some_lesions() -> list[Lesion]:
    """Balls of 4 to 10 mm radius, apart from each other, from the third slice to the last but two."""
    rng, found = np.random.default_rng(1), []
    for n in range(LESIONS):
        radius = rng.uniform(4, 10)
        i, j = 60 + 80 * (n % 5), 80 + 110 * (n // 5)
        k = int(12 + n * (MRI.shape[0] - 25) / (LESIONS - 1))
        reach = [int(np.ceil(radius / mm)) for mm in MRI.spacing[::-1]]
        grid = np.ogrid[tuple(slice(-r, r + 1) for r in reach)]
        mask = sum((axis * mm) ** 2 for axis, mm in zip(grid, MRI.spacing[::-1], strict=True)) <= radius**2
        found.append(Lesion(f"GTV {n + 1}", mask, (max(k - reach[0], 0), j - reach[1], i - reach[2])))
    return found


def activated(lesion: Lesion) -> Lesion:
    """Half of it."""
    mask = lesion.mask.copy()
    mask[:, :, : mask.shape[2] // 2] = False
    return Lesion(lesion.name, mask, lesion.offset)


def main() -> None:
    """Print the times."""
    lesions = some_lesions()
    regions = [activated(each) for each in lesions]
    heat_map = np.zeros(MRI.shape, np.float32)
    for lesion in lesions:
        heat_map[lesion.box][lesion.mask] = 0.5
    maker = Maker(find_bundle("synthetic-demo").card)
    with tempfile.TemporaryDirectory() as name, quiet():
        folder = Path(name)
        image = np.zeros(MRI.shape, np.uint16)
        write_study(folder / "study", image, MRI, lesions, heat_map[::4, ::8, ::8], _coarse(), "bench")
        read = read_series(folder / "study/MR")
        best: dict[str, tuple[float, float]] = {}
        for _ in range(TIMES):
            _once(folder, read, lesions, regions, heat_map, maker, best)
    print(f"{LESIONS} lesions and their sub-regions, MRI of {MRI.shape}; seconds, wall clock and of the processor:")
    for step, (wall, worked) in best.items():
        print(f"{step:<32} {wall:6.2f} {worked:6.2f}")
    print(f"{'all':<32} {sum(w for w, _ in best.values()):6.2f} {sum(p for _, p in best.values()):6.2f}   limit 2")


def _coarse() -> VolumeGeometry:
    return VolumeGeometry((45, 64, 64), (4.0, 4.0, 4.0), MRI.origin)


def _once(
    folder: Path, read: Image, lesions: list[Lesion], regions: list[Lesion], heat_map: np.ndarray, maker: Maker,
    best: dict[str, tuple[float, float]],
) -> None:  # fmt: skip
    def timed(step: str, make: Callable):
        wall, worked = time.perf_counter(), time.process_time()
        made = make()
        took = time.perf_counter() - wall, time.process_time() - worked
        best[step] = min(best.get(step, took), took)
        return made

    def saved(made):
        save(made, folder / "object.dcm")
        return made

    source = timed("headers of 180 slices", lambda: read_source(read, folder / "study/MR"))
    timed("SEG of lesions", lambda: saved(segmentation_of(lesions, source, maker, "lesion", "lesions", False)))
    seg = timed("SEG of sub-regions", lambda: saved(segmentation_of(regions, source, maker, "lesion", "a", True)))
    how = (source, maker, "map", ("map", "Map"), "no unit", (0.0, 1.0), (3, 177))
    maps = [timed(f"parametric map {n}", lambda: saved(parametric_map_of(heat_map, *how))) for n in (1, 2)]
    old = folder / "study/RS.dcm"
    about = [Region(each, "half") for each in regions]
    timed("structure set, appended", lambda: saved(structure_set_of(about, source, maker, old)))
    figures = [Figure(f"f{n}", f"Figure {n}", n) for n in range(4)]
    groups = [Group(each.name, True, seg, n, figures, {}) for n, each in enumerate(regions, start=1)]
    groups += [Group(each.name, False, seg, n, figures, {}) for n, each in enumerate(lesions, start=1)]
    timed("structured report", lambda: saved(report_of(groups, source, maker, "lesion", maps)))


if __name__ == "__main__":
    main()
