"""LevelDB's table format, in which TensorFlow keeps bundle indexes and V1 checkpoints: sorted byte strings to byte strings, in checksummed blocks.

Owns the bytes of blocks, index and footer (`TableBuilder`, `TableReader`), varints, and crc32c with its masking and combining.
"""

from gpersist.table.crc import combine, crc32c, mask, mask_many, unmask, unmask_many
from gpersist.table.format import BlockHandle
from gpersist.table.patch import patch
from gpersist.table.reader import TableReader
from gpersist.table.varint import decode_varint32, decode_varint64, encode_varint
from gpersist.table.writer import TableBuilder, TableLayout, build_table

__all__ = [
    "BlockHandle",
    "TableBuilder",
    "TableLayout",
    "TableReader",
    "build_table",
    "combine",
    "crc32c",
    "decode_varint32",
    "decode_varint64",
    "encode_varint",
    "mask",
    "mask_many",
    "patch",
    "unmask",
    "unmask_many",
]
