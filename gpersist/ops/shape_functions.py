"""Shapes that many operations have in common, as `OpType.shapes` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpersist.graph import Operation
from gpersist.shapes import TensorShape, unknown_shape

SCALAR = TensorShape(())


def same_as_input(op: Operation) -> list[TensorShape]:
    """Each output has the first input's shape."""
    return [op._inputs[0].shape] * len(op.output_types)


def scalar(op: Operation) -> list[TensorShape]:
    """Each output is a scalar."""
    return [SCALAR] * len(op.output_types)


def none(op: Operation) -> list[TensorShape]:
    """There are no outputs."""
    return []


def same_as_attr(op: Operation) -> list[TensorShape]:
    """The output has the shape that the attribute `shape` says."""
    return [op.attr("shape")]


def broadcast(op: Operation) -> list[TensorShape]:
    """The output has the shape that both inputs are broadcast to."""
    return [broadcast_shapes(op._inputs[0].shape, op._inputs[1].shape)]


def merged(op: Operation) -> list[TensorShape]:
    """The output has what all inputs' shapes say together.

    Raises:
        ValueError: they contradict each other.
    """
    return [merged_shapes(tensor.shape for tensor in op._inputs)]


def merged_from_the_last(op: Operation) -> list[TensorShape]:
    """The same, in TensorFlow's order for lists of inputs, told in its words.

    Raises:
        ValueError: they contradict each other.
    """
    shapes = [tensor.shape for tensor in op._inputs]
    found = shapes[-1]
    for number in reversed(range(len(shapes) - 1)):
        try:
            found = shapes[number].merge_with(found)
        except ValueError as error:
            raise ValueError(f"{getattr(error, 'in_graph', error)}\n\tFrom merging shape {number} with other shapes.") from None
    return [found]


def merged_shapes(shapes: Iterable[TensorShape]) -> TensorShape:
    """What several shapes of one tensor say together.

    Raises:
        ValueError: they contradict each other.
    """
    found = TensorShape(None)
    for shape in shapes:
        found = found.merge_with(shape)
    return found


def axis(axis: int, rank: int) -> int:
    """An axis counted from the front.

    Raises:
        ValueError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"Dimension {axis} must be in the range [{-rank}, {rank}) of a shape of rank {rank}")
    return axis % rank


def batch_and_matrix(shape: TensorShape) -> tuple[TensorShape, tuple[int | None, int | None]]:
    """The shape of a batch of matrices, and how many rows and columns these have, as far as they are known.

    Raises:
        ValueError: it has fewer than two dimensions.
    """
    sizes = shape.with_rank_at_least(2).sizes
    if sizes is None:
        return unknown_shape(), (None, None)
    return TensorShape(sizes[:-2]), (sizes[-2], sizes[-1])


def broadcast_shapes(a: TensorShape, b: TensorShape) -> TensorShape:
    """The shape that arrays of these two are broadcast to, as far as it is known.

    Raises:
        ValueError: they don't go together.
    """
    mine, others = a.sizes, b.sizes
    if mine == others and mine is not None and None not in mine:
        return a
    if mine is None or others is None:
        return unknown_shape()
    rank = max(len(mine), len(others))
    return TensorShape(_broadcast(x, y) for x, y in zip(_padded(mine, rank), _padded(others, rank), strict=True))


def _padded(sizes: Sequence[int | None], rank: int) -> list[int | None]:
    return [1] * (rank - len(sizes)) + list(sizes)


def _broadcast(x: int | None, y: int | None) -> int | None:
    if x == y or y == 1:
        return x
    if x == 1:
        return y
    if x is None or y is None:
        known = y if x is None else x
        return known if known else None  # one above 1 decides; beside 0 the other may be 1, or wrong
    raise ValueError(f"Dimensions must be equal, but are {x} and {y}")
