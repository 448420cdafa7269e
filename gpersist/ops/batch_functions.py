"""Calls whose rows a server puts together with those of other calls (`tf.nondifferentiable_batch_function`): here each call is a batch of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Context, Tensor, apply_op, convert_to_tensor, name_scope
from gpersist.ops.function_graph import trace
from gpersist.ops.functional import Calling, results

__all__ = ["nondifferentiable_batch_function"]


class BatchFunction(Calling):
    """The results of a function for rows, which are filled up to an allowed number of them."""

    inputs = "in_tensors: Tin, captured_tensors: Tcaptured"
    outputs = "out_tensors: Tout"
    attrs = (
        "f: func, num_batch_threads: int, max_batch_size: int, batch_timeout_micros: int, max_enqueued_batches: int = 10, "
        "allowed_batch_sizes: list(int) = [], container: string = '', shared_name: string = '', batching_queue: string = '', "
        "Tin: list(type) >= 1, Tcaptured: list(type) >= 0, Tout: list(type) >= 1, enable_large_batch_splitting: bool = false"
    )

    @staticmethod
    def run(
        ctx: Context, values: Sequence[Any], captured: Sequence[Any], *, f: Any, max_batch_size: int, allowed_batch_sizes: list[int]
    ) -> list[Any]:
        if any(not value.shape for value in values):
            raise InvalidArgumentError("Batching input tensors must have at least one dimension.")
        rows = values[0].shape[0]
        if any(value.shape[0] != rows for value in values):
            raise InvalidArgumentError("Batching input tensors supplied in a given op invocation must have equal 0th-dimension size.")
        if rows > max_batch_size and not ctx.op.attr("enable_large_batch_splitting"):
            raise InvalidArgumentError(f"Task size {rows} is larger than maximum input batch size {max_batch_size}")
        wanted = min((size for size in allowed_batch_sizes if size >= rows), default=rows)
        if rows and wanted > rows:
            values = [ctx.xp.concatenate([value, *[value[:1]] * (wanted - rows)]) for value in values]
        found = results(ctx, f, [*values, *captured])
        for value in found:
            if not value.shape:
                raise FailedPreconditionError("Batched output tensor has 0 dimensions")
            if value.shape[0] != max(rows, len(values[0])):
                raise FailedPreconditionError(
                    f"Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors: "
                    f"{value.shape[0]} and {len(values[0])}"
                )
        return [value[:rows] for value in found]


def nondifferentiable_batch_function(
    num_batch_threads: int,
    max_batch_size: int,
    batch_timeout_micros: int,
    allowed_batch_sizes: Sequence[int] | None = None,
    max_enqueued_batches: int = 10,
    autograph: bool = True,
    enable_large_batch_splitting: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function of rows that a server may call for those of several requests at once (`tf.nondifferentiable_batch_function`).

    Args:
        num_batch_threads: for TensorFlow's sake.
        max_batch_size: how many rows there may be.
        batch_timeout_micros: for TensorFlow's sake: nobody waits for other calls here.
        allowed_batch_sizes: the numbers of rows that the function is made for; rows are filled up to the next.
        max_enqueued_batches: for TensorFlow's sake.
        autograph: for TensorFlow's sake.
        enable_large_batch_splitting: whether more rows than that are taken.
    """
    sizes: dict[str, Any] = {
        "num_batch_threads": num_batch_threads,
        "max_batch_size": max_batch_size,
        "batch_timeout_micros": batch_timeout_micros,
        "allowed_batch_sizes": list(allowed_batch_sizes or ()),
        "max_enqueued_batches": max_enqueued_batches,
    }

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def decorated(*args: Any) -> Any:
            with name_scope("batch") as scope:
                tensors = [convert_to_tensor(arg, name="batch_func_arg") for arg in args]

                def traced(*inputs: Tensor) -> tuple[Any, list[Tensor]]:
                    value = function(*inputs)
                    found = [convert_to_tensor(each) for each in (value if isinstance(value, (tuple, list)) else [value])]
                    return value, found

                made = trace("batch", traced, [tensor.dtype.base_dtype for tensor in tensors], [tensor.shape for tensor in tensors])
                op = apply_op(
                    "BatchFunction",
                    tensors,
                    made.captured,
                    f=made.function,
                    shared_name=scope,
                    enable_large_batch_splitting=enable_large_batch_splitting,
                    Tout=[tensor.dtype.base_dtype for tensor in made.outputs],
                    **sizes,
                )
            found = list(op.outputs)
            return found if isinstance(made.value, (tuple, list)) else found[0]

        return decorated

    return decorate
