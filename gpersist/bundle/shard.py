"""A bundle's data files: bytes of tensors at known offsets, one file a shard.

    shard := (tensor | padding)*        tensors in the order of their offsets; padding is zeros, up to the alignment that the writer chose
    tensor := little-endian elements in row-major order | strings (see `strings`) | variants (see `variants`)

Offsets and sizes stand in the index. Source: TensorFlow `tensor_bundle.cc` (`BundleWriter::Add`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from types import TracebackType

from gpersist import files
from gpersist.bundle.sniff import HEAD_BYTES, stand_in
from gpersist.errors import DataLossError, FileError, GPersistError, InvalidArgumentError
from gpersist.files import Buffer

DIRECT_ALIGNMENT = 4096
"""What O_DIRECT wants of offsets, sizes and addresses, on every file system met so far."""


class ShardWriter:
    """Writes one data file under a temporary name, at any offsets, from any number of threads.

    REQUIRES: exactly one of `finish` and `abandon` is called, last. Use: create, `write`..., `finish`, then `ShardWriter.path` may be renamed.
    """

    def __init__(self, path: str, size_bytes: int, *, durable: bool, direct: bool = False) -> None:
        """Creates the file and reserves its blocks.

        Args:
            path: temporary name; nothing may stand there.
            size_bytes: the file's final size.
            durable: start writing to the disk as ranges come in, and fsync in `finish`.
            direct: bypass the page cache; every write must then be aligned to `DIRECT_ALIGNMENT`, in memory and in the file, the last one padded.

        Raises:
            OutOfSpaceError: the disk cannot take the file.
            InvalidArgumentError: `direct`, and the file system has no O_DIRECT.
        """
        self.path, self.size_bytes = path, size_bytes
        self._durable, self.direct = durable, direct
        self._files = files.active()
        try:
            self._fd = self._files.create(path, direct=direct)
        except FileError as error:
            if not direct or error.errno != errno.EINVAL:
                raise
            self._fd = -1
            self.abandon()  # Linux makes the file before it finds that it cannot open it
            raise InvalidArgumentError(f"{error.message}; this file system has no O_DIRECT: save with direct_io=False") from error
        try:
            self._files.try_lock(self._fd)  # tells the litter of a dead process from a save under way
            self._files.allocate(self._fd, size_bytes, path)
        except BaseException:
            self.abandon()
            raise

    def write(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        """Writes buffers, whose sizes sum to `size_bytes`, at `offset`. Safe for threads."""
        self._files.pwritev(self._fd, buffers, size_bytes, offset, self.path)
        if self._durable and not self.direct:
            self._files.start_writeback(self._fd, offset, size_bytes)

    def finish(self) -> None:
        """Gives the file its exact size and, if durable, waits for the disk. The file stays open, and so locked, until `close`."""
        if self.direct or self._files.size(self._fd, self.path) != self.size_bytes:
            self._files.truncate(self._fd, self.size_bytes, self.path)
        if self._durable:
            self._files.fsync(self._fd, self.path)

    def close(self) -> None:
        """Closes the file; calling it again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd, self.path)

    def abandon(self) -> None:
        """Closes and removes the file; never raises, for it runs while another error is on its way."""
        try:
            self.close()
        except GPersistError:
            pass
        try:
            self._files.remove(self.path)
        except GPersistError:
            pass


class ShardReader:
    """Reads one data file at any offsets, from any number of threads. A context manager."""

    def __init__(self, path: str) -> None:
        """Opens the file.

        Raises:
            CheckpointNotFoundError: it is not there.
        """
        self.path = path
        self._files = files.active()
        self._fd = self._files.open_read(path)
        try:
            self.size_bytes = self._files.size(self._fd, path)
        except BaseException:
            self.close()
            raise

    def check(self, offset: int, size_bytes: int, what: str) -> None:
        """Holds a range against the file's size.

        Raises:
            DataLossError: the file ends before it.
        """
        if offset + size_bytes > self.size_bytes:
            if kind := self.stand_in():
                raise DataLossError(f"{what} needs bytes {offset} to {offset + size_bytes} of {self.path!r}, which is {kind}")
            raise DataLossError(
                f"{what} needs bytes {offset} to {offset + size_bytes} of {os.path.basename(self.path)!r}, which ends at {self.size_bytes}: "
                "the file is truncated; copy it again, or restore an older checkpoint"
            )

    def stand_in(self) -> str | None:
        """What the file is if it is no data file, as far as its first bytes tell: asked when what it holds is wrong."""
        head = bytearray(min(self.size_bytes, HEAD_BYTES))
        self._files.preadv(self._fd, [head], len(head), 0, self.path)
        return stand_in(bytes(head))

    def read(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        """Fills buffers, whose sizes sum to `size_bytes`, from `offset` on. Safe for threads.

        Raises:
            DataLossError: the file became shorter than it was when opened.
        """
        got = self._files.preadv(self._fd, buffers, size_bytes, offset, self.path)
        if got != size_bytes:
            raise DataLossError(f"{self.path!r} ended at byte {offset + got} while it was read; {size_bytes} bytes were expected at byte {offset}")

    def descriptor(self) -> int:
        """The open file's descriptor, for memory mapping; owned by this reader."""
        return self._fd

    def close(self) -> None:
        """Closes the file; calling it again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
