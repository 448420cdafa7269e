r"""NumPy's .npz files, read and written in blocks.

    file   := a zip archive of members NAME.npy, stored or deflated
    member := "\x93NUMPY" version length header data       header: a Python literal with descr, fortran_order and shape (`numpy.lib.format`)

Nothing is unpickled. A tensor of strings is an array of NumPy's bytes, all as long as the longest. What .npy has no word for stands in the member's
comment, as JSON: the recorded device, and the name of a type that NumPy lacks (its elements are records of so many bytes there).
"""

from __future__ import annotations

import ast
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from gpersist.bundle import ShardReader, ShardWriter, describe, strings
from gpersist.checkpoint import one_file
from gpersist.convert.tensors import Tensor, TensorFile, blocks, refuse
from gpersist.devices import DeviceSpec
from gpersist.dtypes import STRING, DType, from_name, from_numpy
from gpersist.errors import (
    DataLossError,
    GPersistError,
    InternalError,
    InvalidArgumentError,
    NotACheckpointError,
    ResourceExhaustedError,
    UnimplementedError,
)
from gpersist.shapes import Shape, element_count
from gpersist.staging import Pulled, Scattered

_MAGIC = b"\x93NUMPY"
_MAX_HEADER_BYTES = 64 << 10
_LOCAL_HEADER_BYTES = 30
_MAX_DEFLATION = 1032
"""No deflated byte stands for more."""

_MAX_WHOLE_BYTES = 64 << 20
_MAX_RATIO = 16
"""What is in memory as a whole (strings, Fortran's order) may take so many times the bytes it has in the file, where that is more than this."""

_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
"""What Python's zipfile raises of files that make no sense."""


class NpzFile(TensorFile):
    """An open file. Its members have checksums, which are held when the last byte is read; so they are read in order."""

    format = "npz"
    in_order = True

    def __init__(self, path: str) -> None:
        """Reads the archive's folder, and the members' headers.

        Raises:
            CheckpointNotFoundError: there is no such file.
            NotACheckpointError: it is of another kind.
            DataLossError: it is damaged.
            UnimplementedError: pickled objects, dates, and what else TensorFlow has no type for; other compressions; encryption.
        """
        super().__init__(path)
        self._file = ShardReader(path)
        try:
            with _damage_told(f"{path!r}: the archive"):
                head = self._head()
                if head[:2] != b"PK":
                    raise NotACheckpointError(f"{path!r} is {describe(head, self._file.size_bytes) or 'no .npz file'}")
                self._archive = zipfile.ZipFile(_Window(self._file))
                self._members = self._checked_members()
        except BaseException:
            self.close()
            raise

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors; see `TensorFile`."""
        return [member.tensor() for member in self._members]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _head(self) -> bytes:
        head = bytearray(min(self._file.size_bytes, 512))
        if head:
            self._file.read([head], len(head), 0)
        return bytes(head)

    def _checked_members(self) -> list[_Member]:
        infos = [info for info in self._archive.infolist() if not info.filename.endswith("/")]
        if infos and not any(info.filename.endswith(".npy") for info in infos):
            raise NotACheckpointError(f"{self.path!r} is {describe(self._head(), self._file.size_bytes)}; no member of it is an array (.npy)")
        found: dict[str, _Member] = {}
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            name = info.filename.removesuffix(".npy")
            what = f"{self.path!r}: member {info.filename!r}"
            if info.filename == name or not name:
                raise UnimplementedError(f"{what} is no array (.npy): write a file of arrays only")
            if name in found or info.header_offset < end:
                raise DataLossError(f"{what} is there twice, or overlaps another one; the file is damaged")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UnimplementedError(f"{what} is encrypted, or compressed in another way than by deflation: write it by numpy.savez")
            most = info.compress_size * (1 if info.compress_type == zipfile.ZIP_STORED else _MAX_DEFLATION)
            end = info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size
            if info.file_size > most or end > self._file.size_bytes:
                raise DataLossError(f"{what} says that it holds {info.file_size} bytes, more than its {info.compress_size} can; the file is damaged")
            found[name] = _Member(self._archive, info, name, what)
        return list(found.values())


def write_npz(path: str, tensors: Sequence[Tensor], *, durable: bool, on_progress: Callable[[int], None] | None) -> None:
    """Writes a file, which takes its name when it is whole.

    Args:
        path: of the file.
        tensors: what it will hold.
        durable: wait for the disk.
        on_progress: called with the bytes of each piece that is written.

    Raises:
        UnimplementedError: names that no archive takes, before anything is written.
        InvalidArgumentError: strings that end in a NUL, or of lengths that differ too much.
        GPersistError: the file system failed; what stood there stands.
    """
    refuse(tensors, _unsaved, "npz")
    with one_file(path, 0, durable=durable) as writer:
        stream = _Appended(writer)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for tensor in sorted(tensors, key=lambda tensor: tensor.name):
                info = zipfile.ZipInfo(tensor.name + ".npy", _FIRST_DATE)
                info.comment = _comment(tensor)
                with archive.open(info, "w", force_zip64=True) as member:
                    _write_array(member, tensor, on_progress)
        writer.size_bytes = stream.end


def _write_array(member: IO[bytes], tensor: Tensor, on_progress: Callable[[int], None] | None) -> None:
    if tensor.content is not None:
        content = tensor.content()
        member.write(_header(content.dtype, tensor.shape))
        for block in blocks(content):
            member.write(block)
            if on_progress:
                on_progress(len(block))
        return
    assert tensor.strings is not None
    items = strings.elements(tensor.strings(), f"tensor {tensor.name!r}")
    width = max(map(len, items), default=0) or 1
    if width * len(items) > max(_MAX_WHOLE_BYTES, _MAX_RATIO * sum(map(len, items))):
        raise InvalidArgumentError(
            f"tensor {tensor.name!r}: the longest of its {len(items)} strings has {width} bytes, and .npz would have all of them as long; "
            "write another format, or leave it out"
        )
    ends = next((number for number, item in enumerate(items) if item.endswith(b"\0")), None)
    if ends is not None:
        raise InvalidArgumentError(f"tensor {tensor.name!r}: its string number {ends} ends in a NUL, which .npz loses; leave it out: '^NAME$='")
    member.write(_header(np.dtype(f"S{width}"), tensor.shape))
    for item in items:
        member.write(item.ljust(width, b"\0"))
    if on_progress:
        on_progress(tensor.size_bytes)


def _header(dtype: np.dtype[Any], shape: Shape) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": _descr(dtype), "fortran_order": False, "shape": shape})
    return header.getvalue()


def _descr(dtype: np.dtype[Any]) -> Any:
    return f"|V{dtype.itemsize}" if _is_foreign(dtype) else np.lib.format.dtype_to_descr(dtype)


def _is_foreign(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy has no such type itself."""
    return (dtype.kind == "V" and dtype.names is None) or dtype.isbuiltin == 2


def _comment(tensor: Tensor) -> bytes:
    notes = {"device": tensor.device} if tensor.device else {}
    if tensor.dtype.numpy is not None and _is_foreign(tensor.dtype.numpy):
        notes["dtype"] = tensor.dtype.name
    return json.dumps(notes).encode() if notes else b""


def _unsaved(tensor: Tensor) -> str | None:
    try:
        encoded = tensor.name.encode()
    except UnicodeEncodeError:
        return "names are UTF-8 there"
    if "\0" in tensor.name or len(encoded) > 65_000 or len(_comment(tensor)) > 65_000:
        return "its name, or its device, has a NUL, or more than 65,000 bytes"
    return None if tensor.dtype.is_string or tensor.dtype.numpy is not None else f"no array holds {tensor.dtype.name}"


class _Member:
    """One array of an archive, whose header has been read."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, what: str) -> None:
        self._archive, self._info, self._name, self.what = archive, info, name, what
        with _damage_told(what), archive.open(info) as stream:
            header = _read_header(stream, what)
        self.begin, self.is_fortran, self.shape = header.begin, header.is_fortran, header.shape
        notes = _notes(info.comment)
        self._device = notes.get("device", "")
        self.numpy, self.dtype = _kind(header.dtype, notes.get("dtype", ""), what)
        self.nbytes = element_count(self.shape, what) * self.numpy.itemsize
        if self.begin + self.nbytes != info.file_size:
            raise DataLossError(f"{what}: its header tells of {self.nbytes} bytes, but {info.file_size - self.begin} are there; the file is damaged")

    def tensor(self) -> Tensor:
        """What is converted."""
        if self.dtype is STRING:
            return Tensor(self._name, STRING, self.shape, self.nbytes, self._device, strings=self.read)
        size_bytes = element_count(self.shape) * self.dtype.size_bytes
        is_turned = self.is_fortran and len(self.shape) > 1
        return Tensor(self._name, self.dtype, self.shape, size_bytes, self._device, content=lambda: (_Turned if is_turned else _Content)(self))

    def open(self) -> IO[bytes]:
        """The data, from their begin on."""
        with _damage_told(self.what):
            stream = self._archive.open(self._info)
            stream.read(self.begin)
        return stream

    def read(self) -> np.ndarray[Any, Any]:
        """The whole array, elements as they are in the file."""
        if self.nbytes > max(_MAX_WHOLE_BYTES, _MAX_RATIO * self._info.compress_size):
            raise ResourceExhaustedError(f"{self.what} is deflated to {self._info.compress_size} bytes, and would take {self.nbytes} of memory")
        with _damage_told(self.what), self.open() as stream:
            content = stream.read()
        flat: np.ndarray[Any, Any] = np.frombuffer(content, self.numpy) if self.nbytes else np.empty(element_count(self.shape), self.numpy)
        return flat.reshape(self.shape[::-1]).T if self.is_fortran else flat.reshape(self.shape)


class _Content(Pulled):
    """The bytes of an array, given from the first to the last."""

    def __init__(self, member: _Member) -> None:
        assert member.dtype.numpy is not None
        super().__init__(member.dtype.numpy, member.shape)
        self._member = member
        self._stream: IO[bytes] | None = None
        self._at = 0

    def read(self, begin: int, end: int) -> memoryview:
        if begin != self._at:
            raise InternalError(f"{self._member.what} is read at byte {begin}, out of order: {self._at} was expected")
        if self._stream is None:
            self._stream = self._member.open()
        with _damage_told(self._member.what):
            content = self._stream.read(end - begin)
            if len(content) != end - begin:
                raise EOFError(f"it ends after {begin + len(content)} bytes")
            self._at = end
            if end == self.nbytes:
                self._stream.read()  # the end, where its checksum is held
                self._stream.close()
        if self._member.numpy == self.dtype:
            return memoryview(content)
        return memoryview(np.frombuffer(content, self._member.numpy).astype(self.dtype).view(np.uint8).data)


class _Turned(Pulled):
    """An array in Fortran's order, which is in memory as a whole."""

    def __init__(self, member: _Member) -> None:
        assert member.dtype.numpy is not None
        super().__init__(member.dtype.numpy, member.shape)
        self._member = member
        self._array: Scattered | None = None

    def read(self, begin: int, end: int) -> memoryview:
        if self._array is None:
            self._array = Scattered(self._member.read(), self.dtype)
        found = self._array.read(begin, end)
        if end == self.nbytes:
            self._array = None
        return found


class _Header:
    """What a member's header tells."""

    def __init__(self, begin: int, dtype: np.dtype[Any], shape: Shape, is_fortran: bool) -> None:
        self.begin, self.dtype, self.shape, self.is_fortran = begin, dtype, shape, is_fortran


def _read_header(stream: IO[bytes], what: str) -> _Header:
    head = stream.read(8)
    if head[:6] != _MAGIC or len(head) != 8 or head[6] not in (1, 2, 3):
        raise DataLossError(f"{what} is no array: it begins with {head[:6]!r}; the file is damaged")
    width = 2 if head[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEADER_BYTES:
        raise DataLossError(f"{what}: its header would have {length} bytes, {_MAX_HEADER_BYTES} at most are read; the file is damaged")
    content = stream.read(length)
    try:
        header = ast.literal_eval(content.decode("utf-8" if head[6] == 3 else "latin1").strip())
        descr, is_fortran, shape = header["descr"], header["fortran_order"], header["shape"]
        dtype = np.lib.format.descr_to_dtype(descr)
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, MemoryError, RecursionError) as error:
        raise DataLossError(f"{what}: its header makes no sense ({_text(error)}); the file is damaged") from error
    is_shape = isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
    if len(content) != length or not is_shape or not isinstance(is_fortran, bool):
        raise DataLossError(f"{what}: its header makes no sense; the file is damaged")
    try:
        element_count(shape, what)
    except GPersistError as error:
        raise DataLossError(f"{error.message}; the file is damaged") from error
    return _Header(8 + width + length, dtype, shape, is_fortran)


def _kind(dtype: np.dtype[Any], noted: str, what: str) -> tuple[np.dtype[Any], DType]:
    """How elements stand in the file, and their type."""
    if dtype.hasobject:
        raise UnimplementedError(f"{what} holds Python objects, pickled: loading them would run whatever code is in them, so gpersist never does")
    if noted:
        try:
            kind = from_name(noted)
        except InvalidArgumentError as error:
            raise DataLossError(f"{what}: {error.message}") from error
        if kind.numpy is None or kind.numpy.hasobject or not _is_foreign(kind.numpy) or kind.numpy.itemsize != dtype.itemsize:
            raise DataLossError(f"{what}: its comment says that it is of {noted}, its header of {dtype}; the file is damaged")
        return kind.numpy, kind
    return dtype, from_numpy(dtype, what)


def _notes(comment: bytes) -> Mapping[str, str]:
    """What a member's comment tells, if it is ours."""
    try:
        notes = json.loads(comment)
        device = notes.get("device", "")
        DeviceSpec.from_string(device)
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}
    dtype = notes.get("dtype", "")
    return {"device": device, "dtype": dtype if isinstance(dtype, str) else ""}


@contextmanager
def _damage_told(what: str) -> Iterator[None]:
    """Has zipfile's errors as ours."""
    try:
        yield
    except GPersistError:
        raise
    except _DAMAGE as error:
        raise DataLossError(f"{what} is damaged or cut short ({_text(error)}): use another copy") from error


def _text(error: Exception) -> str:
    return str(error)[:200].encode("unicode_escape").decode()


class _Window(io.RawIOBase):
    """A file to read, as Python's libraries want it."""

    def __init__(self, file: ShardReader) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size_bytes}[whence]
        if at < 0:
            raise ValueError(f"byte {at} is before the file's begin")
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        left = max(self._file.size_bytes - self._at, 0)
        content = bytearray(left if size < 0 else min(size, left))
        if content:
            self._file.read([content], len(content), self._at)
            self._at += len(content)
        return bytes(content)


class _Appended(io.RawIOBase):
    """A file to write, as Python's libraries want it.

    Attributes:
        end: where it ends.
    """

    def __init__(self, writer: ShardWriter) -> None:
        self._writer, self._at, self.end = writer, 0, 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.end}[whence]
        return self._at

    def write(self, content: Any) -> int:
        size = memoryview(content).nbytes
        if size:
            self._writer.write([content], size, self._at)
        self._at += size
        self.end = max(self.end, self._at)
        return size
