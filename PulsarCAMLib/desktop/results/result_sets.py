"""Section: every MRI has results of its own; choosing an MRI again brings them back.

What the panel shows of a result are node references of the parameter node, which saves them with the scene. The same
references are kept a second time for each MRI that was explained, numbered, together with the inputs of that run::

    PulsarCAM.set2.inputVolume -> the MRI, PulsarCAM.set2.heatMapVolume -> its heat map, ...

The number says nothing; which MRI it stands for is a reference, too, so that everything still holds after the scene is
saved and added to another one, which gives nodes other IDs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import slicer
from slicer.i18n import tr as _

from ...scene.showing import views
from ...scene.showing.contours import contours_follow
from ...scene.writing.provenance import INPUT_MASK, INPUT_VOLUME, PREFIX, is_output
from ..compare.parameters import COMPARE_OUTPUTS
from ..dose.parameters import DOSE_OUTPUTS, DOSE_VALUES, DOSES
from ..inputs.images import REFERENCE
from ..painting.parameters import PAINTING_OUTPUTS
from ..section import Section
from .result_cache import OUTPUTS

SHOWN = f"{PREFIX}shownOf"
"""Node reference of the parameter node: the MRI whose results its outputs are."""

KEPT = (*OUTPUTS, *COMPARE_OUTPUTS, *DOSE_OUTPUTS, *PAINTING_OUTPUTS)
MRI, MASK, LEFT_OUT = "inputVolume", "inputSegmentation", "leftOutSegments"

OWN_NODES, OWN_VALUES = (*DOSES, "organsSegmentation"), DOSE_VALUES | {"organIDs": "[]"}
"""Further inputs that are one patient's: nodes, and values with what stands for "not told"."""


class ResultSets(Section):
    """Exchanges the outputs of the parameter node when another MRI is chosen."""

    def set_up(self) -> None:
        """Nothing is going on."""
        self._busy = False

    def refresh(self) -> None:
        """Follow the chosen MRI; while none is chosen, what was shown last stays."""
        volume, scene = self.state.inputVolume, slicer.mrmlScene
        if volume is None or self._busy or scene.IsImporting() or scene.IsClosing():
            return
        if self.panel.sceneWatch.is_emptying(MRI):
            return  # what the selector shows meanwhile is its neighbour, which nobody chose
        parameters = self.state.parameterNode
        before = parameters.GetNodeReference(SHOWN)
        if before is volume:
            return
        is_first = not parameters.GetParameter(SHOWN)
        shown = (self.state.heatMapVolume, self.state.spreadVolume)
        with self._together():
            parameters.SetNodeReferenceID(SHOWN, volume.GetID())
            parameters.SetParameter(SHOWN, "true")  # the reference itself goes with its MRI
            # Until now one set only was kept, by an earlier version or because nothing was made: it is this MRI's.
            prefix = "" if is_first else self._exchange(before, volume)
        if prefix and self._results():
            self._show(volume, shown)
            self.panel.say(_("The results of “{mri}” are shown again.").format(mri=volume.GetName()))

    def keep(self) -> None:
        """Something was made: note it and its inputs for the MRI that is chosen."""
        state, parameters, volume = self.state, self.state.parameterNode, self.state.inputVolume
        with self._together():
            prefix = self._prefix_of(volume) or self._free_prefix()
            self._begin(prefix, volume, _id(state.inputSegmentation))
            parameters.SetParameter(prefix + LEFT_OUT, state.leftOutSegments)
            for role, node in self.panel.images.chosen().items():
                parameters.SetNodeReferenceID(prefix + REFERENCE + role, node.GetID())
            self._keep_own(prefix)

    def has_results(self, volume) -> bool:
        """Whether an MRI has results in this parameter set."""
        parameters = self.state.parameterNode
        if parameters.GetNodeReference(SHOWN) is volume:
            return bool(self._results())
        prefix = self._prefix_of(volume)
        return bool(prefix) and any(parameters.GetNodeReference(prefix + name) for name in KEPT)

    def has_any(self) -> bool:
        """Whether an MRI of this scene was explained in this parameter set."""
        names = [name for name in self._roles(f"{PREFIX}set") if name.endswith(f".{MRI}")]
        return any(self.state.parameterNode.GetNodeReference(name) is not None for name in names)

    def is_kept(self, node, *names: str) -> bool:
        """Whether contours, or another input by the names of its parameters, are those of an MRI that was explained."""
        parameters = self.state.parameterNode
        mine = [role for role in self._roles(f"{PREFIX}set") if role.rpartition(".")[2] in names]
        return any(parameters.GetNodeReference(role) is node for role in mine)

    def of_another(self) -> tuple[str, str] | None:
        """Name of a chosen output that is a result of another MRI, and that MRI's name; None where there is none."""
        state, parameters = self.state, self.state.parameterNode
        chosen = [getattr(state, name) for name in KEPT]
        for role in self._roles(f"{PREFIX}set"):
            node = parameters.GetNodeReference(role)
            owner = parameters.GetNodeReference(f"{role.rpartition('.')[0]}.{MRI}")
            is_kept = role.rpartition(".")[2] in KEPT and owner not in (None, state.inputVolume)
            if is_kept and node is not None and any(node is each for each in chosen):
                return node.GetName(), owner.GetName()
        return None

    def on_removed(self, name: str) -> None:
        """An MRI with results was deleted: say what becomes of them."""
        text = _(
            "“{mri}” was deleted. What was made of it stays in the scene, but cannot be shown differently any more."
        )
        ask = "" if self.state.inputVolume is not None else _("Choose another MRI to go on.")
        self.panel.say(" ".join(filter(None, (text.format(mri=name), ask))))

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Whoever watches the parameter node sees all changes at once."""
        parameters = self.state.parameterNode
        modifying, self._busy = parameters.StartModify(), True
        try:
            yield
        finally:
            parameters.EndModify(modifying)
            self._busy = False

    def _exchange(self, before, volume) -> str:
        """Put the outputs of one MRI away and get those of another; how the references of these begin."""
        state, parameters = self.state, self.state.parameterNode
        if before is not None and (self._prefix_of(before) or self._results()):
            self._put_away(before)
        self.panel.leaveResult()
        prefix = self._prefix_of(volume)
        for name in KEPT:
            setattr(state, name, parameters.GetNodeReference(prefix + name) if prefix else None)
        self._bring_own(prefix)
        if prefix:
            self._bring_inputs(prefix)
        else:
            self.panel.preselect.choose_dose()
        return prefix

    def _put_away(self, volume) -> None:
        prefix = self._prefix_of(volume)
        if not prefix:  # made by a version that kept one set only
            prefix, table = self._free_prefix(), self.state.lesionTable
            self._begin(prefix, volume, table.GetNodeReferenceID(INPUT_MASK) if table else None)
        self._keep_own(prefix)

    def _begin(self, prefix: str, volume, mask: str | None) -> None:
        """Note an MRI and its contours; nothing stays of a deleted one whose place it takes."""
        parameters = self.state.parameterNode
        parameters.SetNodeReferenceID(prefix + MRI, volume.GetID())
        parameters.SetNodeReferenceID(prefix + MASK, mask)
        parameters.SetParameter(prefix + LEFT_OUT, "[]")
        for name in self._roles(prefix + REFERENCE):
            parameters.SetNodeReferenceID(name, None)

    def _results(self) -> list:
        """Chosen outputs that hold a result."""
        chosen = [getattr(self.state, name) for name in KEPT]
        return [node for node in chosen if node is not None and is_output(node)]

    def _bring_inputs(self, prefix: str) -> None:
        """Contours and other images of the run, as far as they are still there; nothing of the other MRI's stays."""
        state, parameters = self.state, self.state.parameterNode
        mask = parameters.GetNodeReference(prefix + MASK)
        self.panel.lesionList.forget()
        state.inputSegmentation = mask
        state.leftOutSegments = (parameters.GetParameter(prefix + LEFT_OUT) or "[]") if mask is not None else "[]"
        own = [name.removeprefix(prefix) for name in self._roles(prefix + REFERENCE)]
        for role in {*self._roles(REFERENCE), *own}:
            parameters.SetNodeReferenceID(role, _id(parameters.GetNodeReference(prefix + role)))

    def _show(self, volume, before) -> None:
        """In the views that show the results put away, show those of this MRI."""
        state = self.state
        node = self.panel.overlay.shown_map()
        if node is not None and any(each is not None and views.composites(each) for each in before):
            views.show_over(node.GetNodeReference(INPUT_VOLUME) or volume, node, state.opacity / 100, instead_of=before)
            contours_follow(volume, state.inputSegmentation)

    def _keep_own(self, prefix: str) -> None:
        """Note outputs, and inputs beside MRI, contours and other images."""
        parameters = self.state.parameterNode
        for name in (*KEPT, *OWN_NODES):
            parameters.SetNodeReferenceID(prefix + name, _id(getattr(self.state, name)))
        for name in OWN_VALUES:
            parameters.SetParameter(prefix + name, str(getattr(self.state, name)))

    def _bring_own(self, prefix: str) -> None:
        """Those inputs of the MRI whose references begin so; without any nothing of another patient's stays."""
        parameters = self.state.parameterNode
        for name in OWN_NODES:
            setattr(self.state, name, parameters.GetNodeReference(prefix + name) if prefix else None)
        for name, none in OWN_VALUES.items():
            text = parameters.GetParameter(prefix + name) if prefix else ""
            setattr(self.state, name, type(none)(text) if text else none)

    def _roles(self, begin: str) -> list[str]:
        names: list[str] = []
        self.state.parameterNode.GetNodeReferenceRoles(names)
        return [name for name in names if name.startswith(begin)]

    def _prefix_of(self, volume) -> str:
        """How the references kept for an MRI begin; empty where it has none."""
        parameters = self.state.parameterNode
        mine = [name for name in self._roles(f"{PREFIX}set") if parameters.GetNodeReference(name) is volume]
        found = [name.removesuffix(MRI) for name in mine if name.endswith(f".{MRI}")]
        return found[0] if found else ""

    def _free_prefix(self) -> str:
        """One whose MRI is gone, or a new one."""
        parameters = self.state.parameterNode
        number = 1
        while parameters.GetNodeReference(f"{PREFIX}set{number}.{MRI}") is not None:
            number += 1
        return f"{PREFIX}set{number}."


def _id(node) -> str | None:
    return node.GetID() if node is not None else None
