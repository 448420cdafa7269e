"""Keras's layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.graph import Tensor
from gpersist.keras.layer import Flow, Layer
from gpersist.ops.arithmetic import add, maximum, minimum, multiply, subtract
from gpersist.ops.clip import l2_normalize
from gpersist.ops.comparison import logical_and
from gpersist.ops.contraction import einsum
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import concat
from gpersist.ops.shaping import expand_dims


class _Merge(Layer, abstract=True):
    least = 1

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        if len(inputs) < self.least:
            raise InvalidArgumentError(f"takes {len(inputs)} tensors; expected {self.least} or more")
        tensors = [flow.tensor for flow in inputs]
        return [Flow(self.merge(tensors), self.mask(inputs))]

    def merge(self, tensors: list[Tensor]) -> Tensor:
        """One tensor of several."""
        raise NotImplementedError

    def mask(self, inputs: Sequence[Flow]) -> Tensor | None:
        """Where all of them count; none where one has none, as Keras has it."""
        masks = [flow.mask for flow in inputs if flow.mask is not None]
        if len(masks) < len(inputs) and self.building.major < 3:
            return None
        return reduce(logical_and, masks) if masks else None


class _Elementwise(_Merge, abstract=True):
    def merge(self, tensors: list[Tensor]) -> Tensor:
        ranks = [tensor.shape.rank or 0 for tensor in tensors]
        spread = []
        for tensor, rank in zip(tensors, ranks, strict=True):
            for _ in range(max(ranks) - rank):
                tensor = expand_dims(tensor, 1)
            spread.append(tensor)
        return self.combine(spread)

    def combine(self, tensors: list[Tensor]) -> Tensor:
        """One tensor of several with as many dimensions each."""
        raise NotImplementedError


class Add(_Elementwise):
    """Their sum."""

    def combine(self, tensors: list[Tensor]) -> Tensor:
        return reduce(add, tensors)


class Subtract(_Elementwise):
    """The first less the second."""

    least = 2

    def combine(self, tensors: list[Tensor]) -> Tensor:
        first, second = tensors
        return subtract(first, second)


class Multiply(_Elementwise):
    """Their product."""

    def combine(self, tensors: list[Tensor]) -> Tensor:
        return reduce(multiply, tensors)


class Average(_Elementwise):
    """Their mean."""

    def combine(self, tensors: list[Tensor]) -> Tensor:
        found: Tensor = reduce(add, tensors) / len(tensors)
        return found


class Maximum(_Elementwise):
    """The larger, element by element."""

    def combine(self, tensors: list[Tensor]) -> Tensor:
        return reduce(maximum, tensors)


class Minimum(_Elementwise):
    """The smaller, element by element."""

    def combine(self, tensors: list[Tensor]) -> Tensor:
        return reduce(minimum, tensors)


class Concatenate(_Merge):
    """One after the other along an axis."""

    def merge(self, tensors: list[Tensor]) -> Tensor:
        return concat(tensors, self.integer("axis", -1))

    def mask(self, inputs: Sequence[Flow]) -> Tensor | None:
        if all(flow.mask is None for flow in inputs):
            return None
        rank = inputs[0].tensor.shape.rank
        axis = self.integer("axis", -1) % (rank or 1)
        if axis == 1:
            return concat([ones_like(flow.tensor[:, :, 0], "bool") if flow.mask is None else flow.mask for flow in inputs], 1)
        return reduce(logical_and, [flow.mask for flow in inputs if flow.mask is not None])


class Dot(_Merge):
    """Products summed along an axis of each, row by row of the batch."""

    least = 2

    def mask(self, inputs: Sequence[Flow]) -> Tensor | None:
        return None

    def merge(self, tensors: list[Tensor]) -> Tensor:
        first, second = tensors
        axes: Any = self.get("axes", 1)
        pair = [axes, axes] if isinstance(axes, int) else axes
        ranks = [tensor.shape.rank or 0 for tensor in tensors]
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise DataLossError(f"its config has axes={axes!r}")
        one, two = (axis % rank if rank else 0 for axis, rank in zip(pair, ranks, strict=True))
        if not one or not two or max(ranks) > 8:
            raise DataLossError(f"its config has axes={axes!r}, and its inputs have {ranks} dimensions")
        if self.get("normalize", False):
            first, second = l2_normalize(first, one), l2_normalize(second, two)
        left = ["a", *"bcdefgh"[: ranks[0] - 1]]
        right = ["a", *"ijklmno"[: ranks[1] - 1]]
        left[one] = right[two] = "z"
        kept = [label for label in left + right[1:] if label != "z"]
        found = einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", first, second)
        return expand_dims(found, 1) if len(kept) == 1 else found
