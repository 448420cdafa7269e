"""Whole files in a graph: read, written, and found by a pattern."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.files import gfile
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op
from gpersist.ops import shape_functions
from gpersist.ops.kernels import check_scalars
from gpersist.ops.texts import scalar
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["matching_files", "read_file", "write_file"]


class ReadFile(SessionOpType):
    """What a file holds."""

    inputs = "filename: string"
    outputs = "contents: string"
    path_inputs = ("filename",)
    scalars = ("filename",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, filename: Any) -> Any:
        check_scalars(filename=filename)
        with gfile.GFile(os.fsdecode(scalar(filename)[()]), "rb") as file:
            return scalar(file.read())

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class WriteFile(SessionOpType):
    """Makes a file, and the folders above it."""

    inputs = "filename: string, contents: string"
    is_stateful = True
    path_inputs = ("filename",)
    scalars = ("filename", "contents")
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, filename: Any, contents: Any) -> None:
        check_scalars(filename=filename, contents=contents)
        path = os.fsdecode(scalar(filename)[()])
        if os.path.dirname(path):
            gfile.makedirs(os.path.dirname(path))
        with gfile.GFile(path, "wb") as file:
            file.write(scalar(contents)[()])


class ImmutableConst(SessionOpType):
    """A tensor whose elements are what a file holds."""

    outputs = "tensor: dtype"
    attrs = "dtype: type, shape: shape, memory_region_name: string"
    is_host_only = True
    file_attrs = ("memory_region_name",)
    shapes = staticmethod(shape_functions.same_as_attr)

    @staticmethod
    def run(ctx: Context, *, dtype: DType, shape: TensorShape, memory_region_name: bytes) -> Any:
        if dtype.name in ("string", "resource", "variant"):
            raise UnimplementedError(f"Sorry, {dtype.name} is not currently supported by ImmutableConstOp.")
        with gfile.GFile(os.fsdecode(memory_region_name), "rb") as file:
            data = file.read()
        sizes = [int(size) for size in shape.as_list() if size is not None]
        count = int(np.prod(sizes, dtype=np.int64)) * dtype.size
        if len(data) < count:
            raise InvalidArgumentError(f"{os.fsdecode(memory_region_name)} holds {len(data)} bytes, of {count} that a {dtype.name} {sizes} takes")
        return np.frombuffer(data[:count], dtype.numpy).reshape(sizes)


class MatchingFiles(SessionOpType):
    """The files whose names match one of some patterns, sorted."""

    inputs = "pattern: string"
    outputs = "filenames: string"
    path_inputs = ("pattern",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank_at_most(1)
        return [unknown_shape(1)]

    @staticmethod
    def run(ctx: Context, pattern: Any) -> Any:
        patterns = scalar(pattern)
        if patterns.ndim > 1:
            raise InvalidArgumentError(f"pattern must be a scalar or a vector, but got {patterns.ndim} dimensions")
        names = sorted({name for one in patterns.reshape(-1).tolist() for name in gfile.glob(os.fsdecode(one))})
        found = np.empty(len(names), object)
        found[:] = [os.fsencode(name) for name in names]
        return found


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """What a file holds (`tf.read_file`).

    Raises:
        NotFoundError: when run, there is no such file.
    """
    return apply("ReadFile", filename, name=name)


def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Makes a file with this content, and the folders above it where missing (`tf.write_file`)."""
    return apply_op("WriteFile", filename, contents, name=name)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The files whose names match a pattern, or one of several, with `*`, `?` and `[...]`; sorted (`tf.matching_files`)."""
    return apply("MatchingFiles", pattern, name=name)
