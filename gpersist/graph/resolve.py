"""From a caller's arguments to a node: inputs made tensors, types and lengths inferred, attributes checked and filled in.

Follows `apply_op` of TensorFlow's `op_def_library`: inputs are converted in order, under the operation's own name scope and their own names
(`add/y`), and the first input with a type attribute fixes that type for the rest. Errors have TensorFlow's classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.dtypes import DType
from gpersist.graph import attr_value, defaults, registry
from gpersist.graph.conversion import convert_to_tensor
from gpersist.graph.graph import Graph
from gpersist.graph.operation import Operation
from gpersist.graph.signature import REQUIRED, Arg, Attr, Signature
from gpersist.graph.tensor import Tensor


def apply_op(op_type: str, *inputs: Any, name: str | None = None, **attrs: Any) -> Operation:
    """Adds an operation to the graph of its inputs, or to the default graph.

    Args:
        op_type: its registered name.
        inputs: one for each input of the signature: what `convert_to_tensor` takes, for a list of tensors a list of that.
        name: of the node, made unique; by default the operation's. One that ends in a slash is taken as it is.
        attrs: attributes. Those that follow from the inputs, those with defaults, and those given as None, may be left out.

    Raises:
        TypeError: an input is of another type than wanted, or an attribute is missing, or not of its kind.
        ValueError: inputs of different graphs, a value that is not allowed, or shapes that don't go together.
    """
    found = registry.get(op_type)
    graph = graph_of(inputs)
    wanted = name or op_type
    scope = wanted[:-1] if wanted.endswith("/") else graph.unique_name(wanted)
    tensors, attributes = _resolve(found.signature(), inputs, attrs, scope, graph)
    return graph._add(op_type, found, found.signature(), scope, tensors, attributes)


def apply(op_type: str, *inputs: Any, name: str | None = None, **attrs: Any) -> Tensor:
    """`apply_op` of an operation with one output; gives that."""
    return apply_op(op_type, *inputs, name=name, **attrs).outputs[0]


def resolve(op_type: str, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> tuple[list[Tensor], dict[str, Any]]:
    """The tensors and the whole attributes of an operation, for these arguments of `apply_op`; adds constants to the graph where it has to."""
    signature = registry.get(op_type).signature()
    graph = graph_of(inputs)
    return _resolve(signature, inputs, attrs, op_type, graph)


def graph_of(inputs: Sequence[Any]) -> Graph:
    """The graph that all tensors among the inputs are in; the default graph where there is none.

    Raises:
        ValueError: they are in different graphs.
    """
    graph: Graph | None = None
    first: Any = None
    for value in inputs:
        for item in value if isinstance(value, (list, tuple)) else (value,):
            found = getattr(item, "graph", None)
            if found is None or found is graph:
                continue
            if graph is not None and isinstance(found, Graph):
                raise ValueError(f"{item} must be from the same graph as {first} (graphs are {found} and {graph}).")
            if isinstance(found, Graph):
                graph, first = found, item
    return graph or defaults.get_default_graph()


def _resolve(signature: Signature, inputs: Sequence[Any], given: Mapping[str, Any], scope: str, graph: Graph) -> tuple[list[Tensor], dict[str, Any]]:
    if len(inputs) != len(signature.inputs):
        raise TypeError(f"{signature.name} takes {len(signature.inputs)} inputs, {len(inputs)} were given")
    attrs = {name: _checked(_attr_of(signature, name), value, signature.name) for name, value in given.items() if value is not None}
    tensors: list[Tensor] = []
    sources: dict[str, str] = {}  # which input has fixed a type
    for arg, value in zip(signature.inputs, inputs, strict=True):
        if arg.is_list:
            tensors += _list_input(signature, arg, value, attrs, sources, scope, graph)
            continue
        wanted = arg.dtype or attrs.get(arg.type_attr)
        tensor = value if isinstance(value, Tensor) else _convert(signature, arg, value, wanted, sources, scope, graph, arg.name)
        dtype = tensor.dtype.base_dtype
        if wanted is not None and dtype is not wanted.base_dtype:
            raise _mismatch(signature, arg, tensor, wanted, sources)
        if arg.is_ref and not tensor.dtype.is_ref:
            raise TypeError(f"'{signature.name}' Op requires that input '{arg.name}' be a mutable tensor (e.g.: a tf.Variable)")
        if arg.type_attr and arg.type_attr not in attrs:
            attrs[arg.type_attr] = _checked_type(signature, arg, dtype)
            sources[arg.type_attr] = arg.name
        tensors.append(tensor)
    return tensors, _complete(signature, attrs)


def _list_input(
    signature: Signature, arg: Arg, values: Any, attrs: dict[str, Any], sources: dict[str, str], scope: str, graph: Graph
) -> list[Tensor]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{signature.name}' Op, not {values}.")
    if arg.number_attr:
        if attrs.setdefault(arg.number_attr, len(values)) != len(values):
            raise ValueError(
                f"List argument '{arg.name}' to '{signature.name}' Op with length {len(values)} must match length {attrs[arg.number_attr]}."
            )
        _check_minimum(signature.by_name[arg.number_attr], len(values), signature.name, f"List argument '{arg.name}'")
        wanted = arg.dtype or attrs.get(arg.type_attr)
        if wanted is None:
            wanted = next((value.dtype.base_dtype for value in values if hasattr(value, "dtype") and isinstance(value.dtype, DType)), None)
        tensors: list[Tensor] = []
        for index, value in enumerate(values):
            tensor = value if isinstance(value, Tensor) else _convert(signature, arg, value, wanted, sources, scope, graph, f"{arg.name}_{index}")
            wanted = wanted or tensor.dtype.base_dtype
            tensors.append(tensor)
        if any(tensor.dtype.base_dtype is not wanted for tensor in tensors):
            types = ", ".join(tensor.dtype.base_dtype.name for tensor in tensors)
            tail = "that don't all match." if arg.type_attr not in sources else f"that do not match type {wanted} inferred from earlier arguments."
            raise TypeError(f"Tensors in list passed to '{arg.name}' of '{signature.name}' Op have types [{types}] {tail}")
        if arg.type_attr and arg.type_attr not in attrs and wanted is not None:
            attrs[arg.type_attr] = _checked_type(signature, arg, wanted)
            sources[arg.type_attr] = arg.name
        return tensors
    wanted_types = attrs.get(arg.type_list_attr) or [None] * len(values)
    if len(wanted_types) != len(values):
        raise ValueError(f"List argument '{arg.name}' to '{signature.name}' Op with length {len(values)} must match length {len(wanted_types)}.")
    tensors = [
        value if isinstance(value, Tensor) else _convert(signature, arg, value, wanted, sources, scope, graph, f"{arg.name}_{index}")
        for index, (value, wanted) in enumerate(zip(values, wanted_types, strict=True))
    ]
    attrs[arg.type_list_attr] = [tensor.dtype.base_dtype for tensor in tensors]
    _check_minimum(signature.by_name[arg.type_list_attr], len(values), signature.name, f"List argument '{arg.name}'")
    return tensors


def _convert(
    signature: Signature, arg: Arg, value: Any, wanted: DType | None, sources: Mapping[str, str], scope: str, graph: Graph, name: str
) -> Tensor:
    default = signature.by_name[arg.type_attr].default if arg.type_attr else REQUIRED
    hint = None if default is REQUIRED else default
    with graph.as_default(), graph.name_scope(scope + "/"):
        try:
            return convert_to_tensor(value, wanted, name, hint, as_ref=arg.is_ref)
        except ValueError as error:
            if value is None:
                raise ValueError(f"Tried to convert '{arg.name}' to a tensor and failed. Error: {error}") from None
            if wanted is None:
                raise
            message = str(error)
        except TypeError as error:
            if wanted is None:
                raise
            message = str(error)
        try:
            found: Any = convert_to_tensor(value, None, name, as_ref=arg.is_ref)
        except (TypeError, ValueError):
            raise TypeError(
                f"Expected {wanted.name} passed to parameter '{arg.name}' of op '{signature.name}', got {value!r} of type "
                f"'{type(value).__name__}' instead. Error: {message}"
            ) from None
        raise _mismatch(signature, arg, found, wanted, sources)


def _mismatch(signature: Signature, arg: Arg, tensor: Tensor, wanted: DType, sources: Mapping[str, str]) -> TypeError:
    found = f"Input '{arg.name}' of '{signature.name}' Op has type {tensor.dtype.base_dtype.name} that does not match"
    if arg.type_attr in sources:
        return TypeError(f"{found} type {wanted.name} of argument '{sources[arg.type_attr]}'.")
    return TypeError(f"{found} expected type of {wanted.name}.")


def _checked_type(signature: Signature, arg: Arg, dtype: DType) -> DType:
    allowed = signature.by_name[arg.type_attr].allowed
    if allowed is not None and dtype not in allowed:
        names = ", ".join(found.name for found in allowed)
        raise TypeError(f"Value passed to parameter '{arg.name}' has DataType {dtype.name} not in list of allowed values: {names}")
    return dtype


def _attr_of(signature: Signature, name: str) -> Attr:
    attr = signature.by_name.get(name)
    if attr is None:
        raise TypeError(f"{signature.name} got an unexpected attribute '{name}'; it has {', '.join(signature.by_name) or 'none'}")
    return attr


def _checked(attr: Attr, value: Any, op_name: str) -> Any:
    try:
        found = attr_value.normalised(value, attr.kind)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Expected {attr.kind} for argument '{attr.name}' of '{op_name}' Op, not {value!r}: {error}") from None
    if attr.allowed is not None:
        for item in found if attr.kind.startswith("list(") else (found,):
            item = item.base_dtype if isinstance(item, DType) else item
            if item not in attr.allowed:
                shown = item.name if isinstance(item, DType) else item.decode("utf-8", "replace")
                names = ", ".join(allowed.name if isinstance(allowed, DType) else f'"{allowed.decode()}"' for allowed in attr.allowed)
                error_type = TypeError if isinstance(item, DType) else ValueError
                raise error_type(f"Value for attr '{attr.name}' of {shown} is not in the list of allowed values: {names}; in '{op_name}' Op")
    if attr.kind == "int":
        _check_minimum(attr, found, op_name, f"Attr '{attr.name}'")
    elif attr.kind.startswith("list("):
        _check_minimum(attr, len(found), op_name, f"Attr '{attr.name}'")
    return found


def _check_minimum(attr: Attr, number: int, op_name: str, what: str) -> None:
    if attr.minimum is not None and number < attr.minimum:
        shown = "length" if attr.kind.startswith("list(") or what.startswith("List") else "value"
        raise ValueError(f"{what} of '{op_name}' Op passed {shown} {number} less than minimum {attr.minimum}.")


def _complete(signature: Signature, attrs: dict[str, Any]) -> dict[str, Any]:
    """All attributes, in the order of the signature."""
    found: dict[str, Any] = {}
    for attr in signature.attrs:
        value = attrs.get(attr.name, attr.default)
        if value is REQUIRED:
            raise TypeError(f"'{signature.name}' Op: no value for attribute '{attr.name}' of kind {attr.kind}")
        found[attr.name] = value
    return found
