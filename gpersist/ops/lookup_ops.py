"""Lookup tables: what their handles are, and the operations on them. `lookup` has the Python classes.

A table belongs to the session and is found by its `shared_name`, or by its node. The old operations pass it as a reference to text, the new as a
resource."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, NotFoundError, OutOfRangeError, UnimplementedError
from gpersist.files import gfile
from gpersist.graph import Context, Operation, SessionOpType
from gpersist.ops import shape_functions
from gpersist.ops.hashing import murmur64
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__: list[str] = []


class Table:
    """A table.

    Args:
        key_dtype: of the keys, which are scalars.
        value_dtype: of the values.
        value_shape: of each value.
        is_mutable: whether entries can be added; else all are there from its initialization on.
        reserved: keys that can be none: of empty buckets, of deleted entries.
        buckets: how many a table with such keys has at first; 0 for one that has none.
        max_load: how full they may be, as a fraction.

    Raises:
        InvalidArgumentError: the number of buckets is no power of two.
    """

    def __init__(
        self,
        key_dtype: DType,
        value_dtype: DType,
        value_shape: tuple[int, ...] = (),
        *,
        is_mutable: bool = False,
        reserved: Iterable[Any] = (),
        buckets: int = 0,
        max_load: float = 0.8,
    ) -> None:
        if buckets and (buckets < 4 or buckets & (buckets - 1)):
            raise InvalidArgumentError(f"Number of buckets must be at least 4 and a power of 2, got: {buckets}")
        self.key_dtype = key_dtype
        self.value_dtype = value_dtype
        self.value_shape = value_shape
        self._is_mutable = is_mutable
        self._reserved = [np.asarray(key).item() for key in reserved]
        self._buckets, self._max_load = buckets, max_load
        self._entries: dict[Any, Any] | None = {} if is_mutable else None

    @property
    def entries(self) -> dict[Any, Any]:
        """The value of each key."""
        if self._entries is None:
            raise FailedPreconditionError("Table not initialized.")
        return self._entries

    @property
    def size(self) -> int:
        """How many entries there are; none before it is filled."""
        return 0 if self._entries is None else len(self._entries)

    def initialize(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Fills it, once; filling it again with the same does nothing."""
        found: dict[Any, Any] = {}
        for key, value in pairs:
            if found.setdefault(key, value) != value:
                raise FailedPreconditionError(
                    f"HashTable has different value for same key. Key {_shown(key)} has {_shown(found[key])} and trying to add value {_shown(value)}"
                )
        if self._entries is not None and self._entries != found:
            raise FailedPreconditionError("Table was already initialized with different data.")
        self._entries = found

    def replace(self, keys: Any, values: Any) -> None:
        """Has it hold these entries and no others."""
        if not self._is_mutable:
            if not np.size(keys) or not np.size(values):
                raise InvalidArgumentError("keys and values cannot be empty tensors.")
            self.initialize(zip(_items(keys), self._values(keys, values), strict=True))
            return
        self.entries.clear()
        if self._reserved:  # a dense table is saved with all of its empty buckets
            keys = np.asarray(keys).reshape(-1)
            values = np.asarray(values).reshape(len(keys), *self.value_shape)
            kept = np.array([key not in self._reserved for key in _items(keys)], bool).reshape(keys.shape)
            keys, values = keys[kept], values[kept]
        self.insert(keys, values)

    def insert(self, keys: Any, values: Any) -> None:
        """Adds entries, or sets the values of those that are there."""
        if not self._is_mutable:
            raise UnimplementedError("Insert not supported by InitializableLookupTable implementations")
        self._check_keys(keys)
        self.entries.update(zip(_items(keys), self._values(keys, values), strict=True))

    def remove(self, keys: Any) -> None:
        """Takes entries out."""
        if not self._is_mutable:
            raise UnimplementedError("Remove not supported by InitializableLookupTable implementations")
        for key in _items(keys):
            self.entries.pop(key, None)

    def find(self, keys: Any, default: Any) -> Any:
        """The values of keys, or a default for those that are not there."""
        entries = self.entries
        self._check_keys(keys)
        shape = np.shape(keys) + self.value_shape
        if self.value_shape or np.shape(default) != self.value_shape:
            return self._find_rows(keys, np.asarray(default), shape)
        other = default.item() if hasattr(default, "item") else default
        found = [entries.get(key, other) for key in _items(keys)]
        return self._array(found).reshape(shape)

    def _find_rows(self, keys: Any, default: Any, shape: tuple[int, ...]) -> Any:
        whole = default.shape == shape and default.shape != self.value_shape
        if not whole and default.shape != self.value_shape:
            wanted = list(self.value_shape)
            raise InvalidArgumentError(f"Expected shape {wanted} or {list(shape)} for default value, got {list(default.shape)}")
        defaults = default.reshape(-1, *self.value_shape) if whole else itertools.repeat(default)
        rows = [self.entries.get(key, other) for key, other in zip(_items(keys), defaults, strict=False)]
        return self._array(rows).reshape(shape)

    def exported(self) -> tuple[Any, Any]:
        """All keys and all values."""
        entries = self.entries
        keys: Any = np.empty(len(entries), object)
        keys[:] = list(entries)
        values = self._array(list(entries.values())).reshape(len(entries), *self.value_shape)
        if self._buckets:
            return self._in_buckets(keys, values)
        return (keys if self.key_dtype.is_string else keys.astype(self.key_dtype.numpy)), values

    def _in_buckets(self, keys: Any, values: Any) -> tuple[Any, Any]:
        """Entries among empty buckets, each where TensorFlow looks for its key: it takes what it imports as it is."""
        count = self._buckets
        while len(keys) > count * self._max_load:
            count *= 2
        places: dict[int, None] = {}
        for key in keys:
            place = (murmur64(key, 0xDECAFCAFFE) if isinstance(key, bytes) else int(key)) & (count - 1)
            probes = 0
            while place in places:
                probes += 1
                place = (place + probes) & (count - 1)
            places[place] = None
        taken = list(places)
        all_keys = np.full((count, 1), self._reserved[0], object)
        all_keys[taken, 0] = keys
        all_values = np.full((count, math.prod(self.value_shape)), b"" if self.value_dtype.is_string else 0, values.dtype)
        all_values[taken] = values.reshape(len(keys), all_values.shape[1])
        return (all_keys if self.key_dtype.is_string else all_keys.astype(self.key_dtype.numpy)), all_values

    def _array(self, values: list[Any]) -> Any:
        if self.value_dtype.is_string:
            made: Any = np.empty((len(values), *self.value_shape), object)
            for index, value in enumerate(values):
                made[index] = value
            return made
        return np.asarray(values, self.value_dtype.numpy)

    def _values(self, keys: Any, values: Any) -> list[Any]:
        if np.shape(values) != np.shape(keys) + self.value_shape:
            raise InvalidArgumentError(f"Expected shape {shown(np.shape(keys) + self.value_shape)} for value, got {shown(np.shape(values))}")
        if not self.value_shape:
            return list(_items(values))
        return list(np.asarray(values).reshape(-1, *self.value_shape))

    def _check_keys(self, keys: Any) -> None:
        for key, kind in zip(self._reserved, ("empty", "deleted"), strict=False):
            if any(found == key for found in _items(keys)):
                raise InvalidArgumentError(f"Using the {kind}_key as a table key is not allowed")

    def check_types(self, key_dtype: DType, value_dtype: DType) -> None:
        """Holds that keys and values are of its types."""
        if key_dtype is not self.key_dtype or value_dtype is not self.value_dtype:
            raise InvalidArgumentError(
                f"Conflicting key/value dtypes {key_dtype.name}->{value_dtype.name} with table {self.key_dtype.name}->{self.value_dtype.name}"
            )


def _items(keys: Any) -> Iterable[Any]:
    found: list[Any] = np.asarray(keys).reshape(-1).tolist()
    return found


def _shown(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


# ---- what makes tables


class _Making(SessionOpType, abstract=True):
    """The table of its name, made if it is not there."""

    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @classmethod
    def table(cls, ctx: Context, *reserved: Any) -> Table:
        """The table of a node."""
        op = ctx.op
        shared = op.attr("shared_name").decode()
        key = ("table", op.attr("container").decode(), shared) if shared else ("table", op)
        types = (op.attr("key_dtype"), op.attr("value_dtype"))
        found: Table | None = ctx.session.resources.get(key)
        if found is None:
            is_mutable = op.type.startswith("Mutable")
            shape = as_shape(op.attr("value_shape")) if op.has_attr("value_shape") else TensorShape([])
            dense = {"buckets": op.attr("initial_num_buckets"), "max_load": op.attr("max_load_factor")} if reserved else {}
            made = Table(*types, tuple(size or 0 for size in shape.as_list()), is_mutable=is_mutable, reserved=reserved, **dense)
            found = ctx.session.resources.setdefault(key, made)
        if (found.key_dtype, found.value_dtype) != types:
            raise AlreadyExistsError(f"table {shared!r} of {found.key_dtype.name} to {found.value_dtype.name} is there already")
        return found

    @classmethod
    def run(cls, ctx: Context, *reserved: Any) -> Table:
        return cls.table(ctx, *reserved)

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None for _ in op.inputs]


_NAMES = "container: string = '', shared_name: string = '', use_node_name_sharing: bool = false, key_dtype: type, value_dtype: type"
_BUCKETS = "value_shape: shape = [], initial_num_buckets: int = 131072, max_load_factor: float = 0.800000011920929"


class HashTableV2(_Making):
    """A table that is filled once."""

    outputs = "table_handle: resource"
    attrs = _NAMES


class HashTable(_Making):
    """A table that is filled once."""

    outputs = "table_handle: Ref(string)"
    attrs = _NAMES


class AnonymousHashTable(_Making):
    """A table that is filled once, and has no name; a new one in each run."""

    outputs = "table_handle: resource"
    attrs = "key_dtype: type, value_dtype: type"

    @classmethod
    def run(cls, ctx: Context, *reserved: Any) -> Table:
        return Table(ctx.op.attr("key_dtype"), ctx.op.attr("value_dtype"))


class MutableHashTableV2(_Making):
    """A table that entries can be added to."""

    outputs = "table_handle: resource"
    attrs = _NAMES


class MutableHashTable(_Making):
    """A table that entries can be added to."""

    outputs = "table_handle: Ref(string)"
    attrs = _NAMES


class MutableHashTableOfTensorsV2(_Making):
    """A table of tensors that entries can be added to."""

    outputs = "table_handle: resource"
    attrs = f"{_NAMES}, value_shape: shape = []"


class MutableHashTableOfTensors(_Making):
    """A table of tensors that entries can be added to."""

    outputs = "table_handle: Ref(string)"
    attrs = f"{_NAMES}, value_shape: shape = []"


class MutableDenseHashTableV2(_Making):
    """A table that entries can be added to, with two keys that can be none."""

    inputs = "empty_key: key_dtype, deleted_key: key_dtype"
    outputs = "table_handle: resource"
    attrs = f"{_NAMES}, {_BUCKETS}"

    @classmethod
    def run(cls, ctx: Context, *reserved: Any) -> Table:
        if np.array_equal(*reserved):
            raise InvalidArgumentError("Empty and deleted keys cannot be equal")
        return cls.table(ctx, *reserved)


class MutableDenseHashTable(_Making):
    """A table that entries can be added to, with a key that can be none."""

    inputs = "empty_key: key_dtype"
    outputs = "table_handle: Ref(string)"
    attrs = f"{_NAMES}, {_BUCKETS}"


# ---- what is done with them


class _Using(SessionOpType, abstract=True):
    """Does something with a table."""

    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None for _ in op.inputs]


class _Find(_Using, abstract=True):
    """The values of keys."""

    outputs = "values: Tout"
    attrs = "Tin: type, Tout: type"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, table: Table, keys: Any, default: Any, *, Tin: DType, Tout: DType) -> Any:  # noqa: N803  # the attributes' names
        table.check_types(Tin, Tout)
        return table.find(keys, default)


class LookupTableFindV2(_Find):
    """The values of keys, or a default for those that are not there."""

    inputs = "table_handle: resource, keys: Tin, default_value: Tout"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        handle, keys, default = op.inputs
        made = handle.op
        if not made.type.startswith(("Mutable", "AnonymousMutable")):  # of others, TensorFlow does not know
            return [unknown_shape()]
        if made.attr("value_dtype") is not default.dtype.base_dtype:
            wanted, found = made.attr("value_dtype").name, default.dtype.base_dtype.name
            raise ValueError(f"Trying to read value with wrong dtype. Expected {wanted} got {found}")
        value = as_shape(made.attr("value_shape")) if made.has_attr("value_shape") else TensorShape([])
        return [keys.shape.concatenate(value)]


class LookupTableFind(_Find):
    """The values of keys, or a default for those that are not there."""

    inputs = "table_handle: Ref(string), keys: Tin, default_value: Tout"


class _Insert(_Using, abstract=True):
    """Adds entries."""

    attrs = "Tin: type, Tout: type"

    @staticmethod
    def run(ctx: Context, table: Table, keys: Any, values: Any, *, Tin: DType, Tout: DType) -> None:  # noqa: N803
        table.check_types(Tin, Tout)
        table.insert(keys, values)


class LookupTableInsertV2(_Insert):
    """Adds entries."""

    inputs = "table_handle: resource, keys: Tin, values: Tout"
    is_stateful = True


class LookupTableInsert(_Insert):
    """Adds entries."""

    inputs = "table_handle: Ref(string), keys: Tin, values: Tout"


class _Import(_Using, abstract=True):
    """Replaces all entries."""

    attrs = "Tin: type, Tout: type"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        keys, values = op._inputs[1].shape.with_rank(1), op._inputs[2].shape
        if values.rank:
            keys.merge_with(values[:1])
        return []

    @staticmethod
    def run(ctx: Context, table: Table, keys: Any, values: Any, *, Tin: DType, Tout: DType) -> None:  # noqa: N803
        table.check_types(Tin, Tout)
        table.replace(keys, values)


class LookupTableImportV2(_Import):
    """Replaces all entries."""

    inputs = "table_handle: resource, keys: Tin, values: Tout"
    is_stateful = True


class LookupTableImport(_Import):
    """Replaces all entries."""

    inputs = "table_handle: Ref(string), keys: Tin, values: Tout"


class LookupTableRemoveV2(_Using):
    """Takes entries out."""

    inputs = "table_handle: resource, keys: Tin"
    attrs = "Tin: type"
    is_stateful = True

    @staticmethod
    def run(ctx: Context, table: Table, keys: Any) -> None:
        table.remove(keys)


class _Export(_Using, abstract=True):
    """All keys and all values."""

    outputs = "keys: Tkeys, values: Tvalues"
    attrs = "Tkeys: type, Tvalues: type"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([None]), unknown_shape()]

    @staticmethod
    def run(ctx: Context, table: Table, *, Tkeys: DType, Tvalues: DType) -> tuple[Any, Any]:  # noqa: N803
        table.check_types(Tkeys, Tvalues)
        return table.exported()


class LookupTableExportV2(_Export):
    """All keys and all values."""

    inputs = "table_handle: resource"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op.inputs[0].shape.assert_has_rank(0)
        return [unknown_shape(), unknown_shape()]


class LookupTableExport(_Export):
    """All keys and all values."""

    inputs = "table_handle: Ref(string)"


class _Size(_Using, abstract=True):
    """The number of entries."""

    outputs = "size: int64"
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, table: Table) -> Any:
        return np.int64(table.size)


class LookupTableSizeV2(_Size):
    """The number of entries."""

    inputs = "table_handle: resource"
    is_stateful = True


class LookupTableSize(_Size):
    """The number of entries."""

    inputs = "table_handle: Ref(string)"


class _Initialize(_Using, abstract=True):
    """Fills a table."""

    attrs = "Tkey: type, Tval: type"

    @staticmethod
    def run(ctx: Context, table: Table, keys: Any, values: Any, *, Tkey: DType, Tval: DType) -> None:  # noqa: N803
        table.check_types(Tkey, Tval)
        if np.shape(keys) != np.shape(values):
            raise InvalidArgumentError(f"keys and values should have same dimension. {list(np.shape(keys))} vs {list(np.shape(values))}")
        table.initialize(zip(_items(keys), _items(values), strict=True))


class InitializeTableV2(_Initialize):
    """Fills a table."""

    inputs = "table_handle: resource, keys: Tkey, values: Tval"
    is_stateful = True


class InitializeTable(_Initialize):
    """Fills a table."""

    inputs = "table_handle: Ref(string), keys: Tkey, values: Tval"


class _FromTextFile(_Using, abstract=True):
    """Fills a table from the lines of a file."""

    attrs = "key_index: int >= -2, value_index: int >= -2, vocab_size: int >= -1 = -1, delimiter: string = '\t', offset: int = 0"

    @staticmethod
    def run(ctx: Context, table: Table, filename: Any, *, key_index: int, value_index: int, vocab_size: int, delimiter: bytes, offset: int) -> None:
        if np.ndim(filename):
            raise InvalidArgumentError(f"filename should be a single string, but got {list(np.shape(filename))}")
        path = filename.item() if isinstance(filename, np.ndarray) else filename
        lines = lines_of(path, vocab_size)
        if not lines:
            raise OutOfRangeError("Read less bytes than requested")
        _check_columns(path, lines, max(key_index, value_index) + 1, delimiter)
        keys = _column(lines, key_index, table.key_dtype, delimiter, offset)
        table.initialize(zip(keys, _column(lines, value_index, table.value_dtype, delimiter, offset), strict=True))


class InitializeTableFromTextFileV2(_FromTextFile):
    """Fills a table from the lines of a file."""

    inputs = "table_handle: resource, filename: string"
    path_inputs = ("filename",)
    is_stateful = True


class InitializeTableFromTextFile(_FromTextFile):
    """Fills a table from the lines of a file."""

    inputs = "table_handle: Ref(string), filename: string"
    path_inputs = ("filename",)


def lines_of(path: bytes, count: int) -> list[bytes]:
    """The lines of a file: all, or so many.

    Raises:
        NotFoundError: there is no such file.
        InvalidArgumentError: it has fewer.
    """
    try:
        with gfile.GFile(path.decode(), "rb") as file:
            content: bytes = file.read()
    except NotFoundError as error:
        raise NotFoundError(f"{path.decode()}; No such file or directory") from error
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    if lines and not lines[-1]:
        lines.pop()
    if 0 <= count < len(lines):
        return lines[:count]
    if count > len(lines):
        raise InvalidArgumentError(f"Invalid vocab_size in {path.decode()}: expected {count} but got {len(lines)}")
    return lines


def _check_columns(path: bytes, lines: list[bytes], count: int, delimiter: bytes) -> None:
    for number, line in enumerate(lines if count > 1 else ()):
        found = line.count(delimiter) + 1
        if found < count:
            raise InvalidArgumentError(
                f"Invalid number of columns in {path.decode()} line {number} ({_shown(line)}) : expected at least {count} got {found}"
            )


def _column(lines: list[bytes], index: int, dtype: DType, delimiter: bytes, offset: int) -> Iterator[Any]:
    """A column of lines as keys or values; -1 for the lines' numbers, -2 for them whole."""
    for number, line in enumerate(lines):
        if index == -1:
            yield number + offset
            continue
        text = line if index == -2 else line.split(delimiter)[index]
        if dtype.is_string:
            yield text
            continue
        try:
            assert dtype.numpy is not None
            yield dtype.numpy.type(int(text) if dtype.is_integer else float(text)).item()
        except (ValueError, OverflowError):
            raise InvalidArgumentError(f"Field {_shown(text)} in line {number} is not a valid {dtype.name}.") from None
