"""`convert_to_tensor`: Python values, arrays and variables as tensors of the default graph.

Functions are registered by class, as in TensorFlow (`tf.register_tensor_conversion_function`); the one that makes constants is `gpersist.ops`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph.operation import Operation
from gpersist.graph.tensor import Tensor

Converter = Callable[..., Any]
"""`(value, dtype=None, name=None, as_ref=False)` to a tensor, or to NotImplemented."""

_CONVERTERS: list[tuple[int, tuple[type, ...], Converter]] = []


def register_tensor_conversion_function(base_type: type | tuple[type, ...], conversion_func: Converter, priority: int = 100) -> None:
    """Says how values of a class become tensors; of several functions that fit, that with the least `priority` is asked first.

    Raises:
        TypeError: `base_type` is no class, or `conversion_func` no function.
    """
    bases = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(base, type) for base in bases):
        raise TypeError(f"Argument `base_type` must be a type or a tuple of types. Obtained: {base_type}")
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received {conversion_func}.")
    _CONVERTERS.append((priority, bases, conversion_func))
    _CONVERTERS.sort(key=lambda entry: entry[0])


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
    *,
    as_ref: bool = False,
) -> Tensor:
    """A value as a tensor (`tf.convert_to_tensor`).

    Args:
        value: a tensor, given back as it is; a variable, an array, a number, text, nested lists.
        dtype: the type that it has to have; None for the value's own.
        name: of the operation, where one is made.
        preferred_dtype: a type to try first; if the value cannot be of it, its own serves.
        dtype_hint: the same, under TensorFlow 2's name.
        as_ref: whether a ref variable shall give its reference.

    Raises:
        TypeError: no class of it is known, or it is not of the type.
        ValueError: it is a tensor of another type.
        RuntimeError: what is registered for its class gives no tensor, or one of another type.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, Operation):
        raise TypeError(f"can't convert Operation '{value.name}' to Tensor")
    if isinstance(value, Tensor):
        if wanted is not None and not wanted.is_compatible_with(value.dtype):
            what = f"{name}: " if name else ""
            raise ValueError(f"{what}Tensor conversion requested dtype {wanted.name} for Tensor with dtype {value.dtype.name}: {value!r}")
        return value
    hint = preferred_dtype if preferred_dtype is not None else dtype_hint
    for _, bases, converter in _CONVERTERS:
        if not isinstance(value, bases):
            continue
        found = NotImplemented
        if wanted is None and hint is not None:
            found = _preferred(converter, value, as_dtype(hint), name, as_ref)
        if found is NotImplemented:
            found = converter(value, dtype=wanted, name=name, as_ref=as_ref)
        if found is NotImplemented:
            continue
        if not isinstance(found, Tensor):
            raise RuntimeError(f"Conversion function {converter!r} for type {_shown(bases)} returned non-Tensor: {found!r}")
        if wanted is not None and not wanted.is_compatible_with(found.dtype):
            raise RuntimeError(
                f"Conversion function {converter!r} for type {_shown(bases)} returned incompatible dtype: requested = {wanted.base_dtype.name}, "
                f"actual = {found.dtype.base_dtype.name}"
            )
        return found  # type: ignore[no-any-return]  # a Tensor, as was checked
    raise TypeError(
        f"Cannot convert {value!r} with type {type(value)} to Tensor: no conversion function registered. Importing gpersist.ops registers those "
        "of numbers, text, arrays and variables."
    )


def _shown(bases: tuple[type, ...]) -> Any:
    return bases[0] if len(bases) == 1 else bases


def _preferred(converter: Converter, value: Any, hint: DType, name: str | None, as_ref: bool) -> Any:
    try:
        found = converter(value, dtype=hint, name=name, as_ref=as_ref)
    except (TypeError, ValueError):
        return NotImplemented
    return found if found is NotImplemented or found.dtype.base_dtype is hint.base_dtype else NotImplemented
