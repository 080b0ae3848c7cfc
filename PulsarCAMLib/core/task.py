"""What a system is asked: its classes in order, with their words; whose answer; where the labels come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LESION, PATIENT, VISIT = "lesion", "patient", "visit"
UNITS = (LESION, PATIENT, VISIT)
"""Whose answer one answer is; a visit is one time point of a patient, seen together with the one before."""

PREDICTED = "predicted"
"""Stands for each unit's own class where a class is asked for."""

BOTH = "both"
"""Stands for the class where one map holds both."""

SHRINKAGE, GIVEN, COMPUTED = "shrinkage", "given", "computed"


@dataclass(frozen=True)
class TaskClass:
    """One class.

    Attributes:
        name: short, small letters: in options, files, tables and cards.
        adjective: of a unit of this class, as in "3 of 5 lesions responding".
        about: what it means, one clause.
        color: ``#rrggbb``, to be told from the others without red and green.
        outlook: what is said of a unit that is answered so, as in "Will probably shrink"; empty: "Probably" and the
            name.
    """

    name: str
    adjective: str
    about: str
    color: str
    outlook: str = ""

    @property
    def expected(self) -> str:
        """What is said of a unit that is answered so."""
        return self.outlook or f"Probably {self.name}"

    @property
    def column(self) -> str:
        """The name as part of a column's name."""
        return self.name.replace("-", "_")


@dataclass(frozen=True)
class LabelRule:
    """Where the class of a unit comes from in a cohort table.

    Attributes:
        kind: :data:`SHRINKAGE`: computed from two volumes, and typed into ``column`` only where there is no volume;
            :data:`GIVEN`: typed into ``column``, as the class's name or its number in the task's order;
            :data:`COMPUTED`: typed likewise, and where it is not, computed by the system from what else the table
            says of the patient's visits.
        column: of the cohort table.
        rules: name to title of the rules by which it may be computed; the first is the usual one.
    """

    kind: str = GIVEN
    column: str = "label"
    rules: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Task:
    """What is asked. Everything that names a class takes its words from here.

    Attributes:
        name: short, of cards.
        title: for people.
        classes: in the order of the network's answers; at least two.
        positive: the class whose probability is told first, and whose evidence a signed map counts as positive.
        explained: the class whose evidence is shown unless another one is asked for.
        unit: :data:`LESION`, :data:`PATIENT` or :data:`VISIT`.
        label: where labels come from.
        metrics: shown first in reports; names of :data:`.vocabulary.METRICS`.
        report_title: of a case's report; empty: made from ``title``.
        sorting: says which unit comes first where they are sorted by the positive class's probability; empty: so.
        large: the class whose map is the large one where maps of several were asked for; empty: each unit's predicted
            one, so that an answer stands beside what moved it.
        verb: what units of the positive class do, as in "respond"; empty: they "are" what its adjective says.

    Raises:
        ValueError: a programmer's mistake: fewer than two classes, a class twice, or one that is not among them.
    """

    name: str
    title: str
    classes: tuple[TaskClass, ...]
    positive: str
    explained: str
    unit: str = LESION
    label: LabelRule = LabelRule()
    metrics: tuple[str, ...] = ("balanced_accuracy", "auc")
    report_title: str = ""
    sorting: str = ""
    verb: str = ""
    large: str = ""

    def __post_init__(self) -> None:
        names = self.names
        if len(names) < 2 or len(set(names)) < len(names) or PREDICTED in names:
            raise ValueError(f"A task needs two classes or more, each once, none called {PREDICTED!r}: {names}.")
        if not {self.positive, self.explained, self.large or self.explained} <= set(names) or self.unit not in UNITS:
            raise ValueError(f"The task {self.name!r} names a class or unit that it does not have.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, in their order."""
        return tuple(each.name for each in self.classes)

    @property
    def targets(self) -> tuple[str, ...]:
        """What may be asked for where one class is: every class, and each unit's predicted one."""
        return (*self.names, PREDICTED)

    @property
    def shown_of_several(self) -> str:
        """What is large where maps of several classes were asked for: a class, or "predicted"."""
        return self.large or PREDICTED

    @property
    def binary(self) -> bool:
        """Whether there are two classes, so that the probability of one says that of the other."""
        return len(self.classes) == 2

    @property
    def every_class(self) -> str:
        """All classes, as in "the joint maximum of both classes"."""
        return f"{'both' if self.binary else 'all'} classes"

    @property
    def region(self) -> str:
        """What of an image is looked at for one unit, as in "correlation inside the lesion"."""
        return LESION if self.unit == LESION else "region looked at"

    @property
    def outline(self) -> str:
        """What bounds it, as in "the surface of the contour"."""
        return "contour" if self.unit == LESION else self.region

    @property
    def told(self) -> tuple[str, ...]:
        """Classes whose probability tables tell: the positive one of two, or all."""
        return (self.positive,) if self.binary else self.names

    @property
    def do(self) -> str:
        """Of several units of the positive class, as in "respond"."""
        return self.verb or f"are {self.of(self.positive).adjective}"

    @property
    def does(self) -> str:
        """Of one, as in "responds"."""
        return f"{self.verb}s" if self.verb else f"is {self.of(self.positive).adjective}"

    @property
    def did(self) -> str:
        """Of what has been, as in "responded"."""
        return f"{self.verb}ed" if self.verb else f"was {self.of(self.positive).adjective}"

    def index(self, name: str) -> int:
        """Number of a class in the order of the network's answers."""
        return self.names.index(name)

    def of(self, name: str) -> TaskClass:
        """The class of that name."""
        return self.classes[self.index(name)]

    def sign(self, name: str) -> float:
        """Of the class's evidence in a signed map of a binary task: 1 for the positive class, -1 for the other."""
        return 1.0 if name == self.positive else -1.0

    def probability_column(self, name: str | None = None) -> str:
        """Name of a table's column with the probability of a class; default: the positive one."""
        return f"probability_{self.of(name or self.positive).column}"

    def spread_column(self, name: str) -> str:
        """Name of a table's column with the spread of a class's probability over the ensemble."""
        return f"spread_{self.of(name).column}"

    def probability_title(self, name: str | None = None) -> str:
        """The same for people, as in "probability of response"."""
        return f"probability of {name or self.positive}"

    def short_probability_title(self, name: str | None = None) -> str:
        """The same where there is little room, as in "p(response)"."""
        return f"p({name or self.positive})"
