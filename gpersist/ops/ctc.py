"""Connectionist temporal classification: from scores of each moment to a sequence of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, convert_to_tensor, sample
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["ctc_greedy_decoder"]


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[SparseTensor], Tensor]:
    """The best label of each moment, blanks left out (`tf.nn.ctc_greedy_decoder`).

    Args:
        inputs: float [moments, sequences, classes], logits.
        sequence_length: int32 [sequences].
        merge_repeated: whether the same label several times on end is one.
        blank_index: the class that is no label, counted from the end where negative; the last one by default.

    Returns:
        A list of one sparse tensor, int64 [sequences, labels]; and float [sequences, 1], the negated sum of the logits chosen.
    """
    blank: dict[str, Any] = {} if blank_index is None else {"blank_index": blank_index}
    values = convert_to_tensor(inputs), convert_to_tensor(sequence_length, "int32")
    indices, labels, shape, score = apply_op("CTCGreedyDecoder", *values, merge_repeated=merge_repeated, **blank).outputs
    return [SparseTensor(indices, labels, shape)], score


class CTCGreedyDecoder(OpType):
    """The best label of each moment."""

    inputs = "inputs: T, sequence_length: int32"
    outputs = "decoded_indices: int64, decoded_values: int64, decoded_shape: int64, log_probability: T"
    attrs = "merge_repeated: bool = false, T: {float, double} = float"
    is_host_only = True
    samples = (
        sample("float[6,2,3]", "int32: [6, 4]", has_gradient=False),
        sample("double[6,2,3]", "int32: [6, 0]", merge_repeated=True, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        inputs, lengths = op._inputs[0].shape.with_rank(3), op._inputs[1].shape.with_rank(1)
        count = inputs[1:2].merge_with(lengths).as_list()[0]
        return [TensorShape([None, 2]), TensorShape([None]), TensorShape([2]), TensorShape([count, 1])]

    @staticmethod
    def run(xp: Any, inputs: Any, sequence_length: Any, *, merge_repeated: bool, blank_index: int = -1) -> tuple[Any, ...]:
        check_sequences(inputs, sequence_length)
        moments, count, classes = inputs.shape
        if not -classes <= blank_index < classes:
            raise InvalidArgumentError(f"blank_index expected to be between {-classes} and {classes - 1}, but is {blank_index}")
        best = inputs.argmax(2)
        is_there = np.arange(moments)[:, None] < sequence_length
        score = -np.where(is_there, inputs.max(2), 0).sum(0, dtype=inputs.dtype)
        kept = is_there & (best != blank_index % classes)
        if merge_repeated:
            kept[1:] &= best[1:] != best[:-1]
        sequences, at = np.nonzero(kept.T)
        counts = np.bincount(sequences, minlength=count)
        places = np.arange(len(sequences)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = np.array([count, counts.max(initial=0)], np.int64)
        return np.stack([sequences, places], 1).astype(np.int64), best[at, sequences].astype(np.int64), shape, score[:, None]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None]


def check_sequences(inputs: Any, lengths: Any) -> None:
    """Holds scores against the lengths of their sequences.

    Raises:
        InvalidArgumentError: they don't go together.
    """
    if inputs.ndim != 3:
        raise InvalidArgumentError("inputs is not a 3-Tensor")
    if not inputs.size:
        raise InvalidArgumentError("inputs must not be empty")
    if lengths.ndim != 1:
        raise InvalidArgumentError("sequence_length is not a vector")
    if len(lengths) != inputs.shape[1]:
        raise FailedPreconditionError(f"len(sequence_length) != batch_size.  len(sequence_length):  {len(lengths)} batch_size: {inputs.shape[1]}")
    wrong = np.flatnonzero(lengths > inputs.shape[0])
    if wrong.size:
        raise FailedPreconditionError(f"sequence_length({wrong[0]}) <= {inputs.shape[0]}")
