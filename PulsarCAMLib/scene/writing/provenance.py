"""Where a derived node came from: attributes and references that survive saving and loading the scene.

Only what PulsarCAM itself knows is written; nothing is copied from the inputs, so no patient name can slip in.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "PulsarCAM."
INPUT_VOLUME = f"{PREFIX}inputVolume"
OWN_FOLDER = f"{PREFIX}folder"
"""Attribute of a subject-hierarchy folder that stands beside no MRI: what it is for."""

INPUT_MASK = f"{PREFIX}inputSegmentation"

OUTPUT = f"{PREFIX}output"
"""Attribute of every node that PulsarCAM makes, from before it is in the scene."""

_ALWAYS = f"{PREFIX}researchUseOnly"
"""Attribute of every derived node, in scenes of earlier versions too."""


def new_output(class_name: str, name: str):
    """A new node for a result, under a unique name; already marked when the scene tells of it."""
    import slicer

    scene = slicer.mrmlScene
    node = scene.CreateNodeByClass(class_name)
    node.UnRegister(None)
    node.SetName(scene.GenerateUniqueName(name))
    node.SetAttribute(OUTPUT, "true")
    return scene.AddNode(node)


def is_output(node) -> bool:
    """Whether PulsarCAM wrote this node: a map, sub-regions, a table; also a copy of one, or one of a saved scene."""
    return any(node.GetAttribute(name) is not None for name in (OUTPUT, _ALWAYS))


def write_provenance(node, volume_node, mask_node, facts: Mapping[str, object]) -> None:
    """Mark ``node`` as derived from the inputs.

    Args:
        node: the derived node, in the scene.
        volume_node: the image whose grid it is on.
        mask_node: segmentation or label map, if any.
        facts: name to value; None removes an attribute that an earlier run left.
    """
    node.SetNodeReferenceID(INPUT_VOLUME, volume_node.GetID())
    node.SetNodeReferenceID(INPUT_MASK, mask_node.GetID() if mask_node is not None else None)
    write_facts(node, facts)


def write_facts(node, facts: Mapping[str, object]) -> None:
    """Mark ``node`` with facts, for what is derived from no node; as :func:`write_provenance`."""
    node.SetAttribute(OUTPUT, "true")
    for name, value in facts.items():
        node.SetAttribute(PREFIX + name, None if value is None else _text(value))


def read_provenance(node) -> dict[str, str]:
    """The facts that :func:`write_provenance` wrote."""
    names = [name for name in node.GetAttributeNames() if name.startswith(PREFIX)]
    return {name[len(PREFIX) :]: node.GetAttribute(name) for name in names}


def map_over(volume_node, attribute: str, value: str):
    """The volume of the scene with an attribute of this value that was made from an image; None if there is none."""
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetAttribute(attribute) == value and node.GetNodeReference(INPUT_VOLUME) is volume_node:
            return node
    return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
