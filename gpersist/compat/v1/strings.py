"""TensorFlow 1's `tf.strings`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.strings",
    "",
    {
        "gpersist.ops.hashing": (
            "to_hash_bucket=string_to_hash_bucket to_hash_bucket_fast=string_to_hash_bucket_fast to_hash_bucket_strong=string_to_hash_bucket_strong"
        ),
        "gpersist.ops.printing": "format=string_format",
        "gpersist.ops.ragged_strings": (
            "bytes_split=string_bytes_split ngrams split=strings_split unicode_decode unicode_decode_with_offsets "
            "unicode_encode unicode_split unicode_split_with_offsets"
        ),
        "gpersist.ops.regular_expressions": "regex_full_match regex_replace",
        "gpersist.ops.string_segments": "unsorted_segment_join",
        "gpersist.ops.strings": (
            "as_string join=string_join length=string_length lower=string_lower reduce_join strip=string_strip "
            "substr to_number=string_to_number upper=string_upper"
        ),
        "gpersist.ops.unicode": "unicode_transcode",
        "gpersist.ops.unicode_scripts": "unicode_script",
    },
)
