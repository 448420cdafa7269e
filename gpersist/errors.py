"""Every error that gpersist raises, under one base.

    GPersistError                       code  also a
      CancelledError                       1  concurrent.futures.CancelledError
      UnknownError                         2
      InvalidArgumentError                 3  ValueError
        MismatchError                         (names, shapes or dtypes of a restore)
        DeviceNotFoundError                   (a device that is not there)
      DeadlineExceededError                4  TimeoutError
      NotFoundError                        5  LookupError
        CheckpointNotFoundError               FileNotFoundError
        TensorNotFoundError                   KeyError
      AlreadyExistsError                   6  FileExistsError
      PermissionDeniedError                7  PermissionError
      ResourceExhaustedError               8  MemoryError
        DeviceMemoryError                     (a device without room for what was asked)
        OutOfSpaceError                       OSError
      FailedPreconditionError              9  RuntimeError
      AbortedError                        10  RuntimeError
      OutOfRangeError                     11  IndexError
      UnimplementedError                  12  NotImplementedError
      InternalError                       13  RuntimeError
      UnavailableError                    14  OSError
        FileError                             (the file system said no)
      DataLossError                       15  ValueError
        NotACheckpointError                   (a file of another kind)
        UnreadableFileError                   OSError

The codes are those of TensorFlow (`tensorflow/python/framework/errors_impl.py`), so that one tree serves both faces. A message says what
happened, where (file, tensor, byte), what was expected, what was found, and what to do about it. What a class says of its cause and its cure is also
docs/errors.md.
"""

from __future__ import annotations

import concurrent.futures
import errno
import os
from typing import Any, ClassVar, overload


class GPersistError(Exception):
    """Something that gpersist was asked to do could not be done.

    Made of a message; or of `node_def, op, message`, as TensorFlow makes its own.

    Attributes:
        code: TensorFlow's number for this kind of error (`error_codes.proto`).
        message: the whole text, the same as `str(error)`.
        op: the operation of a graph that failed, or None.
        node_def: its message, or None.
    """

    code: ClassVar[int] = 2
    op: Any = None
    node_def: Any = None

    @overload
    def __init__(self, message: str) -> None: ...
    @overload
    def __init__(self, node_def: Any, op: Any, message: str, error_code: int = ...) -> None: ...
    def __init__(self, *args: Any, **named: Any) -> None:
        names = ("message",) if len(args) == 1 and not named else ("node_def", "op", "message", "error_code")
        given = dict(zip(names, args, strict=False)) | named
        if "message" not in given:
            raise TypeError(f"{type(self).__name__}.__init__() missing 1 required positional argument: 'message'")
        super().__init__(given["message"])
        self.message: str = given["message"]
        if "op" in given:
            self.op, self.node_def = given["op"], given.get("node_def")
        if "error_code" in given:
            self.__dict__["code"] = given["error_code"]

    @property
    def error_code(self) -> int:
        """The same as `code`, as TensorFlow calls it."""
        return self.code

    def __str__(self) -> str:  # KeyError and OSError would print something else
        return self.message

    def __reduce__(self) -> tuple[object, ...]:  # to another process; what an OSError keeps outside of its dict would stay behind
        kept = {name: getattr(self, name) for name in ("errno", "strerror", "filename")} if isinstance(self, OSError) else {}
        return type(self), (self.message,), kept | self.__dict__


class CancelledError(GPersistError, concurrent.futures.CancelledError):
    """The operation was cancelled before it ended.

    Cure: ask for it again; a cancelled save has left nothing behind.
    """

    code = 1


class UnknownError(GPersistError):
    """A function of the caller's failed, in a way that nobody here can tell more of.

    Cure: look at the error that this one was raised from (`__cause__`): it is that of your function.
    """

    code = 2


class InvalidArgumentError(GPersistError, ValueError):
    """An argument, or a file's content taken as one, makes no sense.

    Cure: the message names the argument, what was expected and what was found; at a file's content, look at it with `gpersist show` and
    `gpersist verify`.
    """

    code = 3


class MismatchError(InvalidArgumentError):
    """What a restore asks for and what the checkpoint holds differ in names, shapes or dtypes.

    Cure: `gpersist show` lists what the checkpoint holds; `partial=True` takes what fits, a Saver with a dict of variables (`var_list`) takes others
    under other names.
    """


class DeviceNotFoundError(InvalidArgumentError):
    """A device is named that this process does not have.

    Cure: `gpersist devices` lists those that are here; `clear_devices=True`, a `placement` or `device_map`, or soft placement put things
    elsewhere, and `gpersist place` shows where.
    """


class DeadlineExceededError(GPersistError, TimeoutError):
    """The time allowed ran out.

    Cure: allow more time, or look for what does not come: a queue that nobody fills, a disk that hangs.
    """

    code = 4


class NotFoundError(GPersistError, LookupError):
    """Something that was named is not there.

    Cure: the message lists what is there, the nearest names first.
    """

    code = 5


class CheckpointNotFoundError(NotFoundError, FileNotFoundError):
    """There is no checkpoint under this name, or one of its files is missing.

    Cure: name a prefix, any of its files, or its folder; if a data file is missing, copy it from where the checkpoint was made.
    """


class TensorNotFoundError(NotFoundError, KeyError):
    """The checkpoint holds no tensor of this name.

    Cure: `gpersist show PREFIX` lists the names; `partial=True` does without.
    """


class AlreadyExistsError(GPersistError, FileExistsError):
    """Something is there already that must not be replaced.

    Cure: take another name, or remove what is there.
    """

    code = 6


class PermissionDeniedError(GPersistError, PermissionError):
    """The operating system does not allow it.

    Cure: give the process the right to read or write the path, or take another folder. Of a graph's operation: allow it, if you trust the
    graph, by `Graph.allow_ops`.
    """

    code = 7


class ResourceExhaustedError(GPersistError, MemoryError):
    """Memory, disk space or another resource does not suffice.

    Cure: close what is open, load less at once (`gpersist.open` reads single tensors and slices), or take a larger machine.
    """

    code = 8


class DeviceMemoryError(ResourceExhaustedError):
    """A device has less free memory than was wanted.

    Cure: `gpersist place` shows what goes where, and out of how much; `placement="balanced"`, a map or "host" spreads it.
    """


class OutOfSpaceError(ResourceExhaustedError, OSError):
    """The file system has no room left, or the quota is used up.

    Cure: make room, and save again; the checkpoint before stands, and nothing was left behind.
    """


class FailedPreconditionError(GPersistError, RuntimeError):
    """The state of the system does not allow it now.

    Cure: do first what the message asks for: initialize or restore a variable, end another save, open what is closed.
    """

    code = 9


class AbortedError(GPersistError, RuntimeError):
    """The operation was given up half-way, because of another failure.

    Cure: find the failure that came first: it is the error's `__cause__`, or was raised elsewhere; then begin again.
    """

    code = 10


class OutOfRangeError(GPersistError, IndexError):
    """A position lies beyond the end.

    Cure: stop reading: this is how the end of a queue, a reader or a file is told; or ask for a position within.
    """

    code = 11


class UnimplementedError(GPersistError, NotImplementedError):
    """gpersist does not do this.

    Cure: the message names the way round where there is one; `gpersist show MODEL --ops` lists all that a model would miss.
    """

    code = 12


class InternalError(GPersistError, RuntimeError):
    """An invariant of gpersist itself does not hold: please report it.

    Cure: report it, with the message and, from `GPERSIST_DEBUG=1`, the traceback.
    """

    code = 13


class UnavailableError(GPersistError, OSError):
    """A service or a device does not answer now; trying again may help.

    Cure: try again; if it stays so, look after the device or the service.
    """

    code = 14


class FileError(UnavailableError):
    """The file system failed at a call.

    Cure: the message has the path, the call and the system's reason; look after the disk, then try again.
    """


class DataLossError(GPersistError, ValueError):
    """Bytes are missing or damaged.

    Cure: `gpersist verify FOLDER --all` tells which checkpoints are whole; restore one of them, as `CheckpointManager.restore` does by itself.
    """

    code = 15


class NotACheckpointError(DataLossError):
    """The file is of another kind.

    Cure: the message says what the file is, as far as its first bytes tell, and what reads it.
    """


class UnreadableFileError(DataLossError, OSError):
    """The file holds no message of the kind that was asked for.

    Cure: name a file of the kind that the message asks for, or one that is whole.
    """


_BY_ERRNO: dict[int, type[GPersistError]] = {
    errno.ENOENT: CheckpointNotFoundError,
    errno.ENOTDIR: CheckpointNotFoundError,
    errno.EEXIST: AlreadyExistsError,
    errno.EACCES: PermissionDeniedError,
    errno.EPERM: PermissionDeniedError,
    errno.EROFS: PermissionDeniedError,
    errno.ENOSPC: OutOfSpaceError,
    errno.EDQUOT: OutOfSpaceError,
    errno.EFBIG: OutOfSpaceError,
    errno.ENOMEM: ResourceExhaustedError,
    errno.ENAMETOOLONG: InvalidArgumentError,
    errno.EISDIR: InvalidArgumentError,
}


def from_os_error(error: OSError, doing: str, cure: str = "") -> GPersistError:
    """Puts an operating system's error into this tree.

    Args:
        error: what a call raised.
        doing: what was being done, with the path: "write 'dir/x.index'".
        cure: what the user can do, or empty.

    Returns:
        An error of the class that fits `error.errno`; `errno` and `strerror` are kept where the class is an OSError. Raise it `from error`.
    """
    number = error.errno or 0
    text = os.strerror(number) if number else str(error)
    result = _BY_ERRNO.get(number, FileError)(f"cannot {doing}: {text}{'; ' + cure if cure else ''}")
    if isinstance(result, OSError):
        result.errno, result.strerror, result.filename = number, text, error.filename
    return result
