"""Einsum of two tensors as one product of matrices.

A label is of the batch (in both, and in the result), summed over (in both), or of one side alone. The sides become [batch, own, summed] and
[batch, summed, own], several labels of a kind one dimension; the product is [batch, left, right], whose axes go where the result has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gpersist.lite.lowering import Lowered, Node, Unsupported, lowers
from gpersist.lite.model import Value
from gpersist.lite.products import fully_connected, transposed

_Sizes = Mapping[str, int | None]


@lowers("Einsum")
def einsum(node: Node) -> Lowered:
    """A product of matrices, or a fully connected layer where the second is a constant matrix."""
    node.must_be_float()
    equation = node.attr("equation")
    text = (equation.decode() if isinstance(equation, bytes) else equation).replace(" ", "")
    left, right, result = _labels(text)
    sizes: _Sizes = dict(zip(left + right, [size for value in node.inputs for size in value.shape or ()], strict=True))
    batch = [label for label in left if label in right and label in result]
    summed = [label for label in left if label in right and label not in result]
    own_left = [label for label in left if label not in right]
    own_right = [label for label in right if label not in left]
    first = _arranged(node, node.inputs[0], left, batch + own_left + summed, "left")
    if node.inputs[1].array is not None and not batch and len(summed) == len(own_right) == 1:
        weights = _arranged(node, node.inputs[1], right, own_right + summed, "right")
        product = fully_connected(node, first, weights, node.step("product", tuple(sizes[label] for label in own_left + own_right)))
        node.operators[-1].options["keep_num_dims"] = True
        node.operators[-1].version = 5
    else:
        adjoint = node.inputs[1].array is None and list(right) == batch + own_right + summed
        groups = [own_right, summed] if adjoint else [summed, own_right]
        second = _arranged(node, node.inputs[1], right, [*batch, *groups[0], *groups[1]], "right")
        second = _merged(node, second, batch, groups, sizes, "right")
        first = _merged(node, first, batch, [own_left, summed], sizes, "left")
        shape = (*(sizes[label] for label in batch), _size(own_left, sizes), _size(own_right, sizes))
        gives = node.step("product", shape)
        product = node.emit("BATCH_MATMUL", first, second, gives=gives, adj_x=False, adj_y=adjoint, asymmetric_quantize_inputs=False)
        if len(own_left) != 1 or len(own_right) != 1:
            product = _reshaped(node, product, tuple(sizes[label] for label in batch + own_left + own_right), "unmerged")
    _arranged(node, product, "".join(batch + own_left + own_right), list(result), "arranged")
    found = node.operators[-1].outputs[0] = node.result()
    return found


def _labels(text: str) -> tuple[str, str, str]:
    sides, arrow, result = text.partition("->")
    left, comma, right = sides.partition(",")
    if not arrow or not comma or "," in right or "." in text:
        raise Unsupported(f"of {text!r}: only of two tensors, without dots")
    for labels in (left, right, result):
        if len(set(labels)) != len(labels) or any(sum(label in side for side in (left, right, result)) < 2 for label in labels):
            raise Unsupported(f"of {text!r}: a label comes twice in a tensor, or in one alone")
    return left, right, result


def _arranged(node: Node, value: Value, labels: str, order: list[str], suffix: str) -> Value:
    axes = [labels.index(label) for label in order]
    return value if axes == sorted(axes) else transposed(node, value, axes, suffix)


def _merged(node: Node, value: Value, batch: list[str], groups: list[list[str]], sizes: _Sizes, suffix: str) -> Value:
    if all(len(group) == 1 for group in groups):
        return value
    return _reshaped(node, value, (*(sizes[label] for label in batch), *(_size(group, sizes) for group in groups)), f"{suffix}/merged")


def _size(labels: Sequence[str], sizes: _Sizes) -> int | None:
    known = [sizes[label] for label in labels]
    return None if None in known else math.prod(size for size in known if size is not None)


def _reshaped(node: Node, value: Value, shape: tuple[int | None, ...], suffix: str) -> Value:
    if shape.count(None) > 1:
        raise Unsupported("with more than one dimension that is not known")
    if value.array is not None:
        return Value(value.name, value.dtype, shape, value.array.reshape([-1 if size is None else size for size in shape]))
    wanted = node.ints([-1 if size is None else size for size in shape], f"{suffix}/shape")
    return node.emit("RESHAPE", value, wanted, gives=node.step(suffix, shape))
