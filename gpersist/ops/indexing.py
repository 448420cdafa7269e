"""Parts of a tensor by position: slice, strided_slice, and what `tensor[...]` makes."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import (
    Buffer,
    Context,
    Operation,
    OpType,
    SessionOpType,
    Tensor,
    apply,
    apply_op,
    constant_shape,
    constant_value,
    convert_to_tensor,
    name_scope,
    sample,
)
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.joining import concat, stack
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.ops.slice_spec import MASK_NAMES, SliceSpec, sliced_shape
from gpersist.shapes import Dimension, TensorShape, unknown_shape

__all__ = ["newaxis", "slice", "strided_slice"]

newaxis = None
"""A new dimension of 1, in `tensor[...]` (`tf.newaxis`)."""

_MASKS = "begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0"


class Slice(OpType):
    """A part of a tensor: in each dimension so many elements from a place on."""

    inputs = "input: T, begin: Index, size: Index"
    outputs = "output: T"
    attrs = "T: type, Index: {int32, int64}"
    samples = (
        sample("float[3,4]", "int32: [1, 0]", "int32: [2, 3]"),
        sample("float[3,4]", "int64: [1, 2]", "int64: [-1, 0]"),
        sample("string[3]", "int32: [1]", "int32: [-1]"),
        sample("int32[]", np.zeros(0, np.int32), np.zeros(0, np.int32)),
    )
    host_inputs = ("begin", "size")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, begin, size = op._inputs
        known = value.shape
        for vector in (begin, size):
            count = vector.shape.with_rank(1).sizes[0]  # type: ignore[index]  # the rank is known
            if count is not None:
                known = known.with_rank(count)
        starts, counts = constant_value(begin), constant_value(size)
        if known.sizes is None or counts is None:
            return [constant_shape(size) if starts is not None and counts is not None else unknown_shape(known.rank)]
        found: list[int | None] = []
        for axis, (whole, count) in enumerate(zip(known.sizes, counts.tolist(), strict=True)):
            if count == -1 and starts is not None and whole is not None:
                count = whole - int(starts[axis])
                if count < 0:
                    raise ValueError(f"Expected begin[{axis}] in [0, {whole}], but got {int(starts[axis])}")
            found.append(None if count == -1 else count)
        return [TensorShape(found)]

    @staticmethod
    def run(xp: Any, value: Array, begin: Any, size: Any) -> Array:
        array = as_array(xp, value)
        starts, counts = begin.tolist(), size.tolist()
        if not len(starts) == len(counts) == array.ndim:
            raise InvalidArgumentError(
                f"Expected begin and size arguments to be 1-D tensors of size {array.ndim}, but got shapes [{len(starts)}] and [{len(counts)}]."
            )
        index = []
        for axis, (whole, start, count) in enumerate(zip(array.shape, starts, counts, strict=True)):
            if not 0 <= start <= whole:
                raise InvalidArgumentError(f"Expected begin[{axis}] in [0, {whole}], but got {start}")
            count = whole - start if count == -1 else count
            if not 0 <= count <= whole - start:
                raise InvalidArgumentError(f"Expected size[{axis}] in [0, {whole - start}], but got {count}")
            index.append(builtins.slice(start, start + count))
        return as_array(xp, array[tuple(index)])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, begin, _ = op.inputs
        dtype = begin.dtype.base_dtype
        count = rank(value)
        taken = shape_of(op.outputs[0], out_type=dtype)
        column = stack([count, 1])
        before = reshape(begin, column)
        after = reshape(shape_of(value, out_type=dtype) - taken - begin, column)
        return [apply("Pad", grad, concat([before, after], 1)), None, None]


class StridedSlice(OpType):
    """A part of a tensor as Python's slices say it."""

    inputs = "input: T, begin: Index, end: Index, strides: Index"
    outputs = "output: T"
    attrs = f"T: type, Index: {{int16, int32, int64}}, {_MASKS}"
    samples = (
        sample("float[3,4]", "int32: [0, 1]", "int32: [3, 4]", "int32: [2, 1]"),
        sample("float[3,4]", "int32: [0, 3]", "int32: [0, 0]", "int32: [1, -2]", begin_mask=1, end_mask=3),
        sample("float[3,4,2]", "int64: [0, -1]", "int64: [0, 0]", "int64: [1, 1]", ellipsis_mask=1, shrink_axis_mask=2),
        sample("float[3]", "int32: [0, 1]", "int32: [0, 2]", "int32: [1, 1]", new_axis_mask=1),
        sample("int32[3]", "int32: [1]", "int32: [2]", "int32: [1]", shrink_axis_mask=1),
        sample("string[3]", "int32: [1]", "int32: [9]", "int32: [1]"),
        sample("float[3]", "int32: [2]", "int32: [1]", "int32: [1]"),
    )
    host_inputs = ("begin", "end", "strides")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [sliced_shape(op, op._inputs[0].shape.sizes, *op._inputs[1:])]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        begin: Any,
        end: Any,
        strides: Any,
        *,
        begin_mask: int,
        end_mask: int,
        ellipsis_mask: int,
        new_axis_mask: int,
        shrink_axis_mask: int,
    ) -> Array:
        array = as_array(xp, value)
        masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
        return as_array(xp, array[SliceSpec.of(begin, end, strides, masks).positions(array.shape)])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        shape = shape_of(op.inputs[0], out_type=op.inputs[1].dtype.base_dtype)
        known = [(tensor, constant_value(tensor)) for tensor in (shape, *op.inputs[1:])]
        where = [tensor if value is None else value for tensor, value in known]
        return [apply("StridedSliceGrad", *where, grad, **_masks(op)), None, None, None]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        value = super().constant(op, fold)
        if value is not None or op.inputs[0].op.type != "Shape":
            return value
        element = cls.constant_shape(op, lambda tensor: constant_shape(tensor), is_scalar=True)
        return None if element is None or None in element.as_list() else np.array(element.as_list()[0], op.inputs[0].dtype.numpy)

    @staticmethod
    def constant_shape(op: Operation, fold: Any, *, is_scalar: bool = False) -> TensorShape | None:
        spec: list[Any] = [constant_value(tensor) for tensor in op.inputs[1:]]
        masks = [op.attr(name) for name in MASK_NAMES]
        if (
            op.inputs[0].shape.rank != 1
            or any(part is None or part.size != 1 for part in spec)
            or masks[2]
            or masks[3]
            or bool(masks[4]) != is_scalar
        ):
            return None
        known: TensorShape = fold(op.inputs[0])
        if known.sizes is None:
            return None
        (index,) = SliceSpec.of(spec[0], spec[1], spec[2], masks).positions([len(known.sizes)])
        return TensorShape([known.sizes[index]] if is_scalar else known.sizes[index])


def _masks(op: Operation) -> dict[str, Any]:
    return {name: op.attr(name) for name in MASK_NAMES}


class StridedSliceGrad(OpType):
    """Zeros, with a gradient where the slice was."""

    inputs = "shape: Index, begin: Index, end: Index, strides: Index, dy: T"
    outputs = "output: T"
    attrs = f"T: type, Index: {{int32, int64}}, {_MASKS}"
    samples = (
        sample("int32: [3, 4]", "int32: [0, 1]", "int32: [3, 4]", "int32: [2, 1]", "float[2,3]"),
        sample("int64: [3]", "int64: [1]", "int64: [2]", "int64: [1]", "double[]", shrink_axis_mask=1),
    )
    host_inputs = ("shape", "begin", "end", "strides")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0])]

    @staticmethod
    def run(
        xp: Any,
        shape: Any,
        begin: Any,
        end: Any,
        strides: Any,
        dy: Array,
        *,
        begin_mask: int,
        end_mask: int,
        ellipsis_mask: int,
        new_axis_mask: int,
        shrink_axis_mask: int,
    ) -> Array:
        grad = as_array(xp, dy)
        result = xp.zeros(tuple(shape.tolist()), grad.dtype)
        index = SliceSpec.of(begin, end, strides, (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)).positions(result.shape)
        place = result[index]
        if np.shape(place) != grad.shape:
            raise InvalidArgumentError(f"shape of dy was {shown(grad.shape)} instead of {shown(np.shape(place))}")
        result[index] = grad
        return result

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None, None, apply("StridedSlice", grad, *op.inputs[1:4], **_masks(op))]


class TensorStridedSliceUpdate(OpType):
    """A tensor with other values in a part of it, which are broadcast to it."""

    inputs = "input: T, begin: Index, end: Index, strides: Index, value: T"
    outputs = "output: T"
    attrs = f"T: type, Index: {{int32, int64}}, {_MASKS}"
    samples = (
        sample("float[3,4]", "int32: [0, 1]", "int32: [3, 4]", "int32: [2, 1]", "float[2,3]"),
        sample("double[3]", "int64: [1]", "int64: [2]", "int64: [1]", "double[]", shrink_axis_mask=1),
        sample("float[3,4]", "int32: [0, 3]", "int32: [0, 0]", "int32: [1, -2]", "float[2]", begin_mask=1, end_mask=3),
        sample("string[3]", "int32: [1]", "int32: [9]", "int32: [1]", "string[2]"),
    )
    host_inputs = ("begin", "end", "strides")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]  # whatever else is wrong is left to the run

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        begin: Any,
        end: Any,
        strides: Any,
        update: Array,
        *,
        begin_mask: int,
        end_mask: int,
        ellipsis_mask: int,
        new_axis_mask: int,
        shrink_axis_mask: int,
    ) -> Array:
        result = as_array(xp, value).copy()
        index = SliceSpec.of(begin, end, strides, (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)).positions(result.shape)
        wanted = np.shape(result[index])
        if not _fits(np.shape(update), wanted):
            raise InvalidArgumentError(f"a value of shape {shown(np.shape(update))} cannot be given to a part of shape {shown(wanted)}")
        result[index] = update
        return result

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        where = op.inputs[1:4]
        kept = apply("TensorStridedSliceUpdate", grad, *where, zeros_like(op.inputs[4]), **_masks(op))
        taken = apply("StridedSlice", grad, *where, **_masks(op))
        shapes = [shape_of(taken), shape_of(op.inputs[4])]
        _, axes = apply_op("BroadcastGradientArgs", *shapes).outputs
        return [kept, None, None, None, reshape(apply("Sum", taken, axes), shapes[1])]


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


class StridedSliceAssign(SessionOpType):
    """Gives a part of a reference variable a value, which is broadcast to it."""

    inputs = "ref: Ref(T), begin: Index, end: Index, strides: Index, value: T"
    outputs = "output_ref: Ref(T)"
    attrs = f"T: type, Index: {{int32, int64}}, {_MASKS}"
    host_inputs = ("begin", "end", "strides")
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(ctx: Context, ref: Buffer, begin: Any, end: Any, strides: Any, value: Any) -> Buffer:
        _assign_part(ctx, ref, begin, end, strides, value)
        return ref


class ResourceStridedSliceAssign(SessionOpType):
    """Gives a part of a resource variable a value, which is broadcast to it."""

    inputs = "ref: resource, begin: Index, end: Index, strides: Index, value: T"
    attrs = f"T: type, Index: {{int32, int64}}, {_MASKS}"
    is_stateful = True
    host_inputs = ("begin", "end", "strides")
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, ref: Buffer, begin: Any, end: Any, strides: Any, value: Any) -> None:
        _assign_part(ctx, ref, begin, end, strides, value)


def _assign_part(ctx: Context, ref: Buffer, begin: Any, end: Any, strides: Any, value: Any) -> None:
    spec = SliceSpec.of(begin, end, strides, [ctx.op.attr(name) for name in MASK_NAMES])
    with ref.lock:
        index = spec.positions(ref.read().shape)
        wanted = np.shape(ref.read()[index])
        if np.broadcast_shapes(np.shape(value), wanted) != wanted:
            raise InvalidArgumentError(f"a value of shape {shown(np.shape(value))} cannot be given to a part of shape {shown(wanted)} of {ref.name}")
        ref.writable()[index] = value


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A part of a tensor: in each dimension `size` elements from `begin` on, -1 for all that are left (`tf.slice`)."""
    return apply("Slice", input_, begin, size, name=name)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """A part of a tensor as Python's slices say it (`tf.strided_slice`).

    Args:
        input_: the tensor.
        begin: where each entry of the slice begins.
        end: where it ends; that element is left out.
        strides: its steps; 1 by default.
        begin_mask: bits of the entries that begin where the dimension does.
        end_mask: bits of those that end where it does.
        ellipsis_mask: the bit of the entry that is `...`.
        new_axis_mask: bits of those that are `newaxis`.
        shrink_axis_mask: bits of those that take one element, and the dimension away.
        var: the variable whose value `input_` is: the result then has `assign(value)`, which gives that part a value.
        name: of the node.
    """
    if strides is None:
        strides = ones_like(begin)
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    attrs = dict(zip(MASK_NAMES, masks, strict=True))
    result = apply("StridedSlice", input_, begin, end, strides, name=name, **attrs)
    if var is None:
        return result
    sliced = SlicedVariable(result.op, 0, result.dtype, result.shape)
    result.op._outputs[0] = sliced
    sliced._variable, sliced._assignment = var, (begin, end, strides, attrs, f"{name or result.op.name}_assign")
    return sliced


class SlicedVariable(Tensor):
    """A part of a variable's value, which can be assigned to: `v[1:].assign(value)`."""

    __slots__ = ("_assignment", "_variable")

    _variable: Any
    _assignment: tuple[Any, Any, Any, dict[str, int], str]

    def assign(self, value: Any, name: str | None = None) -> Any:
        """Makes an operation that gives the part a value; the result is the variable: its reference, or what reads it after that."""
        begin, end, strides, masks, default_name = self._assignment
        variable = self._variable
        if not hasattr(variable, "handle"):
            return apply("StridedSliceAssign", variable._ref(), begin, end, strides, value, name=name or default_name, **masks)
        tensor = convert_to_tensor(value, variable.dtype.base_dtype)
        op = apply_op("ResourceStridedSliceAssign", variable.handle, begin, end, strides, tensor, name=name or default_name, **masks)
        return variable._lazy_read(op)


def getitem(tensor: Any, spec: Any, var: Any = None) -> Tensor:
    """What `tensor[spec]` is: a StridedSlice, or `boolean_mask` for a mask.

    Args:
        tensor: the tensor, or the variable.
        spec: what stands between the brackets.
        var: the variable whose value it is, if it is one's.

    Raises:
        TypeError: an index is neither an integer, nor a slice, `...`, `newaxis` or a scalar tensor of integers.
    """
    if isinstance(spec, bool) or (isinstance(spec, Tensor) and spec.dtype.is_bool) or (isinstance(spec, np.ndarray) and spec.dtype == bool):
        from gpersist.ops.choosing import boolean_mask

        return boolean_mask(tensor, spec)
    entries = list(spec) if isinstance(spec, (list, tuple)) else [spec]
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    masks: dict[str, Any] = dict.fromkeys(MASK_NAMES, 0)
    for number, entry in enumerate(entries):
        bit = 1 << number
        start: Any = 0
        stop: Any = 0
        step: Any = 1
        if isinstance(entry, builtins.slice):
            dtype = _index_type(entry.start, entry.stop, entry.step)
            start, is_open = _bound(entry.start, 0, dtype)
            masks["begin_mask"] |= bit * is_open
            stop, is_open = _bound(entry.stop, 0, dtype)
            masks["end_mask"] |= bit * is_open
            step, _ = _bound(entry.step, 1, dtype)
        elif entry is Ellipsis:
            masks["ellipsis_mask"] |= bit
        elif entry is newaxis:
            masks["new_axis_mask"] |= bit
        else:
            _check_index(entry)
            start, stop = entry, entry + 1
            if isinstance(entry, Tensor) and entry.dtype.base_dtype.name in ("int16", "int64"):
                step = constant(1, entry.dtype.base_dtype)
            masks["shrink_axis_mask"] |= bit
        begin.append(start)
        end.append(stop)
        strides.append(step)
    with name_scope(None, "strided_slice", [tensor, *begin, *end, *strides]) as scope:
        packed: list[Any] = [stack(begin), stack(end), stack(strides)] if begin else [constant([], "int32")] * 3
        if any(part.dtype.base_dtype.name == "int64" for part in packed):
            packed = [apply("Cast", part, DstT="int64") if part.dtype.base_dtype.name != "int64" else part for part in packed]
        return strided_slice(tensor, packed[0], packed[1], packed[2], **masks, var=var, name=scope)


def _index_type(*values: Any) -> str | None:
    """The type that the missing parts of a slice take: the widest of its tensors'."""
    names = {value.dtype.base_dtype.name for value in values if isinstance(value, Tensor)}
    return next((name for name in ("int64", "int32", "int16") if name in names), None)


def _bound(value: Any, default: int, dtype: str | None) -> tuple[Any, bool]:
    """One part of a slice, and whether it is missing."""
    if value is None or (isinstance(value, Dimension) and value.value is None):
        return default if dtype is None else constant(default, dtype), True
    _check_index(value)
    return value, False


def _check_index(index: Any) -> None:
    if isinstance(index, (int, np.integer, Dimension)) and not isinstance(index, bool):
        return
    dtype = getattr(index, "dtype", None)
    sizes = getattr(getattr(index, "shape", None), "sizes", getattr(index, "shape", None))
    if dtype is None or str(getattr(dtype, "name", dtype)).removesuffix("_ref") not in ("int16", "int32", "int64") or (sizes and len(sizes) == 1):
        raise TypeError(
            f"Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid indices, "
            f"got {index!r}"
        )
