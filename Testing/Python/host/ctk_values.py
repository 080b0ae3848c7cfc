"""The CTK widgets that hold a number."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal


def kept(kind, name: str, default):
    """A property that is only remembered."""
    return Property(kind, lambda self: self._held.get(name, default), lambda self, v: self._held.update({name: v}))


class ctkDoubleSpinBox(QtWidgets.QWidget):  # noqa: N801
    valueChanged = Signal(float)
    decimalsChanged = Signal(int)
    editingFinished = Signal()
    SIGNALS = {"valueChanged(double)": "valueChanged"}  # noqa: RUF012

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._spin = QtWidgets.QDoubleSpinBox()
        layout.addWidget(self._spin)
        self.setFocusProxy(self._spin)
        self._spin.valueChanged.connect(self.valueChanged)
        self._spin.editingFinished.connect(self.editingFinished)

    def setValue(self, value):
        self._spin.setValue(value)

    value = Property(float, lambda self: self._spin.value(), setValue, notify=valueChanged)
    decimals = Property(int, lambda self: self._spin.decimals(), lambda self, v: self._spin.setDecimals(v))
    minimum = Property(float, lambda self: self._spin.minimum(), lambda self, v: self._spin.setMinimum(v))
    maximum = Property(float, lambda self: self._spin.maximum(), lambda self, v: self._spin.setMaximum(v))
    singleStep = Property(float, lambda self: self._spin.singleStep(), lambda self, v: self._spin.setSingleStep(v))
    suffix = Property(str, lambda self: self._spin.suffix(), lambda self, v: self._spin.setSuffix(v))
    prefix = Property(str, lambda self: self._spin.prefix(), lambda self, v: self._spin.setPrefix(v))


class ctkSliderWidget(ctkDoubleSpinBox):  # noqa: N801
    """A slider beside a spin box; without tracking the value changes when the mouse is let go."""

    valueIsChanging = Signal(float)
    SIGNALS = {"valueChanged(double)": "valueChanged", "valueIsChanging(double)": "valueIsChanging"}  # noqa: RUF012
    HIDDEN = ("editingFinished",)
    STEPS = 1000

    def __init__(self, parent=None):
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._slider.setMaximum(self.STEPS)
        self.layout().insertWidget(0, self._slider)
        self.setFocusProxy(self._slider)
        self._tracking = True
        self._spin.setRange(0, 99)
        self._spin.valueChanged.connect(lambda _value: self._show())
        self._slider.sliderMoved.connect(self._moved)
        self._slider.sliderReleased.connect(lambda: self._spin.setValue(self._at(self._slider.value())))

    def setDecimals(self, value):
        self._spin.setDecimals(value)

    def setSpinBoxVisible(self, value):
        self._spin.setVisible(value)

    def reset(self):
        self._spin.setValue(self._spin.minimum())

    def _at(self, step):
        return self._spin.minimum() + (self._spin.maximum() - self._spin.minimum()) * step / self.STEPS

    def _show(self):
        span = self._spin.maximum() - self._spin.minimum() or 1
        wanted = round((self._spin.value() - self._spin.minimum()) / span * self.STEPS)
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(wanted)
        self._slider.blockSignals(blocked)

    def _moved(self, step):
        self.valueIsChanging.emit(self._at(step))
        if self._tracking:
            self._spin.setValue(self._at(step))

    def _set_minimum(self, value):
        self._spin.setMinimum(value)
        self._show()

    def _set_maximum(self, value):
        self._spin.setMaximum(value)
        self._show()

    def _set_tracking(self, value):
        self._tracking = bool(value)

    minimum = Property(float, lambda self: self._spin.minimum(), _set_minimum)
    maximum = Property(float, lambda self: self._spin.maximum(), _set_maximum)
    pageStep = Property(float, lambda self: 10.0, lambda self, v: None)
    tickInterval = Property(float, lambda self: 0.0, lambda self, v: None)
    tracking = Property(bool, lambda self: self._tracking, _set_tracking)
    spinBoxVisible = Property(bool, lambda self: not self._spin.isHidden(), setSpinBoxVisible)
