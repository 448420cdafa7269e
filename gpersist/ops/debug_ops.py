"""What TensorFlow's debugger puts into graphs: values pass as they are, or what is known of them in a few numbers. Nothing is sent to anyone."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, from_numpy
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Tensor, sample
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_PLACE = "T: type, device_name: string = '', tensor_name: string = ''"
_URLS = "debug_urls: list(string) = [], gated_grpc: bool = false"


class _Passing(OpType, abstract=True):
    """Its input."""

    inputs = "input: T"
    outputs = "output: T"
    samples = (sample("float[2,3]", has_gradient=False), sample("string[2]"), sample("int32[]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return value


_NAMED: dict[str, Any] = {"tensor_name": "x:0"}


class _OfTensor(OpType, abstract=True):
    """Its input, a tensor that `tensor_name` names."""

    inputs = "input: T"
    outputs = "output: T"
    shapes = _Passing.shapes
    samples = (sample("float[2,3]", has_gradient=False, **_NAMED), sample("string[2]", **_NAMED), sample("int32[]", **_NAMED))
    allows_uninitialized_input = True

    @staticmethod
    def run(xp: Any, value: Array, *, tensor_name: bytes) -> Array:
        _check_name(tensor_name)
        return value


class CopyHost(_Passing):
    """Its input, for a debugger."""

    attrs = "T: type, tensor_name: string = '', debug_ops_spec: list(string) = []"
    allows_uninitialized_input = True


class DebugIdentity(_OfTensor):
    """Its input, for a debugger."""

    attrs = f"{_PLACE}, {_URLS}"


class DebugIdentityV2(_Passing):
    """Its input, for a debugger."""

    attrs = (
        "T: type, tfdbg_context_id: string = '', op_name: string = '', output_slot: int = -1, tensor_debug_mode: int = -1, "
        "debug_urls: list(string) = [], circular_buffer_size: int = 1000, tfdbg_run_id: string = ''"
    )
    is_stateful = True

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


class DebugIdentityV3(_OfTensor):
    """Its input, for a debugger."""

    attrs = f"{_PLACE}, io_of_node: string = '', is_input: bool = false, io_index: int = -1, {_URLS}"
    is_stateful = True


class DebugNanCount(OpType):
    """How many elements are no numbers."""

    inputs = "input: T"
    outputs = "output: int64"
    attrs = f"{_PLACE}, {_URLS}"
    allows_uninitialized_input = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    samples = (sample("float[2,3]", **_NAMED), sample(np.array([1.0, np.nan]), **_NAMED), sample("int32[4]", **_NAMED))

    @staticmethod
    def run(xp: Any, value: Any, *, tensor_name: bytes) -> Any:
        _check_name(tensor_name)
        _check_numbers("DebugNanCount", value)
        return np.array([np.isnan(_real(value)).sum()], np.int64)


class DebugNumericSummary(OpType):
    """Counts of elements of several kinds, extremes, mean and variance, and the shape: float64[14 + rank]."""

    inputs = "input: T"
    outputs = "output: double"
    attrs = (
        f"{_PLACE}, debug_urls: list(string) = [], lower_bound: float = -1e999, upper_bound: float = 1e999, mute_if_healthy: bool = false, "
        "gated_grpc: bool = false"
    )
    allows_uninitialized_input = True
    is_host_only = True
    samples = (
        sample("float[2,3]", **_NAMED),
        sample(np.array([1.0, np.nan, np.inf, -np.inf]), **_NAMED),
        sample("int32[4]", **_NAMED),
        sample("bool[3]", **_NAMED),
        sample("float[0]", **_NAMED),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, value: Any, *, tensor_name: bytes, lower_bound: float, upper_bound: float) -> Any:
        _check_name(tensor_name)
        _check_numbers("DebugNumericSummary", value)
        numbers = np.asarray(_real(value), np.float64).reshape(-1)
        finite = numbers[np.isfinite(numbers)]
        below = (numbers == -np.inf) | ((numbers <= lower_bound) & (lower_bound > -np.inf))
        above = (numbers == np.inf) | ((numbers >= upper_bound) & (upper_bound < np.inf))
        inner = ~below & ~above & ~np.isnan(numbers)
        counts = [np.isnan(numbers), below, inner & (numbers < 0), inner & (numbers == 0), inner & (numbers > 0), above]
        mean = finite.mean() if finite.size else np.nan
        variance = ((finite - mean) ** 2).mean() if finite.size else np.nan
        extremes = (finite.min(), finite.max()) if finite.size else (np.inf, -np.inf)
        kind = _enum(value)
        shape = np.shape(value)
        return np.array([1.0, numbers.size, *(count.sum() for count in counts), *extremes, mean, variance, kind, len(shape), *shape], np.float64)


class DebugNumericSummaryV2(OpType):
    """A tensor in a few numbers, of as many kinds as there are modes."""

    inputs = "input: T"
    outputs = "output: output_dtype"
    attrs = "output_dtype: {float, double} = float, T: type, tensor_debug_mode: int = -1, tensor_id: int = -1"
    is_host_only = True
    samples = tuple(sample("float[2,3]", tensor_debug_mode=mode, tensor_id=3) for mode in (2, 3, 4, 5, 8))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, value: Any, *, output_dtype: DType, tensor_debug_mode: int, tensor_id: int) -> Any:
        found = _SUMMARIES.get(tensor_debug_mode)
        if found is None:
            raise UnimplementedError(f"Unimplemented tensor debug mode: {tensor_debug_mode}")
        numbers = _real(value)
        return np.array(found(numbers, float(tensor_id)), output_dtype.numpy)


def _kinds(numbers: Any) -> list[float]:
    """How many are -inf, inf and NaN, and how many negative, zero and positive."""
    flat = np.asarray(numbers).reshape(-1)
    finite = flat[np.isfinite(flat)]
    return [float(np.sum(part)) for part in (flat == -np.inf, flat == np.inf, np.isnan(flat), finite < 0, finite == 0, finite > 0)]


def _curt(numbers: Any, number: float) -> list[float]:
    return [number, float(not np.isfinite(numbers).all())]


def _concise(numbers: Any, number: float) -> list[float]:
    return [number, float(np.size(numbers)), *_kinds(numbers)[:3]]


def _full(numbers: Any, number: float) -> list[float]:
    return [number, -1.0, float(_enum(numbers)), float(np.ndim(numbers)), float(np.size(numbers)), *_kinds(numbers)]


def _shape(numbers: Any, number: float) -> list[float]:
    sizes = list(np.shape(numbers))[-6:]
    return [number, float(_enum(numbers)), float(np.ndim(numbers)), float(np.size(numbers)), *sizes, *[0.0] * (6 - len(sizes))]


def _reduced(numbers: Any, number: float) -> list[float]:
    negative, positive, nan = (bool(kind) for kind in _kinds(numbers)[:3])
    return [-np.inf if negative else 0.0, np.inf if positive else 0.0, np.nan if nan else 0.0]


_SUMMARIES = {2: _curt, 3: _concise, 4: _full, 5: _shape, 8: _reduced}


def _enum(value: Any) -> int:
    return from_numpy(np.asarray(value).dtype).enum


def _real(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name == "bfloat16" else array


def _check_name(tensor_name: bytes) -> None:
    if tensor_name.count(b":") > 1:
        raise InvalidArgumentError(f'Failed to parse tensor name: "{tensor_name.decode()}"')


def _check_numbers(what: str, value: Any) -> None:
    if np.asarray(value).dtype.kind in "Oc":
        raise UnimplementedError(f"No OpKernel was registered to support Op '{what}' of this type: it takes real numbers")
