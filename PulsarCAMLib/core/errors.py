"""Errors whose message is one sentence for the person: what, where, what to do."""

from __future__ import annotations

from dataclasses import dataclass

OPTION, PANEL, COLUMN = "option", "panel", "column"
"""Where the person is that reads an error: at the command line, in the panel, over a cohort table."""


@dataclass(frozen=True)
class Cure:
    """What to do about an error, in the words of whoever can do it.

    Attributes:
        do: the same for everybody, as in "choose them".
        option: how at the command line, as in "by --segments".
        panel: what to do in the panel instead.
        column: what to do in a cohort table instead.
    """

    do: str
    option: str = ""
    panel: str = ""
    column: str = ""

    def told(self, where: str = OPTION) -> str:
        """In the words of one place: :data:`OPTION`, :data:`PANEL` or :data:`COLUMN`."""
        at_command_line = f"{self.do} {self.option}".strip()
        return {OPTION: at_command_line, PANEL: self.panel, COLUMN: self.column}[where] or self.do


class PulsarCAMError(Exception):
    """Base of all errors that PulsarCAM raises on purpose; the message can be shown as it is.

    Attributes:
        what: what is wrong; with a cure it has no full stop.
        cure: what to do, if that depends on where the person is.
    """

    def __init__(self, what: str = "", cure: Cure | None = None) -> None:
        super().__init__(f"{what}; {cure.told()}." if cure else what)
        self.what, self.cure = what, cure

    def told(self, where: str) -> str:
        """The sentence in the words of one place, see :meth:`Cure.told`."""
        return f"{self.what}; {self.cure.told(where)}." if self.cure else str(self)


class InputError(PulsarCAMError):
    """An image, a mask or an option cannot be used."""


class GeometryError(InputError):
    """Image and mask do not share a space, or a geometry cannot be represented."""


class BundleError(PulsarCAMError):
    """A model bundle is damaged, unknown or does not fit."""


class OutputError(PulsarCAMError):
    """A result cannot be written where the user asked for it."""


class DependencyError(PulsarCAMError):
    """A package that PulsarCAM needs is missing, or its version does not fit."""


class Incomplete(PulsarCAMError):  # noqa: N818 - not a fault: what could be done is done, and written
    """Some of many could not be done; the others are."""


class Cancelled(PulsarCAMError):  # noqa: N818 - not a fault: the user asked for it
    """The user stopped the work."""
