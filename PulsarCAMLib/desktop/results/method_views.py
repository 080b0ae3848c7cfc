"""Section: methods side by side, and one slice opened up."""

from __future__ import annotations

import sys

import slicer
from slicer.i18n import tr as _

from ...scene.showing import views
from ...scene.showing.way_back import WayBack
from ..section import Section, set_enabled, slot
from .inspector import Inspector


def _first_picture() -> str:
    """What is said before Matplotlib looks through the computer's fonts; empty once it has."""
    told = _(
        "Opening the slice; the first picture takes some seconds, while a list of this computer's fonts is made..."
    )
    return "" if "matplotlib.font_manager" in sys.modules else told


def _numbers() -> dict[int, str]:
    return {2: _("two"), 3: _("three"), 4: _("four"), 5: _("five")}


class MethodViews(Section):
    """The two buttons under the results."""

    def set_up(self) -> None:
        """Connect the buttons."""
        self._way_back, self._inspector = WayBack(views.COMPARE_LAYOUT), None
        self.ui.compareButton.connect("clicked(bool)", self.on_compare)
        self.ui.inspectButton.connect("clicked(bool)", self.on_inspect)

    @property
    def is_comparing(self) -> bool:
        """Whether the views are those of the comparison."""
        return self._way_back.is_open

    def refresh(self) -> None:
        """Enable what can be pressed."""
        reason = self.panel.whyNoResult()
        if self.is_comparing:
            self.ui.compareButton.text = _("Earlier views")
            set_enabled(self.ui.compareButton, "", _("Go back to the views as they were before"))
        else:
            self.ui.compareButton.text = _("Methods side by side")
            count = len(self.panel.models.system().usual_maps)
            tip = _("Show the heat maps of the {count} methods side by side in linked slice views")
            tip = tip.format(count=_numbers().get(count, count))
            single = "" if count > 1 else _("The chosen model has one method only")
            set_enabled(self.ui.compareButton, single or reason or self._no_views(), tip)
        none = _("Choose a {unit} in the table first").format(unit=self.panel.models.system().task.unit)
        chosen = "" if self.panel.results.chosen_name() else none
        tip = _("Open up one slice: what the model sees, its reconstruction, features, gradients and maps")
        able = self.panel.models.system().can_inspect
        closed = "" if able else _("The chosen model does not show what lies between an image and its maps")
        set_enabled(self.ui.inspectButton, closed or reason or chosen, tip)

    def forget(self) -> None:
        """Another parameter set or scene."""
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None

    def leave(self) -> None:
        """The views of another patient's maps go."""
        self._way_back.go()
        self.forget()

    @slot
    def on_compare(self) -> None:
        """Show the methods side by side, or go back."""
        if self._way_back.go():
            self.refresh()
            return
        with slicer.util.WaitCursor():
            self._compare()
        self.refresh()

    def compare_anew(self) -> None:
        """Write the compared maps again, because the settings changed."""
        if self.is_comparing:
            self._maps()

    def _maps(self) -> list:
        maps = self.logic.compareMethods(self.panel.result(), settings=self.panel.settings())
        for node in maps:
            views.set_colors(node, self.state.colorMap.value)
        return maps

    def _compare(self) -> None:
        result = self.panel.result()
        maps = self._maps()
        self._way_back.remember(views.current_layout())
        system = result.scanResult.system
        titles = [system.method(name).title for name in system.usual_maps]
        views.compare(result.volumeNode, maps, titles, self.state.opacity / 100)
        chosen = self.panel.results.chosen_name()
        place = self.panel.results.place_of(chosen) if chosen else None
        if place is not None:
            views.jump_to(place, new_views=True)

    @slot
    def on_inspect(self) -> None:
        """Open the dialog with one slice."""
        self.logic.ensureDependencies(needed=("torch", "safetensors", "matplotlib"), onProgress=self.panel.say)
        self.forget()
        self.panel.apply.show_step(_first_picture() or _("Opening the slice..."))
        self._inspector = Inspector(self.panel, self.panel.result(), self.panel.results.chosen_name())
        with slicer.util.WaitCursor():
            self._inspector.show()
        self.panel.say("")

    def _no_views(self) -> str:
        return "" if views.current_layout() is not None else _("There are no slice views to compare in")
