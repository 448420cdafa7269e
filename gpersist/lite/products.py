"""Convolutions, products of matrices, pools and batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.lite.lowering import Lowered, Node, Unsupported, lowers
from gpersist.lite.model import Value
from gpersist.lite.schema import PADDINGS


def _height_width(node: Node, attr: str) -> tuple[int, int]:
    sizes = node.attr(attr)
    if sizes[0] != 1 or sizes[3] != 1:
        raise Unsupported(f"{attr} {list(sizes)} go over the batch or the channels")
    return int(sizes[1]), int(sizes[2])


def _check_format(node: Node) -> None:
    layout = node.attr("data_format")
    text = layout.decode() if isinstance(layout, bytes) else layout
    if text != "NHWC":
        raise Unsupported(f"of data_format {text}: TFLite has NHWC only")
    node.must_be_float()


def _padding(node: Node, source: Value) -> tuple[Value, int]:
    """What a convolution takes, padded if its paddings are explicit; and the padding left to it."""
    padding = node.attr("padding")
    name = padding.decode() if isinstance(padding, bytes) else padding
    if name != "EXPLICIT":
        return source, PADDINGS[name]
    amounts = np.reshape(node.attr("explicit_paddings"), (-1, 2))
    shape = source.shape and tuple(
        None if size is None else size + int(low + high) for size, (low, high) in zip(source.shape, amounts.tolist(), strict=True)
    )
    padded = node.emit("PAD", source, node.ints(amounts, "paddings"), gives=node.step("Pad", shape or None))
    return padded, PADDINGS["VALID"]


def transposed(node: Node, value: Value, order: list[int], suffix: str) -> Value:
    """A value with its axes in another order; a constant stays one, the same for all that take it so."""
    shape = None if value.shape is None else tuple(value.shape[axis] for axis in order)
    if value.array is None:
        return node.emit("TRANSPOSE", value, node.ints(order, f"{suffix}/perm"), gives=node.step(suffix, shape, value.dtype))
    return Value(value.name, value.dtype, shape, np.ascontiguousarray(value.array.transpose(order)))


def _zeros(node: Node, channels: int | None) -> Value:
    if channels is None:
        raise Unsupported("how many channels it gives is not known")
    return node.constant(np.zeros(channels, np.float32), "bias")


def _channels(value: Value, axis: int) -> int | None:
    return None if value.shape is None else value.shape[axis]


@lowers("Conv2D")
def conv2d(node: Node) -> Lowered:
    """The filter has its output channels first."""
    _check_format(node)
    source, weights = node.inputs
    (height, width), dilations = _height_width(node, "strides"), _height_width(node, "dilations")
    source, padding = _padding(node, source)
    bias = _zeros(node, _channels(weights, 3))
    return node.emit(
        "CONV_2D",
        source,
        transposed(node, weights, [3, 0, 1, 2], "filter"),
        bias,
        padding=padding,
        stride_h=height,
        stride_w=width,
        dilation_h_factor=dilations[0],
        dilation_w_factor=dilations[1],
        fused_activation_function=0,
    )


@lowers("Conv3D")
def conv3d(node: Node) -> Lowered:
    """The filter is as TensorFlow has it."""
    node.must_be_float()
    strides, dilations, layout, padding = (node.attr(name) for name in ("strides", "dilations", "data_format", "padding"))
    if layout not in (b"NDHWC", "NDHWC"):
        raise Unsupported("of another data_format than NDHWC")
    options: dict[str, Any] = {f"stride_{axis}": int(strides[place]) for place, axis in enumerate("dhw", 1)}
    options |= {f"dilation_{axis}_factor": int(dilations[place]) for place, axis in enumerate("dhw", 1)}
    options["padding"] = PADDINGS[padding.decode() if isinstance(padding, bytes) else padding]
    return node.emit("CONV_3D", *node.inputs, None, fused_activation_function=0, **options)


@lowers("DepthwiseConv2dNative")
def depthwise_conv2d(node: Node) -> Lowered:
    """The filter has the multiples of all channels on its last axis."""
    _check_format(node)
    source, weights = node.inputs
    if weights.static_shape is None:
        raise Unsupported("the filter's shape is not known")
    rows, columns, channels, multiplier = weights.static_shape
    (height, width), dilations = _height_width(node, "strides"), _height_width(node, "dilations")
    source, padding = _padding(node, source)
    shape = (1, rows, columns, channels * multiplier)
    if weights.array is not None:
        flat = Value(weights.name, weights.dtype, shape, weights.array.reshape(shape))
    else:
        flat = node.emit("RESHAPE", weights, node.ints(shape, "filter/shape"), gives=node.step("filter", shape))
    gives = node.emit_all(
        "DEPTHWISE_CONV_2D",
        [source, flat, _zeros(node, shape[3])],
        [node.result()],
        version=1 if dilations == (1, 1) else 2,
        padding=padding,
        stride_h=height,
        stride_w=width,
        depth_multiplier=multiplier,
        dilation_h_factor=dilations[0],
        dilation_w_factor=dilations[1],
        fused_activation_function=0,
    )
    return gives


@lowers("Conv2DBackpropInput")
def transpose_conv(node: Node) -> Lowered:
    """The filter has its output channels first."""
    _check_format_of(node, node.inputs[2])
    if _height_width(node, "dilations") != (1, 1):
        raise Unsupported("with dilations")
    padding = node.attr("padding")
    name = padding.decode() if isinstance(padding, bytes) else padding
    if name not in PADDINGS:
        raise Unsupported(f"with padding {name}")
    height, width = _height_width(node, "strides")
    return node.emit(
        "TRANSPOSE_CONV",
        node.as_int32(0),
        transposed(node, node.inputs[1], [2, 0, 1, 3], "filter"),
        node.inputs[2],
        padding=PADDINGS[name],
        stride_h=height,
        stride_w=width,
        fused_activation_function=0,
    )


def _check_format_of(node: Node, source: Value) -> None:
    _check_format(Node(node.op, [source], node.operators))


@lowers("MaxPool", "AvgPool", "MaxPoolV2")
def pool(node: Node) -> Lowered:
    """Pools over height and width."""
    _check_format(node)
    if node.op.type == "MaxPoolV2":
        sizes, strides = (np.asarray(node.known(index)).tolist() for index in (1, 2))
    else:
        sizes, strides = node.attr("ksize"), node.attr("strides")
    if {sizes[0], sizes[3], strides[0], strides[3]} != {1}:
        raise Unsupported(f"ksize {list(sizes)} and strides {list(strides)} go over the batch or the channels")
    padding = node.attr("padding")
    name = padding.decode() if isinstance(padding, bytes) else padding
    if name not in PADDINGS:
        raise Unsupported(f"with padding {name}")
    return node.emit(
        "AVERAGE_POOL_2D" if node.op.type == "AvgPool" else "MAX_POOL_2D",
        node.inputs[0],
        padding=PADDINGS[name],
        stride_h=int(strides[1]),
        stride_w=int(strides[2]),
        filter_height=int(sizes[1]),
        filter_width=int(sizes[2]),
        fused_activation_function=0,
    )


@lowers("MatMul")
def matmul(node: Node) -> Lowered:
    """FULLY_CONNECTED where the second is constant, with its rows as outputs; else BATCH_MATMUL."""
    node.must_be_float()
    left, right = node.inputs
    if right.array is None and not (node.attr("transpose_b") and not node.attr("transpose_a")):
        return _batch_matmul(node, node.attr("transpose_a"), node.attr("transpose_b"))
    if node.attr("transpose_a"):
        left = transposed(node, left, [1, 0], "left")
    if not node.attr("transpose_b"):
        right = transposed(node, right, [1, 0], "right")
    return fully_connected(node, left, right, node.result())


def fully_connected(node: Node, left: Value, weights: Value, gives: Value) -> Value:
    """Rows of `left` times rows of `weights`, without a bias."""
    options: dict[str, Any] = {"weights_format": 0, "keep_num_dims": False, "asymmetric_quantize_inputs": False}
    return node.emit("FULLY_CONNECTED", left, weights, None, gives=gives, fused_activation_function=0, **options)


@lowers("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def batch_matmul(node: Node) -> Lowered:
    """Products of matrices, one for each element of the batch."""
    node.must_be_float()
    return _batch_matmul(node, node.attr("adj_x"), node.attr("adj_y"))


def _batch_matmul(node: Node, adj_x: bool, adj_y: bool) -> Value:
    return node.emit("BATCH_MATMUL", *node.inputs, adj_x=adj_x, adj_y=adj_y, asymmetric_quantize_inputs=False)


@lowers("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def fused_batch_norm(node: Node) -> Lowered:
    """Of constant statistics, a product and a sum; those go into a convolution before them, see `gpersist.lite.fusing`."""
    _check_format(node)
    if node.attr("is_training"):
        raise Unsupported("with is_training: build the graph for inference")
    scale, offset, mean, variance = (node.known(index) for index in range(1, 5))
    factor = scale / np.sqrt(variance + np.float32(node.attr("epsilon")))
    source = node.inputs[0]
    product = node.emit("MUL", source, node.constant(factor, "factor"), gives=node.step("mul", source.shape), fused_activation_function=0)
    result = node.emit("ADD", product, node.constant(offset - mean * factor, "offset"), fused_activation_function=0)
    statistics = [Value(f"{node.op.name}:{index}", node.inputs[0].dtype, None, is_dead=True) for index in range(1, len(node.op.outputs))]
    return [result, *statistics]
