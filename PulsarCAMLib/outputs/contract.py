"""What an output is: one kind of file that tells about one explained case, for command line, panel and demo alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..core.case import Case
from ..core.display import DisplaySettings
from ..core.progress import IsCancelled, OnProgress, silent
from ..core.task import PREDICTED
from ..explanation.result import CaseResult

if TYPE_CHECKING:
    from ..agreement.map_comparison import MapComparison
    from ..dose.case import CaseDose
    from ..painting.paint import Painting


@dataclass(frozen=True, eq=False)
class Content:
    """One explained case, and how it is shown.

    Attributes:
        case: images and lesions.
        result: what was found.
        maps: how its heat maps are shown; the first is the main one. Never empty.
        regions: of what sub-regions and tables are made; the report shows the first. Empty: as ``maps``.
        facts: where everything comes from, for headers; keys as in node attributes.
        comparison: what the maps agree with, where that was asked for.
        painting: what would be prescribed by a rule, where that was asked for: research use only, not a plan.
        prefix: begins every file's name.
        private: texts that a page must not hold, such as names of the input's nodes.
        dose: what the lesions and their parts get, where there is a planned dose.
    """

    case: Case
    result: CaseResult
    maps: Sequence[DisplaySettings]
    regions: Sequence[DisplaySettings] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    comparison: MapComparison | None = None
    painting: Painting | None = None
    prefix: str = ""
    private: Sequence[str] = ()
    dose: CaseDose | None = None

    @property
    def measured(self) -> Sequence[DisplaySettings]:
        """Of what sub-regions and tables are made."""
        return self.regions or self.maps

    def large(self, shown: DisplaySettings) -> str:
        """Class of the large map, and of what is counted, where one picture or page stands for all maps of a method."""
        several = {each.target for each in self.maps if each.method == shown.method}
        return self.result.task.shown_of_several if len(several) > 1 else shown.target

    def on_page(self, each: DisplaySettings, shown: DisplaySettings) -> bool:
        """Whether a page of one map need not name another one as lying beside it."""
        of_every_class = self.large(shown) != shown.target and each.method == shown.method
        return each == shown or bool(each.input) or of_every_class

    @property
    def large_first(self) -> Sequence[DisplaySettings]:
        """The maps, the large one of the first unit first."""
        first = self.maps[0]
        large = self.large(first)
        wanted = self.result.units[0].predicted_class if large == PREDICTED else large
        return sorted(self.maps, key=lambda each: (each.method, each.target) != (first.method, wanted))

    def signed(self, shown: DisplaySettings) -> bool:
        """Whether one map holds both classes."""
        return self.result.method(shown.method).signed

    def stem(self, shown: DisplaySettings) -> str:
        """How names of files about one map begin: prefix, method and, where there are such, class and input."""
        parts = (shown.method, "" if self.signed(shown) else shown.target, shown.input)
        return self.prefix + "_".join(part for part in parts if part)


class Output(Protocol):
    """One kind of file. A new format is one file with one of these.

    Attributes:
        title: what is being done, for progress and timings.
    """

    title: str

    def names(self, content: Content) -> list[str]:
        """Names of the files, as paths within the folder, before anything is written."""

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """Write them.

        Args:
            folder: an existing one, which is put in place when all is done.
            content: what they tell.
            on_progress: is told how far it is.
            is_cancelled: is asked before each longer step.

        Raises:
            OSError: a file cannot be written.
            Cancelled: the user stopped the work.
        """


def names_of(outputs: Sequence[Output], content: Content) -> list[str]:
    """Names of all files that several outputs will write."""
    return [name for output in outputs for name in output.names(content)]
