"""Readers: records of files whose names come from a queue, one for each run (`tf.TextLineReader` and its relatives)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import UnimplementedError
from gpersist.files import gfile
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op, convert_to_tensor
from gpersist.ops import shape_functions
from gpersist.ops.records import TFRecordOptions, tf_record_iterator
from gpersist.shapes import TensorShape

__all__ = ["FixedLengthRecordReader", "IdentityReader", "ReaderBase", "TFRecordReader", "TextLineReader", "WholeFileReader"]

_Record = tuple[bytes, bytes]


class _Read(NamedTuple):
    key: Tensor
    value: Tensor


class _ReadUpTo(NamedTuple):
    keys: Tensor
    values: Tensor


_Read.__name__, _ReadUpTo.__name__ = "ReaderReadV2", "ReaderReadUpToV2"  # as TensorFlow shows them

_FRAME_BYTES = 16
"""What a TFRecord has beside its content."""


class _Reader:
    """What a session knows of a reader: the records that are left of the file at hand, and how many there were.

    Args:
        records: gives keys and values of a file, by its name.
        is_single: whether a file has one record: then it is done with that.
    """

    def __init__(self, records: Callable[[bytes], Iterator[_Record]], is_single: bool) -> None:
        self._records = records
        self._is_single = is_single
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._left: Iterator[_Record] | None = None
        self.produced = self.finished = 0

    def read(self, op: Operation, queue: Any, limit: int = 1) -> list[_Record]:
        """The next records, of one file; waits for its name."""
        found: list[_Record] = []
        with self._lock:
            while len(found) < limit and not (found and self._left is None):
                if self._left is None:
                    self._left = self._records(queue.dequeue(op, 1)[0][0].item())
                left, record = self._left, None
                self._left = None  # unless it goes well
                record = next(left, None)
                if record is not None:
                    found.append(record)
                    self.produced += 1
                if record is None or self._is_single:
                    self.finished += 1
                else:
                    self._left = left
        return found


def _lines(path: bytes, skip: int) -> Iterator[_Record]:
    with gfile.GFile(path.decode(), "rb") as file:
        for number, line in enumerate(file, 1):
            if number > skip:
                yield b"%s:%d" % (path, number), line.removesuffix(b"\n").replace(b"\r", b"")


def _pieces(path: bytes, size: int, header: int, footer: int, hop: int) -> Iterator[_Record]:
    with gfile.GFile(path.decode(), "rb") as file:
        end = file.size() - footer
        for number, start in enumerate(range(header, end - size + 1, hop or size)):
            file.seek(start)
            yield b"%s:%d" % (path, number), file.read(size)


def _framed(path: bytes, compression: str) -> Iterator[_Record]:
    position = 0
    for record in tf_record_iterator(path, compression):
        yield b"%s:%d" % (path, position), record
        position += len(record) + _FRAME_BYTES


def _whole(path: bytes) -> Iterator[_Record]:
    with gfile.GFile(path.decode(), "rb") as file:
        yield path, file.read()


def _itself(work: bytes) -> Iterator[_Record]:
    yield work, work


def _reader_of(op: Operation) -> _Reader:
    kind = op.type.removesuffix("V2")
    if kind == "TextLineReader":
        return _Reader(lambda path: _lines(path, op.attr("skip_header_lines")), False)
    if kind == "FixedLengthRecordReader":
        if op.has_attr("encoding") and op.attr("encoding"):
            raise UnimplementedError(f"FixedLengthRecordReader of encoding {op.attr('encoding').decode()!r} is not there: only of plain files")
        sizes = [op.attr(f"{name}_bytes") for name in ("record", "header", "footer", "hop")]
        return _Reader(lambda path: _pieces(path, *sizes), False)
    if kind == "TFRecordReader":
        return _Reader(lambda path: _framed(path, op.attr("compression_type").decode()), False)
    return _Reader(_whole if kind == "WholeFileReader" else _itself, True)


class _Making(SessionOpType, abstract=True):
    """The reader of its name, made if it is not there."""

    outputs = "reader_handle: resource"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> _Reader:
        shared = ctx.op.attr("shared_name").decode()
        key = ("reader", ctx.op.attr("container").decode(), shared) if shared else ("reader", ctx.op)
        found: _Reader | None = ctx.session.resources.get(key)
        return ctx.session.resources.setdefault(key, _reader_of(ctx.op)) if found is None else found


_PLACE = "container: string = '', shared_name: string = ''"

for _name, _attrs, _told in (
    ("TextLineReaderV2", f"skip_header_lines: int = 0, {_PLACE}", "A reader of lines."),
    ("WholeFileReaderV2", _PLACE, "A reader of files as they are."),
    ("IdentityReaderV2", _PLACE, "A reader that gives the names themselves."),
    ("TFRecordReaderV2", f"{_PLACE}, compression_type: string = ''", "A reader of TFRecord files."),
    (
        "FixedLengthRecordReaderV2",
        f"header_bytes: int = 0, record_bytes: int, footer_bytes: int = 0, hop_bytes: int = 0, {_PLACE}, encoding: string = ''",
        "A reader of records of one size.",
    ),
):
    type(_name, (_Making,), {"attrs": _attrs, "__doc__": _told, "__module__": __name__})


class _Using(SessionOpType, abstract=True):
    """Does something with a reader."""

    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)


class ReaderReadV2(_Using):
    """The next record."""

    inputs = "reader_handle: resource, queue_handle: resource"
    path_inputs = ("queue_handle",)  # of the names of files
    outputs = "key: string, value: string"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, reader: _Reader, queue: Any) -> tuple[bytes, bytes]:
        return reader.read(ctx.op, queue)[0]


class ReaderReadUpToV2(_Using):
    """The next records of a file, not more than some."""

    inputs = "reader_handle: resource, queue_handle: resource, num_records: int64"
    path_inputs = ("queue_handle",)  # of the names of files
    outputs = "keys: string, values: string"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([None]), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, reader: _Reader, queue: Any, num_records: Any) -> tuple[Any, ...]:
        return tuple(np.array(column, object) for column in zip(*reader.read(ctx.op, queue, int(num_records)), strict=True))


class ReaderNumRecordsProducedV2(_Using):
    """How many records there were."""

    inputs = "reader_handle: resource"
    outputs = "records_produced: int64"

    @staticmethod
    def run(ctx: Context, reader: _Reader) -> Any:
        return np.int64(reader.produced)


class ReaderNumWorkUnitsCompletedV2(_Using):
    """How many files are read to their ends."""

    inputs = "reader_handle: resource"
    outputs = "units_completed: int64"

    @staticmethod
    def run(ctx: Context, reader: _Reader) -> Any:
        return np.int64(reader.finished)


class ReaderSerializeStateV2(_Using):
    """How far a reader is; there is none that tells."""

    inputs = "reader_handle: resource"
    outputs = "state: string"

    @staticmethod
    def run(ctx: Context, reader: _Reader) -> Any:
        raise UnimplementedError("Reader SerializeState")


class ReaderResetV2(_Using):
    """Has a reader begin anew."""

    inputs = "reader_handle: resource"
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, reader: _Reader) -> None:
        reader.reset()


class ReaderBase:
    """A reader (`tf.ReaderBase`): made by its subclasses.

    Args:
        reader_ref: its handle.
        supports_serialize: for TensorFlow's sake.
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        """The handle."""
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        """Whether TensorFlow's reader can say how far it is."""
        return self._supports_serialize

    def read(self, queue: Any, name: str | None = None) -> Any:
        """Key and value of the next record of the files whose names a queue, or its handle, has."""
        return _Read(*apply_op("ReaderReadV2", self._reader_ref, _handle(queue), name=name).outputs)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """Keys and values of the next records of one file, `num_records` at most."""
        return _ReadUpTo(*apply_op("ReaderReadUpToV2", self._reader_ref, _handle(queue), num_records, name=name).outputs)

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records there were."""
        return apply("ReaderNumRecordsProducedV2", self._reader_ref, name=name)

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many files are read to their ends."""
        return apply("ReaderNumWorkUnitsCompletedV2", self._reader_ref, name=name)

    def serialize_state(self, name: str | None = None) -> Tensor:
        """How far it is; raises UnimplementedError when run."""
        return apply("ReaderSerializeStateV2", self._reader_ref, name=name)

    def reset(self, name: str | None = None) -> Operation:
        """An operation that has it begin anew."""
        return apply_op("ReaderResetV2", self._reader_ref, name=name)


class TextLineReader(ReaderBase):
    """Lines of text files, without their ends (`tf.TextLineReader`); keys are `file:line`."""

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(apply("TextLineReaderV2", skip_header_lines=skip_header_lines, name=name))


class WholeFileReader(ReaderBase):
    """Files as they are (`tf.WholeFileReader`); keys are their names."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply("WholeFileReaderV2", name=name), supports_serialize=True)


class IdentityReader(ReaderBase):
    """The names themselves (`tf.IdentityReader`)."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply("IdentityReaderV2", name=name), supports_serialize=True)


class TFRecordReader(ReaderBase):
    """Records of TFRecord files (`tf.TFRecordReader`); keys are `file:offset`."""

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        compression = TFRecordOptions.get_compression_type_string(options)
        super().__init__(apply("TFRecordReaderV2", compression_type=compression, name=name))


class FixedLengthRecordReader(ReaderBase):
    """Records of one size (`tf.FixedLengthRecordReader`), all sizes in bytes; keys are `file:number`."""

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        sizes = {"record_bytes": record_bytes, "header_bytes": header_bytes, "footer_bytes": footer_bytes, "hop_bytes": hop_bytes}
        super().__init__(apply("FixedLengthRecordReaderV2", **sizes, encoding=encoding, name=name))


def _handle(queue: Any) -> Tensor:
    return queue if isinstance(queue, Tensor) else convert_to_tensor(queue.queue_ref)
