"""Section: whether the chosen inputs belong together, told beside their selectors before Apply."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ...scene.reading.judging import Judge, Judgement
from ..section import Section

ROW_BELOW_MASK = 3
"""Of the form in the ``.ui`` file: its first rows are the sample data, the first image and the mask."""


class Fit(Section):
    """A sentence under the selectors; what is only a guess is asked once."""

    def set_up(self) -> None:
        """Make the label."""
        self._judge, self._agreed = Judge(), set()
        self.label = qt.QLabel()
        self.label.wordWrap = True
        self.label.visible = False
        self.label.toolTip = _(
            "Where the contours lie, compared with the MRI, and what DICOM tells of which inputs belong together, "
            "before anything is computed"
        )
        self.ui.inputsCollapsibleButton.layout().insertRow(ROW_BELOW_MASK, self.label)

    def refresh(self) -> None:
        """Judge what is chosen."""
        text = self.judgement().text
        self.label.text = text
        self.label.visible = bool(text)

    def judgement(self) -> Judgement:
        """What is to be said of the chosen inputs."""
        panel, system = self.panel, self.panel.models.system()
        images = {role.name: panel.images.node_of(role) for role in system.image_inputs}
        chosen = panel.lesionList.chosen_ids()
        return self._judge.judge(system, images, panel.images.mask(), chosen, self.state.parts.value, panel.dose.chosen)

    def agreed(self, doses: bool = False) -> bool:
        """Whether the person knows what can only be guessed here; asked once for these inputs.

        Args:
            doses: what speaks against the chosen doses is asked, instead of what speaks against the contours.
        """
        judged = self.judgement()
        questions = judged.apart if doses else judged.questions
        if not questions or questions in self._agreed:
            return True
        text = "\n".join((*questions, _("Go on?")))
        if not self.panel.dialogs.agree(text, _("PulsarCAM - do the inputs belong together?")):
            return False
        self._agreed.add(questions)
        return True

    def forget(self) -> None:
        """Another parameter set or scene."""
        self._judge.forget()

    def forget_answers(self) -> None:
        """The scene closes: names mean other nodes."""
        self._agreed.clear()
