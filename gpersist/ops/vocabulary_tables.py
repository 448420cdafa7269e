"""Tables from words to numbers, and back, made of a list or of a file (`tf.contrib.lookup.index_table_from_tensor` and its like)."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.lookup import KeyValueTensorInitializer, StaticHashTable, StaticVocabularyTable, TextFileIndex, TextFileInitializer
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import size

__all__: list[str] = []


def index_table_from_tensor(
    vocabulary_list: Any, num_oov_buckets: int = 0, default_value: int = -1, dtype: Any = "string", name: str | None = None
) -> Any:
    """A table that gives words their places in a list.

    Args:
        vocabulary_list: words or integers.
        num_oov_buckets: how many numbers after the list's others get, by hash.
        default_value: the number of others.
        dtype: of what is looked up.
        name: of the scope.
    """
    wanted = as_dtype(dtype)
    with name_scope(name, "string_to_index"):
        keys = convert_to_tensor(vocabulary_list)
        values = cast(number_range(size(keys)), "int64")
        with name_scope(None, "hash_table"):
            if keys.dtype.is_integer:
                keys = cast(keys, "int64")
            initializer = KeyValueTensorInitializer(keys, values, keys.dtype, "int64", name="table_init")
            return _table(initializer, num_oov_buckets, default_value, wanted)


def index_table_from_file(
    vocabulary_file: Any,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    key_dtype: Any = "string",
    name: str | None = None,
) -> Any:
    """A table that gives words their lines in a file; see `index_table_from_tensor`.

    Args:
        vocabulary_file: the file.
        num_oov_buckets: how many numbers after the file's others get, by hash.
        vocab_size: how many lines; all by default.
        default_value: the number of others.
        key_dtype: of what is looked up.
        name: of the scope.
    """
    wanted = as_dtype(key_dtype)
    with name_scope(name, "string_to_index"), name_scope(None, "hash_table"):
        words = "int64" if wanted.is_integer else wanted
        line, number = TextFileIndex.WHOLE_LINE, TextFileIndex.LINE_NUMBER
        initializer = TextFileInitializer(vocabulary_file, words, line, "int64", number, vocab_size, name="table_init")
        return _table(initializer, num_oov_buckets, default_value, wanted)


def index_to_string_table_from_tensor(vocabulary_list: Any, default_value: str = "UNK", name: str | None = None) -> StaticHashTable:
    """A table that gives places in a list their words.

    Args:
        vocabulary_list: the words.
        default_value: for other places.
        name: of the scope.
    """
    with name_scope(name, "index_to_string"):
        words = convert_to_tensor(vocabulary_list, "string")
        keys = cast(number_range(size(words)), "int64")
        return StaticHashTable(KeyValueTensorInitializer(keys, words, "int64", "string", name="table_init"), default_value)


def _table(initializer: Any, num_oov_buckets: int, default_value: int, key_dtype: Any) -> Any:
    if num_oov_buckets:
        return StaticVocabularyTable(initializer, num_oov_buckets, key_dtype)
    return StaticHashTable(initializer, default_value)
