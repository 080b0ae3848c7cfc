"""The CTK widgets that a panel may use, as small PySide6 widgets with the names of the real ones."""

from __future__ import annotations

import re

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_values import ctkDoubleSpinBox, ctkSliderWidget, kept
from .dialogs import DIALOGS

HEADER, REST = 24, 10
"""Of a section: heights of its button, and of what of its contents' frame is still there once they are folded."""
_DIRECT = QtCore.Qt.FindDirectChildrenOnly


class _Folding:
    """What both kinds of sections do with their contents; mixed into a widget."""

    _is_folded = _forcing = False

    def _fold(self, folded):
        self._is_folded = folded
        for child in self.findChildren(QtWidgets.QWidget, options=_DIRECT):
            if folded:
                decided = child.testAttribute(QtCore.Qt.WA_WState_ExplicitShowHide)
                child.setProperty("hiddenBefore", decided and child.isHidden())
                self._force(child, visible=False)
            elif not child.property("hiddenBefore"):
                self._force(child, visible=True)

    def _force(self, child, visible):
        """Not as if somebody had decided it, so that a decision while it is folded is still told."""
        self._forcing = True
        child.setVisible(visible)
        if not visible:
            child.setAttribute(QtCore.Qt.WA_WState_ExplicitShowHide, False)
        self._forcing = False

    def childEvent(self, event):
        if event.added() and event.child().isWidgetType():
            event.child().installEventFilter(self)
        super().childEvent(event)

    def eventFilter(self, child, event):
        """A child that is shown or hidden while the section is folded is so once it is unfolded."""
        told = event.type() in (QtCore.QEvent.ShowToParent, QtCore.QEvent.HideToParent)
        if told and self._is_folded and not self._forcing:
            child.setProperty("hiddenBefore", event.type() == QtCore.QEvent.HideToParent)
            self._force(child, visible=False)
        return False


class ctkCollapsibleButton(_Folding, QtWidgets.QAbstractButton):  # noqa: N801 - CTK's names
    contentsCollapsed = Signal(bool)

    def __init__(self, *args):
        texts = [a for a in args if isinstance(a, str)]
        super().__init__(next((a for a in args if isinstance(a, QtWidgets.QWidget)), None))
        self.setText(texts[0] if texts else "")
        self._collapsed, self._rest = False, REST
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(lambda on: self._set_collapsed(not on))
        self.setContentsMargins(0, HEADER, 0, 0)
        # Minimum: what the contents would like to have is what they get, so a long wrapped label widens the panel.
        self.setSizePolicy(QtWidgets.QSizePolicy.Minimum, QtWidgets.QSizePolicy.Preferred)

    def _set_collapsed(self, value):
        if self._collapsed == bool(value):
            return
        self._collapsed = bool(value)
        self.setChecked(not self._collapsed)
        self._fold(self._collapsed)
        self.setMaximumHeight(HEADER + self._rest if self._collapsed else 16777215)
        self.updateGeometry()
        self.contentsCollapsed.emit(self._collapsed)

    def _set_rest(self, height):
        self._rest = height
        self.setMaximumHeight(HEADER + height if self._collapsed else 16777215)
        self.updateGeometry()

    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)
    collapsedHeight = Property(int, lambda self: self._rest, _set_rest)
    flat = Property(bool, lambda self: False, lambda self, v: None)

    def hitButton(self, position):
        return position.y() < HEADER

    def sizeHint(self):
        inner = self.layout().totalSizeHint() if self.layout() and not self._collapsed else QtCore.QSize()
        return inner.expandedTo(self._button_size())

    def minimumSizeHint(self):
        inner = self.layout().totalMinimumSize() if self.layout() and not self._collapsed else QtCore.QSize()
        return inner.expandedTo(self._button_size())

    def _button_size(self):
        option, style = QtWidgets.QStyleOptionButton(), self.style()
        option.initFrom(self)
        metrics = (QtWidgets.QStyle.PM_IndicatorWidth, QtWidgets.QStyle.PM_CheckBoxLabelSpacing)
        mark = sum(style.pixelMetric(metric, option, self) for metric in metrics)
        text = self.fontMetrics().size(QtCore.Qt.TextShowMnemonic, self.text() or "XXXX").width()
        made = style.sizeFromContents(QtWidgets.QStyle.CT_PushButton, option, QtCore.QSize(mark + text, 0), self)
        return QtCore.QSize(made.width(), HEADER + (self._rest if self._collapsed else 0))

    def paintEvent(self, _event):
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), HEADER - 2)
        painter.drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(6, 6, 10, 10)
        down = QtWidgets.QStyle.PE_IndicatorArrowDown
        painter.drawPrimitive(QtWidgets.QStyle.PE_IndicatorArrowRight if self._collapsed else down, arrow)
        painter.drawItemText(
            option.rect.adjusted(22, 0, 0, 0),
            QtCore.Qt.AlignVCenter,
            self.palette(),
            self.isEnabled(),
            self.text(),
            QtGui.QPalette.ButtonText,
        )


class ctkCollapsibleGroupBox(_Folding, QtWidgets.QGroupBox):  # noqa: N801
    def __init__(self, parent=None):
        super().__init__(parent)
        self.setCheckable(True)
        self.toggled.connect(self._show_contents)

    def _show_contents(self, on):
        self._fold(not on)
        self.setFlat(not on)
        self.setMaximumHeight(16777215 if on else self.fontMetrics().height() + 4)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, v: self.setChecked(not v))


class ctkCheckBox(QtWidgets.QCheckBox):  # noqa: N801
    pass


class ctkComboBox(QtWidgets.QComboBox):  # noqa: N801
    defaultText = Property(str, QtWidgets.QComboBox.placeholderText, QtWidgets.QComboBox.setPlaceholderText)


class ctkPushButton(QtWidgets.QPushButton):  # noqa: N801
    pass


class ctkCheckablePushButton(QtWidgets.QPushButton):  # noqa: N801
    checkBoxControlsButton = Property(bool, lambda self: True, lambda self, v: None)
    checkBoxControlsButtonToggleState = Property(bool, lambda self: True, lambda self, v: None)


class ctkMenuButton(QtWidgets.QPushButton):  # noqa: N801
    pass


class ctkExpandButton(QtWidgets.QToolButton):  # noqa: N801
    pass


class ctkFittedTextBrowser(QtWidgets.QTextBrowser):  # noqa: N801
    collapsed = Property(bool, lambda self: False, lambda self, v: None)

    def setCollapsibleText(self, text):
        self.setText(text)


class ctkSearchBox(QtWidgets.QLineEdit):  # noqa: N801
    pass


class ctkMessageBox(QtWidgets.QMessageBox):  # noqa: N801
    dontShowAgainVisible = Property(bool, lambda self: False, lambda self, v: None)
    dontShowAgainSettingsKey = Property(str, lambda self: "", lambda self, v: None)


class ctkCheckableComboBox(QtWidgets.QComboBox):  # noqa: N801
    checkedIndexesChanged = Signal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self.model().itemChanged.connect(lambda *_: self.checkedIndexesChanged.emit())

    def checkedIndexes(self):
        rows = [self.model().index(row, 0) for row in range(self.count())]
        return [i for i in rows if self.checkState(i) == QtCore.Qt.Checked]

    def checkState(self, index):
        return QtCore.Qt.CheckState(index.data(QtCore.Qt.CheckStateRole) or 0)

    def setCheckState(self, index, state):
        self.model().setData(index, QtCore.Qt.CheckState(state), QtCore.Qt.CheckStateRole)

    def checkableModel(self):
        return self.model()


def _pattern_of(name_filters):
    """As ctk::nameFiltersToRegularExpression: with regard to capitals, and without the last letter, too."""
    wildcards = [each for text in name_filters for each in text.partition("(")[2].rstrip(")").split()]
    endings = [found[1] for found in map(re.compile(r"\*\.(\w+)").search, wildcards) if found]
    return "|".join(rf".*\.{ending}?" for ending in endings) or ".+"


class ctkPathLineEdit(QtWidgets.QWidget):  # noqa: N801
    Dirs, Files = 1, 2
    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._edit, self._browse = QtWidgets.QLineEdit(), QtWidgets.QToolButton()
        self._browse.setText("...")
        layout.addWidget(self._edit)
        layout.addWidget(self._browse)
        self.setFocusProxy(self._edit)
        self._edit.textChanged.connect(self._text_changed)
        self._browse.clicked.connect(self.browse)
        self._held, self._valid = {}, False

    def _text_changed(self, text):
        """As CTK does: only a text that fits the name filters is told, never an empty one."""
        valid = re.fullmatch(_pattern_of(self.nameFilters), text) is not None
        was, self._valid = self._valid, valid
        if valid:
            self.currentPathChanged.emit(text)
        if valid != was:
            self.validInputChanged.emit(valid)

    def setCurrentPath(self, path):
        self._edit.setText(path)

    def browse(self):
        chosen = DIALOGS.file()
        if chosen:
            self.setCurrentPath(chosen)

    def addCurrentPathToHistory(self):
        self._held.setdefault("history", []).append(self._edit.text())

    currentPath = Property(str, lambda self: self._edit.text(), setCurrentPath, notify=currentPathChanged)
    label = kept(str, "label", "")
    filters = kept(int, "filters", 7)
    nameFilters = kept("QStringList", "nameFilters", [])
    options = kept(int, "options", 0)
    settingKey = kept(str, "settingKey", "")
    showBrowseButton = kept(bool, "showBrowseButton", True)
    showHistoryButton = kept(bool, "showHistoryButton", True)


class ctkDirectoryButton(QtWidgets.QWidget):  # noqa: N801
    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._button, self._directory, self._caption = QtWidgets.QPushButton(), "", ""
        layout.addWidget(self._button)
        self._button.clicked.connect(self.browse)
        self._set(QtCore.QDir.currentPath())

    def _set(self, path):
        if path != self._directory:
            self._directory = path
            self._button.setText(path)
            self.directoryChanged.emit(path)

    def browse(self):
        chosen = DIALOGS.file()
        if chosen:
            self._set(chosen)
            self.directorySelected.emit(chosen)

    def _set_caption(self, text):
        self._caption = text

    directory = Property(str, lambda self: self._directory, _set)
    caption = Property(str, lambda self: self._caption, _set_caption)


CTK = (
    ctkDoubleSpinBox,
    ctkSliderWidget,
    *(v for k, v in list(globals().items()) if k.startswith("ctk") and v.__module__ == __name__),
)
