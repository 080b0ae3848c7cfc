"""The sections of the panel, in the order in which they are refreshed."""

from __future__ import annotations

from .apply import Apply
from .compare.section import Compare
from .dialogs import Asking
from .display_section import LiveExplanation
from .exporter import Exporter
from .lesion_list import LesionList
from .model_chooser import ModelChooser
from .parameter_sets import ParameterSets
from .result_cache import Runs
from .results import Results
from .section import Section
from .tools import Tools
from .train.section import Train


def make_sections(panel) -> list[Section]:
    """Give the panel its sections, each as an attribute, for they know each other by the panel."""
    panel.asking = Asking(panel.parent)
    panel.runs = Runs()
    panel.parameterSets = ParameterSets(panel)
    panel.lesionList = LesionList(panel)
    panel.models = ModelChooser(panel)
    panel.apply = Apply(panel)
    panel.live = LiveExplanation(panel)
    panel.results = Results(panel)
    panel.tools = Tools(panel)
    panel.compare = Compare(panel)
    panel.exporter = Exporter(panel)
    panel.train = Train(panel)
    return [
        panel.parameterSets,
        panel.lesionList,
        panel.models,
        panel.apply,
        panel.live,
        panel.results,
        panel.tools,
        panel.compare,
        panel.exporter,
        panel.train,
    ]
