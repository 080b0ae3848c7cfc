"""Section: all images that the chosen model takes side by side, the heat map over each."""

from __future__ import annotations

from dataclasses import replace

import slicer
from slicer.i18n import tr as _

from ...core.display import Threshold
from ...core.inputs import InputRole
from ...scene.showing import input_views, views
from ...scene.showing.way_back import WayBack
from ...scene.writing.provenance import PREFIX
from ..section import Section, set_enabled, slot


class InputViews(Section):
    """One button under the results, and what it shows as long as it is shown."""

    def set_up(self) -> None:
        """Connect the button."""
        self._way_back, self._shown = WayBack(input_views.LAYOUT), []
        self._own, self._own_key = {}, None
        self.ui.inputViewsButton.connect("clicked(bool)", self.on_show)

    @property
    def is_shown(self) -> bool:
        """Whether the views are these."""
        return self._way_back.is_open

    def refresh(self) -> None:
        """Follow what is chosen, and enable what can be pressed; where a model takes one image there is no button."""
        self.ui.inputViewsButton.visible = self.is_shown or len(self.panel.models.system().shown_inputs) > 1
        if self.is_shown:
            self._follow()
            self.ui.inputViewsButton.text = _("Earlier views")
            set_enabled(self.ui.inputViewsButton, "", _("Go back to the views as they were before"))
            return
        self.ui.inputViewsButton.text = _("All images")
        tip = _("Show every image that the model takes in a slice view of its own, linked, with the heat map over each")
        set_enabled(self.ui.inputViewsButton, self._why_not(), tip)

    def _why_not(self) -> str:
        if len(self.panel.models.system().shown_inputs) < 2:
            return _("The chosen model takes one image only")
        if not self._views():
            return _("Choose the images first")
        return "" if views.current_layout() is not None else _("There are no slice views to show them in")

    @slot
    def on_show(self) -> None:
        """Show the images side by side, or go back."""
        if not self._way_back.go():
            before = views.current_layout()
            with slicer.util.WaitCursor():
                self._show(self._views(self._own_maps()))
            self._way_back.remember(before)
            chosen = self.panel.results.chosen_name()
            place = self.panel.results.place_of(chosen) if chosen else None
            if place is not None:
                views.jump_to(place, new_views=True)
        self.refresh()
        self.panel.methodViews.refresh()

    def _show(self, wanted: list[input_views.InputView]) -> None:
        self._shown = wanted
        input_views.show_inputs(wanted, self.state.opacity / 100)

    def _follow(self) -> None:
        """Another image, or another map over the same ones."""
        wanted = self._views(self._own_maps())
        if [(view.role, view.volume) for view in wanted] != [(view.role, view.volume) for view in self._shown]:
            if wanted:
                self._show(wanted)
        elif wanted != self._shown:
            self._shown = wanted
            input_views.exchange_maps(wanted, self.state.opacity / 100)

    def forget(self) -> None:
        """Another parameter set or scene has maps of its own."""
        self._own, self._own_key = {}, None

    leave = forget

    def _views(self, own: dict | None = None) -> list[input_views.InputView]:
        """One for each chosen image that a network sees; ``own`` are maps of single images, by role."""
        nodes = [(role, self.panel.images.node_of(role)) for role in self.panel.models.system().shown_inputs]
        there = [(role, node) for role, node in nodes if node is not None]
        return [input_views.InputView(role, node, self._map_over(role, own or {})) for role, node in there]

    def _map_over(self, role: InputRole, own: dict):
        """The map that lies over an image: that of all images together, or its own where one of one image is shown."""
        shown = self.panel.overlay.shown_map()
        alone = self._alone(shown)
        return shown if not alone or alone == role.name else own.get(role.name)

    def _alone(self, shown) -> str | None:
        """Role of the one image whose map is shown; None where it is that of all together."""
        return shown.GetAttribute(f"{PREFIX}input") or None if shown is not None else None

    def _own_maps(self) -> dict:
        """Map of every image alone, where that of one is shown; written anew when something else is to be shown."""
        alone = self._alone(self.panel.overlay.shown_map())
        if not alone or self.panel.whyNoResult():
            return {}
        result, settings = self.panel.result(), replace(self.panel.settings(), threshold=Threshold(), input="")
        key = result.scanResult, settings
        if key != self._own_key:
            self._own_key = key  # first: an error is told once
            self._own = self.logic.mapsOfInputs(result, settings=settings)
            for node in self._own.values():
                views.set_colors(node, self.state.colorMap.value, settings.statistic == "std")
        return {name: node for name, node in self._own.items() if node.GetScene() is not None}
