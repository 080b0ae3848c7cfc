"""Networks that are shown some of a system's inputs only: what an ablation asks of a system.

Every :class:`.contract.System` has these; one whose network can do with fewer channels overrides :meth:`shown_only`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.errors import InputError, PulsarCAMError
from .learning.channels import ZEROS

if TYPE_CHECKING:
    from .contract import System

FEW = 3
"""Up to so many inputs all subsets are usual; of more each alone and all but each."""


@dataclass(frozen=True)
class InputSubset:
    """A network of fewer inputs, on the samples of the network of all.

    Attributes:
        name: its words, joined by "+".
        title: for people.
        preprocessing: of the network of the subset.
        channels: for each of its channels the one of the whole network's samples, or ``ZEROS`` where the network has to
            have the channel and shall see nothing in it.
    """

    name: str
    title: str
    preprocessing: Any
    channels: tuple[int, ...]


class InputSubsets:
    """Base of :class:`.contract.System`.

    Attributes:
        beside: subsets that a study judges beside the network of all inputs without being asked, for they are known to
            carry much by themselves.
    """

    beside: ClassVar[tuple[str, ...]] = ()

    def subset_words(self: Any, preprocessing: Any) -> Mapping[str, str]:
        """Words of which names of subsets are made, in their order, to what they mean; default: inputs to titles."""
        titles = {role.name: role.title for role in self.inputs}
        return {name: titles[name] for names in self.channel_roles(preprocessing) for name in names}

    def usual_subsets(self, preprocessing: Any) -> tuple[str, ...]:
        """Names of the subsets that an ablation looks at unless others are named; the whole is none of them."""
        words = tuple(self.subset_words(preprocessing))
        sizes = range(1, len(words)) if len(words) <= FEW else (1, len(words) - 1)
        return tuple("+".join(part) for size in sizes for part in combinations(words, size))

    def plain_subset(self, preprocessing: Any, words: Sequence[str]) -> tuple[str, ...]:
        """The words of a subset in their order, without those that say nothing; empty: it is the whole."""
        known = tuple(self.subset_words(preprocessing))
        return () if set(words) >= set(known) else tuple(word for word in known if word in words)

    def unused_inputs(self, preprocessing: Any) -> tuple[str, ...]:
        """Names of inputs that change nothing with this preprocessing, so that none is taken in silence."""
        return ()

    def shown_only(self, preprocessing: Any, words: Sequence[str]) -> Any:
        """The preprocessing of a network that has channels of a subset alone.

        Default: None, for the network has to have all of its channels; those of other inputs are set to zero.
        """
        return None


def input_subset(system: System, preprocessing: Any, name: str) -> InputSubset:
    """A subset by its name, such as "rtdose+postop", in whatever order.

    Raises:
        InputError: it names what is none of the inputs, or all of them.
    """
    known = system.subset_words(preprocessing)
    words = [word.strip() for word in name.split("+")]
    unknown = [word for word in words if word not in known]
    if unknown or len(known) < 2:
        there = f"it sees {', '.join(known)}" if len(known) > 1 else "its network sees one image only"
        raise InputError(f"{unknown[0] if unknown else name!r} is no part of what {system.title} sees; {there}.")
    plain = system.plain_subset(preprocessing, words)
    if not plain:
        raise InputError(f"“{name}” is all that {system.title} sees, which is the network itself; leave it out.")
    try:
        own = system.shown_only(preprocessing, plain)
    except PulsarCAMError as error:
        raise InputError(f"The subset “{name}”: {error}") from error
    whole = system.channel_roles(preprocessing)
    if own is None:
        channels = tuple(n if set(roles) <= set(plain) else ZEROS for n, roles in enumerate(whole))
        if set(channels) == {ZEROS}:
            raise InputError(f"The subset “{name}” leaves {system.title} no channel to see; name more of its inputs.")
    else:
        channels = tuple(whole.index(roles) for roles in system.channel_roles(own))
    title = f"{' + '.join(known[word] for word in plain)}{' alone' if len(plain) == 1 else ''}"
    return InputSubset("+".join(plain), title, own or preprocessing, channels)
