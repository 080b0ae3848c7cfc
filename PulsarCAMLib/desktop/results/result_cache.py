"""The last result of each parameter set for each MRI, and whether it still belongs to what is in the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...core.display import DisplaySettings

OUTPUTS = {
    "heatMapVolume": "heatMapNode",
    "spreadVolume": "spreadNode",
    "subRegions": "subRegionsNode",
    "lesionTable": "lesionTableNode",
    "sliceTable": "sliceTableNode",
}
"""Parameter to the logic's name of the same node."""


@dataclass
class CachedResult:
    """One result and what it was made from.

    Attributes:
        written: a ``PulsarCAMResult`` with the nodes that Apply wrote.
        key: of the inputs, see :func:`PulsarCAMLib.scene.state.inputs_key`.
        shown: the settings that are in the nodes now.
        result: the same with those nodes only that are still the chosen outputs: nothing else may be written without
            Apply.
    """

    written: Any
    key: tuple
    shown: DisplaySettings
    result: Any = None


def key_of(state) -> tuple[str, str]:
    """IDs of the parameter node and of the MRI that is chosen in it, the main image of what is answered for."""
    volume = state.inputVolume
    return state.parameterNode.GetID(), volume.GetID() if volume is not None else ""


class ResultCache:
    """Results by :func:`key_of`; forgotten when the scene closes."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], CachedResult] = {}

    def keep(self, state, run: CachedResult) -> None:
        """Remember the result of a parameter set for the MRI that is chosen."""
        self._runs[key_of(state)] = run

    def of(self, state) -> CachedResult | None:
        """The last run of a parameter set with the MRI that is chosen."""
        run = self._runs.get(key_of(state)) if state is not None else None
        if run is None:
            return None
        nodes = {}
        for parameter, name in OUTPUTS.items():
            node = getattr(state, parameter)
            nodes[name] = node if node is getattr(run.written, name) else None
        run.result = replace(run.written, **nodes)
        return run

    def forget_image(self, node) -> None:
        """An image was removed from the scene."""
        for key in [key for key in self._runs if key[1] == node.GetID()]:
            del self._runs[key]

    def forget(self) -> None:
        """The scene was closed."""
        self._runs.clear()
