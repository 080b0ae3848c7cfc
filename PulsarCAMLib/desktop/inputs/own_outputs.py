"""Section: what PulsarCAM made is no input, so the selectors of inputs do not offer it."""

from __future__ import annotations

import slicer

from ...scene.writing.provenance import is_output
from ..section import Section

IMAGE = "vtkMRMLScalarVolumeNode"
CLASSES = (IMAGE, "vtkMRMLSegmentationNode")
"""Of nodes that are results and could be taken for inputs; label maps are derived from the first."""


class OwnOutputs(Section):
    """Keeps the lists of what selectors hide; Slicer's own filters by attribute can only ask for one."""

    def set_up(self) -> None:
        """The selectors of the ``.ui`` file; others are added when a model first asks for them."""
        self._selectors = [self.ui.inputVolumeSelector, self.ui.inputSegmentationSelector]
        self._hiding = self._again = False

    def add_selector(self, selector) -> None:
        """Hide outputs in one more selector."""
        self._selectors.append(selector)
        self._hide([selector])

    def refresh(self) -> None:
        """Hide the outputs that are there now."""
        self._hide(self._selectors)

    def on_added(self, node) -> None:
        """A node comes into the scene; the selectors hear of it next."""
        if is_output(node):
            self._hide(self._selectors)

    def show_all(self) -> None:
        """The scene closes: the next one gives the same IDs to other nodes."""
        self._hiding = True
        try:
            for selector in self._selectors:
                _set_hidden(selector, [])
        finally:
            self._hiding = self._again = False

    def _hide(self, selectors) -> None:
        """Hide them; asked by what that changes, once more at the end: in between, Slicer would crash later."""
        if self._hiding:
            self._again = True
            return
        self._hiding = True
        try:
            self._hide_now(selectors)
            if self._again:
                self._hide_now(self._selectors)
        finally:
            self._hiding = self._again = False

    def _hide_now(self, selectors) -> None:
        found = [node for kind in CLASSES for node in slicer.util.getNodesByClass(kind) if is_output(node)]
        ids = sorted({node.GetID() for node in found})
        for selector in selectors:
            # What an old scene has chosen stays and is refused: hidden, its neighbour would be chosen in silence.
            _set_hidden(selector, [node_id for node_id in ids if node_id != selector.currentNodeID])


def _set_hidden(selector, ids: list[str]) -> None:
    proxy = selector.sortFilterProxyModel()
    if list(proxy.hiddenNodeIDs) != ids:
        proxy.hiddenNodeIDs = ids
