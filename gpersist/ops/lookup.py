"""`tf.lookup`: tables from keys to values."""

from __future__ import annotations

import uuid
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import GraphKeys, Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import lookup_ops as _lookup_ops  # noqa: F401  # the operations
from gpersist.ops.arithmetic import add
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import not_equal
from gpersist.ops.constants import constant
from gpersist.ops.control import group, no_op
from gpersist.ops.hashing import string_to_hash_bucket_fast
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.strings import as_string
from gpersist.shapes import TensorShape

__all__ = [
    "KeyValueTensorInitializer",
    "StaticHashTable",
    "StaticVocabularyTable",
    "TextFileIndex",
    "TextFileInitializer",
    "initialize_all_tables",
    "tables_initializer",
]


class TextFileIndex:
    """What a key, or a value, of a line is, if it is no column (`tf.lookup.TextFileIndex`)."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class _Initializer:
    """What fills a table."""

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        """Of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """Of the values."""
        return self._value_dtype

    @property
    def shared_name(self) -> str:
        """By which tables of the same content are one; empty for a name of its own."""
        return ""

    def initialize(self, table: Any) -> Operation:
        """An operation that fills a table."""
        raise NotImplementedError

    def _check(self, table: Any) -> None:
        if table.key_dtype is not self._key_dtype:
            raise TypeError(f"Invalid key dtype for table, expected {self._key_dtype} but got {table.key_dtype}.")
        if table.value_dtype is not self._value_dtype:
            raise TypeError(f"Invalid value dtype for table, expected {self._value_dtype} but got {table.value_dtype}.")


class KeyValueTensorInitializer(_Initializer):
    """Fills a table from tensors (`tf.lookup.KeyValueTensorInitializer`).

    Args:
        keys: scalars in a tensor of any shape.
        values: as many.
        key_dtype: of the keys; by default their own.
        value_dtype: of the values; by default their own.
        name: of the scope.
    """

    def __init__(self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None) -> None:
        self._keys = convert_to_tensor(keys, key_dtype, name="keys")
        self._values = convert_to_tensor(values, value_dtype, name="values")
        self._name = "key_value_init" if name is None else name
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Operation:
        """An operation that fills a table; it is in the collection of tables' initializers."""
        self._check(table)
        with name_scope(self._name, values=(table.resource_handle, self._keys, self._values)):
            made = apply_op("LookupTableImportV2", table.resource_handle, self._keys, self._values)
        get_default_graph().add_to_collection(GraphKeys.TABLE_INITIALIZERS, made)
        return made


class TextFileInitializer(_Initializer):
    """Fills a table from the lines of a file (`tf.lookup.TextFileInitializer`).

    Args:
        filename: of the file; an asset of a SavedModel.
        key_dtype: of the keys.
        key_index: the column of the keys, or one of `TextFileIndex`.
        value_dtype: of the values.
        value_index: the column of the values, or one of `TextFileIndex`.
        vocab_size: how many lines; by default all.
        delimiter: between columns.
        name: of the scope.
        value_index_offset: added to numbers of lines.

    Raises:
        ValueError: there is no file name, or an argument is not valid.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError("`filename` argument required for tf.lookup.TextFileInitializer")
        for what, index, dtype in (("key", key_index, as_dtype(key_dtype)), ("value", value_index, as_dtype(value_dtype))):
            _check_column(what, index, dtype)
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"`vocab_size` should be > 0, received: {vocab_size}")
        self._filename_arg = filename
        self._columns = (key_index, value_index)
        self._vocab_size = vocab_size
        self._delimiter = delimiter
        self._name = name
        self._offset = value_index_offset
        graph = get_default_graph()
        with graph.control_dependencies(None), graph.device("CPU"):
            self._filename = convert_to_tensor(filename, "string", name="asset_path")
        super().__init__(key_dtype, value_dtype)

    @property
    def shared_name(self) -> str:
        """Of tables that are filled in the same way."""
        parts = [self._filename_arg, *([self._vocab_size] if self._vocab_size else []), *self._columns, *([self._offset] if self._offset else [])]
        return "_".join(["hash_table", *map(str, parts)])

    def initialize(self, table: Any) -> Operation:
        """An operation that fills a table; it is in the collection of tables' initializers, and the file in that of assets."""
        self._check(table)
        attrs: dict[str, Any] = {"key_index": self._columns[0], "value_index": self._columns[1], "delimiter": self._delimiter, "offset": self._offset}
        with name_scope(self._name, "text_file_init", (table.resource_handle,)):
            attrs["vocab_size"] = -1 if self._vocab_size is None else self._vocab_size
            made = apply_op("InitializeTableFromTextFileV2", table.resource_handle, self._filename, **attrs)
        graph = get_default_graph()
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, made)
        if self._filename.op.type == "Const":
            graph.add_to_collection(GraphKeys.ASSET_FILEPATHS, self._filename)
        return made


class StaticHashTable:
    """A table that is filled once, by its initializer (`tf.lookup.StaticHashTable`).

    Args:
        initializer: what fills it.
        default_value: of keys that are not in it.
        name: of the node.
    """

    def __init__(self, initializer: Any, default_value: Any, name: str | None = None) -> None:
        self._key_dtype: DType = initializer.key_dtype
        self._value_dtype: DType = initializer.value_dtype
        self._default_value = convert_to_tensor(default_value, self._value_dtype)
        self._default_value.shape.merge_with(TensorShape([]))
        graph = get_default_graph()
        with graph.control_dependencies(None):
            attrs = {"shared_name": initializer.shared_name or f"hash_table_{uuid.uuid4()}"}
            self._handle = apply("HashTableV2", key_dtype=self._key_dtype, value_dtype=self._value_dtype, name=name or "hash_table", **attrs)
        self._name = self._handle.op.name.rpartition("/")[2]
        if graph._get_control_flow_context() is None:
            self._initializer: Operation = initializer.initialize(self)
        else:
            with graph.control_dependencies(None):
                self._initializer = initializer.initialize(self)

    @property
    def key_dtype(self) -> DType:
        """Of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """Of the values."""
        return self._value_dtype

    @property
    def name(self) -> str:
        """Of the node, without scopes."""
        return self._name

    @property
    def resource_handle(self) -> Tensor:
        """The reference to it."""
        return self._handle

    @property
    def default_value(self) -> Tensor:
        """Of keys that are not in it."""
        return self._default_value

    @property
    def initializer(self) -> Operation:
        """The operation that fills it."""
        return self._initializer

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, int64."""
        with name_scope(name, f"{self._name}_Size", [self._handle]):
            return apply("LookupTableSizeV2", self._handle)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys, in a tensor or a SparseTensor.

        Raises:
            TypeError: keys of another type.
        """
        plain = _checked_keys(keys, self._key_dtype)
        with name_scope(name, f"{self._name}_Lookup", (self._handle, plain, self._default_value)):
            values = apply("LookupTableFindV2", self._handle, plain, self._default_value)
        values.set_shape(plain.shape)
        return _like(keys, values)

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and all values."""
        with name_scope(name, f"{self._name}_Export", [self._handle]):
            keys, values = apply_op("LookupTableExportV2", self._handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype).outputs
        values.set_shape(keys.shape)
        return keys, values


class StaticVocabularyTable:
    """A table from words to numbers, with more numbers for words that are not in it (`tf.lookup.StaticVocabularyTable`).

    Args:
        initializer: what fills it, with int64 values; None for none of its own words.
        num_oov_buckets: how many numbers others get, by hash.
        lookup_key_dtype: of the words; by default that of the initializer.
        name: of the scopes.

    Raises:
        ValueError: there are no such numbers.
        TypeError: words that are neither text nor integers, or numbers that are not int64.
    """

    def __init__(self, initializer: Any, num_oov_buckets: int, lookup_key_dtype: Any = None, name: str | None = None) -> None:
        if num_oov_buckets <= 0:
            raise ValueError("`num_oov_buckets` must be > 0; use StaticHashTable.")
        self._table: StaticHashTable | None = None
        key_dtype = as_dtype("string")
        if initializer:
            key_dtype = initializer.key_dtype if lookup_key_dtype is None else as_dtype(lookup_key_dtype)
            if initializer.key_dtype.name not in ("int64", "string"):
                raise TypeError(f"Invalid `key_dtype`, expected one of (tf.int64, tf.string), but got {key_dtype}.")
            if initializer.key_dtype.is_integer != key_dtype.is_integer:
                raise TypeError(
                    f"Invalid `key_dtype`, expected {'integer' if key_dtype.is_integer else 'non-integer'} but got {initializer.key_dtype}."
                )
            if initializer.value_dtype.name != "int64":
                raise TypeError(f"Invalid `value_dtype`, expected int64, but got {initializer.value_dtype}.")
            self._table = StaticHashTable(initializer, default_value=-1)
        self._key_dtype = key_dtype
        self._count = num_oov_buckets
        whole = name.rstrip("/") if name else None
        self._name = (whole or (self._table.name if self._table else "hash_bucket")).split("/")[-1]

    @property
    def key_dtype(self) -> DType:
        """Of the words."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """Of the numbers: int64."""
        return as_dtype("int64")

    @property
    def name(self) -> str:
        """Of the scopes."""
        return self._name

    @property
    def resource_handle(self) -> Tensor | None:
        """The reference to the table of its own words."""
        return self._table.resource_handle if self._table else None

    @property
    def initializer(self) -> Operation:
        """The operation that fills it."""
        if self._table is not None:
            return self._table.initializer
        with name_scope(None, "init"):
            return no_op()

    def size(self, name: str | None = None) -> Tensor:
        """How many numbers there are, int64."""
        with name_scope(name, f"{self._name}_Size"):
            count = self._table.size() if self._table else constant(0, "int64")
            return count + self._count

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The numbers of words, in a tensor or a SparseTensor.

        Raises:
            TypeError: words of another type.
        """
        words = _checked_keys(keys, self._key_dtype)
        if self._table is not None and self._table.key_dtype.name == "int64":
            words = cast(words, "int64")
        with name_scope(name, f"{self._name}_Lookup"):
            buckets = string_to_hash_bucket_fast(words if words.dtype.is_string else as_string(words), num_buckets=self._count, name="hash_bucket")
            if self._table is not None:
                numbers = self._table.lookup(words)
                others = add(buckets, self._table.size())
                buckets = where_v2(not_equal(numbers, self._table.default_value), numbers, others)
        return _like(keys, buckets)

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """An operation that fills all tables of the default graph (`tf.tables_initializer`)."""
    initializers = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    return group(*initializers, name=name) if initializers else no_op(name=name)


def initialize_all_tables(name: str = "init_all_tables") -> Operation:
    """The old name of `tables_initializer` (`tf.initialize_all_tables`)."""
    return tables_initializer(name)


def _checked_keys(keys: Any, dtype: DType) -> Tensor:
    if keys.dtype.base_dtype is not dtype:
        raise TypeError(f"Dtype of argument `keys` must be {dtype}, received: {keys.dtype}")
    return keys.values if isinstance(keys, SparseTensor) else keys


def _like(keys: Any, values: Tensor) -> Any:
    return SparseTensor(keys.indices, values, keys.dense_shape) if isinstance(keys, SparseTensor) else values


def _check_column(what: str, index: int, dtype: DType) -> None:
    if index < -2:
        raise ValueError(f"`{what}_index` should be >= -2, received: {index}.")
    if index == TextFileIndex.LINE_NUMBER and dtype.name != "int64":
        raise ValueError(f"`{what}_dtype` must be int64 if `{what}_index` is {index}, received: {dtype}")
    if index == TextFileIndex.WHOLE_LINE and not dtype.is_integer and not dtype.is_string:
        raise ValueError(f"`{what}_dtype` should be either integer or string for `{what}_index` {index}, received: {dtype}")
