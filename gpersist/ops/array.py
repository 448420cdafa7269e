"""Tensors passed on, made, and given other shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.graph import (
    Operation,
    OpType,
    Tensor,
    apply,
    apply_op,
    constant_shape,
    constant_value,
    convert_to_tensor,
    name_scope,
    register_tensor_conversion_function,
    sample,
)
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.shapes import ShapeLike, TensorShape, as_shape, unknown_shape


class Identity(OpType):
    """Its input."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (sample("float[2,3]"), sample("string[2]"))
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return value

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        found: TensorShape | None = fold(op.inputs[0])
        return found


class StopGradient(OpType):
    """Its input, which no gradient passes."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (sample("float[2,3]"),)
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return value


class Shape(OpType):
    """The shape of its input."""

    inputs = "input: T"
    outputs = "output: out_type"
    attrs = "T: type, out_type: {int32, int64} = int32"
    samples = (sample("float[2,3]"), sample("float[]"), sample("float[2,0]", out_type="int64"))
    host_outputs = ("output",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([op._inputs[0].shape.rank])]

    @staticmethod
    def run(xp: Any, value: Array, *, out_type: DType) -> np.ndarray[Any, Any]:
        return np.array(np.shape(value), out_type.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        shape = op.inputs[0].shape
        return np.array(shape.as_list(), op.attr("out_type").numpy) if shape.is_fully_defined() else None

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        return op.inputs[0].shape


class Reshape(OpType):
    """The same elements in another shape; one dimension may be -1, for what is left."""

    inputs = "tensor: T, shape: Tshape"
    outputs = "output: T"
    attrs = "T: type, Tshape: {int32, int64} = int32"
    samples = (sample("float[2,3]", "int32: [3, 2]"), sample("float[2,3]", "int32: [-1]"), sample("float[1]", "int32: []"))
    host_inputs = ("shape",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape, known = op._inputs[0].shape, constant_shape(op._inputs[1])
        sizes, count = known.sizes, shape.num_elements()
        if sizes is None or count is None:
            return [known]
        rest = 1
        for size in sizes:
            rest *= 1 if size is None else size
        unknown = sizes.count(None)
        if unknown == 1 and constant_value(op._inputs[1]) is not None:
            if not rest or count % rest:
                raise ValueError(f"Dimension size must be evenly divisible by {rest} but is {count}")
            return [TensorShape(count // rest if size is None else size for size in sizes)]
        if not unknown and rest != count:
            raise ValueError(f"Cannot reshape a tensor with {count} elements to shape {list(sizes)} ({rest} elements)")
        return [known]

    @staticmethod
    def run(xp: Any, value: Array, shape: Any) -> Array:
        return xp.reshape(value, tuple(shape.tolist()))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [reshape(grad, shape_of(op.inputs[0])), None]


class Fill(OpType):
    """A tensor of one value."""

    inputs = "dims: index_type, value: T"
    outputs = "output: T"
    attrs = "T: type, index_type: {int32, int64} = int32"
    samples = (sample("int32: [2, 3]", "float[]"), sample("int64: [0]", "int32[]"))
    host_inputs = ("dims",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0])]

    @staticmethod
    def run(xp: Any, dims: Any, value: Any) -> Array:
        return xp.full(tuple(dims.tolist()), value, dtype=value.dtype if hasattr(value, "dtype") else object)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        from gpersist.ops.math import reduce_sum

        return [None, reduce_sum(grad)]


class Pack(OpType):
    """Tensors of one shape, stacked along a new axis."""

    inputs = "values: N * T"
    outputs = "output: T"
    attrs = "N: int >= 1, T: type, axis: int = 0"
    samples = (sample(["float[2,3]", "float[2,3]"]), sample(["float[2]", "float[2]", "float[2]"], axis=-1), sample(["float[]"]))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (shape,) = shape_functions.merged(op)
        sizes, axis = shape.sizes, op.attr("axis")
        if sizes is None:
            return [unknown_shape()]
        if not -len(sizes) - 1 <= axis <= len(sizes):
            raise ValueError(f"Invalid axis {axis}: must be in [{-len(sizes) - 1},{len(sizes) + 1})")
        axis += len(sizes) + 1 if axis < 0 else 0
        return [TensorShape([*sizes[:axis], len(op._inputs), *sizes[axis:]])]

    @staticmethod
    def run(xp: Any, values: list[Array], *, axis: int) -> Array:
        return xp.stack([xp.asarray(value) for value in values], axis)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(unstack(grad, len(op.inputs), op.attr("axis")))

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        if op.attr("axis") != 0 or any(tensor.shape.rank != 0 for tensor in op.inputs):
            return None
        values = [constant_value(tensor) for tensor in op.inputs]
        return TensorShape([None if value is None or value < 0 else int(value) for value in values])


class Unpack(OpType):
    """A tensor taken apart along an axis."""

    inputs = "value: T"
    outputs = "output: num * T"
    attrs = "num: int >= 0, T: type, axis: int = 0"
    samples = (sample("float[2,3]", num=2), sample("float[2,3]", num=3, axis=-1))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axis, count = op._inputs[0].shape.sizes, op.attr("axis"), op.attr("num")
        if sizes is None:
            return [unknown_shape()] * count
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Invalid axis {axis}: must be in [{-len(sizes)},{len(sizes)})")
        axis %= len(sizes)
        if sizes[axis] not in (None, count):
            raise ValueError(f"Dimension must be {count} but is {sizes[axis]}")
        return [TensorShape([*sizes[:axis], *sizes[axis + 1 :]])] * count

    @staticmethod
    def run(xp: Any, value: Array, *, axis: int) -> list[Array]:
        return list(xp.moveaxis(value, axis, 0))

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> Tensor:
        return stack(grads, op.attr("axis"))


def identity(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The same value, of another node (`tf.identity`)."""
    return apply("Identity", input, name=name)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The same value, which no gradient passes (`tf.stop_gradient`)."""
    return apply("StopGradient", input, name=name)


def shape_of(input: Any, name: str | None = None, out_type: Any = "int32", optimize: bool = True) -> Tensor:
    """The shape of a tensor, as a tensor (`tf.shape`): a constant where it is known, unless `optimize` is off."""
    with name_scope(name, "Shape", [input]) as scope:
        tensor = convert_to_tensor(input)
        if optimize and tensor.shape.is_fully_defined():
            return constant(tensor.shape.as_list(), out_type, name=scope)
        return apply("Shape", tensor, out_type=as_dtype(out_type), name=scope)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape (`tf.reshape`)."""
    result = apply("Reshape", tensor, shape, name=name)
    return result


def fill(dims: Any, value: Any, name: str | None = None, index_type: Any = None) -> Tensor:
    """A tensor of one value (`tf.fill`)."""
    return apply("Fill", dims, value, name=name, index_type=index_type)


def zeros(shape: ShapeLike, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A tensor of zeros, False or empty texts (`tf.zeros`)."""
    return _filled(0, shape, as_dtype(dtype).base_dtype, name, "zeros")


def ones(shape: ShapeLike, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A tensor of ones, or True (`tf.ones`)."""
    return _filled(1, shape, as_dtype(dtype).base_dtype, name, "ones")


def stack(values: Sequence[Any], axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape stacked along a new axis (`tf.stack`)."""
    if axis == 0:
        try:
            return constant(values, name=name)  # plain numbers
        except (TypeError, ValueError, NotImplementedError):
            pass
    return apply("Pack", list(values), axis=axis, name=name)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """A tensor taken apart along an axis (`tf.unstack`).

    Raises:
        ValueError: how many parts there are is neither given nor known.
    """
    if num is None:
        tensor = value = convert_to_tensor(value)
        sizes = tensor.shape.sizes
        num = None if sizes is None else sizes[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {tensor.shape}")
    return list(apply_op("Unpack", value, num=num, axis=axis, name=name).outputs)


def _filled(number: int, shape: Any, dtype: DType, name: str | None, default_name: str) -> Tensor:
    value: Any = (b"" if number == 0 else b"1") if dtype.is_string else bool(number) if dtype.is_bool else number
    with name_scope(name, default_name, [shape] if isinstance(shape, Tensor) else None) as scope:
        if not isinstance(shape, Tensor):
            try:
                known = as_shape(shape)
            except TypeError:
                shape = convert_to_tensor(shape, "int32")  # a list with tensors in it
            else:
                count = known.num_elements()
                if not isinstance(shape, int) and count is not None and count < _MAX_CONSTANT_ELEMENTS:
                    return constant(value, dtype, known, name=scope)
                shape = convert_to_tensor(known)
        return fill(shape, constant(value, dtype), name=scope)


_MAX_CONSTANT_ELEMENTS = 1000
"""As many zeros as TensorFlow makes a constant of; more are filled in at run time."""


def _packed(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    """Lists with tensors among their items become a Pack."""
    if not _has_tensor(value):
        return NotImplemented
    inferred = _first_dtype(value)
    if dtype is not None and inferred is not None and dtype.base_dtype is not inferred:
        return NotImplemented
    return _pack(value, dtype or inferred, name or "packed")


def _pack(value: Any, dtype: DType | None, name: str) -> Tensor:
    with name_scope(name) as scope:
        parts: list[Any] = []
        for index, item in enumerate(value):
            if isinstance(item, (list, tuple)) and _has_tensor(item):
                parts.append(_pack(item, dtype, str(index)))
            else:
                parts.append(item if isinstance(item, Tensor) else convert_to_tensor(item, dtype, str(index)))
        return apply("Pack", parts, name=scope)


def _has_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_tensor, value))
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _first_dtype(value: Any) -> DType | None:
    if isinstance(value, (list, tuple)):
        return next((found for found in map(_first_dtype, value) if found is not None), None)
    return value.dtype.base_dtype if _has_tensor(value) else None


register_tensor_conversion_function((list, tuple), _packed, 99)
