"""Labels of sequences before a loss sees them: those that repeat made one, and each of a sequence once."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.choosing import boolean_mask
from gpersist.ops.comparison import logical_and, not_equal
from gpersist.ops.filling import ones_like
from gpersist.ops.functional_loops import map_fn
from gpersist.ops.joining import concat
from gpersist.ops.padding import pad
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.sequences import sequence_mask
from gpersist.ops.sets import unique
from gpersist.ops.shaping import expand_dims, reshape, shape_of
from gpersist.ops.tensor_scatter import scatter_nd

__all__ = ["collapse_repeated", "ctc_unique_labels"]


def _size(tensor: Tensor, axis: int) -> Any:
    """The known size of a dimension, or a tensor of it."""
    known = None if tensor.shape.rank is None else tensor.shape.as_list()[axis]
    return shape_of(tensor)[axis] if known is None else known


def ctc_unique_labels(labels: Any, name: str | None = None) -> Any:
    """The different labels of each sequence, with zeros behind, and which of them each label is (`tf.nn.ctc_unique_labels`).

    Args:
        labels: int [sequences, labels].
        name: of the scope.

    Returns:
        Labels, int64 [sequences, labels]; and numbers, int32 [sequences, labels].
    """

    def of_sequence(row: Tensor) -> list[Tensor]:
        found = unique(row)
        padded = pad(found.y, [[0, _size(found.idx, 0) - _size(found.y, 0)]])
        return [cast(padded, "int64"), found.idx]

    with name_scope(name, "ctc_unique_labels", [labels]):
        return map_fn(of_sequence, convert_to_tensor(labels, name="labels"), dtype=["int64", "int32"])


def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The labels of sequences, those that repeat made one (`tf.nn.collapse_repeated`).

    Args:
        labels: [sequences, labels].
        seq_length: how many labels each sequence has.
        name: of the scope.

    Returns:
        Labels, [sequences, most labels], with zeros behind; and how many each sequence has.
    """
    with name_scope(name, "collapse_repeated_labels", [labels, seq_length]):
        labels = convert_to_tensor(labels, name="labels")
        lengths = convert_to_tensor(seq_length, name="seq_length")
        is_new = concat([ones_like(labels[:, :1], "bool"), not_equal(labels[:, 1:], labels[:, :-1])], axis=1)
        is_new = logical_and(is_new, sequence_mask(lengths, maxlen=_size(labels, 1)))
        counts = reduce_sum(cast(is_new, "int32"), axis=1)
        most = reduce_max(counts)
        is_filled = sequence_mask(counts, maxlen=most)
        flat_labels, flat_new, flat_filled = (reshape(each, [-1]) for each in (labels, is_new, is_filled))
        places = number_range(_size(flat_filled, 0))
        flat = scatter_nd(expand_dims(boolean_mask(places, flat_filled), axis=1), boolean_mask(flat_labels, flat_new), shape_of(flat_filled))
        return reshape(flat, [_size(labels, 0), most]), cast(counts, lengths.dtype)
