"""TensorFlow 1's `tf.strings`. Written by tests/compat/write_face.py."""

from gpersist.ops.hashing import (
    string_to_hash_bucket as to_hash_bucket,
)
from gpersist.ops.hashing import (
    string_to_hash_bucket_fast as to_hash_bucket_fast,
)
from gpersist.ops.hashing import (
    string_to_hash_bucket_strong as to_hash_bucket_strong,
)
from gpersist.ops.printing import (
    string_format as format,
)
from gpersist.ops.ragged_strings import (
    ngrams,
    unicode_decode,
    unicode_decode_with_offsets,
    unicode_encode,
    unicode_split,
    unicode_split_with_offsets,
)
from gpersist.ops.ragged_strings import (
    string_bytes_split as bytes_split,
)
from gpersist.ops.ragged_strings import (
    strings_split as split,
)
from gpersist.ops.regular_expressions import (
    regex_full_match,
    regex_replace,
)
from gpersist.ops.string_segments import (
    unsorted_segment_join,
)
from gpersist.ops.strings import (
    as_string,
    reduce_join,
    substr,
)
from gpersist.ops.strings import (
    string_join as join,
)
from gpersist.ops.strings import (
    string_length as length,
)
from gpersist.ops.strings import (
    string_lower as lower,
)
from gpersist.ops.strings import (
    string_strip as strip,
)
from gpersist.ops.strings import (
    string_to_number as to_number,
)
from gpersist.ops.strings import (
    string_upper as upper,
)
from gpersist.ops.unicode import (
    unicode_transcode,
)
from gpersist.ops.unicode_scripts import (
    unicode_script,
)

__all__ = [
    "as_string",
    "bytes_split",
    "format",
    "join",
    "length",
    "lower",
    "ngrams",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "strip",
    "substr",
    "to_hash_bucket",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
    "to_number",
    "unicode_decode",
    "unicode_decode_with_offsets",
    "unicode_encode",
    "unicode_script",
    "unicode_split",
    "unicode_split_with_offsets",
    "unicode_transcode",
    "unsorted_segment_join",
    "upper",
]
