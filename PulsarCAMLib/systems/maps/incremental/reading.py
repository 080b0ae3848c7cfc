"""Makes layers of the recorded operations of a network, and a head of what comes after the mean over space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from .recording import NotIncrementalError, Operation, recorded
from .steps import (
    Activation,
    Concatenation,
    Convolution,
    MaxPooling,
    Mean,
    MeanPooling,
    Rectifier,
    Scaling,
    Step,
    Sum,
)
from .windows import Sliding

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass
class Layers:
    """A network as layers in space and a head.

    Attributes:
        steps: in the order in which they are computed; layer 0 is the image.
        head: logits ``[1, classes]`` of what ``ends`` give, each ``[1, channels]`` or ``[1, channels, 1, 1, 1]``.
        ends: numbers of the layers that the head takes.
    """

    steps: list[Step]
    head: Callable[..., Tensor]
    ends: tuple[int, ...]


@dataclass
class _Reader:
    """Layers as they are found.

    Attributes:
        axes: of space.
        dtype: of the image.
        numbers: of the layers; -1 within the head.
        pooled: means over space, and what the head makes of them.
        steps: in order.
    """

    axes: int
    dtype: torch.dtype
    numbers: dict[Operation, int] = field(default_factory=dict)
    pooled: set[Operation] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)

    def add(self, made: Operation, kind: type[Step], inputs: Sequence[Operation], **fields: Any) -> None:
        """One layer more."""
        number = len(self.steps) + 1
        self.steps.append(kind(inputs=tuple(self.numbers[each] for each in inputs), output=number, **fields))
        self.numbers[made] = number


def read_layers(answer: Callable[[Tensor], Tensor], image: Tensor) -> Layers:
    """Layers of a network.

    Args:
        answer: logits ``[n, classes]`` of images ``[n, channels, *size]``.
        image: ``[1, channels, *size]``.

    Raises:
        NotIncrementalError: there is a layer of which a part cannot be computed alone.
    """
    operations, answered = recorded(answer, image)
    reader = _Reader(image.ndim - 2, image.dtype, {operations[0]: 0})
    needed = {answered}
    for made in reversed(operations):
        if made in needed:
            needed.update(made.takes())
    for made in operations[1:]:
        if made not in needed:
            continue
        if all(each in reader.pooled for each in made.takes()):
            reader.numbers[made] = -1
            reader.pooled.add(made)
            continue
        read = _READERS.get(made.name)
        if read is None or made.index or any(each in reader.pooled for each in made.takes()):
            raise NotIncrementalError(f"The layer “{made.name}” needs the whole image.")
        read(reader, made)
    if answered not in reader.pooled:
        raise NotIncrementalError("The network takes no mean over space before it answers.")
    return _finished(reader, [each for each in operations if each in needed], answered)


def _window(reader: _Reader, given: dict[str, Any], kernel: Sequence[int]) -> Sliding:
    def of_axes(values: Any, default: int) -> tuple[int, ...]:
        values = list(values) if values else [default]
        return tuple(int(n) for n in (values * reader.axes if len(values) == 1 else values))

    stride = given["stride"] or kernel
    return Sliding(
        of_axes(kernel, 1), of_axes(stride, 1), of_axes(given["padding"], 0), of_axes(given.get("dilation"), 1)
    )


def _convolution(reader: _Reader, made: Operation) -> None:
    given = made.by_name()
    if given["transposed"] or isinstance(given["weight"], Operation):
        raise NotIncrementalError("A convolution that enlarges its input needs the whole image.")
    weight, bias = given["weight"].detach(), given["bias"]
    window = _window(reader, given, weight.shape[2:])
    bias = None if bias is None else bias.detach()
    reader.add(made, Convolution, [given["input"]], weight=weight, bias=bias, window=window, groups=given["groups"])


def _max_pooling(reader: _Reader, made: Operation) -> None:
    given = made.by_name()
    window = _window(reader, given, given["kernel_size"])
    reader.add(made, MaxPooling, [given["self"]], window=window, ceil=given["ceil_mode"])


def _mean_pooling(reader: _Reader, made: Operation) -> None:
    given = made.by_name()
    window = _window(reader, given, given["kernel_size"])
    if given["ceil_mode"] or given["divisor_override"] or (any(window.padding) and not given["count_include_pad"]):
        raise NotIncrementalError("A mean over windows that are smaller at the edge is not computed in part.")
    reader.add(made, MeanPooling, [given["self"]], window=window)


def _batch_norm(reader: _Reader, made: Operation) -> None:
    given = made.by_name()
    if given.get("training") or len(made.takes()) > 1:
        raise NotIncrementalError("Batch normalisation that is being trained needs the whole image.")
    weight, bias = (given[each] for each in ("weight", "bias"))
    mean, variance = (given[each] for each in ("running_mean", "running_var"))
    if mean is None or variance is None:
        raise NotIncrementalError("Normalisation by the image's own mean needs the whole image.")
    scale = (variance + given["eps"]).rsqrt() * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    shape = (1, -1, *[1] * reader.axes)
    reader.add(
        made, Scaling, [given["input"]], scale=scale.detach().reshape(shape), shift=shift.detach().reshape(shape)
    )


def _activation(reader: _Reader, made: Operation) -> None:
    if made.name == "relu":
        import torch

        reader.add(made, Rectifier, [made.arguments[0]], function=torch.relu)
        return
    rest, keywords, target = made.arguments[1:], made.keywords, made.function
    if len(made.takes()) > 1:
        raise NotIncrementalError(f"The layer “{made.name}” takes two layers that change.")
    reader.add(made, Activation, [made.arguments[0]], function=lambda values: target(values, *rest, **keywords))


def _same(reader: _Reader, made: Operation) -> None:
    reader.numbers[made] = reader.numbers[made.arguments[0]]


def _arithmetic(reader: _Reader, made: Operation) -> None:
    """Sum or difference of layers, or of a layer and a constant; product with a constant."""
    given, name = made.by_name(), made.name
    first, second = given["self"], given["other"]
    if name == "rsub":
        name, first, second = "sub", second, first
    alpha = given.get("alpha", 1)
    changing = [each for each in (first, second) if isinstance(each, Operation)]
    sign = -alpha if name == "sub" else alpha
    if len(changing) == 2:
        if name not in ("add", "sub"):
            raise NotIncrementalError(f"The layer “{name}” takes two layers that change.")
        reader.add(made, Sum, [first, second], weights=(1.0, float(sign)))
        return
    constant = _constant(reader, second if changing[0] is first else first)
    if name in ("add", "sub"):
        if changing[0] is first:
            reader.add(made, Scaling, changing, scale=None, shift=constant * sign)
        else:
            reader.add(made, Scaling, changing, scale=_constant(reader, float(sign)), shift=constant)
    elif name == "mul" or changing[0] is first:
        reader.add(made, Scaling, changing, scale=constant if name == "mul" else 1 / constant, shift=None)
    else:
        raise NotIncrementalError("Division by a layer is not computed in part.")


def _constant(reader: _Reader, argument: Any) -> Tensor:
    """A number or known tensor with all axes."""
    import torch

    value = torch.as_tensor(argument).detach().to(reader.dtype)
    return value.reshape([1] * (reader.axes + 2 - value.ndim) + list(value.shape))


def _concatenation(reader: _Reader, made: Operation) -> None:
    given = made.by_name()
    if given["dim"] not in (1, -1 - reader.axes):
        raise NotIncrementalError("Layers are put together along an axis of space.")
    tensors = given["tensors"]
    changing = list(dict.fromkeys(each for each in tensors if isinstance(each, Operation)))
    order = tuple(reader.numbers[e] if isinstance(e, Operation) else e for e in tensors)
    reader.add(made, Concatenation, changing, order=order)


def _mean(reader: _Reader, made: Operation) -> None:
    given, name = made.by_name(), made.name
    axes = given.get("dim") if name == "mean" else list(range(-reader.axes, 0))
    if name != "mean" and prod(given["output_size"]) != 1:
        raise NotIncrementalError("A mean over parts of unequal size needs the whole image.")
    count = reader.axes + 2
    if axes is None or sorted(int(n) % count for n in axes) != list(range(2, count)):
        raise NotIncrementalError("A mean over channels, or over some axes of space only, needs the whole image.")
    reader.add(made, Mean, [given["self"]], keep=name != "mean" or bool(given["keepdim"]))
    reader.pooled.add(made)


_POINTWISE = (
    *("relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid"),
    *("softplus", "mish", "abs", "clamp", "clamp_min", "exp"),
)
_READERS: dict[str, Callable[[_Reader, Operation], None]] = {
    "convolution": _convolution,
    "native_batch_norm": _batch_norm,
    "cudnn_batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "cat": _concatenation,
    "mean": _mean,
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d"), _mean),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), _max_pooling),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _mean_pooling),
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div"), _arithmetic),
    **dict.fromkeys(("detach", "clone", "alias", "contiguous"), _same),
    **dict.fromkeys(_POINTWISE, _activation),
}


def _finished(reader: _Reader, operations: Sequence[Operation], answered: Operation) -> Layers:
    """Layers without detours, and the head as a function."""
    from torch.utils._pytree import tree_map_only

    head = [each for each in operations if reader.numbers.get(each) == -1]
    ends = [each for each in operations if each in reader.pooled and reader.numbers[each] > 0]

    def run(*values: Tensor) -> Tensor:
        found = dict(zip(ends, values, strict=True))
        for each in head:
            positional, named = tree_map_only(Operation, found.__getitem__, (each.arguments, each.keywords))
            result = each.function(*positional, **named)
            found[each] = result[each.index] if isinstance(result, tuple | list) else result
        return found[answered]

    numbers = tuple(reader.numbers[each] for each in ends)
    return Layers(_simplified(reader.steps, numbers), run, numbers)


def _simplified(steps: list[Step], ends: Sequence[int]) -> list[Step]:
    """Batch normalisation within the convolution before it; the largest of a window before ReLU, not after it."""
    takers: dict[int, list[Step]] = {}
    for step in steps:
        for number in step.inputs:
            takers.setdefault(number, []).append(step)
    makers = {step.output: step for step in steps}
    gone: set[int] = set()
    for step in steps:
        before = makers.get(step.inputs[0])
        if before is None or len(takers[before.output]) != 1 or before.output in ends:
            continue
        if isinstance(step, Scaling) and isinstance(before, Convolution) and _by_channel(step):
            _fold(before, step)
            gone.add(id(step))
            before.output = step.output
            makers[step.output] = before
        elif isinstance(step, MaxPooling) and type(before) is Rectifier:
            place = {id(each): n for n, each in enumerate(steps)}
            first, second = place[id(before)], place[id(step)]
            step.inputs, step.output, before.inputs, before.output = (
                before.inputs,
                before.output,
                (before.output,),
                step.output,
            )
            steps[first], steps[second] = step, before
            makers[step.output], makers[before.output] = step, before
            takers[step.output] = [before]
    return [step for step in steps if id(step) not in gone]


def _by_channel(step: Scaling) -> bool:
    return all(each is None or prod(each.shape[2:]) == 1 for each in (step.scale, step.shift))


def _fold(convolution: Convolution, step: Scaling) -> None:
    """Scale and shift after a convolution as its own weights and bias."""
    channels = len(convolution.weight)
    bias = convolution.bias
    if step.scale is not None:
        scale = step.scale.reshape(-1).expand(channels)
        convolution.weight = convolution.weight * scale.reshape(-1, *[1] * (convolution.weight.ndim - 1))
        bias = None if bias is None else bias * scale
    if step.shift is not None:
        shift = step.shift.reshape(-1).expand(channels)
        bias = shift.clone() if bias is None else bias + shift
    convolution.bias = bias
