"""How a table of units names things, and which of its columns the panel shows."""

from __future__ import annotations

from dataclasses import dataclass

from slicer.i18n import tr as _

from ...core.task import LESION, UNITS
from ...systems.registry import all_measures

PROBABILITY, SPREAD, SPREAD_OF = "probability_", "probability_spread", "spread_"
ANSWER, LOW, HIGH, PREDICTED_CLASS = "answer", "answer_low", "answer_high", "predicted_class"
COLUMNS = (PREDICTED_CLASS, SPREAD)
"""Of every table of units, behind the unit's own name."""


@dataclass(frozen=True)
class UnitColumns:
    """From a table's columns: they are there again when a scene is opened, the model perhaps not.

    Attributes:
        column: of the unit's name, "lesion" or "patient".
        told: columns of probabilities.
        measures: columns that say how large it is.
    """

    column: str = "lesion"
    told: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: list[dict]) -> UnitColumns:
        """Of the rows of a table."""
        names = list(rows[0]) if rows else []
        told = tuple(name for name in names if name.startswith(PROBABILITY) and name != SPREAD)
        return cls(names[0], told, tuple(name for name in all_measures() if name in names)) if names else cls()

    @property
    def columns(self) -> tuple[str, ...]:
        """Shown, in order."""
        return (self.column, ANSWER, *self.told, *self.measures)

    @property
    def sorted_by(self) -> int:
        """Number of the column that sorts at first: the first probability."""
        return self.columns.index(self.told[0]) if self.told else 0

    def class_of(self, column: str) -> str:
        """Name of the class whose probability a column holds."""
        return column.removeprefix(PROBABILITY).replace("_", "-")

    def name(self, row: dict) -> str:
        """Of the unit of a row."""
        return row[self.column]

    def spread_of(self, row: dict, column: str) -> float | None:
        """Spread of a probability; None in tables that were written before each class had its own."""
        own = SPREAD if len(self.told) == 1 else SPREAD_OF + column.removeprefix(PROBABILITY)
        return row.get(own)

    def value(self, row: dict, column: str):
        """What a column is sorted by."""
        return answer_of(row) if column == ANSWER else row[column]

    def headings(self) -> list[tuple[str, str]]:
        """Text and tool tip of each."""
        lesions = self.column == LESION
        with_range = len(self.told) == 1
        tip = _("Probability of {name}: the mean over the ensemble ± its standard deviation")
        if with_range:
            tip = _(
                "Probability of {name}: the mean over the ensemble, and in brackets from where to where it goes over "
                "its members and over half a voxel"
            )
        names = [self.class_of(column) for column in self.told]
        sizes = [all_measures()[column].removeprefix("Volume ") for column in self.measures]
        size_tip = _("Volume of the contoured lesion") if lesions else _("Measured on the outline")
        answer_tip = _("What is to be expected; uncertain is what could as well have been answered otherwise")
        return [
            (self.column.capitalize(), _("Name of the contour") if lesions else _("Whose answer it is")),
            (_("Answer"), answer_tip),
            *((f"P({name})", tip.format(name=name)) for name in names),
            *((size, size_tip) for size in sizes),
        ]

    def figure(self, row: dict, column: str) -> str:
        """What stands in the cell of a number."""
        if column not in self.told:
            return f"{row[column]:.2f}"
        if len(self.told) == 1 and has_range(row):
            low, high = row[LOW], row[HIGH]
            return f"{row[column]:.2f}" + (_(" ({low:.2f} to {high:.2f})").format(low=low, high=high) * (high > low))
        spread = self.spread_of(row, column)
        return f"{row[column]:.2f}" + (f" ± {spread:.2f}" if spread is not None else "")


def has_range(row: dict) -> bool:
    """Whether a row has its answer in words; those of earlier versions have not."""
    return all(row.get(name) is not None for name in (ANSWER, LOW, HIGH))


def predicted(row: dict) -> str:
    """The predicted class, written as columns write classes."""
    return row[PREDICTED_CLASS].replace("_", "-")


def answer_of(row: dict) -> str:
    """The class that is answered, or "uncertain"; of tables of earlier versions the predicted class."""
    return row[ANSWER].replace("_", "-") if row.get(ANSWER) else predicted(row)


def known_rows(rows: list[dict]) -> list[dict]:
    """Rows of a table that PulsarCAM wrote; of any other table none."""
    own = [row for row in rows if next(iter(row)) in UNITS and all(column in row for column in COLUMNS)]
    return own if UnitColumns.of(own).told else []
