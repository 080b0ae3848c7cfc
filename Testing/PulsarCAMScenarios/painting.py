"""What a person does with dose painting."""

from __future__ import annotations

import slicer

from PulsarCAMScenarios.looking import tip_of

LABEL = "research use only, not a plan"
PAINTED = ("paintedDose", "paintedSpread", "paintedBoost", "paintedTable", "paintedHistogram")


class PaintingDose:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def press_paint(self, agree: bool) -> list[str]:
        """Press the button; what was asked."""
        button, asked = self.panel.ui.paintDoseButton, []
        assert button.enabled, tip_of(button)
        self.panel.dialogs.agree = lambda question, _title: asked.append(question) or agree
        button.click()
        return asked

    def give_levels(self, low: float = 18, high: float = 24) -> None:
        """Both dose levels."""
        self.panel.ui.paintLowSpinBox.value = low
        self.panel.ui.paintHighSpinBox.value = high

    def painted(self) -> list[list[str]]:
        """Texts of the table of painted lesions."""
        table = self.panel.ui.paintResultsTable
        return [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(table.rowCount)]

    def test_a_map_that_may_not_be_believed_is_painted_only_in_spite_of_it(self):
        volume, _ = self.explained_with_dose(2, gray=20)
        ui, state = self.panel.ui, self.panel.state
        assert ui.paintGroupBox.collapsed
        ui.paintGroupBox.collapsed = False
        assert tip_of(ui.paintDoseButton) == "Give both dose levels first: there are no usual ones"
        self.give_levels(24, 18)
        assert "must be below" in tip_of(ui.paintDoseButton)
        self.give_levels()
        before = slicer.mrmlScene.GetNumberOfNodes()
        (asked,) = self.press_paint(agree=False)
        assert "SYNTHETIC" in asked
        assert "Paint in spite of it?" in asked
        assert "anyway=" not in asked
        assert "Nothing was painted." in ui.statusLabel.text
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        self.press_paint(agree=True)
        assert "2 lesions painted" in ui.statusLabel.text
        for name in PAINTED:
            node = getattr(state, name)
            assert LABEL in node.GetName()
            assert node.GetNodeReference("PulsarCAM.inputVolume") is volume
            assert self.folder_of(node) == self.folder_of(state.heatMapVolume)
        values = slicer.util.arrayFromVolume(state.paintedDose)
        inside = values[values > 0]
        assert 18 <= inside.min() < inside.max() <= 24
        assert ui.paintLabel.text.lower().startswith(LABEL)
        assert "SYNTHETIC" in ui.paintLabel.text
        assert [row[0] for row in self.painted()] == ["GTV 1", "GTV 2"]
        assert all(0 < float(row[4]) < 1 for row in self.painted())
        assert self.panel.painting.plot.curves[0].percent[0] == 100
        ui.paintShowButton.click()
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {state.paintedDose.GetID()}
        ui.paintShowButton.click()
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {state.heatMapVolume.GetID()}
        ui.paintHighSpinBox.value = 25
        assert "chosen before" in ui.paintLabel.text
        self.assert_ready()

    def test_painting_asks_for_what_the_rule_needs_and_keeps_away_from_organs(self):
        _, lesions = self.explained(2)
        ui, state = self.panel.ui, self.panel.state
        for section in (ui.doseCollapsibleButton, ui.paintGroupBox):  # folded, Slicer hides what is in them
            section.collapsed = False
        shown = ("paintRangeComboBox", "paintSteepnessSpinBox", "paintMarginSpinBox", "organsTable")
        for rule, wanted in enumerate(
            ((True, False, False, False), (True, True, False, False), (False, False, True, False))
        ):
            ui.paintRuleComboBox.currentIndex = rule
            assert tuple(not getattr(ui, name).isHidden() for name in shown) == wanted, rule
        self.give_levels()
        segments = lesions.GetSegmentation()
        ui.segmentsTable.item(1, 0).setCheckState(0)
        self.press_apply()
        ui.organsSelector.setCurrentNode(lesions)
        assert [ui.organsTable.item(row, 0).text() for row in range(ui.organsTable.rowCount)] == ["GTV 2"]
        assert tip_of(ui.paintDoseButton) == "Tick the organs first, or choose none"
        import qt

        ui.organsTable.item(0, 0).setCheckState(qt.Qt.Checked)
        assert state.organIDs == f'["{segments.GetNthSegmentID(1)}"]'
        ui.paintOrganSpinBox.value = 2
        self.while_it_compares(ui.applyButton.click, lambda: self.press_paint(agree=True))
        assert "Stopped" in ui.statusLabel.text
        assert state.paintedDose is None
        self.press_paint(agree=True)
        assert "no boost within 2 mm of an organ" in ui.paintLabel.text
        assert "Boost to GTV 2" in tip_of_item(ui.paintResultsTable.item(0, 0))
        said, rows = ui.paintLabel.text, self.painted()
        self.reopen()
        assert (ui.paintLabel.text, self.painted()) == (said, rows)
        assert ui.paintRuleComboBox.currentIndex == 2


def tip_of_item(item) -> str:
    """Tool tip of a table's cell."""
    return item.toolTip()
