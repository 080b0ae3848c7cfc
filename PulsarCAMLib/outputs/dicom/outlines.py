"""Masks to closed planar contours: the border of the voxels itself, so that areas and distances are exact.

Marching squares or smoothing would cut corners by up to a third of a voxel; what is exported is what was found.
Regions that touch at a corner only stay apart. A hole is joined to what is around it by a channel of no width
(keyhole, DICOM PS3.3 C.8.8.6.3), which readers by the even-odd rule, by winding and by "or" all take for a hole:
CLOSEDPLANAR_XOR is not known to most planning systems.
"""

from __future__ import annotations

import numpy as np

Corner = tuple[int, int]
"""Row and column of a corner of pixels: pixel (r, c) lies between corners (r, c) and (r + 1, c + 1)."""

RIGHT, DOWN, LEFT, UP = (0, 1), (1, 0), (0, -1), (-1, 0)


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Contours ``[n, (row, column)]`` of a mask of one slice, in pixels; centres of pixels are whole numbers.

    Args:
        mask: bool ``[row, column]``.

    Examples:
        >>> outlines(np.array([[True, True]]))[0].tolist()
        [[-0.5, -0.5], [-0.5, 1.5], [0.5, 1.5], [0.5, -0.5]]
    """
    loops = _loops(np.asarray(mask, dtype=bool))
    outer = [loop for loop in loops if _signed_area(loop) > 0]
    holes = sorted((_from_top(loop) for loop in loops if _signed_area(loop) < 0), key=lambda loop: loop[0])
    if holes:
        outer = _with_holes(outer, holes)
    return [np.array(_corners_only(loop), dtype=float) - 0.5 for loop in outer]


def _loops(mask: np.ndarray) -> list[list[Corner]]:
    """Closed lines along the edges of pixels, the inside on the right hand; every corner on the way is named."""
    inside = np.pad(mask, 1)
    here = inside[1:-1, 1:-1]
    edges = {
        RIGHT: (here & ~inside[:-2, 1:-1], (0, 0)),
        DOWN: (here & ~inside[1:-1, 2:], (0, 1)),
        LEFT: (here & ~inside[2:, 1:-1], (1, 1)),
        UP: (here & ~inside[1:-1, :-2], (1, 0)),
    }
    leaving: dict[Corner, list[Corner]] = {}
    for way, (found, shift) in edges.items():
        for r, c in (np.argwhere(found) + shift).tolist():
            leaving.setdefault((r, c), []).append(way)
    loops = []
    for start in sorted(leaving):
        while leaving[start]:
            loop, at, way = [start], start, leaving[start].pop()
            while True:
                at = (at[0] + way[0], at[1] + way[1])
                if at == start and not _goes_on(leaving[at], way):
                    break
                loop.append(at)
                way = _next_way(leaving[at], way)
            loops.append(loop)
    return loops


def _next_way(ways: list[Corner], came: Corner) -> Corner:
    """Where a line goes on; where two do, it turns right and stays with its pixel."""
    right = (came[1], -came[0])
    way = right if right in ways else ways[0]
    ways.remove(way)
    return way


def _goes_on(ways: list[Corner], came: Corner) -> bool:
    """Whether a line that is back where it began has not ended: a corner that two lines share, left by the other."""
    return (came[1], -came[0]) in ways


def _signed_area(loop: list[Corner]) -> float:
    """Twice the area, positive where the inside is enclosed."""
    r, c = np.array(loop, dtype=float).T
    return float((c * np.roll(r, -1) - np.roll(c, -1) * r).sum())


def _from_top(loop: list[Corner]) -> list[Corner]:
    """The loop from its topmost corner on, of these the leftmost."""
    at = loop.index(min(loop))
    return loop[at:] + loop[:at]


def _with_holes(outer: list[list[Corner]], holes: list[list[Corner]]) -> list[list[Corner]]:
    """Outer loops with the holes in them, each joined to the first line on the left of its topmost corner.

    That line is an outer one or that of a hole that begins further up or left, so that
    one after another all are joined.
    """
    owner = {corner: n for n, loop in enumerate(outer) for corner in loop}
    border = set(owner).union(*map(set, holes))
    for hole in holes:
        row, column = hole[0]
        column -= 1
        while (row, column) not in border:
            column -= 1
        n = owner[row, column]
        at = outer[n].index((row, column))
        outer[n] = [*outer[n][: at + 1], *hole, hole[0], *outer[n][at:]]
        owner |= dict.fromkeys(hole, n)
    return outer


def _corners_only(loop: list[Corner]) -> list[Corner]:
    """The loop without corners at which it goes straight on; one at which it turns back stays."""
    kept = []
    for before, at, after in zip(loop[-1:] + loop[:-1], loop, loop[1:] + loop[:1], strict=True):
        came, goes = (at[0] - before[0], at[1] - before[1]), (after[0] - at[0], after[1] - at[1])
        if came[0] * goes[1] != came[1] * goes[0] or came[0] * goes[0] + came[1] * goes[1] < 0:
            kept.append(at)
    return kept
