"""Records the operations of one pass through a network.

Below the modules, by a dispatch mode of PyTorch, and not by ``torch.fx``'s symbolic tracing: MONAI's ResNet makes a
pooling layer and zeros within its ``forward``, which symbolic tracing refuses, and a system's members may do whatever
they like between images and logits. ``make_fx`` records as well, but takes as long as dozens of passes for a network of
two hundred layers. What is recorded holds for one shape of image and one mask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


class NotIncrementalError(Exception):
    """A network has a layer that cannot be computed in part; the message says which, as a sentence."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation whose result depends on the image.

    Attributes:
        function: an operator of ``torch.ops.aten``; None: this is the image itself.
        arguments: by position; what depends on the image is an :class:`Operation`, the rest are values.
        keywords: by name.
        index: which of the results is meant.
    """

    function: Any = None
    arguments: tuple[Any, ...] = ()
    keywords: Any = None
    index: int = 0

    @property
    def name(self) -> str:
        """The operator's."""
        return self.function.overloadpacket.__name__

    def takes(self) -> list[Operation]:
        """Results that it needs, in order."""
        from torch.utils import _pytree

        leaves = _pytree.tree_leaves((self.arguments, self.keywords))
        return [each for each in leaves if isinstance(each, Operation)]

    def by_name(self) -> dict[str, Any]:
        """Arguments by name, with their defaults."""
        schema = self.function._schema.arguments
        given = {each.name: each.default_value for each in schema if each.has_default_value()}
        given.update({each.name: value for each, value in zip(schema, self.arguments, strict=False)})
        return given | self.keywords


def recorded(answer: Callable[[Tensor], Tensor], image: Tensor) -> tuple[list[Operation], Operation]:
    """Operations of one pass in their order, the image first, and the one whose result the answer is.

    Raises:
        NotIncrementalError: the network writes into its values in a way that is not followed here.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map_only
    from torch.utils.weak import WeakIdKeyDictionary

    operations = [Operation()]
    made = WeakIdKeyDictionary()
    seen_twice: set[int] = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            told = tree_map_only(torch.Tensor, lambda each: made.get(each, each), (args, kwargs))
            result = function(*args, **kwargs)
            operation = Operation(function, told[0], told[1])
            if not operation.takes():
                return result
            if function._schema.is_mutable:
                operation = _without_writing(operation, args[0], seen_twice)
            elif any(each.alias_info for each in function._schema.returns):
                seen_twice.update(_places(args))
            operations.append(operation)
            several = isinstance(result, tuple | list)
            for n, each in enumerate(result if several else [result]):
                if not isinstance(each, torch.Tensor):
                    continue
                one = operation if n == 0 else Operation(function, operation.arguments, operation.keywords, n)
                made[each] = one
                if n:
                    operations.append(one)
            return result

    with torch.inference_mode(False), torch.no_grad():
        image = image.clone()
        made[image] = operations[0]
        with Recorder():
            logits = answer(image)
    if logits not in made:
        raise NotIncrementalError("The network's answer does not depend on the image.")
    return operations, made[logits]


def _places(arguments: Any) -> list[int]:
    import torch

    return [each.untyped_storage().data_ptr() for each in arguments if isinstance(each, torch.Tensor)]


def _without_writing(operation: Operation, target: Any, seen_twice: set[int]) -> Operation:
    """The same with a result of its own instead of one that is written in place."""
    import torch

    name = operation.name
    plain = getattr(torch.ops.aten, name[:-1], None) if name.endswith("_") else None
    overload = getattr(plain, operation.function._overloadname, None)
    if overload is None or not isinstance(operation.arguments[0], Operation) or seen_twice & set(_places([target])):
        raise NotIncrementalError(f"The layer “{name}” writes into values that others see.")
    return Operation(overload, operation.arguments, operation.keywords)
