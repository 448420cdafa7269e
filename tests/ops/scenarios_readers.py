"""Readers: the records of files that a queue names. What is expected is what TensorFlow 2.21 gave; more of it is in tests/golden/train/dialogs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist.errors import NotFoundError, OutOfRangeError, UnimplementedError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.queues import FIFOQueue
from gpersist.ops.readers import FixedLengthRecordReader, IdentityReader, ReaderBase, TextLineReader, TFRecordReader, WholeFileReader
from gpersist.ops.records import TFRecordWriter
from tests.ops.scenarios import scenario

_USES = ("Read", "ReadUpTo", "NumRecordsProduced", "NumWorkUnitsCompleted", "SerializeState", "Reset")


def _records(session: Session, reader: ReaderBase, *names: str) -> list[Any]:
    """The keys, without folders, and values of all records of some files."""
    queue = FIFOQueue(5, ["string"], shapes=[[]])
    session.run(queue.enqueue_many([list(names)]))
    session.run(queue.close())
    pair, found = reader.read(queue), []
    with pytest.raises(OutOfRangeError):
        while True:
            key, value = session.run(pair)
            found.append((Path(key.decode()).name, value))
    assert session.run(reader.num_records_produced()) == len(found)
    assert session.run(reader.num_work_units_completed()) == len(names)
    return found


@scenario(*[f"Reader{use}V2" for use in _USES], "IdentityReaderV2")
def uses(session: Session) -> None:
    reader, queue = IdentityReader(), FIFOQueue(5, ["string"], shapes=[[]])
    session.run(queue.enqueue_many([["a", "b", "c"]]))
    pair, several = reader.read(queue), reader.read_up_to(queue, 2)
    assert session.run(pair) == (b"a", b"a")
    session.run(reader.reset())
    assert session.run(reader.num_records_produced()) == 0
    assert [column.tolist() for column in session.run(several)] == [[b"b"], [b"b"]]  # of one piece of work
    with pytest.raises(UnimplementedError):
        session.run(reader.serialize_state())


@scenario("TextLineReaderV2", "WholeFileReaderV2", "FixedLengthRecordReaderV2", "TFRecordReaderV2")
def kinds(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text, records = f"{folder}/a.txt", f"{folder}/r"
        Path(text).write_bytes(b"h\none\r\n\nlast")
        with TFRecordWriter(records) as writer:
            writer.write(b"one")
            writer.write(b"three")
        lines = [("a.txt:2", b"one"), ("a.txt:3", b""), ("a.txt:4", b"last")]
        assert _records(session, TextLineReader(skip_header_lines=1), text) == lines
        assert _records(session, WholeFileReader(), text) == [("a.txt", b"h\none\r\n\nlast")]
        assert _records(session, FixedLengthRecordReader(3, header_bytes=2, footer_bytes=4), text) == [("a.txt:0", b"one"), ("a.txt:1", b"\r\n\n")]
        assert _records(session, FixedLengthRecordReader(2, hop_bytes=8), text) == [("a.txt:0", b"h\n"), ("a.txt:1", b"la")]
        assert _records(session, TFRecordReader(), records) == [("r:0", b"one"), ("r:19", b"three")]


@scenario(*[f"Reader{use}" for use in _USES], "IdentityReader", "TextLineReader", "WholeFileReader", "FixedLengthRecordReader", "TFRecordReader")
def readers_of_references(session: Session) -> None:
    queue = apply("FIFOQueue", component_types=["string"], shapes=[[]])
    session.run(apply_op("QueueEnqueueMany", queue, [["a", "b", "c"]]))
    session.run(apply_op("QueueClose", queue))
    reader = apply("IdentityReader")
    assert session.run(apply_op("ReaderRead", reader, queue).outputs) == [b"a", b"a"]
    keys, _ = session.run(apply_op("ReaderReadUpTo", reader, queue, np.int64(5)).outputs)
    assert b"b" in keys.tolist()
    assert session.run(apply("ReaderNumRecordsProduced", reader)) == 1 + len(keys)
    assert session.run(apply("ReaderNumWorkUnitsCompleted", reader)) >= 1
    with pytest.raises(UnimplementedError):
        session.run(apply("ReaderSerializeState", reader))
    session.run(apply_op("ReaderReset", reader))
    for kind, attrs in (("TextLineReader", {}), ("WholeFileReader", {}), ("TFRecordReader", {}), ("FixedLengthRecordReader", {"record_bytes": 2})):
        names = apply("FIFOQueue", component_types=["string"], shapes=[[]])
        session.run(apply_op("QueueEnqueue", names, ["no_such_file"]))
        with pytest.raises(NotFoundError):
            session.run(apply_op("ReaderRead", apply(kind, **attrs), names).outputs)
