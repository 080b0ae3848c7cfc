"""The last result of each parameter set, and whether it still belongs to what is in the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass
class Run:
    """One result and what it was made from.

    Attributes:
        result: a ``PulsarCAMResult``.
        key: of the inputs, see :func:`PulsarCAMLib.scene.state.inputs_key`.
        shown: the settings that are in the nodes now.
    """

    result: Any
    key: tuple
    shown: tuple


class Runs:
    """Results by the ID of the parameter node; forgotten when the scene closes."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def keep(self, state, run: Run) -> None:
        """Remember the result of a parameter set."""
        self._runs[state.parameterNode.GetID()] = run

    def of(self, state) -> Run | None:
        """The last run of a parameter set, with the nodes that the set names now."""
        run = self._runs.get(state.parameterNode.GetID()) if state is not None else None
        if run is None:
            return None
        run.result = replace(
            run.result,
            heatMapNode=state.heatMapVolume,
            spreadNode=state.spreadVolume,
            subRegionsNode=state.subRegions,
            lesionTableNode=state.lesionTable,
            sliceTableNode=state.sliceTable,
        )
        return run

    def forget(self) -> None:
        """The scene was closed."""
        self._runs.clear()
