"""TFRecord files (`tf.io.TFRecordWriter`, `tf_record_iterator`), which event files are, too.

    file   := record*                                          or all of it compressed, by zlib or gzip
    record := size: uint64  crc_of_size: uint32  content  crc_of_content: uint32

Integers are little-endian; checksums are masked crc32c's, as in LevelDB.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from gpersist import files
from gpersist.errors import DataLossError, FailedPreconditionError, GPersistError, NotFoundError, from_os_error
from gpersist.table import crc32c, mask

__all__ = ["TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator"]

_HEAD = struct.Struct("<QI")
_TAIL_BYTES = 4
_READ_BYTES = 1 << 18
_MEM_LEVEL = 9
_WINDOW_BITS = {"ZLIB": zlib.MAX_WBITS, "GZIP": zlib.MAX_WBITS | 16}


class TFRecordCompressionType:
    """How a file is compressed (`tf.io.TFRecordCompressionType`)."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


class TFRecordOptions:
    """How a file is compressed (`tf.io.TFRecordOptions`).

    Args:
        compression_type: one of `TFRecordCompressionType`, or "ZLIB", "GZIP" or "".
        flush_mode: for TensorFlow's sake.
        input_buffer_size: for TensorFlow's sake.
        output_buffer_size: for TensorFlow's sake.
        window_bits: zlib's, less than 0 for no header, more than 15 for gzip's.
        compression_level: zlib's, 0 to 9.
        compression_method: zlib's, 8.
        mem_level: zlib's, 1 to 9.
        compression_strategy: zlib's, 0 to 3.

    Raises:
        ValueError: a compression of another name.
    """

    compression_type_map = {TFRecordCompressionType.ZLIB: "ZLIB", TFRecordCompressionType.GZIP: "GZIP", TFRecordCompressionType.NONE: ""}  # noqa: RUF012

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: int | None = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: int | None = None,
        compression_level: int | None = None,
        compression_method: int | None = None,
        mem_level: int | None = None,
        compression_strategy: int | None = None,
    ) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """The name of a compression: "ZLIB", "GZIP" or "".

        Raises:
            ValueError: there is none of that name or number.
        """
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if not options:
            return ""
        if options in cls.compression_type_map.values():
            return str(options)
        if options in cls.compression_type_map:
            return cls.compression_type_map[options]
        raise ValueError(f'Not a valid compression_type: "{options}"')


class TFRecordWriter:
    """Writes records to a file (`tf.io.TFRecordWriter`).

    Args:
        path: the file, which is replaced.
        options: a `TFRecordOptions`, or a compression.

    Raises:
        NotFoundError: its folder is not there.
        ValueError: a compression of another name.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        chosen = options if isinstance(options, TFRecordOptions) else TFRecordOptions(options)
        self._path = os.fsdecode(path)
        self._compressor = _compressor(chosen)
        self._file: BinaryIO | None = _opened(self._path, "wb")

    def write(self, record: bytes | str) -> None:
        """Appends a record.

        Raises:
            FailedPreconditionError: the writer is closed.
        """
        content = record.encode() if isinstance(record, str) else bytes(record)
        size = struct.pack("<Q", len(content))
        self._put(b"".join([size, _checksum(size), content, _checksum(content)]))

    def flush(self) -> None:
        """Gives what was written to the operating system; what is being compressed, when the writer is closed."""
        file = self._open_file()
        try:
            file.flush()
        except OSError as error:
            raise from_os_error(error, f"write {self._path!r}") from error

    def close(self) -> None:
        """Completes the file. Calling it again does nothing."""
        if self._file is None:
            return
        if self._compressor is not None:
            self._write(self._compressor.flush())
        file, self._file = self._file, None
        try:
            file.close()
        except OSError as error:
            raise from_os_error(error, f"write {self._path!r}") from error

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            try:
                self.close()
            except GPersistError:
                pass

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise FailedPreconditionError("Writer is closed.")
        return self._file

    def _put(self, content: bytes) -> None:
        self._open_file()
        self._write(content if self._compressor is None else self._compressor.compress(content))

    def _write(self, content: bytes) -> None:
        try:
            self._open_file().write(content)
        except OSError as error:
            raise from_os_error(error, f"write {self._path!r}") from error


def tf_record_iterator(path: Any, options: Any = None) -> _RecordIterator:
    """The records of a file, one after the other, as bytes (`tf.io.tf_record_iterator`).

    A record whose head is cut off at the end of the file counts as not written yet.

    Args:
        path: the file.
        options: a `TFRecordOptions`, or a compression.

    Raises:
        NotFoundError: it is not there.
        ValueError: a compression of another name.
        DataLossError: while iterating: a record is damaged, or cut off.
    """
    return _RecordIterator(os.fsdecode(path), TFRecordOptions.get_compression_type_string(options))


class _RecordIterator:
    def __init__(self, path: str, compression: str) -> None:
        self._path = path
        self._file = _opened(path, "rb")
        self._position = 0
        self._bytes = _Bytes(self._file, path, compression)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        head = self._bytes.take(_HEAD.size)
        if len(head) < _HEAD.size:
            raise StopIteration
        size = _HEAD.unpack(head)[0]
        if _checksum(head[:8]) != head[8:]:
            first = " (Is this even a TFRecord file?)" if not self._position else ""
            raise DataLossError(f"corrupted record at {self._position}{first}: the checksum of its size in {self._path!r} is wrong")
        content = self._bytes.take(size)
        tail = self._bytes.take(_TAIL_BYTES) if len(content) == size else b""
        if len(tail) < _TAIL_BYTES:
            raise DataLossError(f"truncated record at {self._position} of {self._path!r}: it says that it has {size} bytes, which are not all there")
        if _checksum(content) != tail:
            raise DataLossError(f"corrupted record at {self._position + _HEAD.size}: the checksum of its content in {self._path!r} is wrong")
        self._position += _HEAD.size + size + _TAIL_BYTES
        return content

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class _Bytes:
    """A file's content, decompressed as far as somebody asks for it: a size that a damaged file tells makes nothing be allocated."""

    def __init__(self, file: BinaryIO, path: str, compression: str) -> None:
        self._file, self._path = file, path
        self._bits = _WINDOW_BITS.get(compression)
        self._decompressor: Any = None if self._bits is None else zlib.decompressobj(self._bits)

    def take(self, count: int) -> bytes:
        """The next so many bytes; fewer at the end."""
        parts, missing = [], count
        while missing and (part := self._some(min(missing, _READ_BYTES))):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _some(self, limit: int) -> bytes:
        if self._decompressor is None:
            return self._read(limit)
        while True:
            if self._decompressor.eof:  # another part, as appended files have them
                rest = self._decompressor.unused_data or self._read(_READ_BYTES)
                if not rest:
                    return b""
                self._decompressor = zlib.decompressobj(self._bits or 0)
            else:
                rest = self._decompressor.unconsumed_tail or self._read(_READ_BYTES)
            try:
                found: bytes = self._decompressor.decompress(rest, limit)
            except zlib.error as error:
                raise DataLossError(f"{self._path!r} cannot be decompressed: inflate() failed: {error}") from error
            if found or not rest:
                return found

    def _read(self, limit: int) -> bytes:
        try:
            return self._file.read(limit)
        except OSError as error:
            raise from_os_error(error, f"read {self._path!r}") from error


def _opened(path: str, mode: str) -> BinaryIO:
    files.check_local(path)
    try:
        return open(path, mode)  # type: ignore[return-value]  # a binary mode
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}; No such file or directory") from error
    except OSError as error:
        raise from_os_error(error, f"open {path!r}") from error


def _compressor(options: TFRecordOptions) -> Any:
    kind = TFRecordOptions.get_compression_type_string(options)
    if not kind:
        return None
    return zlib.compressobj(
        _or_default(options.compression_level, zlib.Z_DEFAULT_COMPRESSION),
        _or_default(options.compression_method, zlib.DEFLATED),
        _or_default(options.window_bits, _WINDOW_BITS[kind]),
        _or_default(options.mem_level, _MEM_LEVEL),
        _or_default(options.compression_strategy, zlib.Z_DEFAULT_STRATEGY),
    )


def _or_default(given: int | None, default: int) -> int:
    return default if given is None else given


def _checksum(content: bytes) -> bytes:
    return struct.pack("<I", mask(crc32c(content)))
