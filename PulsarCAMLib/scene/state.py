"""Whether a result still belongs to what is in the scene."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import PulsarCAMError
from ..systems.bundle import find_card
from .segments import content_key, image_key


def inputs_key(volume_node, mask_node, segment_ids: Sequence[str] | None, parts: str, model: str) -> tuple | None:
    """A value that is the same as long as the model would see the same; None where something is missing.

    Args:
        volume_node: the MRI.
        mask_node: segmentation or label map.
        segment_ids: the chosen ones, None: all.
        parts: see :func:`PulsarCAMLib.scene.inputs.read_inputs`.
        model: name or folder of the bundle.
    """
    if volume_node is None or mask_node is None or volume_node.GetScene() is None or mask_node.GetScene() is None:
        return None
    try:
        weights = find_card(model).sha256
    except PulsarCAMError:
        return None
    chosen = None if segment_ids is None else tuple(segment_ids)
    return (volume_node.GetID(), *image_key(volume_node), *content_key(mask_node), chosen, parts, weights)


def rows_of(table_node) -> list[dict]:
    """Rows of a table node that PulsarCAM wrote; numbers stay numbers, empty of None."""
    table = table_node.GetTable() if table_node is not None else None
    if table is None:
        return []
    names = [table.GetColumnName(c) for c in range(table.GetNumberOfColumns())]
    return [
        {name: _plain(table.GetValue(row, column)) for column, name in enumerate(names)}
        for row in range(table.GetNumberOfRows())
    ]


def _plain(value) -> object:
    """A vtkVariant as text or number."""
    if value.IsString():
        return value.ToString()
    return value.ToInt() if value.IsInt() else value.ToDouble()
