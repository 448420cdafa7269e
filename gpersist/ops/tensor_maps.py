"""Maps of tensors as values that operations hand on: each change gives another map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype, from_numpy
from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply
from gpersist.ops import shape_functions
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import zeros_like
from gpersist.ops.kernels import as_array
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_Key = tuple[str, tuple[int, ...], Any]


class TensorMap:
    """Tensors by tensors; never changed."""

    def __init__(self, entries: Mapping[_Key, tuple[Any, Any]]) -> None:
        self.entries = dict(entries)

    def zeros_like(self, xp: Any) -> TensorMap:
        """A map of zeros, in the shapes of its values."""
        return TensorMap({key: (name, xp.zeros_like(value)) for key, (name, value) in self.entries.items()})

    def __add__(self, other: TensorMap) -> TensorMap:
        """A map of the sums of both maps' values; one that is in one of them alone stays."""
        found = dict(self.entries)
        for key, (name, value) in other.entries.items():
            found[key] = (name, found[key][1] + value) if key in found else (name, value)
        return TensorMap(found)


def _entry_of(key: Any) -> tuple[_Key, Any]:
    """What a key is found by, and the key itself on the host."""
    array = key.get() if hasattr(key, "get") else as_array(np, key)
    content = tuple(array.reshape(-1).tolist()) if array.dtype == object else array.tobytes()
    return (str(array.dtype), array.shape, content), array


class _MapOp(SessionOpType, abstract=True):
    """Gives a map."""

    shapes = staticmethod(shape_functions.scalar)


class EmptyTensorMap(_MapOp):
    """A map of nothing."""

    outputs = "handle: variant"

    @staticmethod
    def run(ctx: Context) -> TensorMap:
        return TensorMap({})

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return []


class TensorMapInsert(_MapOp):
    """The map with a value for a key."""

    inputs = "input_handle: variant, key: key_dtype, value: value_dtype"
    outputs = "output_handle: variant"
    attrs = "key_dtype: type, value_dtype: type"
    host_inputs = ("key",)

    @staticmethod
    def run(ctx: Context, handle: TensorMap, key: Any, value: Any) -> TensorMap:
        entry, name = _entry_of(key)
        return TensorMap({**handle.entries, entry: (name, as_array(ctx.xp, value))})

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        _, key, value = op.inputs
        value_grad, map_grad = cond(
            apply("TensorMapHasKey", grad, key),
            lambda: (
                apply("TensorMapLookup", grad, key, value_dtype=value.dtype),
                apply("TensorMapErase", grad, key, value_dtype=value.dtype),
            ),
            lambda: (zeros_like(value), grad),
        )
        return [map_grad, None, value_grad]


class TensorMapErase(_MapOp):
    """The map without a key."""

    inputs = "input_handle: variant, key: key_dtype"
    outputs = "output_handle: variant"
    attrs = "key_dtype: type, value_dtype: type"
    host_inputs = ("key",)

    @staticmethod
    def run(ctx: Context, handle: TensorMap, key: Any) -> TensorMap:
        entry, name = _entry_of(key)
        if entry not in handle.entries:
            raise InvalidArgumentError(f'Trying to erase non-existent item. Could not find key "{_shown(name)}".')
        return TensorMap({each: pair for each, pair in handle.entries.items() if each != entry})

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, None]


class TensorMapLookup(SessionOpType):
    """The value of a key."""

    inputs = "input_handle: variant, key: key_dtype"
    outputs = "value: value_dtype"
    attrs = "key_dtype: type, value_dtype: type"
    host_inputs = ("key",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: TensorMap, key: Any, *, value_dtype: DType) -> Any:
        entry, name = _entry_of(key)
        if entry not in handle.entries:
            raise InvalidArgumentError(f'Trying to lookup non-existent key. Could not find key "{_shown(name)}".')
        found = handle.entries[entry][1]
        if from_numpy(found.dtype) is not value_dtype:
            raise InternalError(
                f"Output 0 of type {from_numpy(found.dtype).name} does not match declared output type {value_dtype.name} for node '{ctx.op.name}'"
            )
        return ctx.move(found)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("TensorMapInsert", apply("EmptyTensorMap"), op.inputs[1], grad), None]


class TensorMapHasKey(SessionOpType):
    """Whether there is a key."""

    inputs = "input_handle: variant, key: key_dtype"
    outputs = "has_key: bool"
    attrs = "key_dtype: type"
    host_inputs = ("key",)
    host_outputs = ("has_key",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, handle: TensorMap, key: Any) -> Any:
        return np.bool_(_entry_of(key)[0] in handle.entries)


class TensorMapSize(SessionOpType):
    """How many keys there are."""

    inputs = "input_handle: variant"
    outputs = "size: int32"
    host_outputs = ("size",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, handle: TensorMap) -> Any:
        return np.int32(len(handle.entries))


class TensorMapStackKeys(SessionOpType):
    """All keys, with an axis in front."""

    inputs = "input_handle: variant"
    outputs = "keys: key_dtype"
    attrs = "key_dtype: type"
    host_outputs = ("keys",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: TensorMap, *, key_dtype: DType) -> Any:
        names = [name for name, _ in handle.entries.values()]
        if not names:
            raise InvalidArgumentError("TensorMapStackKeys cannot be called on empty map.")
        wrong = next((name for name in names if _type_of(name) is not key_dtype), None)
        if wrong is not None:
            raise InvalidArgumentError("Key does not match requested dtype.")
        return np.stack(names)


def _type_of(array: Any) -> DType:
    return as_dtype("string") if array.dtype == object else from_numpy(array.dtype)


def _shown(key: Any) -> str:
    value = key.tolist()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
