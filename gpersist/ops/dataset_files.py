"""Operations that make datasets of the lines or records of files. A loaded graph reads only files that its caller names."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError
from gpersist.files import gfile
from gpersist.graph import Context
from gpersist.ops.dataset_ops import make
from gpersist.ops.dataset_values import DatasetValue, Element, Pulled
from gpersist.ops.records import tf_record_iterator

__all__: list[str] = []

_READ_BYTES = 1 << 18
_WINDOW_BITS = {"ZLIB": zlib.MAX_WBITS, "GZIP": zlib.MAX_WBITS | 16}


def chunks(path: str, compression: str) -> Iterator[bytes]:
    """What a file holds, a piece at a time."""
    with gfile.GFile(path, "rb") as file:
        inflate = zlib.decompressobj(_WINDOW_BITS[compression]) if compression else None
        try:
            while piece := file.read(_READ_BYTES):
                while inflate is not None and piece:
                    yield inflate.decompress(piece, _READ_BYTES)
                    piece = inflate.unconsumed_tail
                if piece:
                    yield piece
        except zlib.error as error:
            raise DataLossError(f"{path}: not compressed by {compression}, or damaged: {error}") from error


def _lines(path: str, compression: str) -> Iterator[bytes]:
    left = b""
    for chunk in chunks(path, compression):
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line.replace(b"\r", b"")
    if left:
        yield left.replace(b"\r", b"")


def _pieces(path: str, compression: str, header: int, size: int, footer: int) -> Iterator[bytes]:
    kept, skipped, total = b"", header, 0
    if not compression:  # else its length is known at its end only
        with gfile.GFile(path, "rb") as file:
            _check_length(path, file.size(), header, size, footer)
    for chunk in chunks(path, compression):
        total += len(chunk)
        kept += chunk[skipped:]
        skipped = max(0, skipped - len(chunk))
        count = max(0, len(kept) - footer) // size
        for number in range(count):
            yield kept[number * size : (number + 1) * size]
        kept = kept[count * size :]
    _check_length(path, total, header, size, footer)


def _check_length(path: str, total: int, header: int, size: int, footer: int) -> None:
    body = total - header - footer
    if body < 0 or body % size:
        raise InvalidArgumentError(
            f"Excess bytes of {body % size} in file {path}: of {total} bytes: not a header of {header}, records of {size} and a footer of {footer}"
        )


def of_files(filenames: Any, read: Callable[[str], Iterator[bytes]]) -> DatasetValue:
    """The records of files, one file after the other."""
    names = [name.decode() for name in np.asarray(filenames, object).reshape(-1).tolist()]

    def begin() -> Iterator[Element]:
        waiting = names[::-1]
        current: Iterator[bytes] | None = None

        def pull() -> Element:
            nonlocal current
            while waiting:
                try:
                    current = read(waiting[-1]) if current is None else current
                    for record in current:
                        return (record,)
                except DataLossError:  # what is left of the file is lost
                    waiting.pop()
                    current = None
                    raise
                except GPersistError:  # it is tried again
                    current = None
                    raise
                waiting.pop()
                current = None
            raise StopIteration

        return Pulled(pull)

    return DatasetValue(begin)


def compression_of(value: Any) -> str:
    given: Any = np.asarray(value, object)[()]
    found: str = given.decode()
    if found and found not in _WINDOW_BITS:
        raise InvalidArgumentError(f"Unsupported compression_type: {found!r}; there are '', 'ZLIB' and 'GZIP'")
    return found


def _text_lines(ctx: Context, filenames: Any, compression_type: Any, buffer_size: Any) -> DatasetValue:
    compression = compression_of(compression_type)
    return of_files(filenames, lambda path: _lines(path, compression))


def _records(ctx: Context, filenames: Any, compression_type: Any, buffer_size: Any) -> DatasetValue:
    compression = compression_of(compression_type)
    return of_files(filenames, lambda path: tf_record_iterator(path, compression))


def _fixed(
    ctx: Context, filenames: Any, header_bytes: Any, record_bytes: Any, footer_bytes: Any, buffer_size: Any, compression_type: Any = b""
) -> DatasetValue:
    header, size, footer = int(header_bytes), int(record_bytes), int(footer_bytes)
    if size <= 0:
        raise InvalidArgumentError(f"`record_bytes` must be > 0: {size}")
    if header < 0 or footer < 0:
        raise InvalidArgumentError(f"`header_bytes` and `footer_bytes` must be >= 0: {header}, {footer}")
    compression = compression_of(compression_type)
    return of_files(filenames, lambda path: _pieces(path, compression, header, size, footer))


_NAMES = "filenames: string"
_SIZES = f"{_NAMES}, header_bytes: int64, record_bytes: int64, footer_bytes: int64, buffer_size: int64"
_COMPRESSED = f"{_NAMES}, compression_type: string, buffer_size: int64"
_MARKS: dict[str, Any] = {"is_stateful": True, "path_inputs": ("filenames",)}

make("TextLineDataset", _COMPRESSED, "", _text_lines, "Lines of files, without their ends.", **_MARKS)
make("TFRecordDataset", _COMPRESSED, "", _records, "Records of TFRecord files.", **_MARKS)
make("FixedLengthRecordDataset", _SIZES, "", _fixed, "Records of one size.", **_MARKS)
make("FixedLengthRecordDatasetV2", f"{_SIZES}, compression_type: string", "", _fixed, "Records of one size.", **_MARKS)
