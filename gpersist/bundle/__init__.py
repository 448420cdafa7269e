"""TensorFlow's bundles: names of files, the index and its entries, slices, string tensors, data files; and the V1 format.

Owns every byte of a checkpoint's files but the table's own (`gpersist.table`). Opens files, and has no device and no stream.
"""

from gpersist.bundle import strings
from gpersist.bundle.entries import Entry
from gpersist.bundle.index import Index, IndexImage, nearest, read_index
from gpersist.bundle.names import (
    MAX_SHARDS,
    check_prefix,
    data_path,
    index_path,
    is_temporary,
    meta_path,
    new_token,
    parse_data_name,
    sibling_prefix,
    temporary_path,
)
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.shard import DIRECT_ALIGNMENT, ShardReader, ShardWriter
from gpersist.bundle.slices import TensorSlice, byte_runs, cover, parse_shape_and_slice
from gpersist.bundle.sniff import describe
from gpersist.bundle.v1_reader import V1Reader
from gpersist.bundle.v1_writer import V1Writer

__all__ = [
    "DIRECT_ALIGNMENT",
    "MAX_SHARDS",
    "Entry",
    "Index",
    "IndexImage",
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
    "encode_slice_key",
    "index_path",
    "is_temporary",
    "meta_path",
    "nearest",
    "new_token",
    "parse_data_name",
    "parse_shape_and_slice",
    "read_index",
    "sibling_prefix",
    "strings",
    "temporary_path",
]
