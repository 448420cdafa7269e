"""Shapes, parts and arrangements of tensors; images in other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import int32
from gpersist.lite.lowering import Lowered, Node, Unsupported, lowers
from gpersist.lite.model import Value
from gpersist.lite.schema import MIRRORS, TYPES

_MAX_SLICED_RANK = 5


@lowers("Reshape")
def reshape(node: Node) -> Lowered:
    """To a shape that is an input; nothing, if it is the same."""
    if node.result().static_shape is not None and node.result().shape == node.inputs[0].shape:
        return node.inputs[0]
    return node.emit("RESHAPE", node.inputs[0], node.as_int32(1))


@lowers("Squeeze")
def squeeze(node: Node) -> Lowered:
    """Without dimensions of one element: RESHAPE where one dimension at most is not known."""
    gives = node.result()
    if gives.shape is None or gives.shape.count(None) > 1:
        return node.emit("SQUEEZE", node.inputs[0], squeeze_dims=[int(axis) for axis in node.attr("squeeze_dims")])
    return node.emit("RESHAPE", node.inputs[0], node.ints([-1 if size is None else size for size in gives.shape], "shape"))


@lowers("ExpandDims")
def expand_dims(node: Node) -> Lowered:
    """With one dimension more: RESHAPE where all are known."""
    shape = node.result().static_shape
    if shape is not None:
        return node.emit("RESHAPE", node.inputs[0], node.ints(shape, "shape"))
    return node.emit("EXPAND_DIMS", node.inputs[0], node.as_int32(1))


@lowers("Shape")
def shape(node: Node) -> Lowered:
    """The shape, where it is not known before."""
    return node.emit("SHAPE", *node.inputs, out_type=TYPES[node.result().dtype.name])


@lowers("Rank")
def rank(node: Node) -> Lowered:
    """The rank, where it is not known before."""
    return node.emit("RANK", *node.inputs)


@lowers("Size")
def size(node: Node) -> Lowered:
    """The product of the shape."""
    dtype = node.result().dtype
    found = node.emit("SHAPE", *node.inputs, gives=node.step("shape", (node.inputs[0].rank,)), out_type=TYPES[dtype.name])
    return node.emit("REDUCE_PROD", found, node.ints(0, "axis"), keep_dims=False)


@lowers("Transpose")
def transpose(node: Node) -> Lowered:
    """Axes in another order; nothing, if it is the same."""
    order = node.inputs[1].array
    if order is not None and (order == np.arange(order.size)).all():
        return node.inputs[0]
    return node.emit("TRANSPOSE", node.inputs[0], node.as_int32(1))


@lowers("Pad", "PadV2")
def pad(node: Node) -> Lowered:
    """With zeros, or another value."""
    return node.emit("PAD" if node.op.type == "Pad" else "PADV2", node.inputs[0], node.as_int32(1), *node.inputs[2:])


@lowers("MirrorPad")
def mirror_pad(node: Node) -> Lowered:
    """With what lies at the borders."""
    mode = node.attr("mode")
    return node.emit("MIRROR_PAD", node.inputs[0], node.as_int32(1), mode=MIRRORS[mode.decode() if isinstance(mode, bytes) else mode])


@lowers("ConcatV2", "Concat")
def concat(node: Node) -> Lowered:
    """One after the other, along a constant axis."""
    last = node.op.type == "ConcatV2"
    axis = int(node.known(len(node.inputs) - 1 if last else 0))
    return node.emit("CONCATENATION", *(node.inputs[:-1] if last else node.inputs[1:]), axis=axis, fused_activation_function=0)


@lowers("Split")
def split(node: Node) -> Lowered:
    """Equal parts."""
    gives = [node.result(index) for index in range(len(node.op.outputs))]
    return node.emit_all("SPLIT", [node.as_int32(0), node.inputs[1]], gives, num_splits=len(gives))


@lowers("SplitV")
def split_v(node: Node) -> Lowered:
    """Parts of given sizes."""
    gives = [node.result(index) for index in range(len(node.op.outputs))]
    return node.emit_all("SPLIT_V", [node.inputs[0], node.as_int32(1), node.as_int32(2)], gives, num_splits=len(gives))


@lowers("Pack")
def pack(node: Node) -> Lowered:
    """Stacked along a new axis."""
    return node.emit("PACK", *node.inputs, values_count=len(node.inputs), axis=int(node.attr("axis")))


@lowers("Unpack")
def unpack(node: Node) -> Lowered:
    """The parts of an axis."""
    gives = [node.result(index) for index in range(len(node.op.outputs))]
    return node.emit_all("UNPACK", node.inputs, gives, num=len(gives), axis=int(node.attr("axis")))


@lowers("Slice")
def slice_(node: Node) -> Lowered:
    """A part, by begin and size."""
    return node.emit("SLICE", node.inputs[0], node.as_int32(1), node.as_int32(2))


@lowers("StridedSlice")
def strided_slice(node: Node) -> Lowered:
    """A part, by begin, end and stride of each axis: all axes are told, new ones made before."""
    source = node.inputs[0]
    masks = {name: int(node.attr(f"{name}_mask")) for name in ("begin", "end", "shrink_axis", "new_axis", "ellipsis")}
    if source.shape is None or any(value.array is None for value in node.inputs[1:]):
        if masks["new_axis"] or masks["ellipsis"]:
            raise Unsupported("with new axes or an ellipsis, and parts or a rank that are not constant")
        return _strided_slice(node, source, [node.as_int32(index) for index in (1, 2, 3)], masks)
    items = list(zip(*(node.known(index).tolist() for index in (1, 2, 3)), strict=True))
    dense, shape = _dense(items, masks, source.shape)
    if len(shape) > _MAX_SLICED_RANK:
        raise Unsupported(f"of rank {len(shape)}: TFLite has {_MAX_SLICED_RANK} at most")
    if len(shape) != len(source.shape):
        if shape.count(None) > 1:
            raise Unsupported("with new axes, and more than one dimension that is not known")
        wanted = node.ints([-1 if size is None else size for size in shape], "reshape/shape")
        source = node.emit("RESHAPE", source, wanted, gives=node.step("reshape", shape, source.dtype))
    found = {name: sum(1 << axis for axis, item in enumerate(dense) if name in item[1]) for name in ("begin", "end", "shrink_axis")}
    parts = [node.ints([item[0][part] for item in dense], name) for part, name in enumerate(("begin", "end", "strides"))]
    return _strided_slice(node, source, parts, found)


_Item = tuple[tuple[int, int, int], frozenset[str]]
_WHOLE: _Item = ((0, 0, 1), frozenset(("begin", "end")))


def _dense(items: list[tuple[int, int, int]], masks: dict[str, int], shape: tuple[int | None, ...]) -> tuple[list[_Item], tuple[int | None, ...]]:
    """Begin, end and stride, and the masks, of each axis of a shape that has the new axes."""
    told = sum(not masks["new_axis"] >> index & 1 and not masks["ellipsis"] >> index & 1 for index in range(len(items)))
    if not masks["ellipsis"]:
        items = [*items, (0, 0, 1)]
        masks = masks | {"ellipsis": 1 << len(items) - 1}
    dense: list[_Item] = []
    sizes: list[int | None] = []
    remaining = list(shape)
    for index, item in enumerate(items):
        if masks["ellipsis"] >> index & 1:
            count = len(shape) - told
            dense += [_WHOLE] * count
            sizes += remaining[:count]
            del remaining[:count]
        elif masks["new_axis"] >> index & 1:
            dense.append(_WHOLE)
            sizes.append(1)
        else:
            dense.append((item, frozenset(name for name in ("begin", "end", "shrink_axis") if masks[name] >> index & 1)))
            sizes.append(remaining.pop(0))
    return dense, tuple(sizes)


def _strided_slice(node: Node, source: Value, parts: list[Value], masks: dict[str, int]) -> Value:
    options: dict[str, Any] = {f"{name}_mask": masks[name] for name in ("begin", "end", "shrink_axis")}
    return node.emit("STRIDED_SLICE", source, *parts, ellipsis_mask=0, new_axis_mask=0, **options)


@lowers("Gather", "GatherV2")
def gather(node: Node) -> Lowered:
    """Slices along a constant axis."""
    batch_dims = int(node.attr("batch_dims")) if node.op.has_attr("batch_dims") else 0
    axis = int(node.known(2)) if node.op.type == "GatherV2" else 0
    return node.emit("GATHER", *node.inputs[:2], axis=axis, batch_dims=batch_dims)


@lowers("GatherNd")
def gather_nd(node: Node) -> Lowered:
    """Elements, or slices."""
    return node.emit("GATHER_ND", *node.inputs)


@lowers("Tile")
def tile(node: Node) -> Lowered:
    """Many times over."""
    return node.emit("TILE", node.inputs[0], node.as_int32(1))


@lowers("Fill")
def fill(node: Node) -> Lowered:
    """One value everywhere."""
    return node.emit("FILL", node.as_int32(0), node.inputs[1])


@lowers("OnesLike")
def ones_like(node: Node) -> Lowered:
    """1 everywhere: a constant, or as large as the input is."""
    result = node.result()
    one = np.ones((), result.dtype.numpy)
    if result.static_shape is not None:
        result.array = np.broadcast_to(one, result.static_shape)
        return result
    sizes = node.emit("SHAPE", node.inputs[0], gives=node.step("shape", (node.inputs[0].rank,), int32), out_type=TYPES["int32"])
    return node.emit("FILL", sizes, node.constant(one, "one"), gives=result)


@lowers("Range")
def range_(node: Node) -> Lowered:
    """Numbers in a row."""
    return node.emit("RANGE", *node.inputs)


@lowers("OneHot")
def one_hot(node: Node) -> Lowered:
    """One value where the index is, another one elsewhere."""
    return node.emit("ONE_HOT", *node.inputs, axis=int(node.attr("axis")))


@lowers("ReverseV2")
def reverse(node: Node) -> Lowered:
    """The other way round."""
    axis = node.as_int32(1)
    if axis.array is not None and axis.array.size == 0:
        return node.inputs[0]
    return node.emit("REVERSE_V2", node.inputs[0], axis)


@lowers("BroadcastTo")
def broadcast_to(node: Node) -> Lowered:
    """As large as told."""
    return node.emit_all("BROADCAST_TO", [node.inputs[0], node.as_int32(1)], [node.result()], version=2)


@lowers("ScatterNd")
def scatter_nd(node: Node) -> Lowered:
    """Values at places, 0 elsewhere."""
    return node.emit("SCATTER_ND", node.as_int32(0), node.inputs[1], node.as_int32(2))


@lowers("MatrixDiag", "MatrixDiagV2", "MatrixDiagV3")
def matrix_diag(node: Node) -> Lowered:
    """Matrices with a main diagonal, 0 elsewhere."""
    _check_main_diagonal(node, node.inputs[1:])
    return node.emit("MATRIX_DIAG", node.inputs[0])


@lowers("MatrixSetDiag", "MatrixSetDiagV2", "MatrixSetDiagV3")
def matrix_set_diag(node: Node) -> Lowered:
    """Matrices with another main diagonal."""
    _check_main_diagonal(node, node.inputs[2:])
    return node.emit("MATRIX_SET_DIAG", *node.inputs[:2])


def _check_main_diagonal(node: Node, values: list[Value]) -> None:
    """Holds that the diagonal's number is 0, the sizes are those that follow, and what is around is 0."""
    wanted = (0, -1, -1, 0)
    if any(value.array is None or (value.array != number).any() for value, number in zip(values, wanted, strict=False)):
        raise Unsupported("of other diagonals than the main one")


@lowers("ReverseSequence")
def reverse_sequence(node: Node) -> Lowered:
    """The first parts of sequences, the other way round."""
    return node.emit("REVERSE_SEQUENCE", *node.inputs, seq_dim=int(node.attr("seq_dim")), batch_dim=int(node.attr("batch_dim")))


@lowers("Unique")
def unique(node: Node) -> Lowered:
    """Each element once, and which each was."""
    gives = [node.result(0), node.result(1)]
    return node.emit_all("UNIQUE", node.inputs, gives, idx_out_type=TYPES[gives[1].dtype.name])


@lowers("Where")
def where(node: Node) -> Lowered:
    """Where it is true."""
    return node.emit("WHERE", *node.inputs)


@lowers("SpaceToDepth", "DepthToSpace")
def space_to_depth(node: Node) -> Lowered:
    """Squares of pixels as channels, or the other way."""
    if node.attr("data_format") not in (b"NHWC", "NHWC"):
        raise Unsupported("of another data_format than NHWC")
    kind = "SPACE_TO_DEPTH" if node.op.type == "SpaceToDepth" else "DEPTH_TO_SPACE"
    return node.emit(kind, *node.inputs, block_size=int(node.attr("block_size")))


@lowers("SpaceToBatchND", "BatchToSpaceND")
def space_to_batch(node: Node) -> Lowered:
    """Pixels of a grid as the batch, or the other way."""
    kind = "SPACE_TO_BATCH_ND" if node.op.type == "SpaceToBatchND" else "BATCH_TO_SPACE_ND"
    return node.emit(kind, node.inputs[0], node.as_int32(1), node.as_int32(2))


@lowers("ResizeBilinear", "ResizeNearestNeighbor")
def resize(node: Node) -> Lowered:
    """An image in another size."""
    half = bool(node.attr("half_pixel_centers"))
    kind = "RESIZE_BILINEAR" if node.op.type == "ResizeBilinear" else "RESIZE_NEAREST_NEIGHBOR"
    source = node.inputs[0]
    if kind == "RESIZE_BILINEAR":
        node.must_be_float()
    options = {"align_corners": bool(node.attr("align_corners")), "half_pixel_centers": half}
    version = 3 if half or (kind == "RESIZE_NEAREST_NEIGHBOR" and options["align_corners"]) else 1
    result, wanted = node.result(), node.inputs[1].array
    if wanted is not None and source.shape is not None:
        result.shape = (source.shape[0], *wanted.tolist(), source.shape[3])
    return node.emit_all(kind, [source, node.as_int32(1)], [result], version, **options)
