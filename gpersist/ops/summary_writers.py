"""Operations that write event files: a writer is made in a folder, and summaries, graphs and events go to its file."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import files, protos
from gpersist.errors import DataLossError, InvalidArgumentError, NotFoundError
from gpersist.graph import Context, SessionOpType
from gpersist.ops import shape_functions
from gpersist.ops.records import TFRecordWriter
from gpersist.ops.summary_ops import AudioSummaryV2, HistogramSummary, ImageSummary, ScalarSummary, TensorSummaryV2

__all__: list[str] = []

_REAL = "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"


class _Writer:
    """An event file, once there is a folder for it; a writer's name stands for it before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._records: TFRecordWriter | None = None

    def open(self, folder: str, suffix: str) -> None:
        """Begins a file in a folder; does nothing where it has begun."""
        with self._lock:
            if self._records is not None:
                return
            files.active().make_folders(folder or os.curdir)
            seconds = int(time.time())
            start = os.path.join(folder, f"events.out.tfevents.{seconds:010d}.{socket.gethostname()}.{os.getpid()}")
            self._records = TFRecordWriter(files.create_first(f"{start}.{number}{suffix}" for number in itertools.count()))
            metadata = protos.SourceMetadata(writer="tensorflow.core.util.events_writer")
            self._records.write(protos.Event(wall_time=seconds, file_version="brain.Event:2", source_metadata=metadata).SerializeToString())

    def write(self, event: Any) -> None:
        """Adds an event.

        Raises:
            NotFoundError: the file has not begun, or is closed.
        """
        with self._lock:
            self._opened().write(event.SerializeToString())

    def flush(self) -> None:
        """Gives all events to the operating system."""
        with self._lock:
            self._opened().flush()

    def close(self) -> None:
        """Closes the file, where there is one."""
        with self._lock:
            records, self._records = self._records, None
            if records is not None:
                records.close()

    def _opened(self) -> TFRecordWriter:
        if self._records is None:
            raise NotFoundError(f"Resource {self._name} does not exist: no file has been made for this writer, or it is closed")
        return self._records


class SummaryWriter(SessionOpType):
    """The writer of its name."""

    outputs = "writer: resource"
    attrs = "shared_name: string = '', container: string = ''"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> _Writer:
        name = ctx.op.attr("shared_name").decode() or ctx.op.name
        found: _Writer = ctx.session.resources.setdefault(("summary writer", ctx.op.attr("container"), name), _Writer(name))
        return found


class _Writing(SessionOpType, abstract=True):
    """Does something with a writer."""

    inputs = "writer: resource"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.none)


class CreateSummaryFileWriter(_Writing):
    """Begins a writer's file."""

    inputs = "writer: resource, logdir: string, max_queue: int32, flush_millis: int32, filename_suffix: string"
    path_inputs = ("logdir",)
    scalars = ("logdir", "max_queue", "flush_millis", "filename_suffix")

    @staticmethod
    def run(ctx: Context, writer: _Writer, logdir: Any, max_queue: Any, flush_millis: Any, filename_suffix: Any) -> None:
        suffix = os.fsdecode(_text(filename_suffix))
        if "/" in suffix or os.sep in suffix:
            raise InvalidArgumentError(f"filename_suffix must name no other folder, and is {suffix!r}")
        writer.open(os.fsdecode(_text(logdir)), suffix)


class FlushSummaryWriter(_Writing):
    """Gives all events to the operating system."""

    @staticmethod
    def run(ctx: Context, writer: _Writer) -> None:
        writer.flush()


class CloseSummaryWriter(_Writing):
    """Closes a writer's file."""

    @staticmethod
    def run(ctx: Context, writer: _Writer) -> None:
        writer.close()


class WriteScalarSummary(_Writing):
    """Writes a number."""

    inputs = "writer: resource, step: int64, tag: string, value: T"
    attrs = f"T: {_REAL}"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tag: Any, value: Any) -> None:
        _write(writer, step, ScalarSummary.run(np, np.asarray(_text(tag), object), np.asarray(value).reshape(())))


class WriteSummary(_Writing):
    """Writes a tensor of any type."""

    inputs = "writer: resource, step: int64, tensor: T, tag: string, summary_metadata: string"
    attrs = "T: type"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tensor: Any, tag: Any, summary_metadata: Any) -> None:
        summary = protos.Summary.FromString(_text(TensorSummaryV2.run(np, tag, tensor, summary_metadata)))
        if not _text(summary_metadata):
            summary.value[0].ClearField("metadata")
        _write(writer, step, summary.SerializeToString())


class WriteHistogramSummary(_Writing):
    """Writes how values are spread."""

    inputs = "writer: resource, step: int64, tag: string, values: T"
    attrs = f"T: {_REAL[:-1]}, bool}} = float"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tag: Any, values: Any) -> None:
        _write(writer, step, HistogramSummary.run(np, tag, values))


class WriteImageSummary(_Writing):
    """Writes images."""

    inputs = "writer: resource, step: int64, tag: string, tensor: T, bad_color: uint8"
    attrs = "max_images: int >= 1 = 3, T: {uint8, double, float, half} = float"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tag: Any, tensor: Any, bad_color: Any, *, max_images: int) -> None:
        _write(writer, step, ImageSummary.run(np, tag, tensor, max_images=max_images, bad_color=bad_color))


class WriteAudioSummary(_Writing):
    """Writes sounds."""

    inputs = "writer: resource, step: int64, tag: string, tensor: float, sample_rate: float"
    attrs = "max_outputs: int >= 1 = 3"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int) -> None:
        _write(writer, step, AudioSummaryV2.run(np, tag, tensor, sample_rate, max_outputs=max_outputs))


class WriteRawProtoSummary(_Writing):
    """Writes a summary that is serialized."""

    inputs = "writer: resource, step: int64, tensor: string"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tensor: Any) -> None:
        _write(writer, step, np.asarray(_text(tensor), object))


class WriteGraphSummary(_Writing):
    """Writes a graph that is serialized."""

    inputs = "writer: resource, step: int64, tensor: string"

    @staticmethod
    def run(ctx: Context, writer: _Writer, step: Any, tensor: Any) -> None:
        try:
            protos.GraphDef.FromString(_text(tensor))
        except DecodeError:
            raise DataLossError("Bad tf.GraphDef binary proto tensor string") from None
        writer.write(protos.Event(wall_time=time.time(), step=int(step), graph_def=_text(tensor)))


class ImportEvent(_Writing):
    """Writes an event that is serialized."""

    inputs = "writer: resource, event: string"

    @staticmethod
    def run(ctx: Context, writer: _Writer, event: Any) -> None:
        try:
            writer.write(protos.Event.FromString(_text(event)))
        except DecodeError:
            raise DataLossError("Bad tf.Event binary proto tensor string") from None


def _text(value: Any) -> bytes:
    found: bytes = value if isinstance(value, bytes) else np.asarray(value, object).reshape(-1)[0]
    return found


def _write(writer: _Writer, step: Any, summary: Any) -> None:
    try:
        message = protos.Summary.FromString(_text(summary))
    except DecodeError:
        raise DataLossError("Bad tf.compat.v1.Summary binary proto tensor string at index 0") from None
    writer.write(protos.Event(wall_time=time.time(), step=int(step), summary=message))
