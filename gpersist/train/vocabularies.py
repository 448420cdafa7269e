"""Variables whose rows or columns belong to words, warm-started from a model with another list of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor
from gpersist.ops.casting import cast
from gpersist.ops.comparison import greater_equal
from gpersist.ops.filling import fill
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.joining import concat
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.train.checkpoint_utils import give_initial_value

__all__ = ["VocabInfo"]


class _Fields(NamedTuple):
    new_vocab: Any
    new_vocab_size: Any
    num_oov_buckets: Any
    old_vocab: Any
    old_vocab_size: Any
    backup_initializer: Any
    axis: Any


class VocabInfo(_Fields):
    """The lists of words of a variable and of the older one that it takes its values from (`tf.train.VocabInfo`).

    Args:
        new_vocab: path of the variable's list, a word in a line.
        new_vocab_size: how many of its lines count.
        num_oov_buckets: how many rows, or columns, come after those of words, for all others.
        old_vocab: path of the older list.
        old_vocab_size: how many of its lines count; -1 for all.
        backup_initializer: of what the older variable lacks; zeros by default.
        axis: 0 for rows, 1 for columns.

    Raises:
        ValueError: another axis.
    """

    __slots__ = ()

    def __new__(
        cls,
        new_vocab: Any,
        new_vocab_size: Any,
        num_oov_buckets: Any,
        old_vocab: Any,
        old_vocab_size: Any = -1,
        backup_initializer: Any = None,
        axis: Any = 0,
    ) -> VocabInfo:
        """Checks the axis."""
        if axis not in (0, 1):
            raise ValueError(f"The only supported values for the axis argument are 0 and 1.  Provided axis: {axis}")
        return super().__new__(cls, new_vocab, new_vocab_size, num_oov_buckets, old_vocab, old_vocab_size, backup_initializer, axis)


def init_by_words(parts: Sequence[Any], info: VocabInfo, path: str, name: str) -> None:
    """Has a variable's parts take the rows, or columns, of words from a checkpoint's tensor of this name."""
    for part in parts:
        rows, columns = part.get_shape().as_list()
        whole = part._get_save_slice_info()
        first = whole.var_offset[0] if whole is not None else 0
        if info.axis == 0:
            of_words = max(min(info.new_vocab_size - first, rows), 0)
            row_places, column_places = _places(info, first, of_words, rows), convert_to_tensor([], "int64")
        else:
            row_places = number_range(convert_to_tensor(first, "int64"), first + rows)
            column_places = _places(info, 0, info.new_vocab_size, columns)
        missing = _missing(row_places, column_places, rows, columns)
        values = (info.backup_initializer or zeros_initializer())([missing], dtype="float32")
        how = {"num_rows": rows, "num_cols": columns}
        give_initial_value(part, apply("LoadAndRemapMatrix", path, name, row_places, column_places, values, **how))


def _places(info: VocabInfo, first: int, of_words: int, count: int) -> Tensor:
    """For so many words from one on, and then for others, their places in the older list; -1 for none."""
    how = {"new_vocab_offset": first, "num_new_vocab": of_words, "old_vocab_size": info.old_vocab_size}
    found = apply_op("GenerateVocabRemapping", info.new_vocab, info.old_vocab, **how).outputs[0]
    return concat([found, fill([count - of_words], convert_to_tensor(-1, "int64"))], 0)


def _missing(row_places: Tensor, column_places: Tensor, rows: int, columns: int) -> Tensor:
    """How many elements have no place in the older matrix."""
    known = [reduce_sum(cast(greater_equal(places, cast(0, "int64")), "int32")) for places in (row_places, column_places)]
    is_whole = column_places.shape.as_list() == [0]
    return rows * columns - known[0] * (columns if is_whole else known[1])
