"""The stand-in's Qt is as PythonQt shows it in a running Slicer: each test is one thing seen there."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def qt(a_desktop):
    import qt

    return qt


@pytest.fixture
def ctk(a_desktop):
    import ctk

    return ctk


def test_properties_are_attributes_and_cannot_be_called(qt):
    button = qt.QPushButton("Apply")
    assert (button.text, button.enabled, button.checked) == ("Apply", True, False)
    box = qt.QComboBox()
    box.addItems(["a", "b"])
    assert (box.count, box.currentText) == (2, "a")
    table = qt.QTableWidget(3, 2)
    assert (table.rowCount, table.columnCount) == (3, 2)
    spin = qt.QSpinBox()
    for widget, name in ((button, "text"), (button, "width"), (spin, "maximum"), (box, "currentText")):
        with pytest.raises(TypeError):
            getattr(widget, name)()


def test_what_is_no_property_stays_a_method(qt):
    widget, layout, check = qt.QWidget(), qt.QVBoxLayout(), qt.QCheckBox()
    widget.setLayout(layout)
    layout.addWidget(check)
    assert layout.count() == 1
    assert widget.layout() == layout
    assert check.parent() == widget
    assert check.parentWidget() == widget
    assert check.isEnabled() is True
    assert check.isChecked() is False
    item = qt.QTableWidgetItem("GTV")
    assert item.text() == "GTV"
    assert qt.QAction("Report", widget).text == "Report"


def test_name_is_the_object_name_and_dynamic_properties_are_attributes(qt):
    button = qt.QPushButton()
    button.name = "applyButton"
    assert (button.name, button.objectName) == ("applyButton", "applyButton")
    button.setProperty("SlicerParameterName", "threshold")
    assert button.property("SlicerParameterName") == "threshold"
    assert button.SlicerParameterName == "threshold"
    assert button.property("nothing") is None


def test_a_plain_object_refuses_a_new_attribute_and_a_python_subclass_takes_it(qt):
    button = qt.QPushButton()
    with pytest.raises(AttributeError):
        button.lesions = 3
    with pytest.raises(AttributeError):
        print(button.lesions)

    class Mine(qt.QPushButton):
        pass

    mine = Mine()
    mine.lesions = 3
    mine.text = "x"
    assert (mine.lesions, mine.text) == (3, "x")


def test_a_python_subclass_is_asked_by_qt(qt):
    seen = []

    class Watcher(qt.QLabel):
        def __init__(self, text, parent=None):
            super().__init__(text, parent)
            self.count = 0

        def mousePressEvent(self, event):
            self.count += 1
            seen.append(event)

        def sizeHint(self):
            return qt.QSize(123, 45)

    label = Watcher("inspect")
    from host.wrapping import unwrap
    from PySide6 import QtCore, QtGui, QtWidgets

    place, left = QtCore.QPointF(1, 1), QtCore.Qt.LeftButton
    press = QtGui.QMouseEvent(QtCore.QEvent.MouseButtonPress, place, place, left, left, QtCore.Qt.NoModifier)
    QtWidgets.QApplication.sendEvent(unwrap(label), press)
    assert label.count == 1
    assert unwrap(label).sizeHint().width() == 123
    assert label.text == "inspect"


def test_classes_do_not_inherit_from_each_other_in_python(qt):
    button = qt.QPushButton()
    assert isinstance(button, qt.QPushButton)
    assert type(button) is qt.QPushButton
    assert not isinstance(button, qt.QWidget)
    assert button.inherits("QWidget")
    assert not button.inherits("QLabel")
    assert button.className() == "QPushButton"


def test_constructors_take_no_keywords(qt):
    with pytest.raises(ValueError, match="keyword"):
        qt.QPushButton(text="Apply")
    with pytest.raises(ValueError, match="matching overload"):
        qt.QPushButton(3, 4, 5)


def test_conversions_are_loose(qt):
    button, spin, edit, slider = qt.QPushButton(), qt.QSpinBox(), qt.QLineEdit(), qt.QSlider()
    button.text = None
    assert button.text == "None"
    button.text = 5
    assert button.text == "5"
    button.enabled = "abc"
    assert button.enabled is True
    edit.text = pathlib.Path("a/b")
    assert edit.text == "a/b"
    edit.setText(pathlib.Path("c"))
    assert edit.text == "c"
    spin.value = np.int64(7)
    assert spin.value == 7
    spin.value = 3.7
    assert spin.value == 3
    spin.value = 5000
    assert spin.value == spin.maximum == 99
    with pytest.raises(AttributeError):
        slider.value = None
    with pytest.raises(AttributeError):
        button.width = 7


def test_lists_come_as_tuples(qt):
    widget = qt.QWidget()
    first, second = qt.QLabel("a", widget), qt.QPushButton("b", widget)
    assert widget.children() == (first, second)
    assert isinstance(widget.findChildren(qt.QWidget), tuple)
    assert widget.findChildren("QPushButton") == (second,)
    second.name = "ok"
    assert widget.findChild("QWidget", "ok") == second


def test_the_same_object_comes_back_each_time(qt):
    widget = qt.QWidget()
    label = qt.QLabel("a", widget)
    assert widget.children()[0] is label
    assert label.parent() is widget


def test_an_object_without_parent_dies_with_its_last_python_name(qt):
    header = qt.QTableWidget(1, 1).horizontalHeader()
    with pytest.raises(ValueError, match="destroyed"):
        print(header.visible)
    parent = qt.QWidget()
    qt.QLabel("stays", parent)
    assert parent.children()[0].text == "stays"


def test_a_destroyed_object_raises_value_error(qt):
    button = qt.QPushButton("x")
    button.delete()
    with pytest.raises(ValueError, match="destroyed"):
        print(button.text)
    with pytest.raises(ValueError, match="destroyed"):
        button.text = "y"


def test_enums_are_ints_flat_and_scoped(qt):
    assert qt.Qt.AlignLeft == 1
    assert type(qt.Qt.AlignLeft | qt.Qt.AlignTop) is int
    assert qt.QMessageBox.Ok == qt.QMessageBox.StandardButton.Ok == 1024
    label, table = qt.QLabel(), qt.QTableWidget(1, 1)
    label.alignment = qt.Qt.AlignRight
    assert label.alignment == 2
    label.setAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)
    assert label.alignment == 129
    table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
    item = qt.QTableWidgetItem("GTV")
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked)
    assert item.checkState() == qt.Qt.Checked == 2
    assert item.flags() & qt.Qt.ItemIsUserCheckable


def test_qt_is_flat_and_lacks_what_slicers_lacks(qt):
    for name in ("QTimer", "QThread", "QProcess", "QSettings", "QFileDialog"):
        assert hasattr(qt, name)
    for name in ("QtWidgets", "QVariant", "QtConcurrent", "Signal"):
        assert not hasattr(qt, name)
    with pytest.raises(TypeError):
        qt.QApplication.primaryScreen()


def test_signals_connect_by_signature_or_as_attribute(qt):
    button, seen = qt.QPushButton(), []
    assert button.connect("clicked(bool)", lambda checked: seen.append(("bool", checked))) is True
    assert button.connect("clicked()", lambda: seen.append("plain")) is True
    button.clicked.connect(lambda: seen.append("attribute"))
    button.click()
    assert seen == [("bool", False), "plain", "attribute"]


def test_an_unknown_signature_is_printed_and_not_raised(qt, capsys):
    button = qt.QPushButton()
    assert button.connect("pushed()", print) is False
    assert button.connect("clicked(int,int)", print) is False
    assert "No such signal" in capsys.readouterr().out


def test_disconnect_says_whether_there_was_a_connection(qt):
    button, seen = qt.QPushButton(), []

    def slot():
        seen.append(1)

    button.connect("clicked()", slot)
    assert button.disconnect("clicked()", slot) is True
    assert button.disconnect("clicked()", slot) is False
    button.click()
    assert seen == []
    button.clicked.connect(slot)
    button.clicked.disconnect(slot)
    button.click()
    assert seen == []


def test_a_callback_may_take_fewer_arguments_but_not_more(qt, capsys):
    button, seen = qt.QPushButton(), []

    class Panel:
        def none(self):
            seen.append("none")

        def one(self, checked):
            seen.append("one")

        def two(self, checked, extra):
            seen.append("two")

        def any(self, *args):
            seen.append(args)

    panel = Panel()
    for method in (panel.none, panel.one, panel.two, panel.any):
        button.connect("clicked(bool)", method)
    button.click()
    assert seen == ["none", "one", (False,)]
    assert "missing 1 required positional argument" in capsys.readouterr().err


def test_an_exception_in_a_slot_is_printed_and_goes_no_further(qt, capsys):
    button = qt.QPushButton()

    def fail():
        raise RuntimeError("no lesion")

    button.connect("clicked()", fail)
    button.click()
    assert "RuntimeError: no lesion" in capsys.readouterr().err


def test_block_signals_returns_the_earlier_state(qt):
    box, seen = qt.QComboBox(), []
    box.addItems(["a", "b"])
    box.connect("currentIndexChanged(int)", seen.append)
    assert box.blockSignals(True) is False
    box.currentIndex = 1
    assert box.blockSignals(False) is True
    box.currentIndex = 0
    assert seen == [0]


def test_signals_come_on_programmatic_change_too(qt, ctk):
    for widget, name, value, signal in (
        (qt.QCheckBox(), "checked", True, "toggled(bool)"),
        (qt.QSpinBox(), "value", 4, "valueChanged(int)"),
        (qt.QLineEdit(), "text", "x", "textChanged(QString)"),
        (ctk.ctkSliderWidget(), "value", 4.5, "valueChanged(double)"),
        (ctk.ctkPathLineEdit(), "currentPath", "/tmp", "currentPathChanged(QString)"),
        (ctk.ctkCollapsibleButton(), "collapsed", True, "contentsCollapsed(bool)"),
    ):
        seen = []
        assert widget.connect(signal, seen.append)
        setattr(widget, name, value)
        setattr(widget, name, value)
        assert seen == [value], name


def test_plain_cpp_setters_of_slicers_widgets_are_out_of_reach(ctk):
    import slicer

    slider, selector = ctk.ctkSliderWidget(), slicer.qMRMLNodeComboBox()
    for widget, name in (
        (slider, "setRange"),
        (slider, "setMinimum"),
        (slider, "spinBox"),
        (selector, "setNoneEnabled"),
        (selector, "setNodeTypes"),
        (selector, "comboBox"),
        (ctk.ctkCollapsibleButton(), "setCollapsed"),
    ):
        assert not hasattr(widget, name), name
    slider.setValue(3)
    selector.setCurrentNode(None)


def test_dialogs_do_not_wait_and_exec_has_two_names(qt):
    from host.dialogs import DIALOGS

    dialog = qt.QDialog()
    dialog.windowTitle = "Card"
    assert dialog.exec() == dialog.exec_() == 0
    assert DIALOGS.shown == ["Card", "Card"]
    DIALOGS.on_exec = lambda shown: shown.accept()
    assert dialog.exec_() == 1
    DIALOGS.files += ["/data/model"]
    assert qt.QFileDialog.getExistingDirectory(None, "Folder") == "/data/model"
    assert qt.QFileDialog.getSaveFileName(None, "Save") == ""
