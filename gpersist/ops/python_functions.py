"""Functions of Python's in a graph (`tf.py_func`). A graph that has one can be saved; where it is loaded, the function isn't there."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.errors import GPersistError, InvalidArgumentError, OutOfRangeError, ResourceExhaustedError, UnimplementedError, UnknownError
from gpersist.graph import Operation, OpType, Tensor, apply_op
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["numpy_function", "py_func", "py_function"]

_FUNCTIONS: weakref.WeakValueDictionary[bytes, _Entry] = weakref.WeakValueDictionary()
"""Those of graphs that are alive, by their tokens."""

_numbers = itertools.count()
_lock = threading.Lock()

_KINDS: list[tuple[type[Exception], type[GPersistError]]] = [
    (NotImplementedError, UnimplementedError),
    (ValueError, InvalidArgumentError),
    (TypeError, InvalidArgumentError),
    (StopIteration, OutOfRangeError),
    (MemoryError, ResourceExhaustedError),
]


class _Entry:
    """A function, as long as its graph lives."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.call = function


class PyFuncStateless(OpType):
    """Calls a function with arrays, and gives the arrays that it gives."""

    inputs = "input: Tin"
    outputs = "output: Tout"
    attrs = "token: string, Tin: list(type) >= 0, Tout: list(type) >= 0"
    is_host_only = True
    calls_python = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()] * len(op.output_types)

    @staticmethod
    def run(xp: Any, inputs: list[Any], *, token: bytes, Tout: list[DType]) -> Any:  # noqa: N803  # TensorFlow's attribute
        name, values = _called(token, [value[()] if isinstance(value, np.ndarray) and not value.ndim else value for value in inputs], len(Tout))
        return [_result(name, number, value, dtype) for number, (value, dtype) in enumerate(zip(values, Tout, strict=True))]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class PyFunc(PyFuncStateless):
    """The same of a function that may give another result each time."""

    is_stateful = True


class EagerPyFunc(PyFuncStateless):
    """The same of a function that takes what TensorFlow 2 would give it: arrays that have `numpy()`."""

    attrs = "token: string, is_async: bool = false, Tin: list(type) >= 0, Tout: list(type) >= 0"
    is_stateful = True

    @staticmethod
    def run(xp: Any, inputs: list[Any], *, token: bytes, Tout: list[DType], is_async: bool = False) -> Any:  # noqa: N803
        name, values = _called(token, [_ValueArray.of(value) for value in inputs], len(Tout), takes_more=True)
        return [_converted(name, number, value, dtype) for number, (value, dtype) in enumerate(zip(values, Tout, strict=True))]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        raise UnimplementedError(f"{op.name!r} (EagerPyFunc) has no gradient: nothing records what its function does; use tf.custom_gradient")


class _ValueArray(np.ndarray[Any, np.dtype[Any]]):
    """An array as functions of `tf.py_function` get it."""

    @classmethod
    def of(cls, value: Any) -> _ValueArray:
        return np.asarray(value).view(cls)

    def numpy(self) -> Any:
        """A plain array; of one without dimensions a NumPy scalar, or bytes."""
        return np.asarray(self)[()]


def _called(token: bytes, inputs: list[Any], count: int, *, takes_more: bool = False) -> tuple[str, list[Any]]:
    """The function's name and what it gives for some inputs, a list of so many values; those that are more are left out, or refused."""
    entry = _FUNCTIONS.get(token)
    if entry is None:
        raise InvalidArgumentError(f"callback {token.decode()} is not found: the graph was loaded, or its function's graph is gone")
    name = token.decode()
    try:
        found = entry.call(*inputs)
    except Exception as error:
        kind = next((kind for cause, kind in _KINDS if isinstance(error, cause)), UnknownError)
        raise kind(f"{type(error).__name__}: {error}") from error
    values = list(found) if isinstance(found, (list, tuple)) else [] if found is None else [found]
    values = values[:count] if takes_more else values
    if len(values) != count:
        raise InvalidArgumentError(f"{name} returns {len(values)} values, but expects to see {count} values.")
    return name, values


def _converted(name: str, number: int, value: Any, dtype: DType) -> Any:
    if isinstance(value, Tensor):
        raise InvalidArgumentError(f"{number}-th value returned by {name} is {value}, of a graph; compute with NumPy, on x.numpy()")
    if isinstance(value, _ValueArray) and value.dtype != (dtype.numpy or value.dtype):
        raise InvalidArgumentError(f"ValueError: Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}")
    try:
        array = np.asarray(value, object if dtype.is_string else dtype.numpy)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"TypeError: Cannot convert {value!r} to a tensor of dtype {dtype.name}") from error
    return _result(name, number, array, dtype)


def _result(name: str, number: int, value: Any, dtype: DType) -> Any:
    array = np.asarray(value, order="C")
    if array.dtype.kind in "SUO":
        texts = [text.encode("utf-8") if isinstance(text, str) else text for text in array.reshape(-1).tolist()]
        if not all(isinstance(text, bytes) for text in texts):
            raise UnimplementedError(f"Unsupported object type {type(texts[0]).__name__}")
        found = np.empty(array.shape, object)
        found.reshape(-1)[:] = texts
        array = found
    if array.dtype != dtype.numpy:
        shown = "string" if array.dtype == object else array.dtype.name
        raise InvalidArgumentError(f"{number}-th value returned by {name} is {shown}, but expects {dtype.name}")
    return array


def py_func(func: Callable[..., Any], inp: Sequence[Any], Tout: Any, stateful: bool = True, name: str | None = None) -> Any:  # noqa: N803
    """Calls a function with the values of some tensors when it is run (`tf.py_func`).

    Args:
        func: gets an array for each input, a NumPy scalar (or bytes) for one without dimensions; gives one, or a list, of the types that are told.
        inp: the inputs.
        Tout: the type of its result, or a list of those of its results.
        stateful: whether it may give another result each time.
        name: of the node.

    Returns:
        A tensor; a list of them where `Tout` is one; the operation where that is empty. Their shapes are not known.

    Raises:
        InvalidArgumentError: when run, the function gives other types than told, or raises ValueError or TypeError.
        UnknownError: when run, it raises something else.
    """
    return _calling("PyFunc" if stateful else "PyFuncStateless", func, inp, Tout, name)


def py_function(func: Callable[..., Any] | None = None, inp: Sequence[Any] | None = None, Tout: Any = None, name: Any = None) -> Any:  # noqa: N803
    """`py_func` for functions that were written for TensorFlow 2 (`tf.py_function`).

    There is no eager execution: the function gets arrays of NumPy's that have `numpy()`, too, and computes with NumPy. It has no gradient. What it
    gives is converted to `Tout`. Otherwise see `py_func`.
    """
    assert func is not None
    return _calling("EagerPyFunc", func, inp or [], [] if Tout is None else Tout, name)


def _calling(op_type: str, func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None) -> Any:  # noqa: N803
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func} of type {type(func)}.")
    with _lock:
        token = b"pyfunc_%d" % next(_numbers)
    types = [as_dtype(dtype) for dtype in (Tout if isinstance(Tout, (list, tuple)) else [Tout])]
    op = apply_op(op_type, list(inp), token=token, Tout=types, name=name)
    entry = _FUNCTIONS[token] = _Entry(func)
    op.graph.__dict__.setdefault("_py_funcs_used_in_graph", []).append(entry)
    if not types:
        return op
    return list(op.outputs) if isinstance(Tout, (list, tuple)) else op.outputs[0]


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Any = None,  # noqa: N803
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """The newer name of `py_func` (`tf.numpy_function`)."""
    assert func is not None
    return py_func(func, inp or [], Tout, stateful, name)
