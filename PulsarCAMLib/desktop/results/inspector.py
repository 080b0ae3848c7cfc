"""A window with one slice opened up; the panel can be used meanwhile."""

from __future__ import annotations

import tempfile
from pathlib import Path

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from ..section import slot

SIZE = (1012, 830)
HALF = 128
"""Of the lightness of colors."""


class Inspector:
    """Slice and member to choose, the picture, and Save.

    Args:
        panel: the module's widget.
        result: a ``PulsarCAMResult``.
        lesion: name of the lesion.
    """

    def __init__(self, panel, result, lesion: str) -> None:
        self.panel, self.logic = panel, panel.logic
        self._result, self._lesion = result, lesion
        found = result.scanResult.unit(lesion)
        self._numbers = len(found.samples)
        self._seen = None
        self.dialog = qt.QDialog(panel.parent)
        self.dialog.windowTitle = _("{lesion}: one slice opened up").format(lesion=lesion)
        self._build(found)

    def show(self) -> None:
        """Open the window."""
        self._draw()
        self.dialog.show()

    def close(self) -> None:
        """Close the window for good."""
        self.dialog.hide()
        self.dialog.deleteLater()

    @slot
    def on_changed(self) -> None:
        """Another slice or member."""
        self._draw()

    @slot
    def on_save(self) -> None:
        """Ask for a file and save the picture."""
        path = self.panel.dialogs.new_picture(_("Save the picture"))
        if path:
            self.save(path)

    def save(self, path: str) -> None:
        """Save the picture; the dialog has asked about a file that is there."""
        from ...outputs.pictures.inspection import save_inspection

        path = path if path.lower().endswith(".png") else f"{path}.png"
        save_inspection(self._seen, path, methods=self._methods(), overwrite=True)
        self.panel.say(_("Saved {path}").format(path=path))

    def _build(self, lesion) -> None:
        layout = qt.QVBoxLayout(self.dialog)
        row = qt.QHBoxLayout()
        layout.addLayout(row)
        self.slice_slider = qt.QSlider(qt.Qt.Horizontal)
        self.slice_slider.minimum, self.slice_slider.maximum = 0, self._numbers - 1
        self.slice_slider.value = lesion.main
        self.slice_slider.tracking = False  # a picture takes most of a second
        self.slice_slider.enabled = self._numbers > 1
        self.slice_slider.toolTip = (
            _("Slice of the {unit}") if self._numbers > 1 else _("The {unit} has one slice only")
        ).format(unit=lesion.task.unit)
        self.member_box = qt.QComboBox()
        self.member_box.toolTip = _("The average of the model's networks (mean of the ensemble), or one of them")
        members = len(lesion.logits)
        self.member_box.addItems(
            [_("Average of the networks")] + [_("Network {number}").format(number=n + 1) for n in range(members)]
        )
        self.save_button = qt.QPushButton(_("Save picture..."))
        self.save_button.toolTip = _("Save the picture as a PNG file")
        self.place_label = qt.QLabel()
        self.place_label.toolTip = _("Position of the slice and its number in the MRI, as the slice views show them")
        row.addWidget(qt.QLabel(_("Slice:")))
        row.addWidget(self.slice_slider)
        row.addWidget(self.place_label)
        row.addWidget(self.member_box)
        row.addWidget(self.save_button)
        self.picture_label = qt.QLabel()
        self.picture_label.alignment = qt.Qt.AlignCenter
        area = qt.QScrollArea()
        area.setWidget(self.picture_label)
        area.widgetResizable = True
        layout.addWidget(area)
        layout.addWidget(self._notes())
        self.slice_slider.connect("valueChanged(int)", self.on_changed)
        self.member_box.connect("currentIndexChanged(int)", self.on_changed)
        self.save_button.connect("clicked(bool)", self.on_save)
        self.dialog.resize(*SIZE)

    def _notes(self):
        """What is to be known of the picture, folded until somebody wants it."""
        section = ctk.ctkCollapsibleButton()
        section.text, section.collapsedHeight = _("How to read this"), 0
        section.toolTip = _("What the panels of the picture show, and where the model comes from")
        inside = qt.QVBoxLayout(section)
        self.notes_label = qt.QLabel()
        self.notes_label.wordWrap = True
        self.notes_label.textInteractionFlags = qt.Qt.TextSelectableByMouse
        inside.addWidget(self.notes_label)
        section.collapsed = True
        return section

    def _methods(self) -> tuple[str, ...]:
        """The usual ones, and the one that the panel shows."""
        from ...outputs.pictures.inspection import methods_to_draw

        return methods_to_draw(self._seen, self.panel.settings().method)

    def _draw(self) -> None:
        from ...outputs.pictures.inspection import DARK, LIGHT, draw_inspection, notes_of, png_bytes

        light = self.dialog.palette.color(qt.QPalette.Window).lightness() > HALF
        member = self.member_box.currentIndex - 1
        with slicer.util.WaitCursor():
            self._seen = self.logic.inspectSlice(
                self._result, self._lesion, self.slice_slider.value, None if member < 0 else member
            )
            self.place_label.text = self._seen.place
            self.notes_label.text = notes_of(self._seen)
            with tempfile.TemporaryDirectory(prefix="pulsarcam-") as folder:
                path = Path(folder) / "slice.png"
                figure = draw_inspection(self._seen, self._methods(), colors=LIGHT if light else DARK, notes=False)
                path.write_bytes(png_bytes(figure))
                self.picture_label.setPixmap(qt.QPixmap(str(path)))
