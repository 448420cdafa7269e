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

__all__ = [
    "as_string",
    "format",
    "join",
    "length",
    "lower",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "strip",
    "substr",
    "to_hash_bucket",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
    "to_number",
    "unicode_transcode",
    "unsorted_segment_join",
    "upper",
]
