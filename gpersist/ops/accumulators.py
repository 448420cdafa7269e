"""Accumulators of gradients as Python has them; `accumulator_ops` has the operations."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.dtypes import DType, as_dtype, int64
from gpersist.graph import Operation, Tensor, apply, apply_op, convert_to_tensor
from gpersist.ops import accumulator_ops as _accumulator_ops  # noqa: F401  # the operations
from gpersist.ops.casting import cast
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__ = ["ConditionalAccumulator", "ConditionalAccumulatorBase", "SparseConditionalAccumulator"]


class SparseAccumulatorTakeGradient(NamedTuple):
    """What is taken from a `SparseConditionalAccumulator`."""

    indices: Tensor
    values: Tensor
    shape: Tensor


class ConditionalAccumulatorBase:
    """An accumulator of gradients (`tf.ConditionalAccumulatorBase`): gradients of an earlier step than the present one are left out."""

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor) -> None:
        self._dtype = as_dtype(dtype)
        self._shape = unknown_shape() if shape is None else as_shape(shape)
        self._accumulator_ref = accumulator_ref
        self._name = accumulator_ref.op.name.split("/")[-1]

    @property
    def accumulator_ref(self) -> Tensor:
        """The handle."""
        return self._accumulator_ref

    @property
    def name(self) -> str:
        """The name of the node, without its scope."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The type of the gradients."""
        return self._dtype

    @property
    def _prefix(self) -> str:
        return "Resource" if self._accumulator_ref.dtype.name == "resource" else ""

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """How many gradients have come since the last were taken, int32."""
        return apply(f"{self._prefix}AccumulatorNumAccumulated", self._accumulator_ref, name=name or f"{self._name}_NumAccumulated")

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Operation:
        """An operation that sets the step before which gradients are stale."""
        step = cast(convert_to_tensor(new_global_step), int64)
        return apply_op(f"{self._prefix}AccumulatorSetGlobalStep", self._accumulator_ref, step, name=name)


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of dense gradients (`tf.ConditionalAccumulator`).

    Args:
        dtype: of the gradients.
        shape: of the gradients, or None.
        shared_name: under which sessions of one process find the same one.
        name: of the node.
        reduction_type: "MEAN" or "SUM".
    """

    def __init__(
        self, dtype: Any, shape: Any = None, shared_name: str | None = None, name: str = "conditional_accumulator", reduction_type: str = "MEAN"
    ) -> None:
        handle = apply(
            "ResourceConditionalAccumulator",
            dtype=as_dtype(dtype),
            shape=TensorShape(None) if shape is None else as_shape(shape),
            shared_name=shared_name or "",
            name=name,
            reduction_type=reduction_type,
        )
        super().__init__(dtype, shape, handle)

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """An operation that adds a gradient, which `local_step` was made for."""
        value = convert_to_tensor(grad, self._dtype)
        value.shape.assert_is_compatible_with(self._shape)
        step = cast(convert_to_tensor(local_step), int64)
        return apply_op("ResourceAccumulatorApplyGradient", self._accumulator_ref, step, value, name=name)

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The mean, or the sum, of the gradients, when there are so many; the step is one more then."""
        found = apply("ResourceAccumulatorTakeGradient", self._accumulator_ref, num_required, dtype=self._dtype, name=name)
        found.set_shape(self._shape)
        return found


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of rows (`tf.SparseConditionalAccumulator`); see `ConditionalAccumulator`."""

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "sparse_conditional_accumulator",
        reduction_type: str = "MEAN",
    ) -> None:
        handle = apply(
            "SparseConditionalAccumulator",
            dtype=as_dtype(dtype),
            shape=TensorShape(None) if shape is None else as_shape(shape),
            shared_name=shared_name or "",
            name=name,
            reduction_type=reduction_type,
        )
        super().__init__(dtype, shape, handle)

    def apply_indexed_slices_grad(self, grad: IndexedSlices, local_step: Any = 0, name: str | None = None) -> Operation:
        """An operation that adds the rows of a gradient."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(self, grad_indices: Any, grad_values: Any, grad_shape: Any = None, local_step: Any = 0, name: str | None = None) -> Operation:
        """An operation that adds rows: `grad_values`, which are those of places `grad_indices`, in ascending order."""
        step = cast(convert_to_tensor(local_step), int64)
        indices = cast(grad_indices, int64)
        shape = cast([] if grad_shape is None else grad_shape, int64)
        return apply_op(
            "SparseAccumulatorApplyGradient",
            self._accumulator_ref,
            step,
            indices,
            grad_values,
            shape,
            has_known_shape=grad_shape is not None,
            name=name,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> SparseAccumulatorTakeGradient:
        """The indices, the means or sums, and the shape of the rows, when there are so many gradients; the step is one more then."""
        op = apply_op("SparseAccumulatorTakeGradient", self._accumulator_ref, num_required, dtype=self._dtype, name=name)
        return SparseAccumulatorTakeGradient(*op.outputs)

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """The same, as IndexedSlices."""
        found = self.take_grad(num_required, name)
        return IndexedSlices(found.values, found.indices, found.shape)
