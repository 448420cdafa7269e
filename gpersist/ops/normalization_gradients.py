"""The second derivative of fused batch normalisation, as critics of generative models need it: the first one spelled out, and differentiated."""

from __future__ import annotations

from gpersist.graph import Operation, Tensor
from gpersist.ops.arithmetic import squared_difference
from gpersist.ops.casting import cast
from gpersist.ops.gradients import gradients
from gpersist.ops.passing import identity, stop_gradient
from gpersist.ops.reductions import reduce_mean, reduce_sum
from gpersist.ops.shaping import reshape, squeeze
from gpersist.ops.unary import reciprocal, rsqrt
from gpersist.ops.windows import is_channels_first


def of_fused_gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
    """The gradient of `FusedBatchNormGrad` and its successors: of the gradient that came in, the data, and the scale."""
    sources = [identity(tensor) for tensor in op.inputs[:3]]  # so that what the gradient that came in depends on does not count
    first = _spelled_out(op, *sources)
    found = gradients(list(first), sources, list(grads[:3]))
    return [*found, *[None] * (len(op.inputs) - 3)]


def _spelled_out(op: Operation, grad: Tensor, x: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients with respect to data, scale and offset, by operations that have gradients themselves."""
    mean, variance = op.inputs[3:5]
    data_format, epsilon = op.attr("data_format"), op.attr("epsilon")
    rank, is_moved = len(data_format), is_channels_first(data_format)
    axes = [0, *range(2, rank)] if is_moved else list(range(rank - 1))
    dtype = x.dtype.base_dtype
    grad, x = cast(grad, "float32"), cast(x, "float32")
    if is_moved:
        scale, mean, variance = (reshape(tensor, [1, -1] + [1] * (rank - 2)) for tensor in (scale, mean, variance))
    if op.attr("is_training"):
        centred = x - reduce_mean(x, axes, keepdims=is_moved)
        spread = reduce_mean(squared_difference(x, stop_gradient(reduce_mean(x, axes, keepdims=is_moved))), axes, keepdims=is_moved) + epsilon
        product = reduce_mean(grad * centred, axes, keepdims=is_moved)
        offset_free = grad - reduce_mean(grad, axes, keepdims=is_moved)
        x_grad = scale * rsqrt(spread) * (offset_free - reciprocal(spread) * product * centred)
        scale_grad = rsqrt(spread) * reduce_sum(grad * centred, axes, keepdims=is_moved)
    else:
        root = rsqrt(variance + epsilon)
        x_grad = grad * scale * root
        scale_grad = reduce_sum(grad * (x - mean) * root, axes, keepdims=is_moved)
    if is_moved:
        scale_grad = squeeze(scale_grad, axes)
    return cast(x_grad, dtype), scale_grad, reduce_sum(grad, axes)
