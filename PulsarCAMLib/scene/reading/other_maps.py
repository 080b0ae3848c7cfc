"""Further maps of the scene, in the space of the MRI, to compare heat maps with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...agreement.other_maps import OtherMap
from ...core.errors import InputError
from .inputs import image_beside


def read_other_maps(
    volume_node, nodes: Mapping[str, object] | Sequence[object], above: Mapping[str, float], percentile: float
) -> tuple[OtherMap, ...]:
    """Maps by the names that tables give them; their places are told in the space of the MRI's node.

    Args:
        volume_node: the MRI.
        nodes: ``vtkMRMLScalarVolumeNode`` by name, or a list of them: each is called as its node is.
        above: by name, the value above which the part lies that overlaps are told with.
        percentile: of the lesion, for maps that ``above`` does not name.

    Raises:
        InputError: a node is no volume, the MRI itself, PulsarCAM's own, or no map; a name that no map has.
        GeometryError: a transform bends a map, or shears it.
    """
    named = dict(nodes) if isinstance(nodes, Mapping) else None
    pairs = list(named.items()) if named is not None else [(node.GetName() if node else "", node) for node in nodes]
    if strange := sorted(set(above) - {name for name, _ in pairs}):
        raise InputError(f"A threshold is given for the map “{strange[0]}”, but no such map.")
    found = []
    for name, node in pairs:
        if node is volume_node:
            raise InputError(f"“{node.GetName()}” is the MRI itself; choose another map to compare with.")
        found.append(OtherMap(name, image_beside(volume_node, node, "map"), None, percentile, above.get(name)))
    return tuple(found)
