"""What a layer asks of its inputs (`tf.layers.InputSpec`), and the check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.ops import nest
from gpersist.shapes import TensorShape

__all__ = ["InputSpec", "check_inputs"]


class InputSpec:
    """The rank, the type and the sizes that an input of a layer must have; what is None is not asked for.

    Args:
        dtype: of the elements.
        shape: the whole shape, in which None fits any size.
        ndim: the rank.
        max_ndim: the largest rank.
        min_ndim: the smallest rank.
        axes: sizes of some axes, by their numbers.
        allow_last_axis_squeeze: whether a last axis of 1 may be there, or be missing.
        name: the input's key, where a layer's inputs are a dict.

    Raises:
        TypeError: `axes` is no dict of numbers.
        ValueError: it tells of an axis beyond the rank.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, Any] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype).name
        known = TensorShape(shape)
        self.shape = None if known.rank is None else tuple(known.as_list())
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (ValueError, TypeError):
            raise TypeError(f"Argument `axes` must be a dict with integer keys. Received: axes={axes}") from None
        if self.axes and (self.ndim is not None or self.max_ndim is not None):
            last = (self.ndim or self.max_ndim or 0) - 1
            if max(self.axes) > last:
                raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {last}")

    def __repr__(self) -> str:
        told = ((name, getattr(self, name)) for name in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes"))
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in told if value)})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like it."""
        return {name: getattr(self, name) for name in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> InputSpec:
        """The one that these arguments make."""
        return cls(**config)


def check_inputs(specs: Any, inputs: Any, layer: str) -> None:
    """Holds a layer's inputs against what it asks of them.

    Args:
        specs: an `InputSpec`, a nest of them, or None.
        inputs: a tensor, or a nest of them.
        layer: the layer's name.

    Raises:
        TypeError: an input is no tensor.
        ValueError: there are too few or too many, or one does not fit.
    """
    if not specs:
        return
    wanted = nest.flatten(specs)
    if isinstance(inputs, Mapping) and all(spec.name for spec in wanted):
        names = [spec.name for spec in wanted]
        for name in names:
            if name not in inputs:
                raise ValueError(
                    f'Missing data for input "{name}". You passed a data dictionary with keys {list(inputs)}. Expected the following keys: {names}'
                )
        inputs = [inputs[name] for name in names]
    found = nest.flatten(inputs)
    for value in found:
        if not hasattr(value, "shape"):
            raise TypeError(f"Inputs to a layer should be tensors. Got '{value}' (of type {type(value)}) as input for layer '{layer}'.")
    if len(found) != len(wanted):
        raise ValueError(f'Layer "{layer}" expects {len(wanted)} input(s), but it received {len(found)} input tensors. Inputs received: {found}')
    for index, (value, spec) in enumerate(zip(found, wanted, strict=True)):
        if spec is None:
            continue
        shape = TensorShape(value.shape)
        if shape.rank is None:
            return
        if reason := _unfit(spec, value.dtype, shape):
            raise ValueError(f'Input {index} of layer "{layer}" is incompatible with the layer: {reason}')


def _unfit(spec: InputSpec, dtype: Any, shape: TensorShape) -> str | None:
    """Why an input of this type and of known rank is none that a layer takes."""
    sizes = shape.as_list()
    rank = len(sizes)
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {tuple(shape)}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {tuple(shape)}"
    if spec.dtype is not None and dtype.name != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={dtype}"
    for axis, size in spec.axes.items():
        wanted = getattr(size, "value", size)
        if wanted is not None and sizes[axis] not in (wanted, None):
            return f"expected axis {axis} of input shape to have value {wanted}, but received input with shape {tuple(sizes)}"
    if spec.shape is not None:
        ours, theirs = list(spec.shape), sizes
        if spec.allow_last_axis_squeeze:
            ours, theirs = (each[:-1] if each[-1:] == [1] else each for each in (ours, theirs))
        if any(None not in pair and pair[0] != pair[1] for pair in zip(ours, theirs, strict=False)):
            return f"expected shape={spec.shape}, found shape={tuple(sizes)}"
    return None
