"""Calls whose rows a server puts together with those of other calls (`tf.nondifferentiable_batch_function`): here each call is a batch of its own."""

from __future__ import annotations

import itertools
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
        ctx: Context,
        values: Sequence[Any],
        captured: Sequence[Any],
        *,
        f: Any,
        max_batch_size: int,
        allowed_batch_sizes: list[int],
        enable_large_batch_splitting: bool,
    ) -> list[Any]:
        _check_sizes(max_batch_size, allowed_batch_sizes, enable_large_batch_splitting)
        if any(not value.shape for value in values):
            raise InvalidArgumentError("Batching input tensors must have at least one dimension.")
        rows = values[0].shape[0]
        if any(value.shape[0] != rows for value in values):
            raise InvalidArgumentError("Batching input tensors supplied in a given op invocation must have equal 0th-dimension size.")
        if rows > max_batch_size:
            raise InvalidArgumentError(f"Task size {rows} is larger than maximum input batch size {max_batch_size}")
        most = allowed_batch_sizes[-1] if allowed_batch_sizes else max_batch_size
        parts = [
            _of_rows(ctx, f, [value[start : start + most] for value in values], captured, allowed_batch_sizes)
            for start in range(0, max(rows, 1), most)
        ]
        return parts[0] if len(parts) == 1 else [ctx.xp.concatenate(found) for found in zip(*parts, strict=True)]


def _check_sizes(most: int, allowed: list[int], is_split: bool) -> None:
    if any(after <= before for before, after in itertools.pairwise(allowed)):
        raise InvalidArgumentError("allowed_batch_sizes entries must be monotonically increasing")
    if allowed and not is_split and allowed[-1] != most:
        raise InvalidArgumentError("final entry in allowed_batch_sizes must equal max_batch_size when enable_large_batch_splitting is False")
    if allowed and allowed[-1] > most:
        raise InvalidArgumentError(f"the final entry in allowed_batch_sizes, {allowed[-1]}, must not exceed max_batch_size, {most}")


def _of_rows(ctx: Context, function: Any, values: Sequence[Any], captured: Sequence[Any], allowed: list[int]) -> list[Any]:
    """What a function makes of some rows, filled up with the first one to an allowed number."""
    rows = values[0].shape[0]
    wanted = next((size for size in allowed if size >= rows), rows) if rows else 0
    if wanted > rows:
        values = [ctx.xp.concatenate([value, *[value[:1]] * (wanted - rows)]) for value in values]
    found = results(ctx, function, [*values, *captured])
    for value in found:
        if not value.shape:
            raise FailedPreconditionError("Batched output tensor has 0 dimensions")
        if value.shape[0] != wanted:
            raise FailedPreconditionError(
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors: "
                f"{value.shape[0]} and {wanted}"
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
        enable_large_batch_splitting: whether more rows than the largest allowed number are taken, a part at a time.
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
