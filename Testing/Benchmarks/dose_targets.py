"""By how much dose statements on small targets err: balls of 3 to 20 mm in an analytic dose on a grid of 1 mm.

    python Testing/Benchmarks/dose_targets.py --places 10

The dose is a Gaussian around the ball's centre of which the surface gets half: the ball of 5 mm loses 11 % of the
prescription in 0.2 mm there. The ball lies anywhere between the voxels. Told are the largest errors over the places, of
the volume in per cent, of D98, D50 and D2 in per cent of the prescription, with contours on planes of 1 mm and with
voxels of 1 and 0.5 mm; and what is told in the usual ways, by counting voxels whose centre is inside, and by linear
interpolation. Exits with 1 where contours err by more than 2 % (volume) or 1 % (D98) from 5 mm on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE / "Python")]

from making_doses import HEIGHT, PRESCRIBED, Ball, rod, rod_mm3, rod_share_above  # noqa: E402

from PulsarCAMLib.core.geometry.volume import VolumeGeometry  # noqa: E402
from PulsarCAMLib.core.lesion import Lesion  # noqa: E402
from PulsarCAMLib.dose.histogram import Histogram  # noqa: E402
from PulsarCAMLib.dose.sampling import dose_at  # noqa: E402
from PulsarCAMLib.dose.solids import of_contours, of_voxels, solid_of  # noqa: E402

DIAMETERS = (3, 4, 5, 6, 8, 10, 12, 15, 20)
VOLUME_PERCENT, D98_PERCENT, FROM_MM = 2.0, 1.0, 5
WAYS = ("contours", "voxels 0.5 mm", "voxels 1 mm", "voxels 1 mm, centres counted, linear")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=10, help="where each ball lies between the voxels (10)")
    parser.add_argument("--dose-mm", type=float, default=1.0, help="voxels of the dose (1)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    worst = balls(options.places, options.dose_mm, options.seed)
    rods()
    if options.dose_mm == 1 and (worst[0] > VOLUME_PERCENT or worst[1] > D98_PERCENT):
        print(f"The limit is passed: {worst[0]:.2f} % in volume, {worst[1]:.2f} % in D98.")
        return 1
    return 0


def balls(places: int, dose_mm: float, seed: int) -> tuple[float, float]:
    """Print the table; largest errors with contours from 5 mm on."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-0.5, 0.5, (places, 3)) * dose_mm
    print(
        f"Balls, dose on {dose_mm:g} mm, {places} places; largest errors: volume % | D98 | D50 | D2, % of prescription"
    )
    print("| mm | dose voxels | " + " | ".join(WAYS) + " |")
    print("| --- | --- |" + " --- |" * len(WAYS))
    worst = (0.0, 0.0)
    for diameter in DIAMETERS:
        errors = np.array([_errors(Ball(diameter, tuple(centre)), dose_mm) for centre in centres])
        largest = np.abs(errors).max(axis=0)
        cells = " | ".join(" / ".join(f"{each:.1f}" for each in way) for way in largest)
        print(f"| {diameter} | {Ball(diameter).mm3 / dose_mm**3:.0f} | {cells} |", flush=True)
        if diameter >= FROM_MM:
            worst = max(worst[0], largest[0, 0]), max(worst[1], largest[0, 1])
    return worst


def _errors(ball: Ball, dose_mm: float) -> list[list[float]]:
    grid = ball.grid(dose_mm)
    dose = ball.dose_on(grid)
    one, half = ball.grid(1.0), ball.grid(0.5)
    solids = (
        solid_of(ball.by_contours(), one),
        of_voxels(ball.by_voxels(half), half),
        of_voxels(ball.by_voxels(one), one),
    )
    found = [Histogram.of(dose_at(dose, grid, each.points), each.mm3) for each in solids]
    return [_of(ball, each) for each in (*found, _counted(ball.by_voxels(one), one, dose, grid))]


def _counted(lesion: Lesion, own: VolumeGeometry, dose: np.ndarray, grid: VolumeGeometry) -> Histogram:
    """As it is usually done: the dose at the centres of voxels, linearly."""
    from PulsarCAMLib.lesions.resampling import resample

    box = own.cropped(lesion.offset, lesion.mask.shape)
    values = resample(grid.to_sitk(dose), box, edges=True)[lesion.mask]
    return Histogram.of(values, np.full(values.size, own.voxel_volume_mm3))


def _of(ball: Ball, found: Histogram) -> list[float]:
    doses = [100 * (found.d(percent) - ball.d(percent)) / PRESCRIBED for percent in (98, 50, 2)]
    return [100 * (found.volume_mm3 / ball.mm3 - 1), *doses]


def rods() -> None:
    """Nelms' cylinder and cone in a linear dose of 1 Gy / mm along their axis."""
    print("\nCylinder and cone (24 mm), linear dose; errors: volume %, largest of V at seven doses, points of per cent")
    print("| body | axis | slices 1 mm | 2 mm | 3 mm |\n| --- | --- | --- | --- | --- |")
    levels = np.linspace(-HEIGHT / 2, HEIGHT / 2, 9)[1:-1]
    for kind in ("cylinder", "cone"):
        for along, name in ((2, "across the slices"), (0, "in the slices")):
            cells = []
            for step in (1.0, 2.0, 3.0):
                solid = of_contours(rod(kind, step, along), step)
                at = Histogram.of(solid.points[:, along], solid.mm3)
                off = max(abs(at.v(t) - float(rod_share_above(kind, t))) for t in levels)
                cells.append(f"{100 * (solid.volume_mm3 / rod_mm3(kind) - 1):+.1f} / {100 * off:.1f}")
            print(f"| {kind} | {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
