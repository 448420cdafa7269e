from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from gpersist.errors import InvalidArgumentError, UnimplementedError

# as file names may be: undecodable bytes, new lines, other files' endings
BASES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12) | st.sampled_from(
    ["a.index", "a.data-00000-of-00001", ".a", "a\n", "\udc80", "a.meta", "a.0123456789ab.tmp-index"]
)
COUNTS = st.integers(1, MAX_SHARDS)


@given(BASES, COUNTS, st.data())
def test_a_data_files_name_is_read_back(base: str, count: int, data) -> None:
    shard = data.draw(st.integers(0, count - 1))
    for prefix in (base, os.path.join("dir", base)):
        assert parse_data_name(data_path(prefix, shard, count)) == (prefix, shard, count)
        assert sibling_prefix(data_path(prefix, shard, count)) == prefix


@given(BASES)
def test_every_sibling_means_its_prefix(base: str) -> None:
    prefix = os.path.join("dir", base)
    assert sibling_prefix(index_path(prefix)) == prefix
    assert sibling_prefix(meta_path(prefix)) == prefix


@given(BASES, st.sampled_from(["index", "meta", "state", "data-00003-of-00012"]))
def test_a_temporary_name_is_read_back(base: str, role: str) -> None:
    token = new_token()
    path = temporary_path(os.path.join("dir", base), token, role)
    assert os.path.dirname(path) == "dir"
    assert parse_temporary(os.path.basename(path)) == (base, token, role)
    assert is_temporary(os.path.basename(path))


def test_names_are_tensorflows() -> None:
    assert data_path("dir/model-7", 2, 12) == "dir/model-7.data-00002-of-00012"
    assert index_path("dir/model-7") == "dir/model-7.index"
    assert meta_path("dir/model-7") == "dir/model-7.meta"


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "x.index",
        ".data-00000-of-00001",
        "x.data-0-of-1",
        "x.data-000000-of-00001",
        "x.data-00000-of-00001.bak",
        "x.data-00000-of-0000\u0661",
        "",
    ],
)
def test_no_data_file(name: str) -> None:
    assert parse_data_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "x.index",
        ".x.index",
        ".x.0123456789ab.tmp-",
        ".x.0123456789ab.tmp-index2",
        ".x.0123456789AB.tmp-index",
        ".x.0123456789a.tmp-index",
        "x.0123456789ab.tmp-index",
        "..0123456789ab.tmp-index",
        ".x.0123456789ab.tmp-data-00000-of-0000\u0661",
    ],
)
def test_no_temporary_file(name: str) -> None:
    assert not is_temporary(name)


def test_tokens_differ() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("path", ["dir/model", "dir/model.indexes", "dir/.index", ".meta", "model.data-1-of-1", ""])
def test_what_is_no_sibling_stays(path: str) -> None:
    assert sibling_prefix(path) == path


def test_prefixes() -> None:
    assert check_prefix("dir/ckpt-100") == "dir/ckpt-100"
    assert check_prefix(Path("dir") / "ckpt") == os.path.join("dir", "ckpt")
    assert check_prefix(b"dir/\xff") == "dir/\udcff"


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        (None, "the prefix is None"),
        (7, "the prefix is a int"),
        ("", "names no file"),
        ("dir/", "names no file"),
        ("dir/..", "names no file"),
        (".", "names no file"),
        ("a\0b", "names no file"),
        ("dir\0/b", "names no file"),
    ],
)
def test_no_prefix(prefix: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        check_prefix(prefix)


def test_urls_are_no_folders() -> None:
    for prefix in ("s3://bucket/run/ckpt-1", "file:///run/ckpt-1"):
        with pytest.raises(UnimplementedError, match=r"File system scheme '(s3|file)' not implemented"):
            check_prefix(prefix)
    assert check_prefix("a:/b") == "a:/b"
