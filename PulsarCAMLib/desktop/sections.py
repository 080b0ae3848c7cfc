"""The sections of the panel, in the order in which they are refreshed."""

from __future__ import annotations

from .apply import Apply
from .compare.section import Compare
from .dialogs import Dialogs
from .dose.section import Dose
from .inputs.fit import Fit
from .inputs.images import OtherImages
from .inputs.lesion_list import LesionList
from .inputs.model_chooser import ModelChooser
from .inputs.own_outputs import OwnOutputs
from .inputs.preselect import Preselect
from .painting.section import Painting
from .parameter_sets import ParameterSets
from .results.display_section import DisplaySection
from .results.exporter import Exporter
from .results.input_views import InputViews
from .results.method_views import MethodViews
from .results.overlay import Overlay
from .results.result_cache import ResultCache
from .results.result_sets import ResultSets
from .results.section import Results
from .section import Section
from .train.section import Train
from .wording import Wording


def make_sections(panel) -> list[Section]:
    """Give the panel its sections, each as an attribute, for they know each other by the panel."""
    panel.dialogs = Dialogs(panel.parent)
    panel.resultCache = ResultCache()
    panel.parameterSets = ParameterSets(panel)
    panel.resultSets = ResultSets(panel)
    panel.models = ModelChooser(panel)
    panel.ownOutputs = OwnOutputs(panel)
    panel.preselect = Preselect(panel)
    panel.images = OtherImages(panel)
    panel.fit = Fit(panel)
    panel.lesionList = LesionList(panel)
    panel.apply = Apply(panel)
    panel.displaySection = DisplaySection(panel)
    panel.overlay = Overlay(panel)
    panel.results = Results(panel)
    panel.methodViews = MethodViews(panel)
    panel.inputViews = InputViews(panel)
    panel.compare = Compare(panel)
    panel.dose = Dose(panel)
    panel.painting = Painting(panel)
    panel.exporter = Exporter(panel)
    panel.train = Train(panel)
    panel.wording = Wording(panel)
    return [
        panel.parameterSets,
        panel.resultSets,
        panel.ownOutputs,
        panel.models,
        panel.images,
        panel.lesionList,
        panel.fit,
        panel.wording,
        panel.apply,
        panel.displaySection,
        panel.overlay,
        panel.results,
        panel.methodViews,
        panel.inputViews,
        panel.compare,
        panel.dose,
        panel.painting,
        panel.exporter,
        panel.train,
    ]
