"""Names of a checkpoint's files.

    <prefix>.index                      the table of entries; its rename is the commit
    <prefix>.data-<shard>-of-<shards>   five digits each, tensors' bytes
    <prefix>.meta                       a MetaGraphDef
    <folder>/.<base>.<token>.tmp-<role> a file being written; `token` is unique to one save

Source: TensorFlow `naming.cc` (`DataFilename`, `MetaFilename`).
"""

from __future__ import annotations

import os
import re
import secrets

from gpersist.errors import InvalidArgumentError
from gpersist.files import check_local

_DATA = re.compile(r"(?sa)(.+)\.data-(\d{5})-of-(\d{5})")
_TEMPORARY = re.compile(r"(?sa)\.(.+)\.([0-9a-f]{12})\.tmp-(index|meta|state|data-\d{5}-of-\d{5})")

MAX_SHARDS = 99_999
"""Five digits; `shard` counts from 0, so it never needs a sixth."""


def index_path(prefix: str) -> str:
    """`<prefix>.index`."""
    return prefix + ".index"


def meta_path(prefix: str) -> str:
    """`<prefix>.meta`."""
    return prefix + ".meta"


def data_path(prefix: str, shard: int, num_shards: int) -> str:
    """`<prefix>.data-00000-of-00001`."""
    return f"{prefix}.data-{shard:05d}-of-{num_shards:05d}"


def new_token() -> str:
    """Twelve hexadecimal digits that no other save uses."""
    return secrets.token_hex(6)


def temporary_path(prefix: str, token: str, role: str) -> str:
    """Where a file is written before it is renamed; `role` is `index`, `meta`, `state` or `data-00000-of-00001`."""
    folder, base = os.path.split(prefix)
    return os.path.join(folder, f".{base}.{token}.tmp-{role}")


def parse_temporary(name: str) -> tuple[str, str, str] | None:
    """(base name of the prefix, token, role) of a file's base name, if it is that of a file being written."""
    found = _TEMPORARY.fullmatch(name)
    return (found[1], found[2], found[3]) if found else None


def is_temporary(name: str) -> bool:
    """Whether a file's base name is that of a file being written."""
    return parse_temporary(name) is not None


def parse_data_name(name: str) -> tuple[str, int, int] | None:
    """(prefix, shard, number of shards) of a data file's name or path; None if it is none."""
    found = _DATA.fullmatch(name)
    return (found.group(1), int(found.group(2)), int(found.group(3))) if found else None


def sibling_prefix(path: str) -> str:
    """The prefix that a path means if it is one of a checkpoint's files: `x.index`, `x.meta` and `x.data-00000-of-00001` mean `x`."""
    if found := parse_data_name(path):
        return found[0]
    for suffix in (".index", ".meta"):
        if path.endswith(suffix) and len(os.path.basename(path)) > len(suffix):
            return path[: -len(suffix)]
    return path


def check_prefix(prefix: object) -> str:
    """A prefix to write under, as a string.

    Raises:
        InvalidArgumentError: None, empty, ends in a separator, or holds a NUL.
        UnimplementedError: a URL.
    """
    if prefix is None:
        raise InvalidArgumentError("the prefix is None; expected a path such as 'dir/ckpt-100'")
    try:
        text = os.fspath(prefix)  # type: ignore[call-overload]  # says so itself
    except TypeError:
        raise InvalidArgumentError(f"the prefix is a {type(prefix).__name__}; expected a path such as 'dir/ckpt-100'") from None
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    assert isinstance(text, str)
    base = os.path.basename(text)
    if base in ("", ".", "..") or "\0" in text:
        raise InvalidArgumentError(f"prefix {text!r} names no file; expected folder and base name, such as 'dir/ckpt-100'")
    check_local(text)
    return text
