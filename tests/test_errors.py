from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import errno
import inspect
import json
import os
import pickle
import re
from pathlib import Path

import pytest

from gpersist import errors
from gpersist.errors import FileError, GPersistError, OutOfSpaceError, from_os_error

CODES = json.loads((Path(__file__).parent / "golden" / "types" / "types.json").read_text())["error_codes"]


def every_class() -> list[type[GPersistError]]:
    return [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, GPersistError)]


def ours(kind: type) -> type:
    """The class of ours that it is derived from."""
    return next(base for base in kind.__bases__ if issubclass(base, GPersistError))


def also(kind: type) -> list[str]:
    """What else it is, as the docstring says it."""
    return [
        base.__name__ if base.__module__ == "builtins" else "concurrent.futures.CancelledError" for base in kind.__bases__ if base is not ours(kind)
    ]


def test_docstring_is_the_tree() -> None:
    tree = errors.__doc__.partition("also a\n")[2].partition("\n\n")[0]
    above: dict[int, str] = {4: "GPersistError"}
    told = {}
    for line in tree.splitlines():
        indent, name, code, other = re.fullmatch(r"( +)(\w+) +(\d+)? *([\w.]+|\(.*\))?", line).groups()
        above[len(indent)] = name
        told[name] = above[len(indent) - 2], code and int(code), [other] if other and other[0] != "(" else []
    found = {
        kind.__name__: (ours(kind).__name__, kind.code if "code" in vars(kind) else None, also(kind))
        for kind in every_class()
        if kind is not GPersistError
    }
    assert told == found


@pytest.mark.parametrize("kind", every_class())
def test_each_is_told_in_one_sentence(kind: type[GPersistError]) -> None:
    assert re.fullmatch(r"(gpersist|[A-Z])[^.\n]+\.", kind.__doc__.split("\n\n")[0]), kind.__doc__


@pytest.mark.parametrize("kind", every_class())
def test_code_is_tensorflows(kind: type[GPersistError]) -> None:
    """A class of TensorFlow's name has its code; every other one has that of the class it is derived from."""
    by_ancestor = [CODES[base.__name__] for base in kind.__mro__ if base.__name__ in CODES]
    assert kind.code == (by_ancestor[0] if by_ancestor else CODES["UnknownError"])


@pytest.mark.parametrize("kind", every_class())
def test_text_is_the_message_whatever_the_built_in_would_print(kind: type[GPersistError]) -> None:
    error = kind("tensor 'a' in 'x': no")
    assert str(error) == error.message == "tensor 'a' in 'x': no"


@pytest.mark.parametrize("kind", every_class())
@pytest.mark.parametrize("move", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_crosses_processes_whole(kind, move) -> None:
    error = kind("before")
    error.message = "before (while saving tensor 'a')"
    if isinstance(error, OSError):
        error.errno, error.strerror, error.filename = errno.EIO, "oh no", "dir/x"
    error.add_note("a note")
    moved = move(error)
    assert type(moved) is kind
    assert str(moved) == moved.message == error.message
    assert moved.__notes__ == ["a note"]
    if isinstance(error, OSError):
        assert (moved.errno, moved.strerror, moved.filename) == (errno.EIO, "oh no", "dir/x")


def test_cancelled_is_the_futures_and_asyncios_tell_apart() -> None:
    assert issubclass(errors.CancelledError, concurrent.futures.CancelledError)
    assert not issubclass(errors.CancelledError, asyncio.CancelledError)  # which is no Exception, and ends tasks


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, errors.CheckpointNotFoundError),
        (errno.ENOTDIR, errors.CheckpointNotFoundError),
        (errno.EEXIST, errors.AlreadyExistsError),
        (errno.EACCES, errors.PermissionDeniedError),
        (errno.EPERM, errors.PermissionDeniedError),
        (errno.EROFS, errors.PermissionDeniedError),
        (errno.ENOSPC, OutOfSpaceError),
        (errno.EDQUOT, OutOfSpaceError),
        (errno.EFBIG, OutOfSpaceError),
        (errno.ENOMEM, errors.ResourceExhaustedError),
        (errno.ENAMETOOLONG, errors.InvalidArgumentError),
        (errno.EISDIR, errors.InvalidArgumentError),
        (errno.EIO, FileError),
        (errno.ESTALE, FileError),
    ],
)
def test_from_os_error(number: int, kind: type[GPersistError]) -> None:
    error = from_os_error(OSError(number, "ignored", "dir/x.index"), "write 'dir/x.index'", "free some space")
    assert type(error) is kind
    assert error.message == f"cannot write 'dir/x.index': {os.strerror(number)}; free some space"
    if isinstance(error, OSError):
        assert (error.errno, error.strerror, error.filename) == (number, os.strerror(number), "dir/x.index")


def test_from_os_error_without_a_number() -> None:
    error = from_os_error(OSError("odd"), "stat 'x'")
    assert type(error) is FileError
    assert error.message == "cannot stat 'x': odd"


def test_caught_as_an_os_error_by_errno() -> None:
    with pytest.raises(OSError) as caught:
        raise from_os_error(OSError(errno.ENOSPC, "full"), "write 'x'")
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(FileNotFoundError):
        raise from_os_error(FileNotFoundError(errno.ENOENT, "gone"), "open 'x'")
    with pytest.raises(PermissionError):
        raise from_os_error(OSError(errno.EROFS, "read-only"), "create 'x'")
