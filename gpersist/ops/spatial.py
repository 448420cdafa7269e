"""Blocks of an image moved into depth or into the batch, and back; patches of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.arranging import transpose
from gpersist.ops.constants import constant
from gpersist.ops.filling import zeros
from gpersist.ops.joining import stack
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "batch_to_space",
    "batch_to_space_nd",
    "depth_to_space",
    "extract_image_patches",
    "required_space_to_batch_paddings",
    "space_to_batch",
    "space_to_batch_nd",
    "space_to_depth",
]

_DEPTH_ATTRS = "T: type, block_size: int >= 2, data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'"


def _nhwc(sizes: Sequence[Any], data_format: bytes) -> list[Any]:
    return [sizes[0], sizes[2], sizes[3], sizes[1]] if data_format == b"NCHW" else list(sizes)


def _formatted(sizes: Sequence[Any], data_format: bytes) -> list[Any]:
    return [sizes[0], sizes[3], sizes[1], sizes[2]] if data_format == b"NCHW" else list(sizes)


def _check_format(data_format: bytes) -> None:
    if data_format == b"NCHW_VECT_C":
        raise InvalidArgumentError("data_format NCHW_VECT_C is not there for this device; use NHWC or NCHW")


class SpaceToDepth(OpType):
    """Each block of an image as the channels of one pixel."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = _DEPTH_ATTRS
    samples = (sample("double[1,4,2,3]", block_size=2), sample("double[2,3,4,2]", block_size=2, data_format="NCHW"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data_format, block = op.attr("data_format"), op.attr("block_size")
        if data_format == b"NCHW_VECT_C":
            return [unknown_shape(op._inputs[0].shape.with_rank(5).rank)]
        batch, height, width, depth = _nhwc(op._inputs[0].shape.with_rank(4).as_list(), data_format)
        for size in (height, width):
            if size is not None and size % block:
                raise ValueError(f"Dimension size must be evenly divisible by {block} but is {size}")
        found = [batch, *(None if size is None else size // block for size in (height, width)), None if depth is None else depth * block * block]
        return [TensorShape(_formatted(found, data_format))]

    @staticmethod
    def run(xp: Any, value: Array, *, block_size: int, data_format: bytes) -> Array:
        _check_format(data_format)
        if value.ndim != 4 or any(size % block_size for size in _nhwc(value.shape, data_format)[1:3]):
            raise InvalidArgumentError(f"Image of shape {shown(value.shape)} should have height and width divisible by block_size: {block_size}")
        image = value.transpose(0, 2, 3, 1) if data_format == b"NCHW" else value
        batch, height, width, depth = image.shape
        blocks = image.reshape(batch, height // block_size, block_size, width // block_size, block_size, depth).transpose(0, 1, 3, 2, 4, 5)
        found = blocks.reshape(batch, height // block_size, width // block_size, block_size * block_size * depth)
        return found.transpose(0, 3, 1, 2) if data_format == b"NCHW" else found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("DepthToSpace", grad, block_size=op.attr("block_size"), data_format=op.attr("data_format"))


class DepthToSpace(OpType):
    """The channels of each pixel as a block of an image."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = _DEPTH_ATTRS
    samples = (sample("double[1,2,1,8]", block_size=2), sample("double[2,4,1,3]", block_size=2, data_format="NCHW"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data_format, block = op.attr("data_format"), op.attr("block_size")
        if data_format == b"NCHW_VECT_C":
            return [unknown_shape(op._inputs[0].shape.with_rank(5).rank)]
        batch, height, width, depth = _nhwc(op._inputs[0].shape.with_rank(4).as_list(), data_format)
        if depth is not None and depth % (block * block):
            raise ValueError(f"Dimension size must be evenly divisible by {block * block} but is {depth}")
        found = [batch, *(None if size is None else size * block for size in (height, width)), None if depth is None else depth // (block * block)]
        return [TensorShape(_formatted(found, data_format))]

    @staticmethod
    def run(xp: Any, value: Array, *, block_size: int, data_format: bytes) -> Array:
        _check_format(data_format)
        if value.ndim != 4 or _nhwc(value.shape, data_format)[3] % (block_size * block_size):
            raise InvalidArgumentError(
                f"Input of shape {shown(value.shape)} should have a depth divisible by block_size * block_size: {block_size**2}"
            )
        image = value.transpose(0, 2, 3, 1) if data_format == b"NCHW" else value
        batch, height, width, depth = image.shape
        blocks = image.reshape(batch, height, width, block_size, block_size, depth // block_size**2).transpose(0, 1, 3, 2, 4, 5)
        found = blocks.reshape(batch, height * block_size, width * block_size, depth // block_size**2)
        return found.transpose(0, 3, 1, 2) if data_format == b"NCHW" else found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("SpaceToDepth", grad, block_size=op.attr("block_size"), data_format=op.attr("data_format"))


# ---- space and batch


def _block_of(block_shape: Tensor) -> tuple[int, Any]:
    """In how many dimensions the blocks are, and their sizes where they are known."""
    if block_shape.shape.rank != 1:
        raise ValueError("block_shape must have rank 1.")
    (count,) = block_shape.shape.as_list()
    if count is None:
        raise ValueError("block_shape must have known size.")
    block = constant_value(block_shape)
    if block is not None and (block < 1).any():
        raise ValueError("block_shape must be positive")
    return count, block


def _with_unknown(shape: TensorShape, count: int) -> TensorShape:
    """The shape when nothing is known of the blocks but in how many dimensions they are."""
    if shape.sizes is None:
        return unknown_shape()
    return TensorShape([None] * (count + 1)).concatenate(shape.with_rank_at_least(count + 1)[count + 1 :])


def _batched_shape(shape: TensorShape, count: int, block: Any, paddings: Any) -> list[TensorShape]:
    """The shape with blocks in the batch. What is not known is None; `count` is the length of `block`."""
    if shape.sizes is None:
        return [unknown_shape()]
    if block is None:
        return [_with_unknown(shape, count)]
    sizes = list(shape.with_rank_at_least(len(block) + 1).as_list())
    sizes[0] = None if sizes[0] is None else sizes[0] * math.prod(block.tolist())
    for axis, step in enumerate(block.tolist(), 1):
        size = sizes[axis]
        if size is None or paddings is None:
            sizes[axis] = None
            continue
        padded = size + sum(paddings[axis - 1].tolist())
        if padded % step:
            raise ValueError(f"Dimension size must be evenly divisible by {step} but is {padded}")
        sizes[axis] = padded // step
    return [TensorShape(sizes)]


def _margins(tensor: Tensor, count: int, what: str) -> Any:
    """The value of paddings or crops, where it is known."""
    tensor.shape.merge_with([count, 2])
    found = constant_value(tensor)
    if found is not None and (found < 0).any():
        raise ValueError(f"{what} cannot be negative")
    return found


def _unbatched_shape(shape: TensorShape, count: int, block: Any, crops: Any) -> list[TensorShape]:
    if shape.sizes is None:
        return [unknown_shape()]
    if block is None:
        return [_with_unknown(shape, count)]
    sizes = list(shape.with_rank_at_least(len(block) + 1).as_list())
    number = math.prod(block.tolist())
    if sizes[0] is not None and sizes[0] % number:
        raise ValueError(f"Dimension size must be evenly divisible by {number} but is {sizes[0]}")
    sizes[0] = None if sizes[0] is None else sizes[0] // number
    for axis, step in enumerate(block.tolist(), 1):
        size = sizes[axis]
        sizes[axis] = None if size is None or crops is None else size * step - sum(crops[axis - 1].tolist())
        if size is not None and crops is not None and size * step < sum(crops[axis - 1].tolist()):
            raise ValueError(f"crops {crops[axis - 1].tolist()} are larger than a dimension of {size * step}")
    return [TensorShape(sizes)]


def _check_blocks(value: Array, block: Any, margins: Any, what: str) -> None:
    if value.ndim < len(block) + 1 or margins.shape != (len(block), 2):
        raise InvalidArgumentError(
            f"block_shape {block.tolist()} and {what} of shape {shown(margins.shape)} do not fit an input of {shown(value.shape)}"
        )
    if (block < 1).any() or (margins < 0).any():
        raise InvalidArgumentError(f"All values in block_shape must be positive, and in {what} non-negative: {block.tolist()}, {margins.tolist()}")


def _to_batch(xp: Any, value: Array, block: Any, paddings: Any) -> Array:
    _check_blocks(value, block, paddings, "paddings")
    count = len(block)
    margins = [(0, 0), *map(tuple, paddings.tolist()), *[(0, 0)] * (value.ndim - count - 1)]
    padded = xp.pad(value, margins) if paddings.any() else value
    batch, rest = padded.shape[0], padded.shape[count + 1 :]
    split: list[int] = []
    for size, step in zip(padded.shape[1 : count + 1], block.tolist(), strict=True):
        if size % step:
            raise InvalidArgumentError(f"padded_shape={size} is not divisible by block_shape={step}")
        split += [size // step, step]
    order = [*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count, 2), *range(2 * count + 1, 2 * count + 1 + len(rest))]
    return padded.reshape(batch, *split, *rest).transpose(order).reshape(batch * math.prod(block.tolist()), *split[::2], *rest)


def _to_space(xp: Any, value: Array, block: Any, crops: Any) -> Array:
    _check_blocks(value, block, crops, "crops")
    count, number = len(block), math.prod(block.tolist())
    if value.shape[0] % number:
        raise InvalidArgumentError(f"Input batch dimension ({value.shape[0]}) is not divisible by product of block sizes ({number})")
    batch, sizes, rest = value.shape[0] // number, value.shape[1 : count + 1], value.shape[count + 1 :]
    order = [count]
    for axis in range(count):
        order += [count + 1 + axis, axis]
    order += range(2 * count + 1, 2 * count + 1 + len(rest))
    whole = [size * step for size, step in zip(sizes, block.tolist(), strict=True)]
    if any(sum(crop) > size for size, crop in zip(whole, crops.tolist(), strict=True)):
        raise InvalidArgumentError(f"crops {crops.tolist()} are larger than the dimensions, {whole}")
    found = value.reshape(*block.tolist(), batch, *sizes, *rest).transpose(order).reshape(batch, *whole, *rest)
    return found[(slice(None), *(slice(before, size - after) for size, (before, after) in zip(whole, crops.tolist(), strict=True)))]


class SpaceToBatchND(OpType):
    """Each place within a block as an image of its own, in the batch."""

    inputs = "input: T, block_shape: Tblock_shape, paddings: Tpaddings"
    outputs = "output: T"
    attrs = "T: type, Tblock_shape: {int32, int64} = int32, Tpaddings: {int32, int64} = int32"
    samples = (
        sample("double[1,4,2,1]", "int32: [2, 2]", "int32: [[0, 0], [0, 0]]"),
        sample("double[2,3,3]", "int64: [2]", "int64: [[0, 1]]"),
        sample("int32[1,2,3,2]", "int32: [1, 2]", "int32: [[0, 0], [1, 0]]"),
    )
    host_inputs = ("block_shape", "paddings")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count, block = _block_of(op._inputs[1])
        return _batched_shape(op._inputs[0].shape, count, block, _margins(op._inputs[2], count, "paddings"))

    @staticmethod
    def run(xp: Any, value: Array, block_shape: Any, paddings: Any) -> Array:
        return _to_batch(xp, value, block_shape, paddings)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("BatchToSpaceND", grad, *op.inputs[1:]), None, None]


class BatchToSpaceND(OpType):
    """Images of the batch put together, each giving one place within every block."""

    inputs = "input: T, block_shape: Tblock_shape, crops: Tcrops"
    outputs = "output: T"
    attrs = "T: type, Tblock_shape: {int32, int64} = int32, Tcrops: {int32, int64} = int32"
    samples = (
        sample("double[4,2,1,1]", "int32: [2, 2]", "int32: [[0, 0], [0, 0]]"),
        sample("double[4,2,3]", "int64: [2]", "int64: [[0, 1]]"),
        sample("int32[2,2,3,2]", "int32: [1, 2]", "int32: [[0, 0], [1, 0]]"),
    )
    host_inputs = ("block_shape", "crops")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count, block = _block_of(op._inputs[1])
        return _unbatched_shape(op._inputs[0].shape, count, block, _margins(op._inputs[2], count, "crops"))

    @staticmethod
    def run(xp: Any, value: Array, block_shape: Any, crops: Any) -> Array:
        return _to_space(xp, value, block_shape, crops)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("SpaceToBatchND", grad, *op.inputs[1:]), None, None]


class SpaceToBatch(OpType):
    """Each place within a square block of an image as an image of its own, in the batch."""

    inputs = "input: T, paddings: Tpaddings"
    outputs = "output: T"
    attrs = "T: type, Tpaddings: {int32, int64} = int32, block_size: int >= 2"
    samples = (sample("double[1,4,2,1]", "int32: [[0, 0], [0, 0]]", block_size=2), sample("double[1,3,3,2]", "int64: [[1, 0], [0, 1]]", block_size=2))
    host_inputs = ("paddings",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        paddings = _margins(op._inputs[1], 2, "paddings")
        return _batched_shape(op._inputs[0].shape.with_rank(4), 2, np.full(2, op.attr("block_size")), paddings)

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any, *, block_size: int) -> Array:
        return _to_batch(xp, value, np.full(2, block_size), paddings)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [batch_to_space(grad, op.inputs[1], op.attr("block_size")), None]


class BatchToSpace(OpType):
    """Images of the batch put together, each giving one place within every square block."""

    inputs = "input: T, crops: Tidx"
    outputs = "output: T"
    attrs = "T: type, block_size: int >= 2, Tidx: {int32, int64} = int32"
    samples = (sample("double[4,2,1,1]", "int32: [[0, 0], [0, 0]]", block_size=2), sample("double[4,2,2,2]", "int64: [[1, 0], [0, 1]]", block_size=2))
    host_inputs = ("crops",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        crops = _margins(op._inputs[1], 2, "crops")
        return _unbatched_shape(op._inputs[0].shape.with_rank(4), 2, np.full(2, op.attr("block_size")), crops)

    @staticmethod
    def run(xp: Any, value: Array, crops: Any, *, block_size: int) -> Array:
        return _to_space(xp, value, np.full(2, block_size), crops)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [space_to_batch(grad, op.inputs[1], op.attr("block_size")), None]


# ---- patches


def _patches(size: int, kernel: int, stride: int, rate: int, padding: bytes) -> tuple[int, int]:
    """How many patches a dimension has, and how many zeros come before it."""
    reach = (kernel - 1) * rate + 1
    if padding == b"VALID":
        if size - reach + stride <= -stride:
            raise ValueError(f"Computed output size would be negative: [input_size: {size}, effective_filter_size: {reach}, stride: {stride}]")
        return max(0, -(-(size - reach + 1) // stride)), 0
    count = -(-size // stride)
    return count, max(0, (count - 1) * stride + reach - size) // 2


class ExtractImagePatches(OpType):
    """Patches of images, each as the channels of one pixel."""

    inputs = "images: T"
    outputs = "patches: T"
    attrs = (
        "ksizes: list(int) >= 4, strides: list(int) >= 4, rates: list(int) >= 4, T: {bfloat16, half, float, double, int8, int16, int32, int64, "
        "uint8, uint16, uint32, uint64, complex64, complex128, bool}, padding: {'SAME', 'VALID'}"
    )
    samples = (
        sample("double[1,5,4,2]", ksizes=[1, 3, 2, 1], strides=[1, 2, 1, 1], rates=[1, 1, 1, 1], padding="VALID"),
        sample("double[2,4,5,1]", ksizes=[1, 2, 3, 1], strides=[1, 2, 2, 1], rates=[1, 2, 1, 1], padding="SAME"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        batch, height, width, depth = op._inputs[0].shape.with_rank(4).as_list()
        ksizes, strides, rates, padding = (op.attr(name) for name in ("ksizes", "strides", "rates", "padding"))
        for name, values in (("ksizes", ksizes), ("stride", strides), ("rates", rates)):
            if len(values) != 4:
                raise ValueError(f"ExtractImagePatches requires the {name} attribute to contain 4 values, but got: {len(values)}")
        found: list[int | None] = [None, None]
        if height is not None and width is not None:
            found = [_patches(size, ksizes[axis], strides[axis], rates[axis], padding)[0] for axis, size in ((1, height), (2, width))]
        return [TensorShape([batch, *found, None if depth is None else depth * ksizes[1] * ksizes[2]])]

    @staticmethod
    def run(xp: Any, images: Array, *, ksizes: list[int], strides: list[int], rates: list[int], padding: bytes) -> Array:
        batch, height, width, depth = images.shape
        places, inside = [], []
        for axis, size in ((1, height), (2, width)):
            count, before = _patches(size, ksizes[axis], strides[axis], rates[axis], padding)
            at = np.arange(count)[:, None] * strides[axis] - before + np.arange(ksizes[axis])[None, :] * rates[axis]
            places.append(np.clip(at, 0, max(size - 1, 0)))
            inside.append((at >= 0) & (at < size))
        rows, columns = places
        found = images[:, xp.asarray(rows[:, None, :, None]), xp.asarray(columns[None, :, None, :])]  # batch, y, x, ky, kx, depth
        is_inside = xp.asarray(inside[0][:, None, :, None] & inside[1][None, :, None, :])[None, ..., None]
        return xp.where(is_inside, found, xp.zeros((), images.dtype)).reshape(batch, len(rows), len(columns), ksizes[1] * ksizes[2] * depth)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        """Each pixel's gradient is the sum of those of the patches it is in: patches of the pixels' own numbers say which."""
        sizes = apply("Unpack", shape_of(op.inputs[0]), num=4).op.outputs
        batch, height, width, depth = sizes
        count = height * width
        attrs = {name: op.attr(name) for name in ("ksizes", "strides", "rates", "padding")}
        numbers = reshape(apply("Range", 1, count + 1, 1), [1, height, width, 1])  # 0 is what lies outside
        places = reshape(apply("ExtractImagePatches", numbers, **attrs), [-1, 1])
        values = transpose(reshape(grad, [batch, -1, depth]), [1, 0, 2])
        summed = apply("ScatterNd", places, values, [count + 1, batch, depth])[1:]
        return transpose(reshape(summed, [height, width, batch, depth]), [2, 0, 1, 3])


def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:  # TensorFlow's name
    """Each block of an image as the channels of one pixel (`tf.space_to_depth`)."""
    return apply("SpaceToDepth", input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:  # TensorFlow's name
    """The channels of each pixel as a block of an image (`tf.depth_to_space`)."""
    return apply("DepthToSpace", input, block_size=block_size, data_format=data_format, name=name)


def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Each place within a block as an image of its own, in the batch (`tf.space_to_batch_nd`)."""
    return apply("SpaceToBatchND", input, block_shape, paddings, name=name)


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Images of the batch put together, each giving one place within every block (`tf.batch_to_space_nd`)."""
    return apply("BatchToSpaceND", input, block_shape, crops, name=name)


def space_to_batch(
    input: Any, paddings: Any, block_size: int | None = None, name: str | None = None, block_shape: Any = None
) -> Tensor:  # TensorFlow's
    """The same for images and square blocks (`tf.space_to_batch`)."""
    block = _square(block_size, block_shape)
    result = space_to_batch_nd(input, block, paddings, name)
    result.set_shape(result.shape.with_rank(4))
    return result


def batch_to_space(input: Any, crops: Any, block_size: int | None = None, name: str | None = None, block_shape: Any = None) -> Tensor:  # TensorFlow's
    """The same for images and square blocks (`tf.batch_to_space`)."""
    block = _square(block_size, block_shape)
    result = batch_to_space_nd(input, block, crops, name)
    result.set_shape(result.shape.with_rank(4))
    return result


def _square(block_size: int | None, block_shape: Any) -> Any:
    if block_size is not None and block_shape is not None:
        raise ValueError("Cannot specify both 'block_shape' and 'block_size'")
    size = block_size if block_shape is None else block_shape
    return np.array([size, size], np.int64)


def extract_image_patches(
    images: Any, ksizes: Any = None, strides: Any = None, rates: Any = None, padding: str | None = None, name: str | None = None, sizes: Any = None
) -> Tensor:
    """Patches of images, each as the channels of one pixel (`tf.extract_image_patches`); `sizes` is the same as `ksizes`."""
    wanted = ksizes if sizes is None else sizes
    return apply("ExtractImagePatches", images, ksizes=wanted, strides=strides, rates=rates, padding=padding, name=name)


def required_space_to_batch_paddings(input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The paddings that make each dimension divisible by its block, and the crops that undo them (`tf.required_space_to_batch_paddings`).

    Args:
        input_shape: of the dimensions that are divided, int32, [n].
        block_shape: int32, [n].
        base_paddings: the least paddings, [n, 2]; none by default.
        name: of a name scope.
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        sizes, block = convert_to_tensor(input_shape, "int32", name="input_shape"), convert_to_tensor(block_shape, "int32", name="block_shape")
        count = block.shape.with_rank(1).as_list()[0]
        if count == 0:
            return constant(np.zeros((0, 2), np.int32)), constant(np.zeros((0, 2), np.int32))
        known = constant_value(sizes), constant_value(block)
        base = zeros([count or 0, 2], "int32") if base_paddings is None else convert_to_tensor(base_paddings, "int32", name="base_paddings")
        least = constant_value(base)
        if known[0] is not None and known[1] is not None and least is not None:
            after = least[:, 1] + (-(known[0] + least.sum(1))) % known[1]
            paddings = np.stack([least[:, 0], after], 1).astype(np.int32)
            crops = np.stack([np.zeros_like(after), after - least[:, 1]], 1).astype(np.int32)
            return constant(paddings, name="paddings"), constant(crops, name="crops")
        start, end = base[:, 0], base[:, 1]
        extra = (block - (sizes + start + end) % block) % block
        ends, dimensions = end + extra, range(count or 0)
        paddings_tensor = stack([[start[axis], ends[axis]] for axis in dimensions], name="paddings")
        return paddings_tensor, stack([[0, extra[axis]] for axis in dimensions], name="crops")
