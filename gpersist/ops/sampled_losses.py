"""Losses over very many classes, estimated by a few that are drawn: `tf.nn.nce_loss`, `tf.nn.sampled_softmax_loss`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.candidate_samplers import compute_accidental_hits, log_uniform_candidate_sampler
from gpersist.ops.casting import cast
from gpersist.ops.cross_entropy import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from gpersist.ops.embedding import embedding_lookup
from gpersist.ops.filling import ones, ones_like, zeros_like
from gpersist.ops.joining import concat, stack
from gpersist.ops.math import multiply
from gpersist.ops.matmul import matmul
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.passing import stop_gradient
from gpersist.ops.shaping import expand_dims
from gpersist.ops.unary import log

__all__ = ["nce_loss", "sampled_softmax_loss"]


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
) -> Tensor:
    """The loss of noise-contrastive estimation (`tf.nn.nce_loss`).

    Args:
        weights: float [num_classes, dim], or a list of its parts.
        biases: float [num_classes].
        labels: int64 [batch, num_true], the true classes.
        inputs: float [batch, dim].
        num_sampled: how many classes are drawn.
        num_classes: how many there are.
        num_true: how many true ones each example has.
        sampled_values: what a candidate sampler gave; one of `log_uniform_candidate_sampler` by default.
        remove_accidental_hits: whether classes that were drawn and are true do not count.
        partition_strategy: as of `embedding_lookup`.
        name: of the scope.

    Returns:
        float [batch].
    """
    logits, targets = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, partition_strategy, name, None
    )
    return _row_sums(sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses"))


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss",
    seed: int | None = None,
) -> Tensor:
    """The loss of a softmax over the true classes and some that are drawn (`tf.nn.sampled_softmax_loss`); arguments as in `nce_loss`."""
    logits, targets = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, partition_strategy, name, seed
    )
    return softmax_cross_entropy_with_logits_v2(labels=stop_gradient(targets, name="labels_stop_gradient"), logits=logits)


def _row_sums(x: Tensor) -> Tensor:
    """The sum of each row, as a product with ones."""
    return reshape(matmul(x, ones(stack([shape_of(x)[1], 1]), x.dtype)), [-1])


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    removes_hits: bool,
    strategy: str,
    name: str | None,
    seed: int | None,
) -> tuple[Tensor, Tensor]:
    """The logits of the true classes and of those drawn, each less the logarithm of how often it is expected; and the targets."""
    parts = list(weights) if isinstance(weights, (list, PartitionedVariable)) else [weights]
    with name_scope(name, "compute_sampled_logits", [*parts, biases, inputs, labels]):
        labels, inputs = convert_to_tensor(labels), convert_to_tensor(inputs)
        if labels.dtype.name != "int64":
            labels = cast(labels, "int64")
        flat = reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed=seed)
        sampled, true_count, sampled_count = (stop_gradient(value) for value in sampled_values)
        sampled = cast(sampled, "int64")
        ids = concat([flat, sampled], 0)
        all_w = _as(embedding_lookup(parts, ids, partition_strategy=strategy), inputs)
        true_w = apply("Slice", all_w, [0, 0], stack([shape_of(flat)[0], -1]))
        sampled_w = apply("Slice", all_w, stack([shape_of(flat)[0], 0]), [-1, -1])
        sampled_logits = matmul(inputs, sampled_w, transpose_b=True)
        all_b = _as(embedding_lookup(biases, ids, partition_strategy=strategy), inputs)
        true_b = apply("Slice", all_b, [0], shape_of(flat))
        sampled_b = apply("Slice", all_b, shape_of(flat), [-1])
        dim = shape_of(true_w)[1:2]
        rows_shape = concat([[-1, num_true], dim], 0)
        products = multiply(expand_dims(inputs, 1), reshape(true_w, rows_shape))
        true_logits = reshape(_row_sums(reshape(products, concat([[-1], dim], 0))), [-1, num_true])
        true_logits = true_logits + reshape(true_b, [-1, num_true])
        sampled_logits = sampled_logits + sampled_b
        if removes_hits:
            sampled_logits = sampled_logits + _hits(labels, sampled, num_true, num_sampled, sampled_logits)
        true_logits = true_logits - log(true_count)
        sampled_logits = sampled_logits - log(sampled_count)
        logits = concat([true_logits, sampled_logits], 1)
        return logits, concat([ones_like(true_logits) / num_true, zeros_like(sampled_logits)], 1)


def _as(rows: Tensor, like: Tensor) -> Tensor:
    return rows if rows.dtype is like.dtype else cast(rows, like.dtype)


def _hits(labels: Tensor, sampled: Tensor, num_true: int, num_sampled: int, like: Tensor) -> Tensor:
    """The lowest number where a class that was drawn is a true one, and 0 elsewhere."""
    rows, ids, lowest = compute_accidental_hits(labels, sampled, num_true=num_true)
    places = concat([reshape(rows, [-1, 1]), reshape(cast(ids, "int32"), [-1, 1])], 1, "sparse_indices")
    shape = concat([shape_of(labels)[:1], expand_dims(num_sampled, 0)], 0)
    return apply("SparseToDense", places, shape, _as(lowest, like), 0.0, validate_indices=False)
