"""The panel's looks: tool tips, keyboard, colours, width, and how fast it opens."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from host.making import choose_lesions

UI_FILES = sorted((Path(__file__).resolve().parents[3] / "PulsarCAM" / "Resources" / "UI").glob("*.ui"))
NARROW, SLICERS_OWN = 400, 300
"""Pixels: a narrow panel, and what a window of Slicer has besides: tool bar, list of modules, data probe."""

NO_CONTROLS = ("QLabel", "QProgressBar", "QWidget", "qMRMLWidget")


def test_every_control_has_a_tool_tip(panel):
    for name, widget in vars(panel.ui).items():
        if name.endswith(
            ("Selector", "ComboBox", "SliderWidget", "Button", "Label", "progressBar", "Table", "CheckBox")
        ):
            if name.endswith("CollapsibleButton"):
                continue
            assert widget.toolTip, name


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_the_keyboard_reaches_every_control_from_top_to_bottom(path):
    tree = ET.parse(path).getroot()
    stops = [stop.text for stop in tree.iter("tabstop")]
    assert stops == [w.get("name") for w in tree.iter("widget") if w.get("class") not in NO_CONTROLS]


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_nothing_in_the_panel_has_a_color_or_style_of_its_own(path):
    text = path.read_text(encoding="utf-8")
    assert not [word for word in ("styleSheet", "palette", "<color", "<font") if word in text]


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_no_two_things_lie_in_one_cell_of_a_layout(path):
    """Qt shows the second somewhere above the first."""
    for layout in ET.parse(path).getroot().iter("layout"):
        places = [(item.get("row"), item.get("column")) for item in layout.findall("item") if item.get("row")]
        assert len(places) == len(set(places)), layout.get("name")


def test_the_panel_is_narrow_enough_for_a_small_screen(panel):
    from host.pythonqt import unwrap

    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.results.choose("left")
    sections = [getattr(panel.ui, name) for name in dir(panel.ui) if name.endswith("CollapsibleButton")]
    assert len(sections) == 9
    for section in sections:
        section.collapsed = False
    assert unwrap(panel.parent).minimumSizeHint().width() <= 380


@pytest.mark.parametrize("height", [800, 1080])
def test_after_apply_the_answer_is_in_view_without_scrolling(panel, a_desktop, height):
    """In an area as high as the screen, less what Slicer itself has above and below a module's panel."""
    from host.pythonqt import unwrap
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QApplication, QScrollArea

    choose_lesions(panel)
    area = QScrollArea()
    a_desktop.kept.append(area)  # it owns the panel now
    area.setWidgetResizable(True)
    area.setWidget(unwrap(panel.parent))
    area.resize(NARROW, height - SLICERS_OWN)
    area.show()
    QApplication.processEvents()
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    panel.ui.applyButton.click()
    for _ in range(8):  # sections that fold make others move
        QApplication.processEvents()
    assert area.verticalScrollBar().value() == 0
    seen = area.viewport().height()
    for name in ("resultsTable", "verdictLabel", "exportButton", "inspectButton", "compareButton"):
        widget = unwrap(getattr(panel.ui, name))
        assert widget.isVisible(), name
        top = widget.mapTo(area.viewport(), QPoint(0, 0)).y()
        assert top >= 0, name
        assert top + widget.height() <= seen, (name, top, widget.height(), seen)
    assert unwrap(panel.ui.resultsTable).verticalScrollBar().maximum() == 0, "the table has no bar of its own"


@pytest.mark.parametrize(("width", "shown"), [(700, "0.5 (0.1 to 0.9)"), (230, "0.5")])
def test_where_there_is_no_room_the_range_goes_and_not_the_words(panel, width, shown):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    table = panel.ui.resultsTable
    table.setFixedWidth(width)
    panel.results.on_settled()
    told = panel.results._unit.columns.index(panel.results._unit.told[0])
    text, tip = table.item(0, told).text(), table.item(0, told).toolTip()
    assert ("(" in text) == ("(" in shown), text
    assert "(" in tip, "what goes is in the tool tip"
    assert (table.horizontalHeaderItem(told).text() == "P") == ("(" not in shown)
    table.setFixedWidth(700)
    panel.results.on_settled()
    assert "(" in table.item(0, told).text(), "and comes back"


def test_opening_the_panel_imports_nothing_heavy():
    code = (
        "import sys; from host.desktop import Desktop\n"
        "with Desktop() as desktop:\n"
        "    desktop.open_panel()\n"
        "    found = {'torch', 'matplotlib', 'pandas', 'safetensors', 'scipy'} & set(sys.modules)\n"
        "    sys.exit(f'imported: {found}' if found else 0)\n"
    )
    paths = [p for p in sys.path if p]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
