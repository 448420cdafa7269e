"""Scenarios of operations that reach beyond the graph: files, the clock, functions of Python's."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError, NotFoundError, UnimplementedError, UnknownError
from gpersist.graph import Session, apply
from gpersist.ops.file_contents import matching_files, read_file, write_file
from gpersist.ops.gradients import gradients
from gpersist.ops.python_functions import py_func, py_function
from gpersist.ops.timestamps import timestamp
from tests.ops.scenarios import scenario


@scenario("ReadFile", "WriteFile", "MatchingFiles")
def files(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = ops.placeholder("string", [])
        session.run(write_file(path, "text"), {path: f"{folder}/inner/b"})
        session.run(write_file(path, b"\xff"), {path: f"{folder}/inner/a"})
        assert session.run(read_file(path), {path: f"{folder}/inner/a"}) == b"\xff"
        found = session.run(matching_files([f"{folder}/inner/*", f"{folder}/*/b", f"{folder}/none*"]))
        assert [Path(name.decode()).name for name in found] == ["a", "b"]
        with pytest.raises(NotFoundError):
            session.run(read_file(path), {path: f"{folder}/none"})


@scenario("Timestamp")
def clock(session: Session) -> None:
    before = time.time()
    assert before <= session.run(timestamp()) <= time.time()


@scenario("PyFunc", "PyFuncStateless")
def functions(session: Session) -> None:
    x = ops.constant([1.0, 2.0])
    doubled = py_func(lambda value: value * 2, [x], "float32")
    np.testing.assert_array_equal(session.run(doubled), [2, 4])
    kind, text = py_func(lambda number, text: (type(number).__name__, text), [3, "t"], ["string", "string"], stateful=False)
    assert session.run([kind, text]) == [b"int32", b"t"]
    seen: list[float] = []
    session.run(py_func(seen.append, [ops.constant(5.0)], []))
    assert seen == [5.0]
    for function, error in (
        (lambda: 1, "0-th value returned by pyfunc_.* is int64, but expects float32"),
        (lambda: (np.float32(1), 2), "returns 2 values, but expects to see 1"),
        (lambda: int("x"), "ValueError: invalid literal"),
    ):
        with pytest.raises(InvalidArgumentError, match=error):
            session.run(py_func(function, [], "float32"))
    with pytest.raises(UnknownError, match="ZeroDivisionError"):
        session.run(py_func(lambda: 1 / 0, [], "float32"))
    with pytest.raises(InvalidArgumentError, match="callback nobody is not found"):
        session.run(apply("PyFuncStateless", [x], token="nobody", Tout=["float32"]))


@scenario("EagerPyFunc")
def functions_of_tensorflow_2(session: Session) -> None:
    x = ops.constant([1.0, 2.0])
    found = py_function(lambda value, text: (value.numpy().sum() + value.shape[0], text.numpy().decode().upper()), [x, "t"], ["float32", "string"])
    assert session.run(found) == [5.0, b"T"]
    assert session.run(py_function(lambda value: [value * 2], [x], "float32")).tolist() == [2.0, 4.0]
    assert session.run(py_function(lambda: None, [], [])) is None
    assert session.run(py_function(lambda value: (value[0], 7), [x], "float32")) == 1.0  # as TensorFlow leaves out what is more
    for function, error in (
        (lambda value: value, "conversion requested dtype int32 for Tensor with dtype float32"),
        (lambda value: "a", "Cannot convert 'a'"),
        (lambda value: None, "returns 0 values, but expects to see 1"),
        (lambda value: ops.constant(1), "of a graph; compute with NumPy"),
    ):
        with pytest.raises(InvalidArgumentError, match=error):
            session.run(py_function(function, [x], "int32"))
    with pytest.raises(UnimplementedError, match="no gradient"):
        gradients(py_function(lambda value: value, [x], "float32"), x)
