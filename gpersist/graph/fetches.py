"""What a caller fetches and feeds, in any nest, taken apart into tensors and operations, and results put back into the same nest."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, from_numpy
from gpersist.errors import InvalidArgumentError
from gpersist.graph.graph import Graph
from gpersist.graph.operation import Operation
from gpersist.graph.tensor import Tensor
from gpersist.graph.tensor_handle import TensorHandle
from gpersist.graph.tensor_proto import as_array

Element = Tensor | Operation

_EXPANSIONS: list[tuple[type, Callable[[Any], tuple[list[Any], Callable[[list[Any]], Any]]]]] = []


def register_fetch(kind: type, expand: Callable[[Any], tuple[list[Any], Callable[[list[Any]], Any]]]) -> None:
    """Says what is fetched for values of a class, and what its result is made of: `expand(value)` gives both (sparse tensors, say)."""
    _EXPANSIONS.insert(0, (kind, expand))


class Fetches:
    """A nest of fetches.

    Attributes:
        elements: the tensors and operations in it, each once.
        handles: which of them name a tensor that the session keeps, and of which type that is.

    Raises:
        TypeError: something in it can be no fetch.
        ValueError: something in it is not in the graph, or cannot be fetched.
    """

    def __init__(self, graph: Graph, fetches: Any) -> None:
        self._positions: dict[Element, int] = {}
        self._rebuild = self._compile(graph, fetches)
        self.elements: tuple[Element, ...] = tuple(self._positions)
        self.handles = {
            index: element.op.inputs[0].dtype
            for index, element in enumerate(self.elements)
            if isinstance(element, Tensor) and element.op.type in ("GetSessionHandle", "GetSessionHandleV2")
        }

    def build(self, values: Sequence[Any]) -> Any:
        """The nest, with the value of each element in its place; None for operations."""
        return self._rebuild(values)

    def _compile(self, graph: Graph, fetch: Any) -> Callable[[Sequence[Any]], Any]:
        if fetch is None:
            raise TypeError(f'Argument `fetch` = {fetch} has invalid type "{type(fetch).__name__}". Cannot be None')
        if isinstance(fetch, (list, tuple)):
            parts = [self._compile(graph, part) for part in fetch]
            if hasattr(fetch, "_fields"):
                kind = type(fetch)
                return lambda values: kind(*[part(values) for part in parts])
            make = list if isinstance(fetch, list) else tuple
            return lambda values: make(part(values) for part in parts)
        if isinstance(fetch, Mapping):
            by_key = {key: self._compile(graph, part) for key, part in fetch.items()}
            mapping: Any = functools.partial(defaultdict, fetch.default_factory) if isinstance(fetch, defaultdict) else type(fetch)
            return lambda values: mapping((key, part(values)) for key, part in by_key.items())
        if hasattr(fetch, "__attrs_attrs__"):
            fields = {field.name: self._compile(graph, getattr(fetch, field.name)) for field in fetch.__attrs_attrs__}
            return lambda values: type(fetch)(**{name: part(values) for name, part in fields.items()})
        for kind, expand in _EXPANSIONS:
            if isinstance(fetch, kind):
                parts_of, join = expand(fetch)
                inner = [self._compile(graph, part) for part in parts_of]
                return lambda values: join([part(values) for part in inner])
        position = self._positions.setdefault(self._element(graph, fetch), len(self._positions))
        return lambda values: values[position]

    def _element(self, graph: Graph, fetch: Any) -> Element:
        try:
            found: Element = graph.as_graph_element(fetch)
        except TypeError as error:
            raise TypeError(f'Argument `fetch` = {fetch} has invalid type "{type(fetch).__name__}" must be a string or Tensor. ({error})') from None
        except ValueError as error:
            raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
        except KeyError as error:
            raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
        if not graph.is_fetchable(found):
            raise ValueError(
                f"Operation {found.name if isinstance(found, Operation) else found.op.name} has been marked as not fetchable. Typically this happens "
                "when it is defined in another function or code block. Use return values, explicit Python locals or TensorFlow collections to access "
                "it."
            )
        return found


def feeds_of(graph: Graph, feed_dict: Mapping[Any, Any]) -> dict[Tensor, Any]:
    """The value for each fed tensor, as an array of the host.

    Raises:
        TypeError: a key is no tensor of the graph, or a value not of its type.
        ValueError: a tensor that may not be fed, or a value of another shape.
    """
    found: dict[Tensor, Any] = {}
    for key, value in feed_dict.items():
        expand = next((expand for kind, expand in _EXPANSIONS if isinstance(key, kind)), None)
        if expand is not None:
            found |= feeds_of(graph, dict(zip(expand(key)[0], value, strict=False)))
            continue
        if isinstance(key, (tuple, list)):
            keys, values = _flat(key), _flat(value)
            if len(keys) != len(values):
                raise ValueError(
                    f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} elements. Key: {keys}, value: {values}."
                )
            found |= feeds_of(graph, dict(zip(keys, values, strict=True)))
            continue
        tensor = feed_key(graph, key)
        found[tensor] = _fed(graph, tensor, key, value)
    return found


def feed_key(graph: Graph, key: Any) -> Tensor:
    """The tensor that a key of a feed, itself or its name, stands for.

    Raises:
        TypeError: it is none of the graph.
    """
    try:
        return key if isinstance(key, Tensor) and key.graph is graph else graph.as_graph_element(key, allow_operation=False)
    except (TypeError, ValueError, KeyError) as error:
        raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None


def _flat(nest: Any) -> list[Any]:
    """What nested lists and tuples hold."""
    return [item for part in nest for item in _flat(part)] if isinstance(nest, (list, tuple)) else [nest]


def _fed(graph: Graph, tensor: Tensor, key: Any, value: Any) -> Any:
    if isinstance(value, (Tensor, Operation)):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, lists, numpy ndarrays, or "
            f"TensorHandles. For reference, the tensor object was {value} which was passed to the argument `feed_dict` with key {key}."
        )
    if not graph.is_feedable(tensor):
        raise ValueError(f"Tensor {tensor.name} may not be fed.")
    dtype = tensor.dtype.base_dtype
    if isinstance(value, TensorHandle):
        value = _kept(value, dtype)
    array = _as_fed(value, dtype)
    if not tensor.shape.is_compatible_with(array.shape):
        raise ValueError(f"Cannot feed value of shape {array.shape} for Tensor {tensor.name}, which has shape {tensor.shape}")
    return array


def _kept(handle: TensorHandle, dtype: DType) -> Any:
    """The tensor that a handle stands for, on the host."""
    value = handle.value
    if value is None:
        raise InvalidArgumentError(f"The tensor with handle '{handle}' is not in the session store.")
    found = from_numpy(value.dtype)
    if found is not dtype:
        raise InvalidArgumentError(f"Expects arg[0] to be {dtype.name} but {found.name} is provided")
    return value.get() if hasattr(value, "get") else value


def _as_fed(value: Any, dtype: DType) -> Any:
    if dtype.numpy is None:
        return value  # a handle, of whatever makes handles
    if isinstance(value, np.ndarray) and value.dtype == dtype.numpy and not dtype.is_string:
        return value
    if dtype.is_string:
        return as_array(np.array(value, object) if isinstance(value, (list, tuple)) else value, dtype)
    with np.errstate(all="ignore"), warnings.catch_warnings(category=np.exceptions.ComplexWarning, action="ignore"):
        array = np.asarray(value).astype(dtype.numpy)  # wraps and rounds off as C does, as TensorFlow lets it
    if isinstance(value, int) and array != value and not dtype.is_floating:
        raise TypeError(
            f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {dtype.as_numpy_dtype}. Try explicitly "
            "setting the type of the feed tensor to a larger type (e.g. int64)."
        )
    return array
