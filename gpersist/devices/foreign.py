"""Other people's arrays, taken as ours without a copy: NumPy, CuPy, PyTorch, JAX, and whatever speaks DLPack or the array interfaces.

None of these libraries is imported: an array that comes from one brings it along.
"""

from __future__ import annotations

import sys
from typing import Any

import ml_dtypes
import numpy as np

from gpersist.devices import cuda
from gpersist.devices.backend import Array
from gpersist.errors import InvalidArgumentError

_DLPACK_CUDA = (2, 13)  # kDLCUDA, kDLCUDAManaged

# What a producer raises when it cannot, or will not, hand its memory over. Running out of memory is none of these.
_DECLINED = (TypeError, ValueError, RuntimeError, BufferError, AttributeError, NotImplementedError, ImportError)


def adopt(value: object) -> Array:
    """Takes a value as an array of one of this process's devices; on the same memory wherever the two libraries allow it.

    Taken are: arrays of NumPy (scalars too), CuPy and the virtual devices, as they are; PyTorch tensors, with gradients or not, of any strides,
    bfloat16 and float8 included; what offers DLPack, `__cuda_array_interface__` or, last, `__array__` (JAX, TensorFlow, Numba, pandas); Python's
    bool, int, float, complex, as NumPy takes them; str (as UTF-8) and bytes, as a scalar of dtype object.

    Device memory of others is ordered by the protocol: CuPy's current stream waits for what its producer had enqueued.

    Raises:
        InvalidArgumentError: the value is nothing of these (a list, say, or an array without its masked elements), or its owner refuses.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise InvalidArgumentError("a masked array has no file format; save .filled(value), or .data and .mask apart")
    if isinstance(value, np.ndarray) or cuda.is_array(value):
        return value
    if isinstance(value, (str, bytes)):
        try:
            return np.array(value.encode("utf-8") if isinstance(value, str) else bytes(value), dtype=object)
        except UnicodeEncodeError as error:
            raise InvalidArgumentError(f"text that UTF-8 cannot hold: {error}; give its bytes") from error
    if isinstance(value, (np.generic, bool, int, float, complex)):
        return _checked(np.asarray(value), value)
    if _is_torch_tensor(value):
        return _adopt_torch(value)
    return _adopt_by_protocol(value)


def _adopt_by_protocol(value: Any) -> Array:
    reasons = []
    for protocol, take in (("__dlpack__", _take_dlpack), ("__cuda_array_interface__", cuda.from_interface), ("__array__", np.asarray)):
        try:
            if hasattr(value, protocol):
                return _checked(take(value), value)
        except _DECLINED as error:
            reasons.append(f"{protocol}: {error}")
    if value is None:
        raise InvalidArgumentError("None (a NoneType) is no array; leave it out, or save what holds it as text: json.dumps(...)")
    found = "; ".join(reasons) or "it has none of __dlpack__, __cuda_array_interface__, __array__"
    raise InvalidArgumentError(f"cannot take a {_type_name(value)} as an array: {found}")


def _take_dlpack(value: Any) -> Array:
    return cuda.from_dlpack(value) if value.__dlpack_device__()[0] in _DLPACK_CUDA else np.from_dlpack(value)


def _checked(array: Array, value: object) -> Array:
    if isinstance(value, int) and array.dtype.hasobject:  # the state of a generator of random numbers has such
        raise InvalidArgumentError(f"an int of {value.bit_length()} bits fits no type of the file; save it as text, with str() or json.dumps()")
    if array.dtype.hasobject:  # NumPy's way to say that it does not understand
        raise InvalidArgumentError(f"cannot take a {_type_name(value)} as an array of numbers; make it one of NumPy's arrays")
    return array


def _is_torch_tensor(value: object) -> bool:
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(value).__mro__)


def _adopt_torch(tensor: Any) -> Array:
    """A tensor's memory. Types that NumPy and DLPack's consumers lack travel as integers of their size."""
    torch = sys.modules["torch"]
    try:
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise InvalidArgumentError(
                f"cannot take a torch tensor of layout {tensor.layout}, dtype {tensor.dtype}; make it dense: .to_dense(), .dequantize()"
            )
        tensor = tensor.detach().resolve_conj().resolve_neg()
        name = str(tensor.dtype).removeprefix("torch.")
        dtype = np.dtype(getattr(ml_dtypes, name)) if hasattr(ml_dtypes, name) else None
        if dtype is not None:
            tensor = tensor.view({1: torch.uint8, 2: torch.int16, 4: torch.int32}[dtype.itemsize])
        array = tensor.numpy() if tensor.device.type == "cpu" else _take_dlpack(tensor)
        return array if dtype is None else array.view(dtype)
    except _DECLINED as error:
        if isinstance(error, InvalidArgumentError):
            raise
        raise InvalidArgumentError(f"cannot take a torch tensor of dtype {tensor.dtype} on {tensor.device} as an array: {error}") from error


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
