"""Reads V1 checkpoints: one table, or several that hold slices of the same tensors (see `v1_writer` for what is in a table).

Source: TensorFlow `tensor_slice_reader.cc`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import Region, TensorSlice, cover
from gpersist.bundle.v1_values import decode_value
from gpersist.bundle.v1_writer import VERSION
from gpersist.dtypes import DType, from_enum
from gpersist.errors import DataLossError, InvalidArgumentError, NotACheckpointError, TensorNotFoundError, UnimplementedError
from gpersist.protos import SavedSliceMeta, SavedTensorSlices, parse
from gpersist.shapes import Shape, element_count
from gpersist.table import TableReader


@dataclasses.dataclass(frozen=True, slots=True)
class V1Entry:
    """What a V1 checkpoint tells of a tensor.

    Attributes:
        dtype: its element type.
        shape: of the whole tensor.
        slices: the slices that the tables hold, in the order met.
        tables: for each slice, the name of its table.
    """

    dtype: DType
    shape: Shape
    slices: tuple[TensorSlice, ...]
    tables: tuple[str, ...]


class V1Reader:
    """The tensors of a V1 checkpoint. Metadata is held in memory; elements are read when asked for. Safe for threads as far as the tables are."""

    def __init__(self, tables: Mapping[str, TableReader]) -> None:
        """Reads the metadata of all tables.

        Args:
            tables: all files of the checkpoint by their names.

        Raises:
            NotACheckpointError: a table is no V1 checkpoint; it may be the index of a V2 one.
            DataLossError: metadata are damaged, or tell differing things of one tensor.
            UnimplementedError: a file says that it needs a newer reader.
        """
        self._tables = dict(tables)
        self._entries: dict[str, V1Entry] = {}
        found: dict[str, tuple[DType, Shape, list[TensorSlice], list[str]]] = {}
        for table_name, table in self._tables.items():
            for meta in _read_meta(table, table_name):
                where = f"tensor {meta.name!r} in '{table_name}'"
                dtype, shape, slices = _read_tensor(meta, where)
                known_dtype, known_shape, known_slices, known_tables = found.setdefault(meta.name, (dtype, shape, [], []))
                if (dtype, shape) != (known_dtype, known_shape):
                    raise DataLossError(
                        f"{where} is of {dtype.name}{list(shape)}, in '{known_tables[0]}' of {known_dtype.name}{list(known_shape)}: "
                        "the files are of different checkpoints, or damaged"
                    )
                known_slices += slices
                known_tables += [table_name] * len(slices)
        for name, (dtype, shape, slices, table_names) in found.items():
            self._entries[name] = V1Entry(dtype, shape, tuple(slices), tuple(table_names))

    def names(self) -> list[str]:
        """All tensors, sorted."""
        return sorted(self._entries)

    def entry(self, name: str) -> V1Entry:
        """What is known of a tensor.

        Raises:
            TensorNotFoundError: there is none of this name.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise TensorNotFoundError(f"no tensor {name!r} in {self._where()}; it holds {len(self._entries)} tensors") from None

    def read(self, name: str, part: TensorSlice | None = None) -> NDArray[Any]:
        """Reads a tensor, or a slice of it, from however many stored slices it takes.

        Args:
            name: the tensor's.
            part: the slice wanted; None is all of it.

        Returns:
            A writable array, row-major; strings as bytes in an array of dtype object.

        Raises:
            TensorNotFoundError: there is none of this name.
            InvalidArgumentError: the slice does not fit the tensor.
            DataLossError: the stored slices do not make it up, or one is damaged.
            UnimplementedError: a dtype that V1 files do not hold.
        """
        entry = self.entry(name)
        what = f"tensor {name!r} in {self._where()}"
        wanted = TensorSlice.full(len(entry.shape)) if part is None else part
        shape = wanted.shape_in(entry.shape, what)
        parts = cover(wanted, entry.slices, entry.shape, what)
        # All is decoded before the whole is allocated: a shape that is a lie costs nothing.
        arrays = [self._read_slice(name, entry, p.index, p.source) for p in parts]
        if len(arrays) == 1:
            return np.ascontiguousarray(arrays[0]).reshape(shape)
        array = np.empty(shape, entry.dtype.numpy)
        for p, values in zip(parts, arrays, strict=True):
            array[p.target] = values
        return array

    def _read_slice(self, name: str, entry: V1Entry, index: int, region: Region) -> NDArray[Any]:
        stored, table_name = entry.slices[index], entry.tables[index]
        where = f"tensor {name!r}, slice '{stored}' in '{table_name}'"
        value = self._tables[table_name].get(encode_slice_key(name, stored))
        if value is None:
            raise DataLossError(f"{where}: the metadata tell of it, but it is not there; the file is damaged")
        shape = stored.shape_in(entry.shape, where)
        array = decode_value(value, entry.dtype, element_count(shape), where).reshape(shape)
        return array[region] if region else array  # a scalar stays an array

    def _where(self) -> str:
        names = list(self._tables)
        return f"'{names[0]}'" + (f" and {len(names) - 1} other files" if names[1:] else "")


def _read_meta(table: TableReader, name: str) -> list[SavedSliceMeta]:
    value = table.get(b"")
    message = None if value is None else parse(SavedTensorSlices, value, f"the metadata of '{name}'")
    if message is None or not message.HasField("meta"):
        raise NotACheckpointError(
            f"'{name}' is a table, but no V1 checkpoint: its first entry is no SavedTensorSliceMeta; a V2 index is opened by its prefix"
        )
    versions = message.meta.versions
    if versions.min_consumer > VERSION or VERSION in versions.bad_consumers:
        raise UnimplementedError(
            f"'{name}' has checkpoint version {versions.producer}, for readers of version {versions.min_consumer} and later except "
            f"{sorted(versions.bad_consumers)}; this one has {VERSION}: a newer gpersist is needed"
        )
    return list(message.meta.tensor)


def _read_tensor(meta: SavedSliceMeta, where: str) -> tuple[DType, Shape, list[TensorSlice]]:
    try:
        shape = tuple(dim.size for dim in meta.shape.dim)
        element_count(shape, f"{where}: shape")
        slices = [TensorSlice.from_proto(proto, where) for proto in meta.slice]
        for part in slices:
            part.bounds(shape, where)
        return from_enum(meta.type, where), shape, slices
    except InvalidArgumentError as error:
        raise DataLossError(f"{error.message}; the file is damaged") from error
