"""The checker itself: it must find what is wrong and leave alone what is right."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from api import stand_in
from api.checker import check
from api.known import Known
from api.signatures import normalised, parsed_cpp, parsed_signature
from api.ui_file import UiFile
from api.values import Resolver
from api.vocabulary import Vocabulary

WIDGETS = {
    "applyButton": "QPushButton",
    "volumeSelector": "qMRMLNodeComboBox",
    "segmentSelector": "qMRMLSegmentSelectorWidget",
    "thresholdSlider": "ctkSliderWidget",
    "pathEdit": "ctkPathLineEdit",
    "table": "QTableWidget",
}

PANEL = """
import qt, ctk, vtk, slicer
class Widget:
    def setup(self):
        self.ui = slicer.util.childWidgetVariables(slicer.util.loadUI("x.ui"))
        self.button = qt.QPushButton()
    def use(self, node: slicer.vtkMRMLScalarVolumeNode):
        {line}
"""


@pytest.fixture(scope="module")
def known():
    return Known()


@pytest.fixture(scope="module")
def found(known):
    """Violations of one line within a panel."""
    resolver, vocabulary = Resolver(known, WIDGETS), Vocabulary(known)
    return lambda line: [v.text for v in check(PANEL.format(line=line), resolver, vocabulary)]


RIGHT = [
    "self.ui.applyButton.text = 'Apply'",
    "self.ui.applyButton.connect('clicked(bool)', self.use)",
    "self.ui.applyButton.connect('clicked()', self.use)",
    "self.ui.applyButton.clicked.connect(self.use)",
    "self.ui.applyButton.setText('Apply')",
    "self.ui.applyButton.isChecked()",
    "self.ui.volumeSelector.noneEnabled = True",
    "self.ui.volumeSelector.setCurrentNode(node)",
    "self.ui.volumeSelector.connect('currentNodeChanged(vtkMRMLNode*)', self.use)",
    "self.ui.volumeSelector.currentNode().GetName()",
    "self.ui.volumeSelector.currentNode().GetImageData()",
    "self.ui.segmentSelector.currentSegmentID()",
    "self.ui.thresholdSlider.minimum = 0",
    "value = self.ui.thresholdSlider.value",
    "self.ui.table.setItem(0, 0, qt.QTableWidgetItem('x'))",
    "rows = self.ui.table.rowCount",
    "self.button.toolTip = 'why'",
    "slicer.util.addVolumeFromArray(1, ijkToRAS=None, name='x')",
    "slicer.app.processEvents()",
    "slicer.app.layoutManager().sliceWidget('Red')",
    "slicer.mrmlScene.AddNewNodeByClass('vtkMRMLTableNode', 'x').AddColumn()",
    "slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)",
    "node.GetImageData().GetNumberOfPoints()",
    "vtk.vtkMatrix4x4().GetElement(0, 0)",
    "qt.QTimer.singleShot(0, self.use)",
    "import PyTorchUtils; PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True)",
    "from slicer import packaging; packaging.pip_ensure([], requester='x')",
    "unknown = max([]); unknown.GetName(); unknown.append(1)",
    "alias = self.ui.applyButton; alias.enabled = False",
]

WRONG = {
    "an unknown function": ("slicer.util.arrayFromVolumes(node)", "slicer.util has no arrayFromVolumes"),
    "too many arguments": ("slicer.util.arrayFromVolume(node, 1)", "does not take 2 arguments"),
    "too few arguments": ("slicer.util.arrayFromVolume()", "does not take 0 arguments"),
    "an unknown keyword": ("slicer.util.addVolumeFromArray(1, matrix=2)", "does not take 1 arguments ['matrix']"),
    "an unknown slicer.app name": ("slicer.app.processEvent()", "reaches no processEvent"),
    "a plain C++ setter": ("self.ui.volumeSelector.setNoneEnabled(True)", "reaches no setNoneEnabled"),
    "a C++ setter of CTK": ("self.ui.thresholdSlider.setMinimum(0)", "reaches no setMinimum"),
    "a property called": ("self.ui.applyButton.text()", "QPushButton.text is a property: write it without ()"),
    "a property of a table called": ("self.ui.table.rowCount()", "is a property"),
    "a property of CTK called": ("self.ui.thresholdSlider.value()", "is a property"),
    "a property read off a method": ("self.ui.volumeSelector.currentNode.GetName()", "call it first"),
    "an unknown property set": ("self.ui.applyButton.tooltip = 'x'", "reaches no tooltip"),
    "a method set": ("self.ui.volumeSelector.currentNode = node", "is a method, not a property"),
    "a property that only reads": ("self.ui.applyButton.width = 3", "cannot be set"),
    "a signal called": ("self.ui.applyButton.clicked()", "is a signal"),
    "an unknown control": ("self.ui.aplyButton.click()", "no child aplyButton"),
    "an unknown signal": ("self.ui.volumeSelector.connect('nodeChanged(vtkMRMLNode*)', self.use)", "no signal"),
    "a signal of another type": ("self.ui.thresholdSlider.connect('valueChanged(int)', self.use)", "no signal"),
    "wrong arguments of a slot": ("self.ui.volumeSelector.setCurrentNode()", "does not take 0 arguments"),
    "wrong arguments of Qt": ("self.ui.applyButton.setText()", "does not take 0 arguments"),
    "a control of the panel itself": ("self.button.setTooltip('x')", "reaches no setTooltip"),
    "an alias": ("alias = self.ui.applyButton; alias.enable = True", "reaches no enable"),
    "an unknown Qt class": ("qt.QPushButon()", "qt has no QPushButon"),
    "an unknown CTK class": ("ctk.ctkCollapsible()", "ctk has no ctkCollapsible"),
    "keywords in a constructor": ("qt.QPushButton(text='x')", "no keyword arguments"),
    "a constructor of CTK": ("ctk.ctkSliderWidget(None, 3)", "no argument or its parent"),
    "an unknown MRML class": ("slicer.vtkMRMLHeatMapNode()", "no class vtkMRMLHeatMapNode"),
    "a class named in text": ("slicer.mrmlScene.AddNewNodeByClass('vtkMRMLHeatNode')", "no class vtkMRMLHeatNode"),
    "an unknown method of the scene": ("slicer.mrmlScene.AddNewNode('x')", "reaches no AddNewNode of vtkMRMLScene"),
    "arguments of a MRML method": ("slicer.mrmlScene.AddNode()", "does not take 0 arguments"),
    "a method of an annotated node": ("node.SetWindowLevel(1, 2)", "reaches no SetWindowLevel"),
    "arguments of an annotated node": ("node.GetImageData(1)", "does not take 1 arguments"),
    "a method of VTK": ("vtk.vtkMatrix4x4().Transpose3()", "reaches no Transpose3"),
    "a result": ("node.GetImageData().GetNumberOfPoint()", "reaches no GetNumberOfPoint"),
    "a module that is not there": ("slicer.modules.segmentation.logic()", "slicer.modules has no segmentation"),
    "a python module": ("import os; os.path.joint('a')", "has no joint"),
    "a name from a layer": ("from slicer.util import loadVolumes", "slicer.util has no loadVolumes"),
    "a module of the layer": ("import slicer.helpers", "no Python module slicer.helpers"),
    "an unknown object": ("unknown = max([]); unknown.GetNmae()", "nothing has the name GetNmae"),
    "an unknown property of an unknown object": ("max([]).enabeld = True", "nothing has the name enabeld"),
    "arguments on an unknown object": ("unknown = max([]); unknown.SetAndObserveTransformNodeID(1, 2, 3)", "no "),
    "a method of PyTorchUtils": ("import PyTorchUtils; PyTorchUtils.PyTorchUtilsLogic().install()", "no install"),
    "in a lambda": ("f = lambda: slicer.util.nothing()", "slicer.util has no nothing"),
    "in a comprehension": ("x = [slicer.util.nothing() for i in []]", "slicer.util has no nothing"),
    "in an f-string": ("x = f'{slicer.util.nothing()}'", "slicer.util has no nothing"),
}


@pytest.mark.parametrize("line", RIGHT)
def test_right_uses_pass(found, line):
    assert found(line) == []


@pytest.mark.parametrize(("line", "told"), WRONG.values(), ids=WRONG)
def test_wrong_uses_are_told(found, line, told):
    texts = found(line)
    assert any(told in text for text in texts), texts


def test_a_python_signature_is_counted_without_self():
    arity = parsed_signature("(self, a, b=1, *, c=None) -> int")
    assert [n for n in range(5) if arity.accepts(n)] == [1, 2]
    assert arity.accepts(1, frozenset({"c"}))
    assert not arity.accepts(1, frozenset({"d"}))


def test_a_cpp_signature_is_read():
    name, arity, gives = parsed_cpp("vtkMRMLNode* addNode(QMap<int, int> a, const QString& b = QString())")
    assert (name, arity.fewest, arity.most, gives) == ("addNode", 1, 2, "vtkMRMLNode")


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("void currentNodeChanged(vtkMRMLNode* node)", "currentNodeChanged(vtkMRMLNode*)"),
        ("void currentNodeIDChanged(const QString& id)", "currentNodeIDChanged(QString)"),
        ("void valueChanged(double value)", "valueChanged(double)"),
        ("clicked()", "clicked()"),
    ],
)
def test_a_signal_is_normalised_as_connect_takes_it(signal, expected):
    assert normalised(signal) == expected


def test_a_stand_in_that_offers_more_is_told(known):
    from PySide6 import QtCore, QtWidgets

    class ctkSliderWidget(QtWidgets.QWidget):  # noqa: N801 - CTK's name
        SIGNALS = {"moved(int)": "moved"}  # noqa: RUF012
        decimals = QtCore.Property(int, lambda self: 1)
        reset = QtCore.Property(int, lambda self: 1)

        def setMinimum(self, value):
            pass

        def setValue(self, value=None):
            pass

        def maximum(self):
            pass

    told = " ".join(stand_in.qt_violations(ctkSliderWidget, known))
    assert "no signal moved(int)" in told
    assert "setMinimum: Python reaches no such name" in told
    assert "setValue: takes 0 arguments" in told
    assert "reset: a property here, really a method" in told
    assert "maximum: a method here, really a property" in told
    assert "decimals" not in told


def test_a_stand_in_of_the_python_layer_that_takes_more_is_told(known):
    class ScriptedLoadableModuleLogic:
        def getParameterNode(self, name):
            pass

        def getNode(self):
            pass

    told = " ".join(stand_in.layer_violations(ScriptedLoadableModuleLogic, known, "slicer.ScriptedLoadableModule"))
    assert "getParameterNode: takes 1 arguments" in told
    assert "getNode: Python reaches no such name" in told
    assert stand_in.function_violation(lambda a, b: None, "(text)")


def test_a_wrong_ui_file_is_told(known, tmp_path):
    path = tmp_path / "x.ui"
    path.write_text(
        """<ui version="4.0"><class>X</class><widget class="qMRMLWidget" name="X">
        <widget class="qMRMLNodeComboBox" name="a"><property name="noneEnable"><bool>true</bool></property></widget>
        <widget class="qMRMLNodeCombo" name="b"/></widget>
        <connections><connection><sender>X</sender><signal>sceneChanged(vtkMRMLScene*)</signal>
        <receiver>a</receiver><slot>setScene(vtkMRMLScene*)</slot></connection></connections></ui>"""
    )
    told = " ".join(UiFile(path).violations(known))
    for part in ("no property noneEnable", "no class qMRMLNodeCombo", "no signal sceneChanged", "no slot setScene"):
        assert part in told
