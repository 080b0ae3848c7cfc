"""When objects of the stand-in's Qt are true, which layouts a panel finds, and what becomes of tool tips."""

from __future__ import annotations

import pytest

slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def qt(a_desktop):
    import qt

    return qt


def test_a_layout_without_anything_to_show_is_false(qt):
    widget, outer, inner = qt.QWidget(), qt.QVBoxLayout(), qt.QHBoxLayout()
    widget.setLayout(outer)
    assert (bool(outer), bool(inner)) == (False, False)
    outer.addLayout(inner)
    assert (bool(outer), bool(inner)) == (False, False)
    inner.addStretch(1)
    assert not inner
    label = qt.QLabel("here")
    inner.addWidget(label)
    assert (bool(outer), bool(inner)) == (True, True)
    label.hide()
    assert not inner


def test_the_truth_of_others_is_that_they_are_there_and_not_empty_or_null(qt):
    menu, label = qt.QMenu(), qt.QLabel("")
    assert not menu
    menu.addAction("Report")
    assert menu
    assert label
    label.delete()
    assert not label
    assert not qt.QIcon()
    assert not qt.QPixmap()
    assert not qt.QSize(0, 0)
    assert qt.QSize(1, 1)
    assert not qt.QUrl()
    assert qt.QUrl("https://slicer.org")
    assert not qt.QModelIndex()


def test_empty_layouts_of_a_ui_file_are_no_variables(qt, tmp_path):
    file = tmp_path / "panel.ui"
    layout = '<item><layout class="QHBoxLayout" name="{}">{}</layout></item>'
    label = '<item><widget class="QLabel" name="label"/></item>'
    inside = layout.format("emptyLayout", "") + layout.format("filledLayout", label)
    outer = f'<layout class="QVBoxLayout" name="outerLayout">{inside}</layout>'
    file.write_text(f'<ui version="4.0"><class>P</class><widget class="QWidget" name="P">{outer}</widget></ui>')
    ui = slicer.util.childWidgetVariables(slicer.util.loadUI(str(file)))
    assert (ui.label.className(), ui.filledLayout.className()) == ("QLabel", "QHBoxLayout")
    assert ui.outerLayout.count() == 2
    with pytest.raises(AttributeError, match="'' object has no attribute 'emptyLayout'"):
        print(ui.emptyLayout)


def test_plain_tool_tips_of_widgets_become_rich_text(qt):
    button = qt.QPushButton()
    for given, kept in (
        ("", ""),
        ("Choose the MRI first", "<p>Choose the MRI first</p>"),
        ('p < 0.05 & "q"', '<p>p &lt; 0.05 &amp; "q"</p>'),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("<b>rich</b> already", "<b>rich</b> already"),
    ):
        button.toolTip = given
        assert button.toolTip == button.property("toolTip") == kept
        button.toolTip = button.toolTip
        assert button.toolTip == kept
    button.setToolTip("Stop")
    assert button.toolTip == "<p>Stop</p>"
    button.setProperty("toolTip", "Go")
    assert button.toolTip == "<p>Go</p>"


def test_tool_tips_of_actions_and_items_stay_plain(qt):
    button, table = qt.QToolButton(), qt.QTableWidget(1, 1)
    action, item = qt.QAction("Report", button), qt.QTableWidgetItem("GTV")
    action.toolTip = "Write a page"
    item.setToolTip("Volume in millilitres")
    table.setItem(0, 0, item)
    button.setDefaultAction(action)
    assert action.toolTip == "Write a page"
    assert table.item(0, 0).toolTip() == "Volume in millilitres"
    assert button.toolTip == "<p>Write a page</p>"
