"""Convolutions in two and three dimensions, and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, constant_shape, sample
from gpersist.ops import correlation
from gpersist.ops.array import shape_of
from gpersist.ops.windows import Windows, as_format, channel_axis, channels_last, explicit_pairs, of_volumes, output_size, spatial, windows
from gpersist.shapes import TensorShape

_ATTRS_2D = (
    "strides: list(int), use_cudnn_on_gpu: bool = true, padding: {'SAME', 'VALID', 'EXPLICIT'}, explicit_paddings: list(int) = [], "
    "data_format: {'NHWC', 'NCHW'} = 'NHWC', dilations: list(int) = [1, 1, 1, 1]"
)
_ATTRS_3D = "strides: list(int) >= 5, padding: {'SAME', 'VALID'}, data_format: {'NDHWC', 'NCDHW'} = 'NDHWC', dilations: list(int) = [1, 1, 1, 1, 1]"
_SAME: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
_VALID: dict[str, Any] = {"strides": [1, 2, 1, 1], "padding": "VALID"}
_DILATED: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 2, 1, 1]}
_EXPLICIT: dict[str, Any] = {"strides": [1, 2, 2, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 0, 1, 0, 0]}
_NCHW: dict[str, Any] = {"strides": [1, 1, 2, 2], "padding": "SAME", "data_format": "NCHW"}
_SAME_3D: dict[str, Any] = {"strides": [1, 1, 2, 1, 1], "padding": "SAME"}
_NCDHW: dict[str, Any] = {"strides": [1, 1, 1, 1, 1], "padding": "VALID", "data_format": "NCDHW"}


class _Convolution(OpType, abstract=True):
    """The output of filters that are moved over the spatial axes."""

    inputs = "input: T, filter: T"
    outputs = "output: T"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [convolved_shape(op, op._inputs[0].shape, op._inputs[1].shape)]


class _InputGradient(OpType, abstract=True):
    """The gradient of a convolution with respect to its input."""

    outputs = "output: T"
    host_inputs: ClassVar[tuple[str, ...]] = ("input_sizes",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, filters, grad = op._inputs
        if op.type == "Conv3DBackpropInputV2":
            return [constant_shape(sizes).with_rank(5)]
        given = sizes.shape.sizes
        if given not in (None, (None,), (4,), (2,)):
            raise ValueError(f"Conv2DBackpropInput requires input_sizes to contain 4 values or 2 values, but got: {given[0] if given else 0}")
        grads, channels = grad.shape.with_rank(4).as_list(), channel_axis(op.attr("data_format"), 4)
        TensorShape(filters.shape.with_rank(4).as_list()[3:]).merge_with(grads[channels : channels + 1])
        known = constant_shape(sizes).as_list() if constant_shape(sizes).rank is not None else [None] * 4
        if len(known) == 2:  # spatial sizes alone will do, too
            known = [grads[0], *known, filters.shape.as_list()[2] if filters.shape.rank else None]
            return [TensorShape(known if channels == 3 else [known[0], known[3], *known[1:3]])]
        if None not in (known[0], grads[0]) and known[0] != grads[0]:
            raise ValueError(f"Dimensions must be equal, but are {known[0]} and {grads[0]}")
        return [TensorShape([grads[0], *known[1:]])]  # the batch is that of what comes in, as in TensorFlow


class _FilterGradient(OpType, abstract=True):
    """The gradient of a convolution with respect to its filters."""

    outputs = "output: T"
    host_inputs: ClassVar[tuple[str, ...]] = ("filter_sizes",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[1]).with_rank(4 if op.type == "Conv2DBackpropFilter" else 5)]


class Conv2D(_Convolution):
    """A convolution of images; the input's channels may be several times the filters': then each group of filters has its own."""

    attrs = f"T: {{half, bfloat16, float, double, int32}}, {_ATTRS_2D}"
    samples = (
        sample("float[2,4,5,3]", "float[3,3,3,2]", **_SAME),
        sample("double[1,5,4,2]", "double[2,3,2,3]", **_VALID),
        sample("float[1,5,4,2]", "float[2,2,2,1]", **_DILATED),
        sample("float[1,4,4,1]", "float[3,2,1,2]", **_EXPLICIT),
        sample("float[1,2,4,5]", "float[3,3,2,2]", **_NCHW),
        sample("float[1,3,3,4]", "float[2,2,2,6]", **_SAME),
        sample("float[2,3,3,4]", "float[1,1,4,2]", **_SAME),
        sample("float[1,4,3,4]", "float[3,2,1,8]", **_SAME),
        sample("float[2,4,3,3]", "float[2,2,1,3]", **_DILATED),
        sample("float[0,3,3,2]", "float[2,2,2,2]", has_gradient=False, **_SAME),
        sample("half[1,3,3,2]", "half[2,2,2,2]", has_gradient=False, **_SAME),
    )

    @staticmethod
    def run(
        xp: Any, value: Array, filters: Array, *, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
    ) -> Array:
        return _convolve(xp, value, filters, strides, padding, explicit_paddings, data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "explicit_paddings", "use_cudnn_on_gpu", "data_format")
        input_shape, filter_shape = apply_op("ShapeN", list(op.inputs)).outputs
        return [
            apply("Conv2DBackpropInput", input_shape, op.inputs[1], grad, **attrs),
            apply("Conv2DBackpropFilter", op.inputs[0], filter_shape, grad, **attrs),
        ]


class Conv2DBackpropInput(_InputGradient):
    """The gradient of `Conv2D` with respect to its input: a transposed convolution."""

    inputs = "input_sizes: int32, filter: T, out_backprop: T"
    attrs = f"T: {{half, bfloat16, float, double, int32}}, {_ATTRS_2D}"
    samples = (
        sample("int32: [2, 4, 5, 3]", "float[3,3,3,2]", "float[2,4,5,2]", **_SAME),
        sample("int32: [1, 5, 4, 2]", "double[2,3,2,3]", "double[1,2,2,3]", **_VALID),
        sample("int32: [1, 5, 4, 2]", "float[2,2,2,1]", "float[1,5,4,1]", **_DILATED),
        sample("int32: [1, 4, 4, 1]", "float[3,2,1,2]", "float[1,3,2,2]", **_EXPLICIT),
        sample("int32: [1, 2, 4, 5]", "float[3,3,2,2]", "float[1,2,2,3]", **_NCHW),
        sample("int32: [1, 3, 3, 4]", "float[2,2,2,6]", "float[1,3,3,6]", **_SAME),
    )

    @staticmethod
    def run(
        xp: Any, sizes: Any, filters: Array, grad: Array, *, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
    ) -> Array:
        return _input_gradient(xp, sizes, filters, grad, strides, padding, explicit_paddings, data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "explicit_paddings", "use_cudnn_on_gpu", "data_format")
        filter_grad = apply("Conv2DBackpropFilter", grad, shape_of(op.inputs[1]), op.inputs[2], **attrs)
        return [None, filter_grad, apply("Conv2D", grad, op.inputs[1], **attrs)]


class Conv2DBackpropFilter(_FilterGradient):
    """The gradient of `Conv2D` with respect to its filters."""

    inputs = "input: T, filter_sizes: int32, out_backprop: T"
    attrs = f"T: {{half, bfloat16, float, double}}, {_ATTRS_2D}"
    samples = (
        sample("float[2,4,5,3]", "int32: [3, 3, 3, 2]", "float[2,4,5,2]", **_SAME),
        sample("double[1,5,4,2]", "int32: [2, 3, 2, 3]", "double[1,2,2,3]", **_VALID),
        sample("float[1,5,4,2]", "int32: [2, 2, 2, 1]", "float[1,5,4,1]", **_DILATED),
        sample("float[1,4,4,1]", "int32: [3, 2, 1, 2]", "float[1,3,2,2]", **_EXPLICIT),
        sample("float[1,2,4,5]", "int32: [3, 3, 2, 2]", "float[1,2,2,3]", **_NCHW),
        sample("float[1,3,3,4]", "int32: [2, 2, 2, 6]", "float[1,3,3,6]", **_SAME),
        sample("float[0,3,3,4]", "int32: [2, 2, 4, 6]", "float[0,3,3,6]", has_gradient=False, **_SAME),
    )

    @staticmethod
    def run(
        xp: Any, value: Array, sizes: Any, grad: Array, *, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
    ) -> Array:
        return _filter_gradient(xp, value, sizes, grad, strides, padding, explicit_paddings, data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "explicit_paddings", "use_cudnn_on_gpu", "data_format")
        input_grad = apply("Conv2DBackpropInput", shape_of(op.inputs[0]), grad, op.inputs[2], **attrs)
        return [input_grad, None, apply("Conv2D", op.inputs[0], grad, **attrs)]


class Conv3D(_Convolution):
    """A convolution of volumes."""

    attrs = f"T: {{half, bfloat16, float, double}}, {_ATTRS_3D}"
    samples = (
        sample("float[1,3,4,3,2]", "float[2,3,2,2,3]", **_SAME_3D),
        sample("float[2,2,3,3,3]", "float[2,2,2,2,2]", **_NCDHW),
        sample("float[1,6,4,3,2]", "float[1,1,1,2,3]", strides=[1, 3, 4, 1, 1], padding="SAME", has_gradient=False),
    )

    @staticmethod
    def run(xp: Any, value: Array, filters: Array, *, strides: Any, padding: bytes, data_format: bytes, dilations: Any) -> Array:
        return _convolve(xp, value, filters, strides, padding, [], data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "data_format")
        input_shape, filter_shape = apply_op("ShapeN", list(op.inputs)).outputs
        return [
            apply("Conv3DBackpropInputV2", input_shape, op.inputs[1], grad, **attrs),
            apply("Conv3DBackpropFilterV2", op.inputs[0], filter_shape, grad, **attrs),
        ]


class Conv3DBackpropInputV2(_InputGradient):
    """The gradient of `Conv3D` with respect to its input."""

    inputs = "input_sizes: Tshape, filter: T, out_backprop: T"
    attrs = f"T: {{half, bfloat16, float, double}}, {_ATTRS_3D}, Tshape: {{int32, int64}} = int32"
    samples = (
        sample("int32: [1, 3, 4, 3, 2]", "float[2,3,2,2,3]", "float[1,3,2,3,3]", **_SAME_3D),
        sample("int64: [2, 2, 3, 3, 3]", "float[2,2,2,2,2]", "float[2,2,2,2,2]", **_NCDHW),
    )

    @staticmethod
    def run(xp: Any, sizes: Any, filters: Array, grad: Array, *, strides: Any, padding: bytes, data_format: bytes, dilations: Any) -> Array:
        return _input_gradient(xp, sizes, filters, grad, strides, padding, [], data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "data_format")
        filter_grad = apply("Conv3DBackpropFilterV2", grad, shape_of(op.inputs[1]), op.inputs[2], **attrs)
        return [None, filter_grad, apply("Conv3D", grad, op.inputs[1], **attrs)]


class Conv3DBackpropFilterV2(_FilterGradient):
    """The gradient of `Conv3D` with respect to its filters."""

    inputs = "input: T, filter_sizes: int32, out_backprop: T"
    attrs = f"T: {{half, bfloat16, float, double}}, {_ATTRS_3D}"
    samples = (
        sample("float[1,3,4,3,2]", "int32: [2, 3, 2, 2, 3]", "float[1,3,2,3,3]", **_SAME_3D),
        sample("float[2,2,3,3,3]", "int32: [2, 2, 2, 2, 2]", "float[2,2,2,2,2]", **_NCDHW),
    )

    @staticmethod
    def run(xp: Any, value: Array, sizes: Any, grad: Array, *, strides: Any, padding: bytes, data_format: bytes, dilations: Any) -> Array:
        return _filter_gradient(xp, value, sizes, grad, strides, padding, [], data_format, dilations)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op, "dilations", "strides", "padding", "data_format")
        input_grad = apply("Conv3DBackpropInputV2", shape_of(op.inputs[0]), grad, op.inputs[2], **attrs)
        return [input_grad, None, apply("Conv3D", op.inputs[0], grad, **attrs)]


# ---- shapes


def convolved_shape(op: Operation, value: TensorShape, filters: TensorShape, *, is_depthwise: bool = False) -> TensorShape:
    """The shape of a convolution's output, as far as it is known; also that of its attributes being what they must.

    Raises:
        ValueError: the shapes or attributes don't go together.
    """
    strides, dilations, data_format = op.attr("strides"), op.attr("dilations"), op.attr("data_format")
    rank = 5 if len(data_format) == 5 else 4
    for shape in (value, filters):
        if shape.rank not in (None, rank):
            raise ValueError(f"Shape must be rank {rank} but is rank {shape.rank}")
    if len(strides) != rank:
        text = data_format.decode()
        raise ValueError(f"{op.type} on data format {text} requires the stride attribute to contain {rank} values, but got: {len(strides)}")
    if len(dilations) != rank:
        raise ValueError(f"{op.type} requires the dilation attribute to contain {rank} values, but got: {len(dilations)}")
    for stride in spatial(strides, data_format):
        if stride <= 0:
            raise ValueError(f"Stride must be > 0, but got {stride}")
    for dilation in spatial(dilations, data_format):
        if dilation <= 0:
            raise ValueError(f"Dilation rate must be >= 1, but got {dilation}")
    pairs = _checked_pairs(op, rank)
    sizes = value.sizes or (None,) * rank
    kernel = filters.sizes or (None,) * rank
    channels = sizes[channel_axis(data_format, rank)]
    if channels is not None and kernel[-2] is not None:
        if is_depthwise:
            if channels != kernel[-2]:
                raise ValueError(f"Dimensions must be equal, but are {channels} and {kernel[-2]}")
        else:
            _check_groups(channels, kernel[-2], kernel[-1])
    counts = [
        output_size(size, width, stride, dilation, op.attr("padding"), pair)
        for size, width, stride, dilation, pair in zip(
            spatial(sizes, data_format), kernel[:-2], spatial(strides, data_format), spatial(dilations, data_format), pairs, strict=True
        )
    ]
    depth = kernel[-1]
    if is_depthwise:
        inner = kernel[-2] if channels is None else channels
        depth = None if depth is None or inner is None else depth * inner
    return TensorShape([sizes[0], depth, *counts] if channel_axis(data_format, rank) == 1 else [sizes[0], *counts, depth])


def _check_groups(channels: int, inner: int, depth: int | None) -> None:
    if inner == 0:
        raise ValueError("Depth of filter must not be 0")
    if channels % inner:
        raise ValueError(f"Depth of input ({channels}) is not a multiple of input depth of filter ({inner})")
    groups = channels // inner
    if depth is not None and groups and depth % groups:
        raise ValueError(f"Depth of output ({depth}) is not a multiple of the number of groups ({groups})")


def _checked_pairs(op: Operation, rank: int) -> list[tuple[int, int]]:
    explicit = op.attr("explicit_paddings") if op.has_attr("explicit_paddings") else []
    data_format = op.attr("data_format")
    if op.attr("padding") != b"EXPLICIT":
        if explicit:
            raise ValueError("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT")
        return [(0, 0)] * (rank - 2)
    if len(explicit) != 2 * rank:
        raise ValueError(f"explicit_paddings attribute must contain {2 * rank} values, but got: {len(explicit)}")
    if min(explicit) < 0:
        raise ValueError("All elements of explicit_paddings must be nonnegative")
    axis = channel_axis(data_format, rank)
    if any(explicit[:2]) or any(explicit[2 * axis : 2 * axis + 2]):
        raise ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported")
    return explicit_pairs(explicit, data_format)


def _attrs_of(op: Operation, *names: str) -> dict[str, Any]:
    return {name: op.attr(name) for name in names}


# ---- running


def windows_of(
    sizes: Sequence[int], kernel: Sequence[int], strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
) -> list[Windows]:
    """The windows along each spatial axis, for the sizes of the input's and of the kernel's spatial axes, and the operation's attributes."""
    for what, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != len(sizes) + 2:
            raise InvalidArgumentError(f"Sliding window {what} field must specify {len(sizes) + 2} dimensions")
        if values[0] != 1 or values[channel_axis(data_format, len(values))] != 1:
            raise InvalidArgumentError(f"Current implementation does not yet support {what} in the batch and depth dimensions.")
        if min(values) < 1:
            raise InvalidArgumentError(f"{what} must be positive, found {list(values)}")
    pairs = explicit_pairs(explicit_paddings, data_format) if padding == b"EXPLICIT" else [(0, 0)] * len(sizes)
    return [
        windows(size, width, stride, dilation, padding, pair)
        for size, width, stride, dilation, pair in zip(
            sizes, kernel, spatial(strides, data_format), spatial(dilations, data_format), pairs, strict=True
        )
    ]


def _convolve(
    xp: Any, value: Array, filters: Array, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
) -> Array:
    _check_ranks(strides, input=value, filter=filters)
    if not filters.size:
        raise InvalidArgumentError("filter must not have zero elements (i.e. all dimensions must be non-zero)")
    value = channels_last(xp, value, data_format)
    _check_depths(value.shape[-1], filters.shape)
    axes = windows_of(value.shape[1:-1], filters.shape[:-2], strides, padding, explicit_paddings, data_format, dilations)
    value, axes = _begun(value, of_volumes(axes, padding))
    return as_format(xp, correlation.correlate(xp, value, filters, axes), data_format)


def _begun(value: Array, axes: Sequence[Windows]) -> tuple[Array, list[Windows]]:
    """The part of a channels-last array that begins with the first windows, where these begin within it; and the windows over that."""
    starts = [max(0, -axis.before) for axis in axes]
    if not any(starts):
        return value, list(axes)
    found = [axis._replace(size=axis.size - start, before=0, after=0) if start else axis for axis, start in zip(axes, starts, strict=True)]
    return value[(slice(None), *(slice(start, None) for start in starts))], found


def _input_gradient(
    xp: Any, sizes: Any, filters: Array, grad: Array, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
) -> Array:
    _check_ranks(strides, filter=filters, out_backprop=grad)
    grad = channels_last(xp, grad, data_format)
    shape = [int(size) for size in sizes]
    if len(shape) == len(strides) - 2:
        channels = filters.shape[-2]
    elif len(shape) == len(strides):
        channels = shape[channel_axis(data_format, len(shape))]
        if shape[0] != len(grad):
            raise InvalidArgumentError(
                f"input and out_backprop must have the same batch size. Input batch: {shape[0]}, outbackprop batch: {len(grad)}"
            )
        shape = spatial(shape, data_format)
    else:
        raise InvalidArgumentError(f"input_sizes must have {len(strides)} elements, found {len(shape)}")
    _check_depths(channels, filters.shape)
    axes = windows_of(shape, filters.shape[:-2], strides, padding, explicit_paddings, data_format, dilations)
    _check_gradient(grad, axes, filters.shape[-1])
    return as_format(xp, correlation.input_gradient(xp, grad, filters, axes, channels), data_format)


def _filter_gradient(
    xp: Any, value: Array, sizes: Any, grad: Array, strides: Any, padding: bytes, explicit_paddings: Any, data_format: bytes, dilations: Any
) -> Array:
    _check_ranks(strides, input=value, out_backprop=grad)
    shape = [int(size) for size in sizes]
    if len(shape) != len(strides):
        raise InvalidArgumentError(f"filter_sizes must have {len(strides)} elements, found {len(shape)}")
    value, grad = channels_last(xp, value, data_format), channels_last(xp, grad, data_format)
    if len(value) != len(grad):
        raise InvalidArgumentError(f"input and out_backprop must have the same batch size. Input batch: {len(value)}, outbackprop batch: {len(grad)}")
    _check_depths(value.shape[-1], shape)
    axes = windows_of(value.shape[1:-1], shape[:-2], strides, padding, explicit_paddings, data_format, dilations)
    _check_gradient(grad, axes, shape[-1])
    return correlation.filter_gradient(xp, value, grad, axes, shape[-2])


def _check_ranks(strides: Any, **arrays: Array) -> None:
    for name, array in arrays.items():
        if array.ndim != len(strides):
            raise InvalidArgumentError(f"{name} must be {len(strides)}-dimensional: {list(array.shape)}")


def _check_depths(channels: int, filter_shape: Sequence[int]) -> None:
    inner, depth = filter_shape[-2:]
    if inner == 0 or channels % inner:
        raise InvalidArgumentError(f"input depth must be evenly divisible by filter depth: {channels} vs {inner}")
    groups = channels // inner
    if groups and depth % groups:
        raise InvalidArgumentError(f"output depth must be evenly divisible by number of groups: {depth} vs {groups}")


def _check_gradient(grad: Array, axes: Sequence[Windows], depth: int) -> None:
    wanted = (*(axis.number for axis in axes), depth)
    if grad.shape[1:] != wanted:
        raise InvalidArgumentError(f"Size of out_backprop doesn't match computed: actual = {list(grad.shape[1:])}, computed = {list(wanted)}")
