"""The comparison that ``pulsarcam explain --compare`` adds: options, tables and gradient maps."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...agreement.settings import ComparisonSettings
from ..options.places import InputPath
from ..options.setting_options import add_settings

if TYPE_CHECKING:
    from ...agreement.map_comparison import MapComparison
    from ...agreement.other_maps import OtherMap
    from ...core.case import Case
    from ...core.progress import OnProgress
    from ...explanation.result import CaseResult
    from .one_case import Job
    from .wanted import Wanted

WRITTEN = """\
  agreement.csv, shells.csv                   how the maps go with gradient, intensity, local entropy and depth, and
                                              where they lie: core, margin, shell by shell (--compare)
  overlaps.csv                                activated part and other map above its threshold (--compare-with)
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
    group.add_argument(
        "--compare-with", action="append", type=_named_map, metavar="NAME=FILE", default=[],
        help="compare with this map, too (ADC, perfusion, spectroscopy, PET, dose, cell density...): a volume in the "
        "MRI's space, or with --transform NAME=FILE; may be given for several; NAME is what tables call it",
    )  # fmt: skip
    group.add_argument(
        "--compare-above", action="append", type=_named_threshold, metavar="NAME=KIND:VALUE", default=[],
        help="which part of that map the activated part is overlapped with: percentile:0..100 of the lesion, or "
        "value:X in the map's unit; what lies above counts (percentile:75)",
    )  # fmt: skip
    group.add_argument("--report", action="store_true", help="write report.html, with the comparison if there is one")


def compare(
    job: Job, wanted: Wanted, result: CaseResult, case: Case, others: tuple[OtherMap, ...], on_progress: OnProgress
) -> MapComparison:
    """What the wanted maps go with; where all usual maps and classes are wanted, the signed ones too."""
    from ...agreement.map_comparison import compare_maps

    system = result.system
    every_map = set(system.usual_maps) <= set(wanted.methods) and set(system.task.names) <= set(wanted.targets)
    signed = [each.name for each in system.maps if each.signed and each.always] if every_map else []
    methods = tuple(dict.fromkeys((*wanted.methods, *signed)))
    settings = ComparisonSettings(methods, wanted.targets, job.sigma_mm, job.margin_mm, job.shell_mm)
    told = {"others": others, "threshold": job.threshold}
    return compare_maps(result, case.reference_image.voxels, settings, **told, progress=on_progress)


@dataclass(frozen=True)
class Above:
    """The part of a map that overlaps are told with: above a percentile of the lesion, or above a value."""

    percentile: float | None = None
    value: float | None = None


def _named(text: str, example: str) -> tuple[str, str]:
    name, sign, rest = text.partition("=")
    if not (name.strip() and sign and rest):
        raise argparse.ArgumentTypeError(f"{text!r} is not {example}")
    return name.strip(), rest


def _named_map(text: str) -> tuple[str, InputPath]:
    name, path = _named(text, "NAME=FILE, such as ADC=adc.nii.gz")
    return name, InputPath(path)


def _named_threshold(text: str) -> tuple[str, Above]:
    example = "NAME=KIND:VALUE, such as ADC=percentile:75 or ADC=value:800"
    name, rest = _named(text, example)
    kind, _, number = rest.partition(":")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if kind not in ("percentile", "value") or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {example}")
    return name, Above(**{kind: value})


def read_maps(job: Job, case: Case) -> tuple[OtherMap, ...]:
    """The maps of ``--compare-with``, with their transforms; read before anything takes long.

    A transform of a map is one from the common space to it, as those of images are.

    Raises:
        InputError: a name twice, a threshold of no map, or a file that is no map.
        GeometryError: a file's place is not known.
    """
    import numpy as np

    from ...agreement.other_maps import OtherMap
    from ...core.errors import InputError
    from ...io.inputs import read_map
    from ...io.plain_files import is_same
    from ...io.transforms import read_transform

    names = [name for name, _ in job.compare_with]
    for what, given in (("--compare-with", names), ("--compare-above", [name for name, _ in job.compare_above])):
        if twice := next((name for name in given if given.count(name) > 1), ""):
            raise InputError(f"{what} names “{twice}” twice; give each map one name of its own.")
    for name, _ in job.compare_above:
        if name not in names:
            raise InputError(f"--compare-above {name}=… names no map; give it with --compare-with {name}=FILE.")
    found, limits = [], dict(job.compare_above)
    own = {name: read_transform(path) for name, path in job.transforms if name in names}
    of_mri = case.transforms.get(case.reference, np.eye(4))
    for name, path in job.compare_with:
        if is_same(path, job.volume):
            raise InputError(f"The map “{name}” is the MRI itself; name another one with --compare-with.")
        matrix = own.get(name, np.eye(4)) @ np.linalg.inv(of_mri)
        limit = limits.get(name, Above())
        how = {"value": limit.value} | ({} if limit.percentile is None else {"percentile": limit.percentile})
        found.append(OtherMap(name, read_map(path), None if np.array_equal(matrix, np.eye(4)) else matrix, **how))
    return tuple(found)
