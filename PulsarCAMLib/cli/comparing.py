"""The comparison that ``pulsarcam explain --compare`` adds: options, tables and gradient maps."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..agreement.settings import ComparisonSettings
from .setting_options import add_settings

if TYPE_CHECKING:
    from ..agreement.map_comparison import MapComparison
    from ..core.case import Case
    from ..core.progress import OnProgress
    from ..explanation.result import CaseResult
    from .explain import Job, Wanted

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
    add_settings(group, ComparisonSettings)
    group.add_argument("--report", action="store_true", help="write report.html, with the comparison if there is one")


def compare(job: Job, wanted: Wanted, result: CaseResult, case: Case, on_progress: OnProgress) -> MapComparison:
    """What the wanted maps go with; where all usual maps and classes are wanted, the signed ones too."""
    from ..agreement.map_comparison import compare_maps

    system = result.system
    every_map = set(system.usual_maps) <= set(wanted.methods) and set(system.task.names) <= set(wanted.targets)
    signed = [each.name for each in system.maps if each.signed and each.always] if every_map else []
    methods = tuple(dict.fromkeys((*wanted.methods, *signed)))
    settings = ComparisonSettings(methods, wanted.targets, job.sigma_mm, job.margin_mm, job.shell_mm)
    return compare_maps(result, case.reference_image.voxels, settings, progress=on_progress)
