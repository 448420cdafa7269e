"""TensorFlow 1's `tf.io`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.compat.v1.io import gfile as gfile
from gpersist.ops.decoding import (
    decode_csv,
    decode_raw,
    parse_tensor,
    serialize_tensor,
)
from gpersist.ops.file_contents import (
    matching_files,
    read_file,
    write_file,
)
from gpersist.ops.parsing import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    VarLenFeature,
    parse_example,
    parse_single_example,
)
from gpersist.ops.queues import (
    PaddingFIFOQueue,
    PriorityQueue,
    QueueBase,
    RandomShuffleQueue,
)
from gpersist.ops.records import (
    TFRecordCompressionType,
    TFRecordOptions,
    TFRecordWriter,
    tf_record_iterator,
)
from gpersist.ops.strings import (
    decode_base64,
    encode_base64,
)
from gpersist.train.graph_io import (
    write_graph,
)

__getattr__ = missing("tf.io")

__all__ = [
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "PaddingFIFOQueue",
    "PriorityQueue",
    "QueueBase",
    "RandomShuffleQueue",
    "TFRecordCompressionType",
    "TFRecordOptions",
    "TFRecordWriter",
    "VarLenFeature",
    "decode_base64",
    "decode_csv",
    "decode_raw",
    "encode_base64",
    "gfile",
    "matching_files",
    "parse_example",
    "parse_single_example",
    "parse_tensor",
    "read_file",
    "serialize_tensor",
    "tf_record_iterator",
    "write_file",
    "write_graph",
]
