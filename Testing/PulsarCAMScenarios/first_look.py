"""What a person does who contours all day: one press, and the answer is in view; what is said before and after it."""

from __future__ import annotations

import importlib.util

import numpy as np
import slicer

from PulsarCAMScenarios.looking import assert_in_the_middle, tip_of

FOLDED = ("inputsCollapsibleButton", "advancedCollapsibleButton", "explanationCollapsibleButton")
CONTROLS = (
    *("QPushButton", "QToolButton", "QComboBox", "QCheckBox", "QLineEdit", "QSpinBox", "QDoubleSpinBox"),
    *("QTableWidget", "ctkSliderWidget", "ctkPathLineEdit", "qMRMLNodeComboBox"),
)
NAMED = ("Button", "Selector", "ComboBox", "CheckBox", "LineEdit", "SpinBox", "SliderWidget", "Table")
"""Ends of the names of the panel's own; spin boxes have a nameless field of their own inside."""
MOST_BEFORE_APPLY = 5


def is_open(widget) -> bool:
    """Whether a control is neither hidden nor in a folded section."""
    above = widget
    while above is not None and not above.inherits("qMRMLWidget"):
        below, above = above, above.parentWidget()
        folded = above is not None and above.inherits("ctkCollapsibleButton") and above.collapsed
        if folded or below.isHidden():
            return False
    return True


class FirstLook:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def open_controls(self) -> list[str]:
        """Names of the controls that can be seen without unfolding anything."""
        own = {name: widget for name, widget in vars(self.panel.ui).items() if name.endswith(NAMED)}
        return sorted(name for name, w in own.items() if w.className() in CONTROLS and is_open(w))

    def field_of_view(self) -> list[float]:
        """Millimetres of the shorter side of each usual view."""
        views = [slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode") for name in ("Red", "Green", "Yellow")]
        return [min(view.GetFieldOfView()[:2]) for view in views]

    def enter_with(self, count: int = 2):
        """Data are loaded before the module is opened."""
        from PulsarCAMScenarios import make_lesions, make_mri

        self.panel.parent.exit()
        volume = make_mri()
        lesions = make_lesions(volume, count)
        self.panel.parent.enter()
        return volume, lesions

    def test_from_loaded_data_one_press_brings_the_answer_into_view(self):
        volume, lesions = self.enter_with(3)
        ui, state = self.panel.ui, self.panel.state
        assert state.inputVolume is volume
        assert state.inputSegmentation is lesions
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetFieldOfView(240.0, 240.0, 1.0)
        self.press_apply()
        assert all(getattr(ui, name).collapsed for name in FOLDED)
        assert not ui.resultsCollapsibleButton.collapsed
        rows = self.rows()
        chosen = self.panel.results.chosen_name()
        least = min(rows, key=lambda row: float(row[2].split()[0]))
        assert chosen == least[0], "the one that is least likely to respond"
        assert ui.resultsTable.currentRow() == rows.index(least)
        assert_in_the_middle("Red", self.panel.results.place_of(chosen))
        assert max(self.field_of_view()) < 240.0, "views come closer"
        assert ui.inspectButton.enabled
        assert ui.exportButton.enabled
        legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(state.heatMapVolume)
        assert legend.GetVisibility()
        assert [legend.GetNthViewNodeID(n) for n in range(legend.GetNumberOfViewNodeIDs())] == ["vtkMRMLSliceNodeRed"]
        said = legend.GetTitleText().splitlines()
        assert said == ["Evidence for non-response", "Pixel-wise CAM", "(contribution to the logit)"]
        ui.targetComboBox.currentIndex = 1
        assert legend.GetTitleText().startswith("Evidence for response")
        other = self.choose_row(2)
        self.press_apply()
        assert self.panel.results.chosen_name() == other, "another Apply does not choose anew"

    def test_data_loaded_while_the_panel_is_open_are_chosen_but_not_again(self):
        from PulsarCAMScenarios import make_lesions, make_mri

        volume = make_mri()
        lesions = make_lesions(volume, 1)
        slicer.app.processEvents()
        state = self.panel.state
        assert (state.inputVolume, state.inputSegmentation) == (volume, lesions)
        self.press_apply()
        self.panel.ui.inputVolumeSelector.setCurrentNode(None)
        make_mri("another")
        slicer.app.processEvents()
        assert state.inputVolume is None, "an empty selector is somebody's wish"

    def test_of_two_segmentations_none_is_chosen_unasked(self):
        from PulsarCAMScenarios import make_lesions, make_mri

        self.panel.parent.exit()
        volume = make_mri()
        for name in ("first", "second"):
            make_lesions(volume, 1, name)
        self.panel.parent.enter()
        assert self.panel.state.inputSegmentation is None
        assert tip_of(self.panel.ui.applyButton) == "Choose the segmentation of the lesions first"

    def test_before_apply_there_is_only_what_must_be_chosen(self):
        self.panel.parent.exit()
        self.panel.parent.enter()
        for name, collapsed in (("inputs", False), ("advanced", True), ("results", True), ("explanation", True)):
            getattr(self.panel.ui, f"{name}CollapsibleButton").collapsed = collapsed
        for name in ("export", "compare", "train"):
            getattr(self.panel.ui, f"{name}CollapsibleButton").collapsed = True
        empty = self.open_controls()
        assert len(empty) <= MOST_BEFORE_APPLY, empty
        self.choose()
        found = self.open_controls()
        wanted = ["applyButton", "inputSegmentationSelector", "inputVolumeSelector", "modelComboBox", "segmentsTable"]
        assert found == wanted, found

    def test_answers_are_words_told_apart_by_shape_and_color(self):
        from PulsarCAMLib.desktop.results.marks import mark_of
        from PulsarCAMLib.systems.registry import system_of

        self.explained(3)
        for row, told in zip(self.panel.results._rows, self.rows(), strict=True):
            words = {
                "uncertain": "Uncertain",
                "response": "Will probably shrink",
                "non-response": "Will probably not shrink",
            }
            p, low, high = (row[name] for name in ("probability_response", "answer_low", "answer_high"))
            assert told[1] == words[row["answer"]]
            assert told[2] == f"{p:.2f} ({low:.2f} to {high:.2f})"
        table = self.panel.ui.resultsTable
        assert not table.item(0, 1).icon().isNull()
        marks = [mark_of(answer, system_of().task) for answer in ("uncertain", "response", "non-response")]
        assert len({shape for shape, _ in marks}) == len({color for _, color in marks}) == 3

    def test_a_label_that_becomes_two_lesions_says_so_before_apply_under_the_same_name(self):
        from PulsarCAMScenarios import IJK_TO_RAS, SHAPE, make_mri

        volume = make_mri()
        values = np.zeros(SHAPE, dtype=np.uint8)
        values[3:7, 4:12, 4:12] = values[3:7, 4:10, 30:36] = 1
        labels = slicer.util.addVolumeFromArray(
            values, ijkToRAS=IJK_TO_RAS, name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode"
        )
        ui = self.panel.ui
        ui.inputVolumeSelector.setCurrentNode(volume)
        ui.inputSegmentationSelector.setCurrentNode(labels)
        assert ui.segmentsTable.item(0, 0).text() == "Lesion 1"
        assert "“Lesion 1” has 2 pieces that do not touch" in ui.segmentsLabel.text
        assert "That makes 2 lesions" in ui.segmentsLabel.text
        self.press_apply()
        assert sorted(row[0] for row in self.rows()) == ["Lesion 1 (1)", "Lesion 1 (2)"]
        ui.partsComboBox.currentIndex = 1
        assert ui.segmentsLabel.text == ""
        self.press_apply()
        assert [row[0] for row in self.rows()] == ["Lesion 1"]
        ui.noSegmentsButton.click()
        assert ui.segmentsLabel.text == "0 of 1 ticked."

    def test_one_word_means_one_thing(self):
        ui = self.panel.ui
        texts = {
            name: w.text for name, w in vars(ui).items() if name.endswith("Button") and w.inherits("QAbstractButton")
        }
        compare = sorted(text for text in texts.values() if "ompare" in text)
        assert compare == ["Compare", "Compare with the MRI"], compare
        assert len(set(texts.values())) == len(texts), texts
        self.explained()
        ui.compareButton.click()
        names = [n.GetLayoutName() for n in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
        tags = [name for name in names if name.startswith("PulsarCAM") and name[9:].isdigit()]
        bars = [slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSliceNode").GetLayoutLabel() for tag in sorted(tags)]
        ui.compareButton.click()
        methods = self.shown_methods()
        assert bars
        assert set(bars) <= set(methods), "views are called as the methods are"

    def test_what_was_said_goes_when_it_is_no_longer_so(self):
        _, lesions = self.compared()
        status = self.panel.ui.statusLabel
        assert "2 lesions compared." in status.text
        lesions.GetSegmentation().RemoveSegment(lesions.GetSegmentation().GetNthSegmentID(1))
        assert "compared" not in status.text
        assert "The inputs changed" in status.text
        self.press_apply()
        assert "1 lesion explained." in status.text
        self.panel.ui.inputVolumeSelector.setCurrentNode(None)
        assert "explained" not in status.text
        assert "Choose the MRI first" in status.text
        assert "the table below is that of “MRI”" in status.text

    def test_opening_a_slice_says_so_and_draws_in_the_applications_colors(self):
        if importlib.util.find_spec("matplotlib") is None:
            self.delayDisplay("matplotlib is not installed")
            return
        self.explained(1)
        section, said = self.panel.apply, []
        section.show_step = said.append
        try:
            self.panel.ui.inspectButton.click()
        finally:
            del section.show_step
        assert [text for text in said if text.startswith("Opening the slice")], said
        inspector = self.panel.methodViews._inspector
        import qt

        paper = qt.QColor(inspector.picture_label.pixmap.toImage().pixel(2, 2)).lightness()
        window = inspector.dialog.palette.color(qt.QPalette.Window).lightness()
        assert (paper > 128) == (window > 128)
        assert "Research use only" in inspector.notes_label.text
        inspector.close()

    def test_training_asks_for_the_table_first(self):
        ui = self.panel.ui
        ui.trainCollapsibleButton.collapsed = False
        asked = [name for name in self.open_controls() if name.startswith("train")]
        assert asked == ["trainCheckButton", "trainTablePathLineEdit"], asked
        assert ui.trainProgressBar.isHidden()
        self.begin_training()
        ui.trainMoreGroupBox.collapsed = True
        asked = [name for name in self.open_controls() if name.startswith("train")]
        assert {"trainButton", "trainNameLineEdit", "trainFolderPathLineEdit"} <= set(asked)
        assert not {"trainResumeButton", "trainCancelButton", "trainTrialsSpinBox"} & set(asked), asked

    def test_tables_are_as_high_as_what_they_hold(self):
        heights = {}
        for count in (3, 1):
            slicer.mrmlScene.Clear()
            self.explained(count)
            heights[count] = self.panel.ui.resultsTable.maximumHeight
        assert heights[1] < heights[3]
        self.press_compare()
        table = self.panel.ui.agreementResultsTable
        rows = sum(table.rowHeight(row) for row in range(table.rowCount))
        assert table.maximumHeight >= rows + table.horizontalHeader().sizeHint.height()
