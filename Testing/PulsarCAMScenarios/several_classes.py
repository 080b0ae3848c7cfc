"""What a person sees of a model with more than two classes and several images, which answers for patients."""

from __future__ import annotations

import re

import slicer

from PulsarCAMScenarios.looking import tip_of

OF_LESIONS = re.compile(r"lesion|gtv|respon|shrink", re.IGNORECASE)
ONLY_WITH_LESIONS = (
    *("inputSegmentation", "parts", "segments", "allSegments", "noSegments", "showSegment", "sampleData"),
    *("paint", "organs"),
)
"""Begin the names of controls that are hidden where a model takes no segmentation, or once there is an MRI; and of
painting, which is for lesions only and says so."""


class SeveralClasses:
    """Mixed into the scenarios, with :class:`.another_system.AnotherSystem`."""

    def fixed_texts(self) -> dict[str, str]:
        """Name of a control to all that is written on it."""
        texts = {}
        for name, widget in vars(self.panel.ui).items():
            said = [tip_of(widget)] if hasattr(widget, "toolTip") else []
            said += [str(getattr(widget, kind)) for kind in ("text", "title") if hasattr(widget, kind)]
            if widget.inherits("QComboBox") and name != "modelComboBox":
                said += [widget.itemText(n) for n in range(widget.count)]
            texts[name] = "\n".join(said)
        return texts

    def explain_stranger(self, with_flair: bool = False):
        """Choose images and model, press Apply; the two images, the second perhaps None."""
        from PulsarCAMScenarios import make_mri

        first, second = make_mri("T1"), make_mri("FLAIR") if with_flair else None
        self.choose_stranger(first)
        if second is not None:
            self.panel.images.selector(self.panel.images.roles[0]).setCurrentNode(second)
        self.press_apply()
        return first, second

    def test_all_classes_are_told_with_their_spread_in_a_table_and_a_plot(self):
        with self.a_strangers_model():
            self.explain_stranger()
            (row,) = self.rows()
            told = [re.fullmatch(r"(0\.\d\d|1\.00) ± (\d\.\d\d)", text) for text in row[2:5]]
            assert all(told), row
            assert abs(sum(float(each[1]) for each in told) - 1) < 0.02
            bars = self.panel.results._classes.bars
            assert [bar.text for bar in bars] == row[2:5]
            (predicted,) = [bar.name for bar in bars if bar.predicted]
            assert predicted == self.panel.results._rows[0]["predicted_class"]
            assert row[1] in ("Uncertain", f"Probably {predicted}")
            assert {bar.color for bar in bars} == {"#777777"}, "the task's own colors"
            assert not self.panel.results._classes.isHidden()
            table = self.panel.state.lesionTable
            spread = [slicer.util.arrayFromTableColumn(table, f"spread_grade_{n}")[0] for n in (2, 3, 4)]
            assert [f"{value:.2f}" for value in spread] == [each[2] for each in told]
            assert slicer.util.arrayFromTableColumn(table, "probability_spread")[0] == spread[2]
            self.panel.ui.resultsTable.setCurrentCell(0, 0)
            assert self.panel.ui.slicePlotLabel.isHidden(), "one input has no slices to be plotted"
        assert self.panel.results._classes.isHidden()

    def test_all_images_side_by_side_with_the_map_over_each_and_back(self):
        ui, manager = self.panel.ui, slicer.app.layoutManager()
        self.choose()
        self.press_apply()
        assert not ui.inputViewsButton.enabled
        assert tip_of(ui.inputViewsButton) == "The chosen model takes one image only"
        assert ui.inputViewsButton.isHidden(), "a button that can never be pressed is none"
        slicer.mrmlScene.Clear()
        layout, text = manager.layout, ui.inputViewsButton.text
        with self.a_strangers_model():
            images = self.explain_stranger(with_flair=True)
            state = self.panel.state
            assert not ui.inputViewsButton.isHidden()
            ui.inputViewsButton.click()
            assert manager.layout != layout
            assert self._shown_images() == [(image.GetID(), state.heatMapVolume.GetID()) for image in images]
            nodes = [slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSliceNode") for tag in self._tags()]
            assert [node.GetLayoutLabel() for node in nodes] == ["T1 MRI", "FLAIR MRI"]
            assert len({node.GetViewGroup() for node in nodes}) == 1
            assert nodes[0].GetViewGroup() not in (0, 41507, 41508), "linked with each other and with no other view"
            assert all(composite.GetLinkedControl() for composite in self._input_composites())
            ui.opacitySliderWidget.value = 30
            assert [round(each.GetForegroundOpacity(), 2) for each in self._input_composites()] == [0.3, 0.3]
            ui.statisticComboBox.currentIndex = 1
            assert {front for _, front in self._shown_images()} == {state.spreadVolume.GetID()}
            ui.statisticComboBox.currentIndex = 0
            ui.methodComboBox.currentIndex = 1
            ui.mapInputComboBox.currentIndex = 2
            heat_map = state.heatMapVolume
            assert heat_map.GetNodeReference("PulsarCAM.inputVolume") is images[1]
            self._check_each_has_its_own(images, heat_map)
            ui.mapInputComboBox.currentIndex = 0
            self.panel.images.selector(self.panel.images.roles[0]).setCurrentNode(None)
            assert self._shown_images()[0] == (images[0].GetID(), state.heatMapVolume.GetID())
            described = manager.layoutLogic().GetLayoutNode().GetLayoutDescription(manager.layout)
            assert "PulsarCAMInput-flair" not in described, "what is no longer chosen has no view"
            ui.inputViewsButton.click()
            assert manager.layout == layout
            assert ui.inputViewsButton.text == text

    def _check_each_has_its_own(self, images, heat_map) -> None:
        """Over every image its own map, on its own voxels; the chosen one's is the output."""
        fronts = [slicer.mrmlScene.GetNodeByID(front) for _, front in self._shown_images()]
        assert fronts[1] is heat_map
        assert [front.GetAttribute("PulsarCAM.input") for front in fronts] == ["t1", "flair"]
        assert [front.GetNodeReference("PulsarCAM.inputVolume") for front in fronts] == list(images)
        before, count = slicer.util.arrayFromVolume(fronts[0]).copy(), slicer.mrmlScene.GetNumberOfNodes()
        self.panel.ui.targetComboBox.currentIndex = 0
        again = slicer.mrmlScene.GetNodeByID(self._shown_images()[0][1])
        assert again is fronts[0]
        assert (slicer.util.arrayFromVolume(again) != before).any(), "another class, the same node"
        assert slicer.mrmlScene.GetNumberOfNodes() == count
        self.panel.ui.targetComboBox.currentIndex = 2

    def _tags(self) -> list[str]:
        return ["PulsarCAMInput-t1", "PulsarCAMInput-flair"]

    def _input_composites(self) -> list:
        found = {c.GetLayoutName(): c for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")}
        return [found[tag] for tag in self._tags()]

    def _shown_images(self) -> list[tuple[str, str]]:
        return [(each.GetBackgroundVolumeID(), each.GetForegroundVolumeID()) for each in self._input_composites()]

    def test_the_panels_words_are_those_of_the_chosen_models_task(self):
        usual = self.fixed_texts()
        assert "probability of response" in usual["lesionTableSelector"]
        with self.a_strangers_model():
            self.choose_stranger(None)
            texts = {n: t for n, t in self.fixed_texts().items() if not n.startswith(ONLY_WITH_LESIONS)}
            wrong = {name: text for name, text in texts.items() if OF_LESIONS.search(text)}
            assert not wrong, wrong
            assert texts["lesionTableSelectorLabel"].endswith("Patient table:")
            assert texts["trainCollapsibleButton"].endswith("Train on a cohort: Grader")
            assert "all classes" in texts["thresholdSliderWidget"]
            arguments = self.panel.train.arguments()
            assert "--system=grader" in arguments
            assert not [each for each in arguments if each.startswith(("--shrinkage", "--filters"))]
            assert not self.panel.ui.trainShrinkageSpinBox.enabled
            assert texts["trainFiltersSpinBox"].startswith("A training of “Grader” has no such choice")
            self.panel.ui.modelComboBox.setCurrentIndex(0)
            assert self.panel.ui.trainShrinkageSpinBox.enabled
            assert "--shrinkage=0.2" in self.panel.train.arguments()
            assert not [each for each in self.panel.train.arguments() if each.startswith("--system")]
        changed = {name: text for name, text in self.fixed_texts().items() if text != usual[name]}
        assert not changed, changed

    def test_a_method_says_what_it_is_and_what_it_costs_before_it_starts(self):
        ui = self.panel.ui
        tip = tip_of(ui.methodComboBox)
        assert tip.startswith("Pixel-wise CAM. Each cell's feature values times their gradients")
        assert "Unit: contribution to the logit." in tip
        assert tip.endswith("Equation: ReLU(sum_k A_ij^k ds/dA_ij^k).")
        with self.a_strangers_model():
            self.explain_stranger()
            cost = "about 1,728 passes through the network for each input and each member of the ensemble."
            assert "passes" not in tip_of(ui.methodComboBox)
            ui.methodComboBox.currentIndex = 2
            assert tip_of(ui.methodComboBox).startswith("Slow saliency. Asks often. Unit: change of the logit")
            assert tip_of(ui.methodComboBox).endswith(cost)
            assert "Slow saliency is computed when it is asked for: press Apply." in ui.statusLabel.text
            assert ui.statusLabel.text.endswith(cost)
            self.press_apply()
            assert "passes" not in ui.statusLabel.text
            assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "slow"
