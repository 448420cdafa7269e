"""TensorFlow 1's `tf.io`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.io import gfile as gfile
from gpersist.ops.compression import (
    decode_compressed,
)
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
from gpersist.ops.image_decoding import (
    decode_and_crop_jpeg,
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    encode_jpeg,
    encode_png,
    extract_jpeg_shape,
    is_jpeg,
)
from gpersist.ops.json_examples import (
    decode_json_example,
)
from gpersist.ops.parsing import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    VarLenFeature,
    parse_example,
    parse_single_example,
)
from gpersist.ops.proto_messages import (
    decode_proto,
    encode_proto,
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
from gpersist.ops.sequence_parsing import (
    parse_sequence_example,
    parse_single_sequence_example,
)
from gpersist.ops.sparse_serialization import (
    deserialize_many_sparse,
    serialize_many_sparse,
    serialize_sparse,
)
from gpersist.ops.strings import (
    decode_base64,
    encode_base64,
)
from gpersist.train.graph_io import (
    write_graph,
)
from gpersist.train.input_producers import (
    match_filenames_once,
)

__all__ = [
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "PaddingFIFOQueue",
    "PriorityQueue",
    "QueueBase",
    "RandomShuffleQueue",
    "SparseFeature",
    "TFRecordCompressionType",
    "TFRecordOptions",
    "TFRecordWriter",
    "VarLenFeature",
    "decode_and_crop_jpeg",
    "decode_base64",
    "decode_bmp",
    "decode_compressed",
    "decode_csv",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_json_example",
    "decode_png",
    "decode_proto",
    "decode_raw",
    "decode_webp",
    "deserialize_many_sparse",
    "encode_base64",
    "encode_jpeg",
    "encode_png",
    "encode_proto",
    "extract_jpeg_shape",
    "gfile",
    "is_jpeg",
    "match_filenames_once",
    "matching_files",
    "parse_example",
    "parse_sequence_example",
    "parse_single_example",
    "parse_single_sequence_example",
    "parse_tensor",
    "read_file",
    "serialize_many_sparse",
    "serialize_sparse",
    "serialize_tensor",
    "tf_record_iterator",
    "write_file",
    "write_graph",
]
