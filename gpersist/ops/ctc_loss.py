"""The loss of connectionist temporal classification, and its gradient: over all ways that a sequence of labels and blanks says the labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.arranging import transpose
from gpersist.ops.builders import renamed_argument
from gpersist.ops.shaping import expand_dims
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["ctc_loss"]

_FLAGS = "preprocess_collapse_repeated: bool = false, ctc_merge_repeated: bool = true, ignore_longer_outputs_than_inputs: bool = false"


def ctc_loss(
    labels: Any,
    inputs: Any = None,
    sequence_length: Any = None,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
    logits: Any = None,
) -> Tensor:
    """The negated logarithm of the probability of labels (`tf.nn.ctc_loss`).

    Args:
        labels: a sparse tensor, int32 [sequences, labels]; the last class is the blank and no label.
        inputs: float [moments, sequences, classes], logits.
        sequence_length: int32 [sequences].
        preprocess_collapse_repeated: whether labels that repeat are one, before anything else.
        ctc_merge_repeated: whether the same class several times on end is one label.
        ignore_longer_outputs_than_inputs: whether a sequence that is shorter than its labels has no loss, instead of being an error.
        time_major: whether `inputs` is as above, rather than [sequences, moments, classes].
        logits: the newer name of `inputs`.

    Returns:
        float [sequences].

    Raises:
        TypeError: `labels` is no sparse tensor.
    """
    inputs = renamed_argument("logits", logits, "inputs", inputs)
    if not isinstance(labels, SparseTensor):
        raise TypeError(f"Argument `labels` must be a SparseTensor. Received labels={labels}")
    if not time_major:
        inputs = transpose(inputs, [1, 0, 2])
    loss, _ = apply_op(
        "CTCLoss",
        inputs,
        labels.indices,
        labels.values,
        sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    ).outputs
    return loss


class _Loss(OpType, abstract=True):
    """The loss of each sequence, and its gradient with respect to the logits."""

    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        inputs, indices, values, lengths = (tensor.shape for tensor in op._inputs)
        inputs.with_rank(3)
        indices.with_rank(2)[:1].merge_with(values.with_rank(1))
        count = inputs.with_rank(3)[1:2].merge_with(lengths.with_rank(1))
        moments, _, classes = inputs.with_rank(3).as_list()
        return [count, TensorShape([moments, *count.as_list(), classes])]

    @staticmethod
    def gradient(op: Operation, grad: Tensor, _: Tensor) -> list[Tensor | None]:
        once = apply("PreventGradient", op.outputs[1], message="ctc_loss has no second derivative: its first one is computed together with it")
        return [expand_dims(grad, -1) * once, None, None, None]


class CTCLoss(_Loss):
    """The loss, with the last class as the blank."""

    inputs = "inputs: T, labels_indices: int64, labels_values: int32, sequence_length: int32"
    outputs = "loss: T, gradient: T"
    attrs = f"{_FLAGS}, T: {{float, double}} = float"
    samples = tuple(
        sample(
            f"{dtype}[6,2,4]",
            "int64: [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]]",
            "int32: [1, 1, 2, 0, 2]",
            "int32: [6, 4]",
            has_gradient=False,  # it is with respect to the logits of the first output alone
            **flags,
        )
        for dtype, flags in (
            ("float", {}),
            ("double", {}),
            ("float", {"ctc_merge_repeated": False}),
            ("float", {"preprocess_collapse_repeated": True}),
            ("float", {"ignore_longer_outputs_than_inputs": True}),
        )
    )

    @staticmethod
    def run(
        xp: Any,
        inputs: Any,
        indices: Any,
        values: Any,
        lengths: Any,
        *,
        preprocess_collapse_repeated: bool,
        ctc_merge_repeated: bool,
        ignore_longer_outputs_than_inputs: bool,
    ) -> list[Any]:
        labels = _label_rows(inputs, indices, values, lengths)
        classes = inputs.shape[2]
        loss = np.zeros(inputs.shape[1], inputs.dtype)
        gradient = np.zeros(inputs.shape, inputs.dtype)
        prepared = [
            _target(row, number, classes, int(length), preprocess_collapse_repeated, ignore_longer_outputs_than_inputs)
            for number, (row, length) in enumerate(zip(labels, lengths, strict=True))
        ]
        for number, (target, length) in enumerate(zip(prepared, lengths.tolist(), strict=True)):
            if length == 0 or (ignore_longer_outputs_than_inputs and len(labels[number]) > length):
                continue
            loss[number], gradient[:length, number] = _of_sequence(inputs[:length, number], target, classes - 1, ctc_merge_repeated)
        return [loss, gradient]


def _label_rows(inputs: Any, indices: Any, values: Any, lengths: Any) -> list[list[int]]:
    """The labels of each sequence."""
    if inputs.ndim != 3:
        raise InvalidArgumentError("inputs is not a 3-Tensor")
    if lengths.ndim != 1:
        raise InvalidArgumentError("sequence_length is not a vector")
    if indices.ndim != 2:
        raise InvalidArgumentError("labels_indices is not a matrix")
    if indices.shape[1] <= 1:
        raise InvalidArgumentError(f"labels_indices must be (num_labels, 2), but is {list(indices.shape)}")
    if values.ndim != 1:
        raise InvalidArgumentError("labels_values is not a vector")
    if not inputs.size:
        raise InvalidArgumentError("Inputs have zero elements")
    count = inputs.shape[1]
    if len(lengths) != count:
        raise InvalidArgumentError(f"len(sequence_length) != batch_size.  len(sequence_length):  {len(lengths)} batch_size: {count}")
    if len(indices) != len(values):
        raise InvalidArgumentError("labels_indices and labels_values must contain the same number of rows")
    if not len(values):
        raise InvalidArgumentError("labels_values must not be empty")
    rows: list[list[int]] = [[] for _ in range(count)]
    for (row, _), value in zip(indices[:, :2].tolist(), values.tolist(), strict=True):
        if not 0 <= row < count:
            raise InvalidArgumentError(f"labels batch index must be between 0 and {count} but saw: {row}")
        rows[row].append(value)
    for number, length in enumerate(lengths.tolist()):
        if not 0 <= length <= len(inputs):
            raise InvalidArgumentError(f"sequence_length({number}) must be in [0, {len(inputs)}], but is {length}")
    return rows


def _target(labels: list[int], number: int, classes: int, length: int, collapses: bool, ignores_longer: bool) -> Any:
    """The labels with a blank before each and one at the end."""
    if not labels:
        raise InvalidArgumentError(f"Labels length is zero in batch {number}")
    kept: list[int] = []
    is_finished = False
    for place, label in enumerate(labels):
        if place and collapses and label == labels[place - 1]:
            continue
        if label >= classes - 1:
            is_finished = True
        elif is_finished:
            raise InvalidArgumentError(
                f"Saw a non-null label (index >= num_classes - 1) following a null label, batch: {number} num_classes: {classes} labels: {labels}"
            )
        else:
            kept.append(label)
    if min(kept, default=0) < 0:
        raise InvalidArgumentError(f"All labels must be nonnegative integers, batch: {number} labels: {kept}")
    if not ignores_longer and len(labels) > length:
        raise InvalidArgumentError(
            f"Not enough time for target transition sequence (required: {len(labels)}, available: {length}){number}"
            "You can turn this error into a warning by using the flag ignore_longer_outputs_than_inputs"
        )
    target = np.full(2 * len(kept) + 1, classes - 1)
    target[1::2] = kept
    return target


def _of_sequence(logits: Any, target: Any, blank: int, merges: bool) -> tuple[Any, Any]:
    """The loss of one sequence and its gradient: forward and backward variables over the target, all of a moment at once."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares = powers / powers.sum(1, keepdims=True)
    moments, states = len(logits), len(target)
    with np.errstate(divide="ignore"):
        scores = np.log(shares)[:, target].astype(np.float64)
    stays = np.ones(states, bool) if merges else target == blank
    skips = target != blank
    skips[:2] = False
    if merges:
        skips[2:] &= target[2:] != target[:-2]
    none = np.full((moments, states), -np.inf)
    forward, backward = none.copy(), none.copy()
    forward[0, :2] = scores[0, :2]
    for moment in range(1, moments):
        before = forward[moment - 1]
        total = np.where(stays, before, -np.inf)
        total[1:] = np.logaddexp(total[1:], before[:-1])
        total[2:] = np.logaddexp(total[2:], np.where(skips[2:], before[:-2], -np.inf))
        forward[moment] = _possible(scores[moment] + total, moment, moments)
    backward[-1, -2:] = 0
    for moment in range(moments - 2, -1, -1):
        after = backward[moment + 1] + scores[moment + 1]
        total = np.where(stays, after, -np.inf)
        total[:-1] = np.logaddexp(total[:-1], after[1:])
        total[:-2] = np.logaddexp(total[:-2], np.where(skips[2:], after[2:], -np.inf))
        backward[moment] = _possible(total, moment, moments)
    both = forward + backward
    chance = np.logaddexp.reduce(both[0])
    if chance == -np.inf:
        return np.inf, shares
    of_class = np.full((moments, logits.shape[1]), -np.inf)
    for state, label in enumerate(target):
        of_class[:, label] = np.logaddexp(of_class[:, label], both[:, state])
    return -chance, (shares - np.exp(of_class - chance)).astype(logits.dtype)


def _possible(scores: Any, moment: int, moments: int) -> Any:
    """Scores without the states that cannot be reached by now, or from which the end cannot be."""
    scores[: max(0, len(scores) - 2 * (moments - moment))] = -np.inf
    scores[2 * (moment + 1) :] = -np.inf
    return scores


class CTCLossV2(_Loss):
    """The same with the first class as the blank, as cuDNN has it."""

    inputs = "inputs: float, labels_indices: int64, labels_values: int32, sequence_length: int32"
    outputs = "loss: float, gradient: float"
    attrs = _FLAGS
    samples = (
        sample("float[6,2,4]", "int64: [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]]", "int32: [1, 1, 2, 3, 2]", "int32: [6, 4]", has_gradient=False),
    )

    @staticmethod
    def run(
        xp: Any,
        inputs: Any,
        indices: Any,
        values: Any,
        lengths: Any,
        *,
        preprocess_collapse_repeated: bool,
        ctc_merge_repeated: bool,
        ignore_longer_outputs_than_inputs: bool,
    ) -> list[Any]:
        flags = {
            "preprocess_collapse_repeated": preprocess_collapse_repeated,
            "ctc_merge_repeated": ctc_merge_repeated,
            "ignore_longer_outputs_than_inputs": ignore_longer_outputs_than_inputs,
        }
        loss, gradient = CTCLoss.run(xp, np.roll(inputs, -1, -1), indices, values - 1, lengths, **flags)
        return [loss, np.roll(gradient, 1, -1)]
