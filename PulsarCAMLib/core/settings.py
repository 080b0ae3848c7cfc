"""Settings said once: from the fields of a frozen dataclass come its checks, its card, its hash and its options.

A field made by :func:`option` says what it may be, how it is typed on the command line and whether it decides a result;
:class:`Settings` does the rest. The command line itself is made of these fields in ``cli/options/setting_options.py``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from .errors import InputError, PulsarCAMError
from .pluralize import capital
from .visible import shortened

MOST_SEED = 2**31 - 1
"""Every random number generator in use takes a seed up to here, and what is counted on from it."""

MOST_EPOCHS = 1_000_000

LARGEST_SEED = 2**64 - 1
"""PyTorch's largest."""

WORDS = {int: "a whole number", float: "a number", str: "a word", bool: "true or false", type(None): "null"}
LISTS = {int: "a list of whole numbers", float: "a list of numbers", str: "a list of words"}

_KEY = "PulsarCAM"


def is_finite(value: float) -> bool:
    """Whether a number can be computed with: neither NaN nor infinite, nor a whole one beyond all floats."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True)
class Range:
    """Numbers that can be meant; every number given is an end, and an end that is not given is open."""

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return is_finite(value) and not self.refusal(value)

    def refusal(self, value: float) -> str:
        """What is wrong, as in "is above 256"; empty if nothing is."""
        if self.at_least is not None and value < self.at_least:
            return f"is below {self.at_least:g}"
        if self.at_most is not None and value > self.at_most:
            return f"is above {self.at_most}"
        if self.above is not None and value <= self.above:
            return f"is not above {self.above:g}"
        return f"is not below {self.below:g}" if self.below is not None and value >= self.below else ""

    def __str__(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            return f"a number from {self.at_least:g} to {self.at_most:g}"
        ends = (("from {} on", self.at_least), ("above {}", self.above), ("below {}", self.below))
        upper = [] if self.at_most is None else [f"up to {self.at_most:g}"]
        return " ".join(["a number", " and ".join([text.format(end) for text, end in ends if end is not None] + upper)])


ANY_NUMBER = Range()


@dataclass(frozen=True)
class Option:
    """What a field says about itself.

    Attributes:
        flag: of the command line; empty: it has none.
        help: of the flag; the default is added where nothing in brackets ends it.
        metavar: of the flag.
        section: group of flags that a command offers or does not.
        after: name of a field behind which it is listed.
        choices: words that can be meant; of a list, each.
        within: numbers that can be meant; of a list, each.
        most_typed: above this a number on the command line is a slip of the pen.
        words: what is typed, to what is meant.
        unit: of what is typed: "share" or "mm".
        problem: finds what is wrong with a value, as part of a sentence.
        must: what it must be, where choices or range do not say it well.
        in_order: a list is kept in the order of the choices, each once, so that equal choices are equal settings.
        influence: whether it decides what comes out; what does not is no part of the hash.
        later: older cards lack it; it was then what is the default now.
        untold: left out of the card while it is the default, so that earlier settings keep their hash.
        unsaid: what cards mean that lack it, where that is not the default; left out of the card while it is this.
    """

    flag: str = ""
    help: str = ""
    metavar: str | None = None
    section: str = ""
    after: str = ""
    choices: tuple[str, ...] = ()
    within: Range = Range()
    most_typed: int | None = None
    words: Mapping[str, Any] = field(default_factory=dict)
    unit: str = ""
    problem: Callable[[Any], str | None] | None = None
    must: str = ""
    in_order: bool = False
    influence: bool = True
    later: bool = False
    untold: bool = False
    unsaid: Any = None

    def may_lack(self) -> bool:
        """Whether a card may do without it."""
        return self.later or self.untold or self.unsaid is not None

    def is_left_out(self, value: Any, default: Any) -> bool:
        """Whether a card does without it."""
        return (self.untold and value == default) or (self.unsaid is not None and value == self.unsaid)

    @property
    def dest(self) -> str:
        """Name of the parsed value."""
        return self.flag.lstrip("-").replace("-", "_")


def option(default: Any, flag: str = "", help: str = "", **about: Any) -> Any:
    """A field of :class:`Settings`: its default (or a function that makes it), and what :class:`Option` knows.

    The ends ``at_least``, ``at_most``, ``above`` and ``below`` of a :class:`Range` may be given as they are.
    """
    ends = {end: about.pop(end) for end in ("at_least", "at_most", "above", "below") if end in about}
    known = {_KEY: Option(flag, help, within=Range(**ends), **about)}
    return (
        field(default_factory=default, metadata=known) if callable(default) else field(default=default, metadata=known)
    )


def option_of(each: Field) -> Option:
    """What a field says about itself."""
    found: Option = each.metadata.get(_KEY, Option())
    return found


def default_of(each: Field) -> Any:
    """Default of a field."""
    return each.default if each.default_factory is MISSING else each.default_factory()


class Settings:
    """Base of frozen dataclasses of settings.

    A subclass may say :attr:`who` (as the sentences name it), :attr:`example` (as some are typed in one line),
    :attr:`error` (what it raises), :attr:`algorithm` (raised when the same settings give other results than before) and
    :meth:`disagreements`.
    """

    who: ClassVar[str] = "the settings"
    example: ClassVar[str] = ""
    error: ClassVar[type[PulsarCAMError]] = InputError
    algorithm: ClassVar[int | None] = None
    unknown: ClassVar[str] = "use one of {}"
    outdated: ClassVar[str] = ""
    """Sentence on cards with other fields, instead of the one that lists them."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            object.__setattr__(self, each.name, _settled(type(self), each, getattr(self, each.name)))
        for problem in self._problems():
            raise self.error(problem)

    def disagreements(self) -> Iterator[str]:
        """Sentences on values that do not go together; the first is raised."""
        return iter(())

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_card` reads them."""
        own = [(each, getattr(self, each.name)) for each in fields(self)]  # type: ignore[arg-type]
        return {e.name: plain(value) for e, value in own if not option_of(e).is_left_out(value, default_of(e))}

    @classmethod
    def from_card(cls, card: Any) -> Self:
        """From :meth:`to_card`'s values.

        Raises:
            PulsarCAMError: :attr:`error`: a field is missing, unknown or not usable.
        """
        hints = hints_of(cls)
        options = {each.name: option_of(each) for each in fields(cls)}  # type: ignore[arg-type]
        needed = {name for name, about in options.items() if not about.may_lack()}
        if not isinstance(card, Mapping) or not needed <= set(card) <= set(hints):
            raise cls.error(cls.outdated or cls._strange(card, needed))
        try:
            values = {name: about.unsaid for name, about in options.items() if about.unsaid is not None}
            values |= typed(cls, dict(card), capital(cls.who))
            return cls(**{name: _nested(hints[name], value) for name, value in values.items()})
        except (TypeError, ValueError) as error:
            raise cls.error(f"{capital(cls.who)} has a value of the wrong kind ({error}).") from error
        except PulsarCAMError as error:
            if isinstance(error, cls.error):
                raise
            raise cls.error(str(error)) from error

    def identity(self) -> str:
        """Hash of everything that decides the result, as far as settings do."""
        idle = {each.name for each in fields(self) if not option_of(each).influence}  # type: ignore[arg-type]
        card: Any = {name: value for name, value in self.to_card().items() if name not in idle}
        about = card if self.algorithm is None else [self.algorithm, card]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @classmethod
    def _strange(cls, card: Any, needed: set[str]) -> str:
        hints = hints_of(cls)
        given = set(card) if isinstance(card, Mapping) else set()
        ends = (("it lacks", sorted(needed - given)), ("unknown is", sorted(map(str, given - set(hints)))))
        told = "; ".join(
            [", ".join(hints), *(f"{text} {shortened(', '.join(names))}" for text, names in ends if names)]
        )
        return f"{capital(cls.who)} must have exactly these fields: {told}."

    def _problems(self) -> Iterator[str]:
        for each in fields(self):  # type: ignore[arg-type]
            about, value = option_of(each), getattr(self, each.name)
            name, count = _in_words(each.name), _count_of(hints_of(type(self))[each.name])
            if count and isinstance(value, tuple) and len(value) != count:
                yield f"The {name} of {self.who} {_is(value)}; it must have {count} values."
            if not _is_within(about, hints_of(type(self))[each.name], value):
                must = about.must or f"it must be {about.within}"
                is_ = f"are {shortened(', '.join(map(str, value)))}" if isinstance(value, tuple) else _is(value)
                yield f"The {name} of {self.who} {is_}; {must}."
            if about.choices and isinstance(value, tuple):
                strange = [str(word) for word in value if word not in about.choices]
                if strange or not value:
                    known, told = ", ".join(about.choices), shortened(", ".join(strange)) or "none"
                    yield f"The {name} of {self.who} are one or more of {known}, not {told}."
            elif about.choices and value not in about.choices:
                yield f"The {name} of {self.who} {_is(value)}; {self.unknown.format(', '.join(about.choices))}."
            problem = about.problem(value) if about.problem else None
            if problem:
                yield f"{capital(self.who)} cannot be used: {problem}."
        yield from self.disagreements()


def _is(value: object) -> str:
    return f"is {shortened(repr(value))}"


_TERMS = {"gi_limit": "limit of the gradient index"}
"""Fields whose names are short for something."""

_UNITS = {"gy": "in Gy", "mm": "in mm", "percent": "in per cent", "hu": "in HU"}


def _in_words(name: str) -> str:
    """Name of a field for people, as in "thresholds in Gy"."""
    if name in _TERMS:
        return _TERMS[name]
    *words, last = name.split("_")
    return " ".join([*words, _UNITS.get(last, last)])


def what_differs(there: Mapping[str, Any], here: Mapping[str, Any], but: tuple[str, ...] = ()) -> str:
    """What two cards of settings say differently, as in "epochs: 2 there, 4 here"; empty where nothing.

    Args:
        there: kept with an earlier result.
        here: asked for now.
        but: names that may differ.

    Examples:
        >>> what_differs({"training": {"epochs": 2}, "seed": 1}, {"training": {"epochs": 4}, "seed": 1})
        'epochs: 2 there, 4 here'
    """
    told = []
    for name in dict.fromkeys((*there, *here)):
        old, new = there.get(name), here.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            told.append(what_differs(old, new, but))
        elif name not in but and plain(old) != plain(new):
            told.append(f"{_in_words(name)}: {_as_said(old)} there, {_as_said(new)} here")
    return "; ".join(filter(None, told))


def _as_said(value: Any) -> str:
    return "none" if value is None else json.dumps(plain(value)).strip('"[]')


def plain(value: Any) -> Any:
    """As JSON values."""
    if hasattr(value, "to_card"):
        return value.to_card()
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return {key: plain(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def typed(kind: type, given: dict[str, Any], source: str) -> dict[str, Any]:
    """Settings as the fields of a dataclass want them: lists become tuples, everything else stays.

    A text is no list of its letters, and true is no number.

    Args:
        kind: dataclass whose fields are str, int, float, bool, tuples of these, other settings, or None.
        given: JSON values by name.
        source: who says so, as the beginning of a sentence.

    Raises:
        InputError: a name is not known or a value is of another kind.
    """
    hints = hints_of(kind)
    for name, value in given.items():
        if name not in hints:
            raise InputError(f"{source} has a setting {name!r} that is not known; there are {', '.join(hints)}.")
        if not _fits(value, hints[name]):
            raise InputError(
                f"{source} has a setting {name!r} of the wrong kind: it must be {_words(hints[name])}, not {value!r}."
            )
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


_HINTS: dict[type, dict[str, Any]] = {}


def hints_of(kind: type) -> dict[str, Any]:
    """Types of a dataclass's fields by name."""
    if kind not in _HINTS:
        found = get_type_hints(kind)
        _HINTS[kind] = {each.name: found[each.name] for each in fields(kind)}
    return _HINTS[kind]


def without_none(hint: Any) -> Any:
    """The type itself where None may stand for it."""
    if get_origin(hint) in (Union, UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _settled(kind: type, each: Field, value: Any) -> Any:
    hint, about = without_none(hints_of(kind)[each.name]), option_of(each)
    if get_origin(hint) is not tuple or _KEY not in each.metadata or value is None:
        return value
    if about.choices:
        words = (value,) if isinstance(value, str) else tuple(value)
        known = about.in_order and set(words) <= set(about.choices)
        return tuple(word for word in about.choices if word in words) if known else words
    if int in get_args(hint):  # whole numbers that were typed with commas between them
        return tuple(int(one) if isinstance(one, float) and one.is_integer() else one for one in value)
    return tuple(float(one) for one in value) if float in get_args(hint) else tuple(value)


def _count_of(hint: Any) -> int | None:
    """How many values a tuple of one length has."""
    kind = without_none(hint)
    return len(get_args(kind)) if get_origin(kind) is tuple and Ellipsis not in get_args(kind) else None


def _is_within(about: Option, hint: Any, value: Any) -> bool:
    if about.within == Range() or (value is None and hint != without_none(hint)):
        return True
    values = value if isinstance(value, tuple) else (value,)
    whole = without_none(hint) is int
    return all(not (whole and (isinstance(v, bool) or not isinstance(v, int))) and v in about.within for v in values)


def _nested(hint: Any, value: Any) -> Any:
    return hint.from_card(value) if isinstance(hint, type) and issubclass(hint, Settings) else value


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if hint is Any:
        return True
    if get_origin(hint) is tuple:
        return isinstance(value, (list, tuple)) and all(_fits(each, get_args(hint)[0]) for each in value)
    if get_origin(hint) in (dict, Mapping) or (isinstance(hint, type) and issubclass(hint, Settings)):
        return isinstance(value, Mapping)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, (int, float)) and is_finite(value)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_words, get_args(hint)))
    if get_origin(hint) is tuple:
        return LISTS[get_args(hint)[0]]
    return WORDS.get(hint, "values by name")
