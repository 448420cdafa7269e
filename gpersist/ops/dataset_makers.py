"""Whole input pipelines from files by one call (`tf.data.experimental.make_csv_dataset`)."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.files import gfile
from gpersist.graph import Tensor
from gpersist.ops import dataset_structure as structure
from gpersist.ops.constants import constant
from gpersist.ops.csv_datasets import CsvDataset, default_of
from gpersist.ops.dataset_experiments import adapted, parallel_interleave, parse_example_dataset
from gpersist.ops.datasets import Dataset
from gpersist.ops.file_datasets import TFRecordDataset

__all__ = ["make_batched_features_dataset", "make_csv_dataset"]


def make_batched_features_dataset(
    file_pattern: Any,
    batch_size: Any,
    features: Mapping[str, Any],
    reader: Callable[..., Dataset] | None = None,
    label_key: str | None = None,
    reader_args: Sequence[Any] | None = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: Any = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: Any = None,
    reader_num_threads: Any = None,
    parser_num_threads: Any = None,
    sloppy_ordering: bool = False,
    drop_final_batch: bool = False,
) -> Dataset:
    """Batches of the features of `Example` messages in files (`tf.data.experimental.make_batched_features_dataset`).

    Args:
        file_pattern: the files, or what their names fit.
        batch_size: how many examples.
        features: as of `parse_example`.
        reader: makes a dataset of a file's name; `TFRecordDataset` by default.
        label_key: of the feature that is the label: elements are pairs then.
        reader_args: more arguments of `reader`.
        num_epochs: how often all are read; without an end by default.
        shuffle: whether files and examples come in another order.
        shuffle_buffer_size: of how many examples the next is drawn.
        shuffle_seed: of the order.
        prefetch_buffer_size: for TensorFlow's sake.
        reader_num_threads: of how many files examples are taken in turn.
        parser_num_threads: for TensorFlow's sake.
        sloppy_ordering: for TensorFlow's sake.
        drop_final_batch: whether what is left over at the end is lost.

    Raises:
        ValueError: `label_key` is none of the features.
    """
    dataset = Dataset.list_files(file_pattern, shuffle=shuffle, seed=shuffle_seed)
    read, more = reader or TFRecordDataset, list(reader_args or ())
    dataset = dataset.apply(parallel_interleave(lambda filename: read(filename, *more), reader_num_threads or 1, sloppy=sloppy_ordering))
    if [spec.dtype.name for spec in structure.flatten(dataset.element_spec)] == ["string", "string"]:
        dataset = dataset.map(lambda _, value: value)
    dataset = _shuffled_and_repeated(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    dataset = dataset.apply(parse_example_dataset(features, 2 if parser_num_threads is None else parser_num_threads))
    if label_key:
        if label_key not in features:
            raise ValueError(f"The `label_key` provided ({label_key}) must be one of the `features` keys: {features.keys()}.")
        dataset = dataset.map(lambda found: (found, found.pop(label_key)))
    return adapted(dataset.prefetch(prefetch_buffer_size))


def make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: Any = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: Any = None,
    num_parallel_reads: Any = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: str | None = None,
    ignore_errors: bool = False,
    encoding: str = "utf-8",
) -> Dataset:
    """Batches of the columns of CSV files, by name (`tf.data.experimental.make_csv_dataset`).

    Args:
        file_pattern: the files, or what their names fit, or a list of these.
        batch_size: how many records.
        column_names: of all columns; by default those of the first line.
        column_defaults: of the columns wanted, as of `CsvDataset`; by default what the first records look like.
        label_name: of the column that is the label: elements are pairs then.
        select_columns: names or numbers of the columns wanted.
        field_delim: what stands between fields.
        use_quote_delim: whether quotes around a field mean something.
        na_value: another text for missing values.
        header: whether the first line of each file has names.
        num_epochs: how often all are read; without an end by default.
        shuffle: whether files and records come in another order.
        shuffle_buffer_size: of how many records the next is drawn.
        shuffle_seed: of the order.
        prefetch_buffer_size: for TensorFlow's sake.
        num_parallel_reads: of how many files records are taken in turn.
        sloppy: for TensorFlow's sake.
        num_rows_for_inference: how many records tell the types; all for None.
        compression_type: "" or "GZIP"; "ZLIB" with all names and defaults.
        ignore_errors: whether records with errors are left out.
        encoding: of the files' text, where names and types are found out.

    Raises:
        ValueError: no file fits, or names, defaults and columns do not fit each other.
    """
    names = _file_names(file_pattern)
    dataset = Dataset.from_tensor_slices(names)
    if shuffle:
        dataset = dataset.shuffle(len(names), shuffle_seed)
    rows = _Rows(names, field_delim, use_quote_delim, compression_type, encoding)
    if column_names is None:
        if not header:
            raise ValueError("Expected `column_names` or `header` arguments. Neither is provided.")
        column_names = rows.names()
    if len(set(column_names)) != len(column_names):
        doubled = {name for name in column_names if list(column_names).count(name) > 1}
        raise ValueError(f"Either `column_names` argument or CSV header row contains duplicate column names: {doubled}.")
    columns = None if select_columns is None else _columns(select_columns, column_names)
    if column_defaults is not None:
        defaults = [default_of(value) for value in column_defaults]
    else:
        defaults = rows.defaults(len(column_names), columns, na_value, header, num_rows_for_inference)
    if columns is not None:
        if len(defaults) != len(columns):
            raise ValueError(
                f"If specified, `column_defaults` and `select_columns` must have the same length: `column_defaults` has length {len(defaults)}, "
                f"`select_columns` has length {len(columns)}."
            )
        column_names = [column_names[column] for column in columns]
    if label_name is not None and label_name not in column_names:
        raise ValueError(f"`label_name` provided must be one of the columns: {column_names}. Received: {label_name}.")

    def filename_to_dataset(filename: Tensor) -> Dataset:
        made: Dataset = CsvDataset(filename, defaults, compression_type, None, header, field_delim, use_quote_delim, na_value, columns)
        return made.ignore_errors() if ignore_errors else made

    def map_fn(*values: Tensor) -> Any:
        features = OrderedDict(zip(column_names, values, strict=True))
        return features if label_name is None else (features, features.pop(label_name))

    dataset = dataset.apply(parallel_interleave(filename_to_dataset, num_parallel_reads or 1, sloppy=sloppy))
    dataset = _shuffled_and_repeated(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    return dataset.batch(batch_size, drop_remainder=num_epochs is None).map(map_fn).prefetch(prefetch_buffer_size)


def _shuffled_and_repeated(dataset: Dataset, epochs: int | None, shuffle: bool, room: Any, seed: int | None) -> Dataset:
    if shuffle:
        dataset = dataset.shuffle(room, seed)
    return dataset if epochs == 1 else dataset.repeat(epochs)


def _file_names(pattern: Any) -> list[str]:
    patterns = pattern if isinstance(pattern, list) else [pattern]
    if not patterns:
        raise ValueError("Argument `file_pattern` should not be empty.")
    found = sorted(name for each in patterns for name in gfile.glob(each))
    if not found:
        raise ValueError(f"No files match `file_pattern` {pattern}.")
    return found


def _columns(wanted: Sequence[Any], names: Sequence[str]) -> list[int]:
    found = []
    for column in wanted:
        if isinstance(column, int) and not 0 <= column < len(names):
            raise ValueError(
                f"Column index {column} specified in `select_columns` should be > 0  and <= {len(names)}, which is the number of columns."
            )
        if not isinstance(column, int) and column not in names:
            raise ValueError(f"Column {column} specified in `select_columns` must be of one of the columns: {list(names)}.")
        found.append(column if isinstance(column, int) else list(names).index(column))
    if len(set(found)) != len(found):
        raise ValueError(f"The `select_columns` argument contains duplicate columns: {wanted}.")
    return sorted(found)


class _Rows:
    """What Python reads of the files to find out names and types."""

    def __init__(self, names: Sequence[str], field_delim: str, use_quote_delim: bool, compression_type: str | None, encoding: str) -> None:
        self._names, self._compression, self._encoding = names, compression_type, encoding
        self._how: dict[str, Any] = {"delimiter": field_delim, "quoting": csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE}

    def _of(self, name: str) -> Iterator[list[str]]:
        if self._compression == "ZLIB":
            raise ValueError(f"`compression_type` {self._compression} is not supported for probing columns.")
        if self._compression not in (None, "", "GZIP"):
            raise ValueError(f'Received unknown `compression_type` {self._compression}. Expected: GZIP, ZLIB or "" (empty string).')
        kind: Any = gzip.open if self._compression else open
        with kind(name, "rt", encoding=self._encoding, newline="") as file:
            yield from csv.reader(file, **self._how)

    def names(self) -> list[str]:
        found = []
        for name in self._names:
            first = next(self._of(name), None)
            if first is None:
                raise ValueError(f"Failed when reading the header line of {name}. Is it an empty file?")
            found.append(first)
            if first != found[0]:
                raise ValueError(f"All input CSV files should have the same column names in the header row. File {name} has different column names.")
        return found[0]

    def defaults(self, count: int, columns: Sequence[int] | None, na_value: str, header: bool, limit: int | None) -> list[Tensor]:
        chosen = range(count) if columns is None else columns
        types: list[str | None] = [None] * len(chosen)
        rows = itertools.chain.from_iterable(enumerate(itertools.islice(self._of(name), int(header), None), 1 + header) for name in self._names)
        for number, row in itertools.islice(rows, limit):
            if len(row) != count:
                raise ValueError(f"Problem inferring types: CSV row {number} has {len(row)} number of fields. Expected: {count}.")
            types = [kind if row[column] in ("", na_value) else _wider(kind, row[column]) for kind, column in zip(types, chosen, strict=True)]
        return [constant(["" if (kind or "string") == "string" else 0], kind or "string") for kind in types]


_TYPES = ("int32", "int64", "float32", "float64", "string")


def _wider(kind: str | None, text: str) -> str:
    """The first type, from one on, of which this text is a value."""
    start = 0 if kind is None else _TYPES.index(kind)
    return next(each for each in _TYPES[start:] if _is(each, text))


def _is(kind: str, text: str) -> bool:
    if kind == "string":
        return True
    try:
        if kind.startswith("int"):
            limits = np.iinfo(kind)
            return bool(limits.min <= int(text) <= limits.max)
        return bool(np.dtype(kind).type(text) < np.inf)
    except (ValueError, OverflowError):
        return False
