"""Datasets of files (`tf.data.TextLineDataset` and its relatives)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.dtypes import string as text
from gpersist.graph import Tensor, apply, convert_to_tensor
from gpersist.ops.datasets import Dataset
from gpersist.ops.shaping import reshape
from gpersist.ops.type_specs import TensorSpec
from gpersist.shapes import TensorShape

__all__ = ["FixedLengthRecordDataset", "TFRecordDataset", "TextLineDataset"]

_RECORD = TensorSpec(TensorShape(()), text)
_BUFFER_BYTES = 256 * 1024


class _OfFiles(Dataset):
    """The records of files."""

    def _read(self, filenames: Any, num_parallel_reads: Any, read_one_file: Callable[[Tensor], Tensor]) -> None:
        """Takes the files one after the other, or, with a number, as many at a time.

        Raises:
            TypeError: the names are no text.
        """
        if isinstance(filenames, Dataset):
            names = filenames
        else:
            found = convert_to_tensor(filenames)
            if found.dtype.base_dtype != text:
                raise TypeError(f"The `filenames` argument must contain `tf.string` elements. Got {found.dtype!r} elements.")
            names = Dataset.from_tensor_slices(reshape(found, [-1], name="flat_filenames"))

        def opened(filename: Tensor) -> Dataset:
            made = Dataset.__new__(Dataset)
            made._fill(read_one_file(filename), _RECORD, "")
            return made

        opened.__name__ = "read_one_file"
        if num_parallel_reads is None:
            made = names.flat_map(opened)
        else:
            made = names.interleave(opened, num_parallel_reads, num_parallel_calls=num_parallel_reads)
        self._fill(made._variant_tensor, _RECORD, f"{type(self).__name__}V2")


class TextLineDataset(_OfFiles):
    """Lines of text files, without their ends (`tf.data.TextLineDataset`).

    Args:
        filenames: a text, or a vector of them, or a dataset.
        compression_type: "", "ZLIB" or "GZIP".
        buffer_size: bytes read at once, for TensorFlow's sake.
        num_parallel_reads: of so many files lines are taken in turn.
        name: for TensorFlow's sake.
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None, name: str | None = None
    ) -> None:
        def read(filename: Tensor) -> Tensor:
            return apply("TextLineDataset", filename, *_compressed(compression_type, buffer_size))

        self._read(filenames, num_parallel_reads, read)


class TFRecordDataset(_OfFiles):
    """Records of TFRecord files (`tf.data.TFRecordDataset`).

    Args:
        filenames: a text, or a vector of them, or a dataset.
        compression_type: "", "ZLIB" or "GZIP".
        buffer_size: bytes read at once, for TensorFlow's sake.
        num_parallel_reads: of so many files records are taken in turn.
        name: for TensorFlow's sake.
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None, name: str | None = None
    ) -> None:
        def read(filename: Tensor) -> Tensor:
            return apply("TFRecordDataset", filename, *_compressed(compression_type, buffer_size))

        self._read(filenames, num_parallel_reads, read)


class FixedLengthRecordDataset(_OfFiles):
    """Records of one size (`tf.data.FixedLengthRecordDataset`), all sizes in bytes.

    Args:
        filenames: a text, or a vector of them, or a dataset.
        record_bytes: of a record.
        header_bytes: at the start of a file, left out.
        footer_bytes: at its end, left out.
        buffer_size: bytes read at once, for TensorFlow's sake.
        compression_type: "", "ZLIB" or "GZIP".
        num_parallel_reads: of so many files records are taken in turn.
        name: for TensorFlow's sake.
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        def read(filename: Tensor) -> Tensor:
            record = _or(record_bytes, 0, "int64", "record_bytes")
            header = _or(header_bytes, 0, "int64", "header_bytes")
            footer = _or(footer_bytes, 0, "int64", "footer_bytes")
            buffer = _or(buffer_size, _BUFFER_BYTES, "int64", "buffer_size")
            compression = _or(compression_type, "", "string", "compression_type")
            return apply("FixedLengthRecordDatasetV2", filename, header, record, footer, buffer, compression)

        self._read(filenames, num_parallel_reads, read)


def _or(value: Any, default: Any, dtype: str, name: str) -> Tensor:
    return convert_to_tensor(default if value is None else value, dtype, name=name)


def _compressed(compression_type: Any, buffer_size: Any) -> tuple[Tensor, Tensor]:
    return _or(compression_type, "", "string", "compression_type"), _or(buffer_size, _BUFFER_BYTES, "int64", "buffer_size")
