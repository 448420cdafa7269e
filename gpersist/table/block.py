"""The contents of a block: entries in the order of their keys, each key without the bytes that it shares with the key before it.

    contents := entry*  restart: fixed32{num_restarts}  num_restarts: fixed32
    entry    := shared_bytes: varint32           0 at a restart
                unshared_bytes: varint32
                value_length: varint32
                key_delta: char[unshared_bytes]
                value: char[value_length]

Every so many entries there is a restart, where the whole key is stored; `restart` is the entry's offset in the block, and the first is 0. One may
search among the restarts and need not decode what is before. (LevelDB `table/block_builder.cc`)
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator

import numpy as np

from gpersist.errors import InternalError
from gpersist.table.damage import damaged
from gpersist.table.varint import decode_varint32, encode_varint

_MAX_KEY_EXPANSION = 32
"""Long shared prefixes may make the decoded keys at most so many times the block. Sixteen entries to a restart, as written by all, stay below 16."""

_SHORT_HEADERS = 128  # three varints below this take three bytes


class BlockBuilder:
    """Makes the contents of one block after another.

    Attributes:
        value_offsets: offset in the file of each value added to any of the blocks.
        first_key: of the block in the making.
        last_key: added to any of the blocks.
    """

    def __init__(self, restart_interval: int) -> None:
        self._restart_interval = restart_interval
        self.value_offsets = array("q")
        self.first_key = self.last_key = b""
        self.start(0)

    def start(self, offset: int) -> None:
        """Begins a block that will lie at `offset` of the file."""
        self._offset = offset
        self._entries = bytearray()
        self._restarts: list[int] = []
        self._until_restart = 0

    @property
    def is_empty(self) -> bool:
        """Whether the block in the making has no entries."""
        return not self._entries

    def extend(self, entries: Iterator[tuple[bytes, bytes]], full_size: int = sys.maxsize) -> bool:
        """Appends entries until there are no more, or until one makes the contents `full_size` bytes or more.

        REQUIRES: keys ascend, from the last one of the block before on.

        Returns:
            Whether the block is full.

        Raises:
            InternalError: the requirement does not hold, or a value has 2**32 bytes or more; the block is then good for nothing.
        """
        block, restarts, value_offsets, file_offset = self._entries, self._restarts, self.value_offsets, self._offset
        until_restart, last_key, last_size = self._until_restart, self.last_key, len(self.last_key)
        last_number = int.from_bytes(last_key, "little")
        full_size -= 4 * len(restarts) + 4
        end, full = len(block), False
        for key, value in entries:
            if key <= last_key and value_offsets:
                raise InternalError(f"table builder: key {key!r} after {last_key!r}; expected ascending order")
            # As little-endian numbers, two keys first differ in the byte of their lowest differing bit.
            number = int.from_bytes(key, "little")
            if until_restart:
                until_restart -= 1
                difference = number ^ last_number
                shared = (difference & -difference).bit_length() - 1 >> 3
                if not 0 <= shared <= last_size:  # the last key, perhaps with zeros after it, begins this one
                    shared = last_size
            else:
                if not restarts:
                    self.first_key = key
                restarts.append(end)
                full_size -= 4
                until_restart = self._restart_interval - 1
                shared = 0
            last_key, last_number, last_size = key, number, len(key)
            unshared, value_size = last_size - shared, len(value)
            if (shared | unshared | value_size) < _SHORT_HEADERS:
                block += b"%c%c%c%b%b" % (shared, unshared, value_size, key[shared:], value)
            else:
                if value_size >> 32:
                    raise InternalError(f"table builder: value of {value_size} bytes for key {key[:80]!r}; a table holds less than 2**32")
                block += encode_varint(shared) + encode_varint(unshared) + encode_varint(value_size) + key[shared:]
                block += value
            end = len(block)
            value_offsets.append(file_offset + end - value_size)
            if end >= full_size:
                full = True
                break
        self._until_restart, self.last_key = until_restart, last_key
        return full

    def finish(self) -> bytes:
        """The contents; `start` the next block before adding more."""
        restarts = self._restarts or [0]  # TensorFlow's empty metaindex block has one
        self._entries += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
        return bytes(self._entries)


class Block:
    """The contents of a block, read. Immutable, so safe for many threads."""

    def __init__(self, data: bytes, where: str) -> None:
        """Checks the restarts; entries are checked as they are decoded.

        Args:
            data: the contents.
            where: file and block, for errors.

        Raises:
            DataLossError: the restarts don't fit in, aren't ascending or lie outside of the entries.
        """
        self._data = data
        self._where = where
        count = struct.unpack_from("<I", data, len(data) - 4)[0] if len(data) >= 4 else 0
        if not 1 <= count <= len(data) // 4 - 1:
            raise damaged(where, f"number of restarts expected 1 to {max(0, len(data) // 4 - 1)}, found {count}")
        self._entries_end = len(data) - 4 * (count + 1)
        self._restarts = np.frombuffer(data, "<u4", count, self._entries_end)
        if self._restarts[0] != 0 or self._restarts[-1] > max(0, self._entries_end - 1) or (self._restarts[1:] <= self._restarts[:-1]).any():
            raise damaged(where, f"restarts expected to ascend from 0 and to lie before byte {self._entries_end} of it")

    def entries(self, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """Decodes the entries from the one at byte `start` on, which must be a restart.

        Raises:
            DataLossError: an entry runs past the end, shares more than the key before it has, or is out of order.
        """
        data, end, where = self._data, self._entries_end, self._where
        position, key = start, b""
        budget = _MAX_KEY_EXPANSION * len(data)
        while position < end:
            entry, previous = position, key
            shared, unshared, size = data[position], data[position + 1], data[position + 2]  # the restarts follow: never past the end
            if (shared | unshared | size) < _SHORT_HEADERS:
                position += 3
            else:
                shared, position = decode_varint32(data, position, end, where)
                unshared, position = decode_varint32(data, position, end, where)
                size, position = decode_varint32(data, position, end, where)
                budget -= shared  # a shared length of one byte is within the expansion anyway
            key_end = position + unshared
            value_end = key_end + size
            if value_end > end:
                raise damaged(where, f"entry at byte {entry} of it ends at byte {value_end}; expected at most {end}")
            if shared > len(previous):
                raise damaged(where, f"entry at byte {entry} of it shares {shared} bytes; expected at most the {len(previous)} of the key before it")
            if budget < 0:
                raise damaged(where, f"keys up to byte {entry} of it share more than {_MAX_KEY_EXPANSION} times the block's {len(data)} bytes")
            key = previous[:shared] + data[position:key_end]
            if key <= previous and entry != start:
                raise damaged(where, f"entry at byte {entry} of it: key {key[:80]!r} follows {previous[:80]!r}; expected ascending order")
            yield key, data[key_end:value_end]
            position = value_end

    def seek(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Decodes the entries from the first on whose key is at least `key`.

        REQUIRES: there are entries.

        Raises:
            DataLossError: see `entries`.
        """
        after = bisect_right(range(len(self._restarts)), key, key=self._restart_key)
        for entry in self.entries(self._restart(max(0, after - 1))):
            if entry[0] >= key:
                yield entry

    def bounds(self) -> tuple[bytes, bytes]:
        """The first key and the last.

        Raises:
            DataLossError: there are no entries; else see `entries`.
        """
        if not self._entries_end:
            raise damaged(self._where, "expected at least one entry, found none")
        ((last, _),) = deque(self.entries(self._restart(-1)), maxlen=1)
        return self._restart_key(0), last

    def _restart(self, number: int) -> int:
        return int(self._restarts[number])

    def _restart_key(self, number: int) -> bytes:
        return next(self.entries(self._restart(number)))[0]
