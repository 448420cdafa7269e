"""Saving and restoring as operations of a graph: adapters to `gpersist.checkpoint`, so that graphs of TensorFlow's Savers run as they are.

`gpersist.train.Saver` does not run them: it reads from them what they would do, and has that done with no copy to the host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist import checkpoint, files
from gpersist.bundle import parse_shape_and_slice
from gpersist.checkpoint import PartitionedArray, Wanted
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, NotFoundError
from gpersist.graph import Context, Operation, OpType, SessionOpType, Tensor, apply, apply_op, constant_value, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import check_scalars
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["merge_v2_checkpoints", "restore_v2", "save_slices", "save_v2", "sharded_filename", "sharded_filespec"]


class SaveV2(SessionOpType):
    """Saves tensors, or slices of tensors, as a checkpoint."""

    inputs = "prefix: string, tensor_names: string, shape_and_slices: string, tensors: dtypes"
    attrs = "dtypes: list(type) >= 1"
    is_stateful = True
    path_inputs = ("prefix",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalar(op, 0, "prefix")
        for index in (1, 2):
            _check_length(op, index, len(op.attr("dtypes")))
        return []

    @staticmethod
    def run(ctx: Context, prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: Sequence[Any]) -> None:
        path = _path(prefix, "prefix")
        names, parts = _texts(tensor_names, "tensor_names", len(tensors)), _texts(shape_and_slices, "shape_and_slices", len(tensors))
        make_one_folder(path)
        checkpoint.save(path, named_arrays(names, parts, tensors), alignment_bytes=1, write_meta=False, durable=False)


class RestoreV2(SessionOpType):
    """Reads tensors, or slices of tensors, from a checkpoint of either format."""

    inputs = "prefix: string, tensor_names: string, shape_and_slices: string"
    outputs = "tensors: dtypes"
    attrs = "dtypes: list(type) >= 1"
    is_stateful = True
    path_inputs = ("prefix",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalar(op, 0, "prefix")
        count = len(op.attr("dtypes"))
        for index in (1, 2):
            _check_length(op, index, count)
        parts = constant_value(op.inputs[2])
        return [unknown_shape()] * count if parts is None else [_part_shape(part) for part in parts.tolist()]

    @staticmethod
    def run(ctx: Context, prefix: Any, tensor_names: Any, shape_and_slices: Any, *, dtypes: Sequence[DType]) -> list[Any]:
        path = _path(prefix, "prefix")
        names, parts = _texts(tensor_names, "tensor_names", len(dtypes)), _texts(shape_and_slices, "shape_and_slices", len(dtypes))
        wanted = [Wanted(name, dtype, ctx.device, part) for name, part, dtype in zip(names, parts, dtypes, strict=True)]
        return checkpoint.fetch(existing_prefix(path), wanted)


class ShardedFilename(OpType):
    """The name of one of several files: `m-00000-of-00002`."""

    inputs = "basename: string, shard: int32, num_shards: int32"
    outputs = "filename: string"
    shapes = staticmethod(shape_functions.scalar)
    samples = (sample(np.array(b"m", object), np.int32(0), np.int32(2)),)
    scalars = ("basename", "shard", "num_shards")

    @staticmethod
    def run(xp: Any, basename: Any, shard: Any, num_shards: Any) -> Any:
        check_scalars(basename=basename, shard=shard, num_shards=num_shards)
        return np.array(b"%s-%05d-of-%05d" % (_bytes(basename), int(shard), int(num_shards)), object)


class ShardedFilespec(OpType):
    """A pattern of the names of several files: `m-?????-of-00002`."""

    inputs = "basename: string, num_shards: int32"
    outputs = "filename: string"
    shapes = staticmethod(shape_functions.scalar)
    samples = (sample(np.array(b"m", object), np.int32(2)),)
    scalars = ("basename", "num_shards")

    @staticmethod
    def run(xp: Any, basename: Any, num_shards: Any) -> Any:
        check_scalars(basename=basename, num_shards=num_shards)
        return np.array(b"%s-?????-of-%05d" % (_bytes(basename), int(num_shards)), object)


class MergeV2Checkpoints(SessionOpType):
    """Makes one checkpoint of several."""

    inputs = "checkpoint_prefixes: string, destination_prefix: string"
    attrs = "delete_old_dirs: bool = true, allow_missing_files: bool = false"
    is_stateful = True
    path_inputs = ("checkpoint_prefixes", "destination_prefix")
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op.inputs[0].shape.assert_has_rank(1)
        _check_scalar(op, 1, "destination_prefix")
        return []

    @staticmethod
    def run(ctx: Context, checkpoint_prefixes: Any, destination_prefix: Any, *, delete_old_dirs: bool, allow_missing_files: bool) -> None:
        prefixes = [os.fsdecode(prefix) for prefix in checkpoint_prefixes.tolist()]
        target = _path(destination_prefix, "destination_prefix")
        checkpoint.merge(prefixes, target, delete_old_dirs=delete_old_dirs, allow_missing_files=allow_missing_files)


class Save(SessionOpType):
    """Saves tensors in TensorFlow's first format."""

    inputs = "filename: string, tensor_names: string, data: T"
    attrs = "T: list(type) >= 1"
    is_stateful = True
    path_inputs = ("filename",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalar(op, 0, "filename")
        _check_length(op, 1, len(op.attr("T")))
        return []

    @staticmethod
    def run(ctx: Context, filename: Any, tensor_names: Any, data: Sequence[Any]) -> None:
        names = _texts(tensor_names, "tensor_names", len(data))
        save_v1(_path(filename, "filename"), named_arrays(names, [""] * len(data), data))


class SaveSlices(SessionOpType):
    """Saves slices of tensors in TensorFlow's first format."""

    inputs = "filename: string, tensor_names: string, shapes_and_slices: string, data: T"
    attrs = "T: list(type) >= 1"
    is_stateful = True
    path_inputs = ("filename",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalar(op, 0, "filename")
        for index in (1, 2):
            _check_length(op, index, len(op.attr("T")))
        return []

    @staticmethod
    def run(ctx: Context, filename: Any, tensor_names: Any, shapes_and_slices: Any, data: Sequence[Any]) -> None:
        names, parts = _texts(tensor_names, "tensor_names", len(data)), _texts(shapes_and_slices, "shapes_and_slices", len(data))
        save_v1(_path(filename, "filename"), named_arrays(names, parts, data))


class Restore(SessionOpType):
    """Reads a tensor from a checkpoint."""

    inputs = "file_pattern: string, tensor_name: string"
    outputs = "tensor: dt"
    attrs = "dt: type, preferred_shard: int = -1"
    is_stateful = True
    path_inputs = ("file_pattern",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalar(op, 0, "file_pattern")
        _check_scalar(op, 1, "tensor_name")
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, file_pattern: Any, tensor_name: Any, *, dt: DType) -> Any:
        wanted = Wanted(_text(_bytes(tensor_name)), dt, ctx.device)
        return checkpoint.fetch(existing_prefix(_path(file_pattern, "file_pattern")), [wanted])[0]


class RestoreSlice(SessionOpType):
    """Reads a slice of a tensor from a checkpoint."""

    inputs = "file_pattern: string, tensor_name: string, shape_and_slice: string"
    outputs = "tensor: dt"
    attrs = "dt: type, preferred_shard: int = -1"
    is_stateful = True
    path_inputs = ("file_pattern",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for index, name in enumerate(("file_pattern", "tensor_name", "shape_and_slice")):
            _check_scalar(op, index, name)
        part = constant_value(op.inputs[2])
        return [unknown_shape() if part is None else _part_shape(_bytes(part))]

    @staticmethod
    def run(ctx: Context, file_pattern: Any, tensor_name: Any, shape_and_slice: Any, *, dt: DType) -> Any:
        wanted = Wanted(_text(_bytes(tensor_name)), dt, ctx.device, _text(_bytes(shape_and_slice)))
        return checkpoint.fetch(existing_prefix(_path(file_pattern, "file_pattern")), [wanted])[0]


def save_v2(prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: Sequence[Any], name: str | None = None) -> Operation:
    """Saves tensors, or slices of tensors, as a checkpoint (`tf.raw_ops.SaveV2`)."""
    return apply_op("SaveV2", prefix, tensor_names, shape_and_slices, tensors, name=name)


def save_slices(filename: Any, tensor_names: Any, shapes_and_slices: Any, data: Sequence[Any], name: str | None = None) -> Operation:
    """Saves slices of tensors in TensorFlow's first format (`tf.raw_ops.SaveSlices`)."""
    return apply_op("SaveSlices", filename, tensor_names, shapes_and_slices, data, name=name)


def restore_v2(prefix: Any, tensor_names: Any, shape_and_slices: Any, dtypes: Sequence[Any], name: str | None = None) -> list[Tensor]:
    """Reads tensors, or slices of tensors, from a checkpoint (`tf.raw_ops.RestoreV2`)."""
    return apply_op("RestoreV2", prefix, tensor_names, shape_and_slices, dtypes=dtypes, name=name).outputs


def sharded_filename(basename: Any, shard: Any, num_shards: Any, name: str | None = None) -> Tensor:
    """The name of one of several files (`tf.raw_ops.ShardedFilename`)."""
    return apply("ShardedFilename", basename, shard, num_shards, name=name)


def sharded_filespec(basename: Any, num_shards: Any, name: str | None = None) -> Tensor:
    """A pattern of the names of several files (`tf.raw_ops.ShardedFilespec`)."""
    return apply("ShardedFilespec", basename, num_shards, name=name)


def merge_v2_checkpoints(checkpoint_prefixes: Any, destination_prefix: Any, delete_old_dirs: bool = True, name: str | None = None) -> Operation:
    """Makes one checkpoint of several (`tf.raw_ops.MergeV2Checkpoints`)."""
    return apply_op("MergeV2Checkpoints", checkpoint_prefixes, destination_prefix, delete_old_dirs=delete_old_dirs, name=name)


# ---- what Saver does as well


def named_arrays(names: Sequence[str], parts: Sequence[str], arrays: Sequence[Any]) -> dict[str, Any]:
    """Arrays by name as `gpersist.checkpoint.save` takes them, the slices of one tensor together.

    Raises:
        InvalidArgumentError: a tensor is there twice, or as slices of different shapes.
    """
    if not any(parts):
        found = dict(zip(names, arrays, strict=True))
        if len(found) != len(names):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            raise InvalidArgumentError(f"tensor {twice!r} is to be saved twice; give one of them another name")
        return found
    found = {}
    for name, text, array in zip(names, parts, arrays, strict=True):
        if not text:
            if name in found:
                raise InvalidArgumentError(f"tensor {name!r} is to be saved twice; give one of them another name")
            found[name] = array
            continue
        shape, part = parse_shape_and_slice(text)
        whole = found.setdefault(name, PartitionedArray(shape, []))
        if not isinstance(whole, PartitionedArray) or whole.shape != shape:
            raise InvalidArgumentError(
                f"tensor {name!r} is to be saved as slices of one shape, and as something else: {text!r}; give that another name"
            )
        whole.parts.append((part, array))  # type: ignore[attr-defined]  # a list, made here
    return found


_SPEC = re.compile(r"-\?{5}-of-(?:\d{5,}|\?{5})")


def existing_prefix(path: str) -> str:
    """The prefix that a path given to a restore means, which may be a pattern of V1's files: `m-?????-of-00002`."""
    found = _SPEC.search(path)
    return path[: found.start()] if found and found.end() == len(path) and not files.active().is_file(path) else path


def make_one_folder(prefix: str) -> None:
    """Checks that the folder of a prefix is there, or can be made in one that is: TensorFlow makes no more than one.

    Raises:
        NotFoundError: it is not.
    """
    folder = os.path.dirname(prefix)
    above = os.path.dirname(folder)
    if folder and above and not os.path.isdir(folder) and not os.path.isdir(above):
        raise NotFoundError(f"cannot save {prefix!r}: the folder {above!r} does not exist; make it first")


def save_v1(path: str, arrays: dict[str, Any], *, durable: bool = False) -> None:
    """Saves in TensorFlow's first format, to a folder that is there.

    Raises:
        NotFoundError: the folder isn't there.
    """
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise NotFoundError(f"cannot save {path!r}: the folder {folder!r} does not exist; make it first")
    checkpoint.save_v1(path, arrays, durable=durable)


# ---- inputs


def _path(value: Any, what: str) -> str:
    if np.size(value) != 1:
        raise InvalidArgumentError(f"{what} should be a scalar, but is of shape {list(np.shape(value))}")
    return os.fsdecode(_bytes(value))


def _bytes(value: Any) -> bytes:
    found = value.reshape(-1)[0] if isinstance(value, np.ndarray) else value
    return found if isinstance(found, bytes) else str(found).encode()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _texts(values: Any, what: str, count: int) -> list[str]:
    if np.ndim(values) != 1 or len(values) != count:
        raise InvalidArgumentError(f"{what} should have {count} elements, one a tensor, but is of shape {list(np.shape(values))}")
    return [_text(value) for value in values.tolist()]


def _check_scalar(op: Operation, index: int, what: str) -> None:
    if op.inputs[index].shape.rank not in (None, 0):
        raise ValueError(f"{what} must be a scalar, but is of shape {op.inputs[index].shape}")


def _check_length(op: Operation, index: int, count: int) -> None:
    op.inputs[index].shape.with_rank(1).merge_with([count])


def _part_shape(part: bytes) -> TensorShape:
    if not part:
        return unknown_shape()
    try:
        shape, found = parse_shape_and_slice(_text(part))
    except InvalidArgumentError as error:
        raise ValueError(str(error)) from None
    return TensorShape(found.shape_in(shape))
