"""Whether a result still belongs to what is in the scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.inputs import MASK
from ..systems.bundles.card import ModelCard
from .reading.segments import content_key, image_key


def inputs_key(
    images: Mapping[str, object], mask_node, segment_ids: Sequence[str] | None, parts: str, card: ModelCard
) -> tuple | None:
    """A value that is the same as long as the model would see the same; None where something is missing.

    Args:
        images: role to volume node, of masks of other visits to theirs; of optional ones perhaps None.
        mask_node: segmentation or label map; None where the model's system can do without.
        segment_ids: the chosen ones, None: all.
        parts: see :func:`PulsarCAMLib.scene.reading.inputs.read_inputs`.
        card: the model's.
    """
    mask = card.system.role(MASK)
    found = {role.name: mask_node if role is mask else images.get(role.name) for role in card.system.inputs}
    if any(found[role.name] is None for role in card.system.needed_inputs):
        return None
    there = {name: node for name, node in found.items() if node is not None}
    if any(node.GetScene() is None for node in there.values()):
        return None
    chosen = None if segment_ids is None else tuple(segment_ids)
    masks = {role.name for role in card.system.inputs if role.kind == MASK}
    keys = [(name, node.GetID(), *_key(node, name in masks)) for name, node in there.items()]
    return (*keys, chosen, parts, *card.identity)


def _key(node, is_mask: bool) -> tuple:
    return content_key(node) if is_mask else image_key(node)


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
