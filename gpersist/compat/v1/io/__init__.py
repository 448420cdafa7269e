"""TensorFlow 1's `tf.io`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.io",
    "gfile",
    {
        "gpersist.ops.compression": "decode_compressed",
        "gpersist.ops.decoding": "decode_csv decode_raw parse_tensor serialize_tensor",
        "gpersist.ops.file_contents": "matching_files read_file write_file",
        "gpersist.ops.image_decoding": (
            "decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png decode_webp "
            "encode_jpeg encode_png extract_jpeg_shape is_jpeg"
        ),
        "gpersist.ops.json_examples": "decode_json_example",
        "gpersist.ops.parsing": ("FixedLenFeature FixedLenSequenceFeature SparseFeature VarLenFeature parse_example parse_single_example"),
        "gpersist.ops.proto_messages": "decode_proto encode_proto",
        "gpersist.ops.queues": "PaddingFIFOQueue PriorityQueue QueueBase RandomShuffleQueue",
        "gpersist.ops.records": "TFRecordCompressionType TFRecordOptions TFRecordWriter tf_record_iterator",
        "gpersist.ops.sequence_parsing": "parse_sequence_example parse_single_sequence_example",
        "gpersist.ops.sparse_serialization": "deserialize_many_sparse serialize_many_sparse serialize_sparse",
        "gpersist.ops.strings": "decode_base64 encode_base64",
        "gpersist.train.graph_io": "write_graph",
        "gpersist.train.input_producers": "match_filenames_once",
    },
)
