"""The comparison that ``pulsarcam explain --compare`` adds: options, tables and gradient maps."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from .numbers import millimetres

WRITTEN = """\
  agreement.csv, shells.csv                   how the maps go with gradient, intensity, local entropy and depth, and
                                              where they lie: core, margin, shell by shell (--compare)
  gradient_magnitude.nrrd, radial_gradient.nrrd   of the MRI inside the lesions, on its own voxels (--compare)
  report.html                                 one page for screen and paper (--report)
"""


def add_comparing(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--compare", action="store_true", help="compare the maps with what one sees in the MRI, and write gradient maps"
    )
    group.add_argument(
        "--sigma-mm", type=millimetres, default=1.0, metavar="MM", help="scale of the gradient (%(default)s)"
    )
    group.add_argument(
        "--shell-mm", type=millimetres, default=1.0, metavar="MM", help="thickness of the shells (%(default)s)"
    )
    group.add_argument("--report", action="store_true", help="write report.html, with the comparison if there is one")


def write_compared(job, folder: Path, result, volume, tell: Callable[[float, str], None]):
    """Compare, and write two tables and two volumes.

    Args:
        job: a ``Job``.
        folder: where to write.
        result: the ``CaseResult``.
        volume: the MRI ``[k, j, i]``.
        tell: called with a fraction and a text.

    Returns:
        The ``MapComparison``.
    """
    from ..agreement.map_comparison import MEASURES, ComparisonSettings, compare_maps
    from ..core.map_methods import CLASSES, METHODS, SIGNED
    from ..io.writing import write_map, write_table

    every_map = set(METHODS) <= set(job.methods) and set(CLASSES) <= set(job.targets)
    methods = tuple(dict.fromkeys((*job.methods, *((SIGNED,) if every_map else ()))))
    settings = ComparisonSettings(methods, job.targets, job.sigma_mm, job.margin_mm, job.shell_mm)
    compared = compare_maps(result, volume, settings, progress=tell)
    write_table(folder / "agreement.csv", compared.agreement)
    write_table(folder / "shells.csv", compared.shells)
    for name, values in (("gradient_magnitude", compared.magnitude), ("radial_gradient", compared.radial)):
        facts = {"measure": MEASURES[name], "sigma_mm": job.sigma_mm}
        write_map(folder / f"{name}.nrrd", values, result.geometry, facts)
    return compared
