"""Event files, which TensorBoard reads: `tf.summary.FileWriter`.

file := record*      TFRecords of Event messages, the first with `file_version`; named events.out.tfevents.SECONDS.HOST[SUFFIX]
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

from gpersist import files, protos
from gpersist.errors import FailedPreconditionError
from gpersist.graph import Graph, create_meta_graph_def, get_default_graph
from gpersist.ops.records import TFRecordWriter, tf_record_iterator

__all__ = ["FileWriter", "FileWriterCache", "summary_iterator"]

_VERSION = "brain.Event:2"
_WRITER = "tensorflow.core.util.events_writer"
"""What readers know this kind of file by."""

_LOG = logging.getLogger("gpersist")


class FileWriter:
    """Writes summaries, graphs and what else has happened to an event file (`tf.summary.FileWriter`). May be used by several threads.

    Args:
        logdir: the folder, made where it is missing; the file is made when the first event comes, or at once where it has a suffix.
        graph: a graph to begin with.
        max_queue: for TensorFlow's sake; there is no queue.
        flush_secs: after so many seconds the next event is given to the operating system at once, with those before it.
        graph_def: a graph to begin with, as a message.
        filename_suffix: put at the end of the file's name.
        session: has the file end in `.v2`, as TensorFlow's does that operations write; here this process writes it, and adds no nodes to the graph.

    Raises:
        FailedPreconditionError: `logdir` is a file.
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ) -> None:
        del max_queue
        self._logdir = logdir
        self._folder = os.fsdecode(logdir)
        if os.path.exists(self._folder) and not os.path.isdir(self._folder):
            raise FailedPreconditionError(f"{self._folder} is not a directory")
        files.active().make_folders(self._folder or os.curdir)
        self._flush_secs, self._next_flush = flush_secs, 0.0
        self._suffix = (".v2" if session is not None else "") if filename_suffix is None else filename_suffix
        self._lock = threading.Lock()
        self._records: TFRecordWriter | None = None
        self._closed = False
        self._tagged_runs: set[str] = set()
        self._described: set[str] = set()
        if filename_suffix:
            self._records = self._begin()
            self._records.flush()
        if graph is not None or graph_def is not None:
            self.add_graph(graph=graph, graph_def=graph_def)
            found = graph.as_graph_def(add_shapes=True) if isinstance(graph, Graph) else graph
            self.add_meta_graph(create_meta_graph_def(graph_def=graph_def or found))

    def get_logdir(self) -> Any:
        """The folder, as it was given."""
        return self._logdir

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Writes a summary: a `Summary`, or one serialized, as summary operations give it.

        The metadata of a tag are written with its first value only.
        """
        kept = protos.Summary.FromString(summary) if isinstance(summary, bytes) else protos.Summary(value=summary.value)
        for value in kept.value:
            if value.tag in self._described:
                value.ClearField("metadata")
            else:
                self._described.add(value.tag)
        self._add(protos.Event(summary=kept), global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Writes that a session began, saved or ended: a `SessionLog`."""
        self._add(protos.Event(session_log=session_log), global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Writes a graph, with the shapes of its tensors.

        Raises:
            ValueError: both `graph` and `graph_def` are given.
            TypeError: neither is a graph, or its message.
        """
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        found = graph_def if graph is None else graph
        if isinstance(found, Graph):
            message = found.as_graph_def(add_shapes=True)
        elif isinstance(found, protos.GraphDef):
            _LOG.warning("Passing a `GraphDef` to the SummaryWriter is deprecated. Pass a `Graph` object instead, such as `sess.graph`.")
            message = found
        else:
            raise TypeError("The passed graph must be an instance of `Graph` or the deprecated `GraphDef`")
        self._add(protos.Event(graph_def=message.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Writes a MetaGraphDef.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(meta_graph_def, protos.MetaGraphDef):
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._add(protos.Event(meta_graph_def=meta_graph_def.SerializeToString()), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Writes a `RunMetadata`.

        Raises:
            ValueError: this writer has written one with this tag before.
        """
        if tag in self._tagged_runs:
            raise ValueError("The provided tag was already used for this event type")
        self._tagged_runs.add(tag)
        tagged = protos.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add(protos.Event(tagged_run_metadata=tagged), global_step)

    def add_event(self, event: Any) -> None:
        """Writes an `Event`."""
        self._warn_if_closed()
        with self._lock:
            if self._closed:
                return
            if self._records is None:
                self._records = self._begin()
            self._records.write(event.SerializeToString())
            now = time.time()
            if now > self._next_flush:
                self._records.flush()
                self._next_flush = now + self._flush_secs

    def flush(self) -> None:
        """Gives all events to the operating system."""
        self._warn_if_closed()
        with self._lock:
            if self._records is not None:
                self._records.flush()

    def close(self) -> None:
        """Closes the file; what comes afterwards is dropped, with a warning."""
        with self._lock:
            self._closed = True
            records, self._records = self._records, None
            if records is not None:
                records.close()

    def reopen(self) -> None:
        """Makes it write again after `close`, to a new file."""
        with self._lock:
            self._closed = False

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _warn_if_closed(self) -> None:
        if self._closed:
            warnings.warn("Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is explicitly reopened.")

    def _add(self, event: Any, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.add_event(event)

    def _begin(self) -> TFRecordWriter:
        seconds = int(time.time())
        host = socket.gethostname()
        names = (f"events.out.tfevents.{second:010d}.{host}{self._suffix}" for second in itertools.count(seconds))  # another may be of this second
        records = TFRecordWriter(files.create_first(os.path.join(self._folder, name) for name in names))
        first = protos.Event(wall_time=seconds, file_version=_VERSION, source_metadata=protos.SourceMetadata(writer=_WRITER))
        records.write(first.SerializeToString())
        return records


class FileWriterCache:
    """One writer for each folder (`tf.summary.FileWriterCache`)."""

    _cache: ClassVar[dict[Any, FileWriter]] = {}
    _lock = threading.RLock()

    @staticmethod
    def get(logdir: Any) -> FileWriter:
        """The writer of a folder; when it is made, the default graph is written."""
        with FileWriterCache._lock:
            found = FileWriterCache._cache.get(logdir)
            if found is None:
                found = FileWriterCache._cache[logdir] = FileWriter(logdir, graph=get_default_graph())
            return found

    @staticmethod
    def clear() -> None:
        """Closes and forgets all writers."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._cache.values():
                writer.close()
            FileWriterCache._cache.clear()


def summary_iterator(path: Any) -> Iterator[protos.Event]:
    """The events of an event file (`tf.train.summary_iterator`).

    Raises:
        NotFoundError: it is not there.
        DataLossError: while iterating: the file is damaged.
    """
    records = tf_record_iterator(path)
    return (protos.parse(protos.Event, record, f"an event of {os.fsdecode(path)!r}") for record in records)
