"""Section: how the map lies over the MRI: opacity, colors, and a legend that says whose evidence it shows."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...core.task import PREDICTED
from ...scene.showing import views
from ...scene.showing.contours import contours_follow
from ...scene.writing.provenance import INPUT_VOLUME, PREFIX
from ..section import Section


class Overlay(Section):
    """Changes displays and views, never a value."""

    def set_up(self) -> None:
        """Nothing is shown yet."""
        self._look = None
        self._outlined: set[str] = set()

    def refresh(self) -> None:
        """Follow the settings."""
        self.show_look()

    def forget(self) -> None:
        """Another parameter set has another result."""
        self.leave()
        self._outlined.clear()

    def leave(self) -> None:
        """Another MRI has another result."""
        self._look = None

    def show_new(self, result) -> None:
        """Lay the map of a new result over the MRI; contours become outlines, so that they do not hide it."""
        self._look = None
        shown = self._shown_map(result.heatMapNode, result.spreadNode)
        views.show_over(shown.GetNodeReference(INPUT_VOLUME) or result.volumeNode, shown, self._opacity())
        lesions = result.segmentationNode
        if lesions is not None and lesions.GetID() not in self._outlined:  # once: who fills them again wants it so
            self._outlined.add(lesions.GetID())
            views.clear_fill(lesions)
        contours_follow(result.volumeNode, lesions)
        self.show_look(anew=True)

    def show_look(self, anew: bool = False) -> None:
        """Opacity, colors, legend, and whether mean or spread lies over the MRI.

        Args:
            anew: also where the settings are those shown last, because the map was written anew.
        """
        heat_map, spread = self.state.heatMapVolume, self.state.spreadVolume
        shown = self._shown_map(heat_map, spread)
        volume = shown.GetNodeReference(INPUT_VOLUME) if shown is not None else None
        look = (heat_map, spread, self.state.statistic, self._opacity(), self.state.colorMap, self.state.legend, volume)
        if look == self._look and not anew:
            return
        before, self._look = self._look, look
        if before is None and not anew:
            return  # the panel was opened: the views and displays are the user's
        if before is not None and (before[2], before[6]) != (look[2], volume) and volume is not None:
            views.show_over(volume, shown, self._opacity(), instead_of=(heat_map, spread))
            if self.state.inputVolume is not None:
                contours_follow(self.state.inputVolume, self.state.inputSegmentation)
        if before is None or before[3] != look[3]:
            views.set_opacity((heat_map, spread), self._opacity())
        for node, is_spread in ((heat_map, False), (spread, True)):
            if anew or before is None or before[4] != look[4]:
                views.set_colors(node, self.state.colorMap.value, is_spread)
            views.set_legend(node, self.state.legend and node is shown, self._legend_title(is_spread))

    def shown_map(self):
        """The map that lies over the images now: mean or spread; None where there is none."""
        return self._shown_map(self.state.heatMapVolume, self.state.spreadVolume)

    def evidence(self) -> str:
        """Whose evidence the map shows, as in "Evidence for non-response"."""
        system, section = self.panel.models.system(), self.panel.displaySection
        task, target = system.task, section.target().value
        if system.method(section.method().value).signed:
            others = ", ".join(name for name in task.names if name != task.positive)
            return _("Evidence for {positive} (above 0) or {others}").format(positive=task.positive, others=others)
        if target == PREDICTED:
            return _("Evidence for the predicted class of each {unit}").format(unit=task.unit)
        return _("Evidence for {name}").format(name=target)

    def _legend_title(self, spread: bool) -> str:
        """Whose evidence, by which method, in which unit."""
        said = self.evidence()
        if spread:
            said = _("Spread: {evidence}").format(evidence=said[:1].lower() + said[1:])
        heat_map = self.state.heatMapVolume
        unit = heat_map.GetAttribute(f"{PREFIX}units") if heat_map is not None else ""
        method = self.panel.displaySection.method().label.split(",")[0]
        return "\n".join(filter(None, (said, method, f"({unit})" if unit else "")))

    def _shown_map(self, heat_map, spread):
        return spread if self.state.statistic.value == "std" and spread is not None else heat_map

    def _opacity(self) -> float:
        return self.state.opacity / 100
