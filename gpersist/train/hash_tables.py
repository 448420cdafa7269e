"""Tables that entries can be added to, and that Savers save: those of `tf.lookup.experimental`.

Source: TensorFlow `lookup_ops.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import GraphKeys, Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.train.saveable import SaveableObject, SaveSpec

__all__ = ["DenseHashTable", "MutableHashTable"]


class _TableSaveable(SaveableObject):
    """The keys and values of a table."""

    def __init__(self, table: Any, name: str) -> None:
        keys, values = table.export()
        super().__init__(table, [SaveSpec(keys, "", f"{name}-keys"), SaveSpec(values, "", f"{name}-values")], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Operation:
        """Makes the operation that fills the table; see `SaveableObject.restore`."""
        del restored_shapes
        handle = self.op.resource_handle
        with name_scope(f"{self.name}_table_restore"), handle.graph.colocate_with(handle):
            return apply_op("LookupTableImportV2", handle, *restored_tensors)


class _MutableTable:
    """What both kinds have."""

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any) -> None:
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)
        self._default_value = convert_to_tensor(default_value, self._value_dtype, name="default_value")
        self._handle: Any = None

    def _made(self, handle: Tensor, checkpoint: bool) -> None:
        self._handle = handle
        if checkpoint:
            get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _TableSaveable(self, self.name))

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
        name: str = self._handle.op.name
        return name.rpartition("/")[2]

    @property
    def resource_handle(self) -> Tensor:
        """The reference to it."""
        handle: Tensor = self._handle
        return handle

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries, int64."""
        with name_scope(name, f"{self.name}_Size", [self._handle]), get_default_graph().colocate_with(self._handle):
            return apply("LookupTableSizeV2", self._handle)

    def _find(self, keys: Any, default: Any, name: str | None) -> Tensor:
        with name_scope(name, f"{self.name}_lookup_table_find", (self._handle, keys, self._default_value)):
            keys = convert_to_tensor(keys, self._key_dtype, name="keys")
            with get_default_graph().colocate_with(self._handle):
                return apply("LookupTableFindV2", self._handle, keys, default)

    def lookup(self, keys: Any, name: str | None = None) -> Tensor:
        """The values of keys.

        Raises:
            ValueError: keys of another type.
        """
        return self._find(keys, self._default_value, name)

    def __getitem__(self, keys: Any) -> Tensor:
        return self.lookup(keys)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """An operation that adds entries, or sets the values of those that are there.

        Raises:
            ValueError: keys or values of another type.
        """
        with name_scope(name, f"{self.name}_lookup_table_insert", [self._handle, keys, values]):
            keys = convert_to_tensor(keys, self._key_dtype, name="keys")
            values = convert_to_tensor(values, self._value_dtype, name="values")
            with get_default_graph().colocate_with(self._handle):
                return apply_op("LookupTableInsertV2", self._handle, keys, values)

    def remove(self, keys: Any, name: str | None = None) -> Operation:
        """An operation that takes entries out.

        Raises:
            TypeError: keys of another type.
        """
        if keys.dtype is not self._key_dtype:
            raise TypeError(f"Signature mismatch. Keys must be dtype {self._key_dtype}, got {keys.dtype}.")
        with name_scope(name, f"{self.name}_lookup_table_remove", (self._handle, keys)):
            return apply_op("LookupTableRemoveV2", self._handle, keys)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and all values."""
        with name_scope(name, f"{self.name}_lookup_table_export_values", [self._handle]), get_default_graph().colocate_with(self._handle):
            keys, values = apply_op("LookupTableExportV2", self._handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype).outputs
        return keys, values


class MutableHashTable(_MutableTable):
    """A table that entries can be added to (`tf.lookup.experimental.MutableHashTable`).

    Args:
        key_dtype: of the keys.
        value_dtype: of the values.
        default_value: of keys that are not in it; its shape is that of each value.
        name: of the node.
        checkpoint: whether Savers save it.
    """

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, name: str = "MutableHashTable", checkpoint: bool = True) -> None:
        super().__init__(key_dtype, value_dtype, default_value)
        shape = self._default_value.shape
        attrs: dict[str, Any] = {"key_dtype": self._key_dtype, "value_dtype": self._value_dtype, "use_node_name_sharing": True}
        if shape.rank == 0:
            handle = apply("MutableHashTableV2", **attrs, name=name)
        else:
            handle = apply("MutableHashTableOfTensorsV2", **attrs, value_shape=shape, name=name)
        self._made(handle, checkpoint)

    def lookup(self, keys: Any, dynamic_default_values: Any = None, name: str | None = None) -> Tensor:  # type: ignore[override]  # as TensorFlow
        """The values of keys, for those that are not there `dynamic_default_values`, of which each has its own.

        Raises:
            ValueError: keys of another type.
        """
        return self._find(keys, self._default_value if dynamic_default_values is None else dynamic_default_values, name)


class DenseHashTable(_MutableTable):
    """A table that entries can be added to, in buckets, with two keys that none may have (`tf.lookup.experimental.DenseHashTable`).

    Args:
        key_dtype: of the keys.
        value_dtype: of the values.
        default_value: of keys that are not in it; its shape is that of each value.
        empty_key: the key of empty buckets.
        deleted_key: the key of deleted entries.
        initial_num_buckets: a power of two.
        name: of the node.
        checkpoint: whether Savers save it.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
    ) -> None:
        super().__init__(key_dtype, value_dtype, default_value)
        empty = convert_to_tensor(empty_key, self._key_dtype, name="empty_key")
        deleted = convert_to_tensor(deleted_key, self._key_dtype, name="deleted_key")
        attrs = {} if initial_num_buckets is None else {"initial_num_buckets": initial_num_buckets}
        handle = apply(
            "MutableDenseHashTableV2",
            empty,
            deleted,
            value_dtype=self._value_dtype,
            value_shape=self._default_value.shape,
            use_node_name_sharing=True,
            name=name,
            **attrs,
        )
        self._made(handle, checkpoint)

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """`insert`."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Operation:
        """`remove`."""
        return self.remove(keys, name)
