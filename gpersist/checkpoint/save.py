"""Save: named arrays to a checkpoint. The way of the data, from top to bottom:

    collect (source) -> plan_save (plan) -> snapshot -> prepare (commit) -> send (staging) -> finish, fsync -> commit

Everything that can be wrong with what was given is found before the first file is made.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import ShardWriter, check_prefix, nearest, new_token
from gpersist.checkpoint import snapshot
from gpersist.checkpoint.commit import commit, prepare
from gpersist.checkpoint.handle import SaveHandle
from gpersist.checkpoint.plan import EMPTY_CRC, SavePlan, plan_save
from gpersist.checkpoint.source import Source, collect
from gpersist.checkpoint.tree import flatten
from gpersist.devices import Device, DeviceSpec
from gpersist.errors import CancelledError, FailedPreconditionError, InvalidArgumentError, OutOfSpaceError
from gpersist.staging import DEFAULT_RING_BYTES, MIN_RING_BYTES, Outgoing, send
from gpersist.table import mask_many

_log = logging.getLogger("gpersist")


@dataclasses.dataclass(frozen=True, slots=True)
class SaveResult:
    """What a save did; as a path, it is the prefix.

    Attributes:
        prefix: of the checkpoint.
        num_tensors: stored.
        total_bytes: of tensors, padding left out.
        num_shards: data files written.
        duration_s: from the call to the commit.
        blocked_s: how long the caller was held; the same for a save that is not asynchronous.
    """

    prefix: str
    num_tensors: int
    total_bytes: int
    num_shards: int
    duration_s: float
    blocked_s: float

    def __fspath__(self) -> str:
        return self.prefix


@dataclasses.dataclass(frozen=True, kw_only=True)
class SaveOptions:
    """How to save; the keywords of `save` and `save_async`.

    Attributes:
        durable: wait for the disk (fsync) before and after the commit; without it, a power failure may cost the checkpoint; a killed process never
            does.
        alignment_bytes: tensors begin at multiples of it, so that they can be mapped; 1 writes the very bytes that TensorFlow would.
        shards: how many data files at most, of about equal sizes; or by tensor's name the number of each one's, from 0, for a partitioned array a
            sequence of them, one a part.
        write_meta: write `<prefix>.meta`, which tells where each array lived.
        meta: gives what to write to `<prefix>.meta` instead, or None to leave what is there; called once, perhaps in the save's own thread.
        devices: by tensor's name, a device to record in `.meta` instead of the one that it lives on; a string in any of TensorFlow's spellings is
            recorded as it is.
        direct_io: write past the page cache (O_DIRECT).
        ring_bytes: pinned host memory to use at most.
        threads: that copy, checksum and write; default: the processors, at most 8.
        on_progress: called with the bytes of tensors in each piece that was written, from any thread; they sum to `SaveResult.total_bytes`.
        make_room: called once where the disk has no room for the data files, before anything is written; True: there is more now, try again.
    """

    durable: bool = True
    alignment_bytes: int = 64
    shards: int | Mapping[str, int | Sequence[int]] = 1
    write_meta: bool = True
    meta: Callable[[], bytes | None] | None = None
    devices: Mapping[str, str | DeviceSpec | Device] | None = None
    direct_io: bool = False
    ring_bytes: int = DEFAULT_RING_BYTES
    threads: int | None = None
    on_progress: Callable[[int], None] | None = None
    make_room: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.ring_bytes, int) or self.ring_bytes < MIN_RING_BYTES:
            raise InvalidArgumentError(f"ring_bytes is {self.ring_bytes!r}; expected an int, at least {MIN_RING_BYTES}")
        if self.threads is not None and (not isinstance(self.threads, int) or self.threads < 1):
            raise InvalidArgumentError(f"threads is {self.threads!r}; expected an int, at least 1, or None")


def save(prefix: str | os.PathLike[str], arrays: Any, **options: Any) -> SaveResult:
    """Saves named arrays and waits until they are on the disk.

    Args:
        prefix: such as `"dir/ckpt-100"`; missing folders are made. What stands there is replaced in one step.
        arrays: dict of arrays by name, or a tree of dicts and lists of them, whose leaves are named by their path (`a/b/0`). NumPy, CuPy, anything
            with DLPack or `__cuda_array_interface__`, Python scalars, strings.
        **options: see `SaveOptions`.

    Returns:
        What was done.

    Raises:
        InvalidArgumentError: something given makes no sense.
        OutOfSpaceError, PermissionDeniedError, FileError: the file system failed; what stood under the prefix stands, and nothing is left behind.
        UnavailableError: a device failed; likewise.
    """
    return _Save(prefix, arrays, SaveOptions(**options)).run(asynchronous=False)


def save_async(prefix: str | os.PathLike[str], arrays: Any, **options: Any) -> SaveHandle:
    """Saves named arrays in the background, with their values of this moment.

    The arrays may be changed at once: on a device, by work on the stream that is current now, or ordered behind it; on the host, by anything.

    Args:
        prefix: see `save`.
        arrays: see `save`.
        **options: see `SaveOptions`.

    Returns:
        A handle to wait for; a program that ends waits for it.

    Raises:
        InvalidArgumentError: something given makes no sense.
        DeviceMemoryError: a device has no room for the copy of its arrays. All other errors of devices and files are the handle's.
    """
    job = _Save(prefix, arrays, SaveOptions(**options))
    return _in_background(job, snapshot.take(job.source, job.options.ring_bytes))


def save_frozen(prefix: str | os.PathLike[str], arrays: Any, **options: Any) -> SaveHandle:
    """`save_async` of arrays that nobody writes to until they are staged, since whoever assigns makes new ones (a session's variables): no copies."""
    job = _Save(prefix, arrays, SaveOptions(**options))
    return _in_background(job, snapshot.current(job.source))


def _in_background(job: _Save, held: snapshot.Snapshot) -> SaveHandle:
    handle = SaveHandle(job.prefix)
    job.blocked_s = time.perf_counter() - job.started

    def work() -> None:
        try:
            handle.set_result(job.run(asynchronous=True, held=held, handle=handle))
        except BaseException as error:
            if not isinstance(error, CancelledError):
                _log.error("saving %r in the background failed: %s", job.prefix, str(error))
            handle.set_exception(error)

    # Not a daemon: a program that ends must not lose its last checkpoint.
    try:
        threading.Thread(target=work, name="gpersist-save-0").start()
    except RuntimeError as error:  # too many threads, or an interpreter that is shutting down
        held.release()
        raise FailedPreconditionError(f"saving {job.prefix!r} in the background: {error}; use save") from error
    return handle


class _Save:
    def __init__(self, prefix: str | os.PathLike[str], arrays: Any, options: SaveOptions) -> None:
        self.started = time.perf_counter()
        self.prefix = check_prefix(prefix)
        self.options = options
        self.source: Source = collect(flatten(arrays))
        self.devices = _given_devices(options.devices or {}, self.source.names)
        self.plan: SavePlan = plan_save(self.source, alignment_bytes=options.alignment_bytes, shards=options.shards)
        self.blocked_s: float | None = None

    def run(self, *, asynchronous: bool, held: snapshot.Snapshot | None = None, handle: SaveHandle | None = None) -> SaveResult:
        source, plan, options = self.source, self.plan, self.options
        held = held or snapshot.current(source)
        token = new_token()
        rows = [plan.order[position] for position in plan.stored.tolist()]
        names, buffers, devices = ([column[row] for row in rows] for column in (source.names, source.buffers, source.devices))

        def let_go() -> None:
            """Drops the arrays, from lists that the frames of an error may hold."""
            source.buffers.clear()
            buffers.clear()
            held.release()

        def staged() -> None:
            let_go()
            if handle:
                handle.staged.set()

        try:
            writers = self._prepare(token)
            try:
                crcs = send(
                    Outgoing(names, buffers, devices, plan.layout, held.ready),
                    writers,
                    direct=options.direct_io,
                    ring_bytes=options.ring_bytes,
                    threads=options.threads,
                    cancel=handle.stop if handle else None,
                    on_staged=staged,
                    on_progress=options.on_progress,
                )
                masked = np.full(len(plan.order), EMPTY_CRC, np.uint32)
                masked[plan.stored] = mask_many(np.array(crcs, np.uint32))
                for position, row in enumerate(plan.order):
                    if row in source.string_crcs:
                        masked[position] = source.string_crcs[row]
                for writer in writers:
                    writer.finish()
                if handle and handle.stop.is_set():
                    raise CancelledError(f"saving {self.prefix!r} was cancelled")
                meta = options.meta() if options.meta else plan.meta(self._recorded()) if options.write_meta else None
            except BaseException:
                for writer in writers:
                    writer.abandon()
                raise
            commit(self.prefix, token, writers, lambda count: plan.index(count, masked), meta, durable=options.durable)
        finally:
            let_go()
        duration = time.perf_counter() - self.started
        blocked = duration if self.blocked_s is None else self.blocked_s
        return SaveResult(self.prefix, len(set(plan.names)), int(plan.sizes.sum()), len(writers), duration, blocked)

    def _prepare(self, token: str) -> list[ShardWriter]:
        sizes, options = self.plan.shard_sizes, self.options
        try:
            return prepare(self.prefix, token, sizes, durable=options.durable, direct=options.direct_io)
        except OutOfSpaceError:
            if options.make_room is None or not options.make_room():
                raise
        return prepare(self.prefix, token, sizes, durable=options.durable, direct=options.direct_io)

    def _recorded(self) -> list[str]:
        """The device string of each position of the plan."""
        source, given = self.source, self.devices
        names = {device: device.name for device in set(source.devices)}
        return [given.get(source.names[row]) or names[source.devices[row]] for row in self.plan.order]


def _given_devices(devices: Mapping[str, str | DeviceSpec | Device], names: Sequence[str]) -> dict[str, str]:
    """The device strings of `SaveOptions.devices`, checked."""
    known = set(names) if devices else set()
    given: dict[str, str] = {}
    for name, device in devices.items():
        if name not in known:
            raise InvalidArgumentError(f"devices names {name!r}, which is not among the arrays{nearest(name, known)}")
        if isinstance(device, str):
            DeviceSpec.from_string(device)
        elif not isinstance(device, DeviceSpec | Device):
            raise InvalidArgumentError(f"devices has {device!r} for {name!r}; expected a device string, a DeviceSpec or a Device")
        given[name] = device.name if isinstance(device, Device) else str(device)
    return given
