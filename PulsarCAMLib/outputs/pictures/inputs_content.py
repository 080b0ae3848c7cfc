"""What the picture of all images of a unit shows, as plain arrays: the same slice of each, bare and under the map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.case import Image
from ...core.geometry.volume import VolumeGeometry
from ...core.inputs import DOSE, MRI, InputRole
from ...core.task import LESION, PREDICTED
from ...explanation.inputs import input_shares
from ...explanation.result import CaseResult, UnitResult
from ...explanation.tables import cells_text
from ...lesions.resampling import image_around, resample
from .content import (
    PIXELS,
    Picture,
    answers_of,
    both_signs,
    display_grid,
    edge_letters,
    grey,
    plane_text,
    resampled_map,
    resampled_mask,
    scale_text,
    sentence,
    strongest_slice,
    window,
)

MOST_IN_A_ROW = 4
"""Images side by side, where all are of one time point."""


@dataclass(frozen=True)
class InputsPicture:
    """All images of one unit, the same slice of each, bare and under the map.

    Attributes:
        title, subtitle, footer, plane: as of :class:`Picture`.
        note: what must be known to read it: whose the outline is, and which shares are equal by construction.
        panels: one for each input; its ``maps`` has one map, that of the input alone where the method has such.
        rows: indices of the panels, row by row: one for each time point where there are several.
    """

    title: str
    subtitle: str
    footer: str
    plane: str
    note: str
    panels: tuple[Picture, ...]
    rows: tuple[tuple[int, ...], ...]


def inputs_of(result: CaseResult, images: Mapping[str, Image]) -> tuple[InputRole, ...]:
    """Inputs that pictures show side by side: those that the network sees and the case has; none if it is only one."""
    return result.system.mapped_inputs(result.card.preprocessing, images)


def inputs_picture_of(
    result: CaseResult, unit: UnitResult, images: Mapping[str, Image], method: str, target: str
) -> InputsPicture:
    """Everything that the picture of all inputs of one unit shows.

    The slice is that of the reference image in which the map of all inputs together is strongest; other images are
    brought to it, by the registration where there was one.

    Args:
        result: of the case.
        unit: one of its units.
        images: of the case, by role; see :func:`inputs_of`.
        method: a computed method.
        target: class whose evidence is shown.
    """
    target = unit.predicted_class if target == PREDICTED else target
    signed, roles = result.method(method).signed, inputs_of(result, images)
    grid = display_grid(unit, result.geometry, strongest_slice(result, unit, method, target))
    mask = resampled_mask(unit, result.geometry, grid)
    own = unit.inputs_of(method)
    shares = input_shares(unit, method, target)
    top = unit.joint_maximum(method, own[0] if own else "") or 1.0
    panels = []
    for role in roles:
        image, way = images[role.name], unit.samples.way_to(role.name)
        values = resample(image_around(image.voxels, image.geometry, grid, way), grid, matrix=way)[0]
        alone = role.name if role.name in own else ""
        outline, size = _measured(unit, role, grid)
        control = unit.control_shares.get((method, "" if signed else target, alone))
        heading = f"alone: {_share_text(shares[alone], control)}" if alone else "map of all images together"
        panels.append(
            Picture(
                title=role.title,
                subtitle="",
                footer="",
                grey=grey(values),
                mask=mask,
                maps={heading: resampled_map(result, unit, method, target, "none", grid, mask, alone)},
                top=float(top),
                signed=signed,
                scale_text=scale_text(result, method, "none"),
                bare_text=_bare_text(role, values) + (f": {size}" if size else ""),
                measured=outline,
                side_mm=grid.spacing[0] * PIXELS,
                letters=edge_letters(np.asarray(grid.direction)),
                plane="",
                answers=answers_of(result, unit),
            )
        )
    whose = both_signs(result.task) if signed else target
    return InputsPicture(
        title=f"{unit.name}: {result.method(method).title}",
        subtitle=f"{sentence(result.method(method).tells.format(whose))} {sentence(cells_text(unit, method))}",
        footer=result.card.footer,
        plane=plane_text(result.geometry, unit, grid),
        note=" ".join([*outline_note(result, unit, roles), *_measured_note(panels), *shared_notes(result, roles)]),
        panels=tuple(panels),
        rows=rows_of(roles),
    )


def rows_of(roles: Sequence[InputRole]) -> tuple[tuple[int, ...], ...]:
    """Indices of the inputs as they are laid out: a row for each time point if several, else about even."""
    times = list(dict.fromkeys(role.time_point for role in roles))
    if len(times) > 1:
        return tuple(tuple(n for n, role in enumerate(roles) if role.time_point == time) for time in times)
    count = math.ceil(len(roles) / MOST_IN_A_ROW)
    across = math.ceil(len(roles) / count)
    return tuple(tuple(range(at, min(at + across, len(roles)))) for at in range(0, len(roles), across))


def outline_note(result: CaseResult, unit: UnitResult, roles: Sequence[InputRole]) -> list[str]:
    """Whose the outline is, where it is drawn over images of other time points, too."""
    first = roles[0]
    if result.task.unit == LESION or len({role.time_point for role in roles}) < 2:
        return []
    moved = any(unit.samples.way_to(role.name) is not None for role in roles)
    how = "as the registration brings them" if moved else "where their headers place them, for nothing was registered"
    return [f"The blue outline is that of the {first.title} in every panel; the other images lie under it {how}."]


def shared_notes(result: CaseResult, roles: Sequence[InputRole]) -> list[str]:
    """That images which are one channel have the same map, one sentence for all of them; none where there are none."""
    channels = result.system.input_channels(result.card.preprocessing, {role.name for role in roles})
    groups: dict[tuple[int, ...], list[str]] = {}
    for role in roles:
        if role.name in channels:
            groups.setdefault(channels[role.name], []).append(role.title)
    shared = [" and ".join(titles) for titles in groups.values() if len(titles) > 1]
    if not shared:
        return []
    return [
        f"The network sees only the difference of {'; of '.join(shared)}, so these have one map and equal shares by "
        "construction."
    ]


def _bare_text(role: InputRole, values: np.ndarray) -> str:
    """What an image is; of a dose with the Gy that are black and white."""
    if role.kind != DOSE:
        return role.title
    low, high = window(values)
    return f"{role.title}: {low:.3g} Gy black, {high:.3g} Gy white"


def _measured_note(panels: Sequence[Picture]) -> list[str]:
    return (
        ["Green is what was outlined and measured at each time point."]
        if any(panel.measured is not None for panel in panels)
        else []
    )


def _measured(unit: UnitResult, role: InputRole, grid: VolumeGeometry) -> tuple[np.ndarray | None, str]:
    """What was outlined at an image's time point on the displayed slice, as shares, and its size in words."""
    outline_at = getattr(unit.samples, "outline_at", None)  # only some systems' samples measure
    found = outline_at(role.time_point) if outline_at and role.kind == MRI else None
    if found is None:
        return None, ""
    mask, geometry, lead, size = found
    way = unit.samples.way_to(lead)
    return resample(image_around(mask.astype(np.float32), geometry, grid, way), grid, matrix=way)[0], size


def _share_text(shares: np.ndarray, control: np.ndarray | None) -> str:
    """Of one input, as "62% of the map (control 48%)"."""
    if not np.isfinite(shares).any():
        return "the map is empty"
    beside = "" if control is None or not np.isfinite(control).any() else f" (control {np.nanmean(control):.0%})"
    return f"{np.nanmean(shares):.0%} of the map{beside}"
