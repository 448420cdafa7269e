"""Datasets of the records of CSV files (RFC 4180), a column for each part of an element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Tensor, apply, convert_to_tensor
from gpersist.ops import dataset_structure as structure
from gpersist.ops.constants import constant
from gpersist.ops.dataset_arguments import bool_of, int64_of
from gpersist.ops.dataset_files import chunks, compression_of, of_files
from gpersist.ops.dataset_ops import make
from gpersist.ops.dataset_values import DatasetValue, Element, Pulled
from gpersist.ops.datasets import Dataset
from gpersist.ops.decoding import csv_fields
from gpersist.ops.kernels import as_array
from gpersist.ops.strings import number_of
from gpersist.ops.type_specs import TensorSpec
from gpersist.shapes import TensorShape

__all__ = ["CsvDataset"]

_BUFFER_BYTES = 4 << 20
_TYPES = ("float32", "float64", "int32", "int64", "string")


def _records(path: str, compression: str, has_header: bool, has_quotes: bool) -> Iterator[bytes]:
    """The records of a file; one goes on over the ends of lines within quotes."""
    left = b""
    for chunk in chunks(path, compression):
        *lines, left = (left + chunk).split(b"\n")
        kept = b""
        for line in lines:
            kept += line
            if has_quotes and kept.count(b'"') % 2:
                kept += b"\n"
                continue
            if not has_header:
                yield kept.removesuffix(b"\r")
            kept, has_header = b"", False
        left = kept + left
    if left and not has_header:
        yield left.removesuffix(b"\r")


def _csv(
    ctx: Context,
    filenames: Any,
    compression_type: Any,
    buffer_size: Any,
    header: Any,
    field_delim: Any,
    use_quote_delim: Any,
    na_value: Any,
    select_cols: Any,
    record_defaults: list[Any],
    exclude_cols: Any = (),
) -> DatasetValue:
    types: list[DType] = ctx.op.attr("output_types")
    mark, quotes, missing = _text(field_delim), bool(use_quote_delim), _text(na_value)
    if len(mark) != 1:
        raise InvalidArgumentError("field_delim should be only 1 char")
    chosen, left_out = [int(column) for column in np.asarray(select_cols)], {int(column) for column in np.asarray(exclude_cols)}
    if chosen and len(chosen) != len(types):
        raise InvalidArgumentError(f"select_cols should match output size: {len(chosen)} and {len(types)}")
    if chosen and left_out:
        raise InvalidArgumentError("Either select_cols or exclude_cols should be empty")
    defaults = [as_array(np, default).reshape(-1) for default in record_defaults]
    compression = compression_of(compression_type)
    lines = of_files(filenames, lambda path: _records(path, compression, bool(header), quotes))

    def element_of(line: bytes) -> Element:
        fields = csv_fields(line, mark[0], quotes)
        if chosen:
            fields = [fields[column] for column in chosen if column < len(fields)]
        fields = [field for column, field in enumerate(fields) if column not in left_out]
        if len(fields) != len(types):
            raise InvalidArgumentError(f"Expect {len(types)} fields but have {len(fields)} in record")
        return tuple(_value(column, field, dtype, defaults[column]) for column, (field, dtype) in enumerate(zip(fields, types, strict=True)))

    def _value(column: int, field: bytes, dtype: DType, default: Any) -> Any:
        if field in (b"", missing):
            if not default.size:
                raise InvalidArgumentError(f"Field {column} is required but missing in record!")
            return default[0]
        if dtype.is_string:
            return field
        return np.asarray(number_of(field, dtype, f"Field {column} in record is not a valid {dtype.name}: {{}}"), dtype.numpy)[()]

    def begin() -> Iterator[Element]:
        records = iter(lines)
        return Pulled(lambda: element_of(next(records)[0]))

    return DatasetValue(begin)


def _text(value: Any) -> bytes:
    found: Any = np.asarray(value, object)[()]
    return bytes(found)


_INPUTS = (
    "filenames: string, compression_type: string, buffer_size: int64, header: bool, field_delim: string, use_quote_delim: bool, na_value: string, "
    "select_cols: int64, record_defaults: output_types"
)
_ATTRS = "output_types: list({float, double, int32, int64, string}) >= 1, output_shapes: list(shape) >= 1"
for _name, _more in (("ExperimentalCSVDataset", ""), ("CSVDataset", ""), ("CSVDatasetV2", ", exclude_cols: int64")):
    make(_name, _INPUTS + _more, _ATTRS, _csv, "The records of CSV files.", is_stateful=True, path_inputs=("filenames",))


def default_of(value: Any) -> Tensor:
    """The default of a column: a tensor, or a type of what must be there.

    Raises:
        TypeError: neither.
    """
    name = getattr(value, "name", value)
    if not isinstance(value, Tensor) and name in _TYPES:
        return constant([], name)
    return convert_to_tensor(value)


class CsvDataset(Dataset):
    """The records of CSV files, a column for each part of an element (`tf.data.experimental.CsvDataset`).

    Args:
        filenames: a text, or a vector of them.
        record_defaults: for each column wanted its type, where a value must be there, or a tensor: what stands for one that is missing.
        compression_type: "", "ZLIB" or "GZIP".
        buffer_size: bytes read at once, for TensorFlow's sake.
        header: whether the first line of each file is left out.
        field_delim: what stands between fields.
        use_quote_delim: whether quotes around a field mean something.
        na_value: another text for missing values.
        select_cols: the columns wanted, ascending; all by default.
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Sequence[Any],
        compression_type: Any = None,
        buffer_size: Any = None,
        header: Any = False,
        field_delim: Any = ",",
        use_quote_delim: Any = True,
        na_value: Any = "",
        select_cols: Any = None,
    ) -> None:
        names = convert_to_tensor(filenames, "string", name="filenames")
        compression = convert_to_tensor(compression_type or "", "string", name="compression_type")
        given = [default_of(value) for value in record_defaults]
        defaults = [convert_to_tensor(value, name=f"record_defaults_{number}") for number, value in enumerate(given)]
        spec = tuple(TensorSpec(TensorShape(()), tensor.dtype.base_dtype) for tensor in defaults)
        inputs = (
            int64_of(buffer_size or _BUFFER_BYTES, "buffer_size"),
            bool_of(header, "header"),
            convert_to_tensor(field_delim, "string", name="field_delim"),
            bool_of(use_quote_delim, "use_quote_delim"),
            convert_to_tensor(na_value, "string", name="na_value"),
            int64_of([] if select_cols is None else select_cols, "select_cols"),
        )
        excluded = int64_of([], "exclude_cols")
        shapes = structure.shapes(spec)
        self._fill(apply("CSVDatasetV2", names, compression, *inputs, defaults, excluded, output_shapes=shapes), spec, "CsvDatasetV2")
