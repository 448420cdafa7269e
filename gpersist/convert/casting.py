"""Tensors in another element type, cast block by block as they are read."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gpersist.convert.tensors import Tensor
from gpersist.dtypes import DType, from_name
from gpersist.errors import InvalidArgumentError
from gpersist.shapes import element_count
from gpersist.staging import Pulled

_MAX_TOLD = 10


def cast(tensors: Sequence[Tensor], dtypes: str | Mapping[str, str], *, is_lossy: bool) -> list[Tensor]:
    """Tensors in the types that they are to have.

    Args:
        tensors: all of them.
        dtypes: a type for all, or types by name or pattern of names, the first that matches counts. A pattern is for tensors of the type's own kind
            (floating, integer, complex) and passes over the others, such as a step counter; a name is for that one tensor.
        is_lossy: whether values may be rounded, or overflow.

    Raises:
        InvalidArgumentError: no such type, or one that cannot be cast to; or without `is_lossy`, a type that does not hold all values of a tensor's.
    """
    wanted = {pattern: _target(name) for pattern, name in ({"*": dtypes} if isinstance(dtypes, str) else dtypes).items()}
    result, lossy = [], []
    for tensor in tensors:
        dtype = next((dtype for pattern, dtype in wanted.items() if _is_meant(tensor, pattern, dtype)), tensor.dtype)
        if dtype is tensor.dtype:
            result.append(tensor)
            continue
        kind = _kind(tensor.dtype)
        if not kind or (kind == "complex" != _kind(dtype)):
            raise InvalidArgumentError(f"tensor {tensor.name!r} is of {tensor.dtype.name}, which cannot be cast to {dtype.name}")
        if not _is_safe(tensor.dtype, dtype):
            lossy.append(f"{tensor.name!r} of {tensor.dtype.name} as {dtype.name}")
        result.append(_cast(tensor, dtype))
    if lossy and not is_lossy:
        more = f" and {len(lossy) - _MAX_TOLD} more" if len(lossy) > _MAX_TOLD else ""
        raise InvalidArgumentError(
            f"values of {len(lossy)} tensors may be rounded, or overflow: {', '.join(lossy[:_MAX_TOLD])}{more}; lossy=True has it done"
        )
    return result


def _target(name: str) -> DType:
    dtype = from_name(name)
    if not _kind(dtype):
        raise InvalidArgumentError(f"dtypes has {name!r}; expected a type of numbers, such as float32")
    return dtype


def _kind(dtype: DType) -> str:
    if dtype.numpy is None or dtype.is_quantized:
        return ""
    return "floating" if dtype.is_floating else "integer" if dtype.is_integer else "complex" if dtype.is_complex else "bool" if dtype.is_bool else ""


def _is_safe(old: DType, new: DType) -> bool:
    assert old.numpy is not None and new.numpy is not None
    is_rounded = old.is_integer and old.size_bytes == 8 and not new.is_integer  # which NumPy lets pass
    return np.can_cast(old.numpy, new.numpy, "safe") and not is_rounded


def _is_meant(tensor: Tensor, pattern: str, dtype: DType) -> bool:
    return tensor.name == pattern or (fnmatch.fnmatchcase(tensor.name, pattern) and _kind(tensor.dtype) == _kind(dtype))


def _cast(tensor: Tensor, dtype: DType) -> Tensor:
    assert tensor.content is not None
    parts = [(part, _pulled(content, dtype)) for part, content in tensor.parts]
    size_bytes = element_count(tensor.shape, f"tensor {tensor.name!r}") * dtype.size_bytes
    return dataclasses.replace(tensor, dtype=dtype, size_bytes=size_bytes, content=_pulled(tensor.content, dtype), parts=parts)


def _pulled(content: Callable[[], Pulled], dtype: DType) -> Callable[[], Pulled]:
    return lambda: _Cast(content(), dtype)


class _Cast(Pulled):
    """An array in another type. Whole elements are asked for: transfers cut arrays at multiples of 64 bytes and more."""

    def __init__(self, source: Pulled, dtype: DType) -> None:
        assert dtype.numpy is not None
        super().__init__(dtype.numpy, source.shape)
        self._source = source

    def read(self, begin: int, end: int) -> memoryview:
        new, old = self.dtype.itemsize, self._source.dtype.itemsize
        assert begin % new == end % new == 0
        values = np.frombuffer(self._source.read(begin // new * old, end // new * old), np.uint8).view(self._source.dtype)
        with np.errstate(all="ignore"):  # what overflows becomes infinite
            return memoryview(values.astype(self.dtype).view(np.uint8).data)
