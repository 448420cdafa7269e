"""TensorFlow's bundles: names of files, the index and its entries, slices, string tensors, data files; and the V1 format.

Owns every byte of a checkpoint's files but the table's own (`gpersist.table`). Opens files, and has no device and no stream.
"""

from gpersist.bundle import strings, variants
from gpersist.bundle.entries import Entry, EntryColumns
from gpersist.bundle.index import Index, IndexImage, Ranges, encode_index, nearest, read_index, read_num_shards
from gpersist.bundle.names import (
    MAX_SHARDS,
    check_prefix,
    data_path,
    index_path,
    is_temporary,
    meta_path,
    new_token,
    parse_data_name,
    parse_temporary,
    sibling_prefix,
    temporary_path,
)
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.shard import DIRECT_ALIGNMENT, ShardReader, ShardWriter
from gpersist.bundle.slices import TensorSlice, byte_runs, cover, parse_shape_and_slice
from gpersist.bundle.sniff import HEAD_BYTES, describe, stand_in
from gpersist.bundle.v1_reader import V1Reader
from gpersist.bundle.v1_writer import V1Writer

__all__ = [
    "DIRECT_ALIGNMENT",
    "HEAD_BYTES",
    "MAX_SHARDS",
    "Entry",
    "EntryColumns",
    "Index",
    "IndexImage",
    "Ranges",
    "ShardReader",
    "ShardWriter",
    "TensorSlice",
    "V1Reader",
    "V1Writer",
    "byte_runs",
    "check_prefix",
    "cover",
    "data_path",
    "describe",
    "encode_index",
    "encode_slice_key",
    "index_path",
    "is_temporary",
    "meta_path",
    "nearest",
    "new_token",
    "parse_data_name",
    "parse_shape_and_slice",
    "parse_temporary",
    "read_index",
    "read_num_shards",
    "sibling_prefix",
    "stand_in",
    "strings",
    "temporary_path",
    "variants",
]
