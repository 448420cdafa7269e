"""From a caller's arguments to a node: inputs made tensors, types and lengths inferred, attributes checked and filled in.

Follows `apply_op` of TensorFlow's `op_def_library`: inputs are converted in order, under the operation's own name scope and their own names
(`add/y`), and the first input with a type attribute fixes that type for the rest. Errors have TensorFlow's classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
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
    signature = found.signature()
    attrs = _of_kinds(signature, attrs)  # TensorFlow takes no name before this
    graph = graph_of(inputs)
    wanted = name or op_type
    if not isinstance(wanted, str):
        raise TypeError(f"expected string or bytes-like object, got '{type(wanted).__name__}'")
    scope = wanted[:-1] if wanted.endswith("/") else graph.unique_name(wanted)
    tensors, attributes = _Resolution(signature, graph, scope).resolve(inputs, attrs)
    if not signature.has_references:
        return graph._add(op_type, found, signature, scope, tensors, attributes)
    with ExitStack() as stack:  # what refers to a variable goes where the variable is
        for arg, value in zip(signature.inputs, inputs, strict=True):
            if arg.is_ref:
                stack.enter_context(graph.colocate_with(value[0] if arg.is_list else value))
        return graph._add(op_type, found, signature, scope, tensors, attributes)


def apply(op_type: str, *inputs: Any, name: str | None = None, **attrs: Any) -> Tensor:
    """`apply_op` of an operation with one output; gives that."""
    return apply_op(op_type, *inputs, name=name, **attrs).outputs[0]


def resolve(op_type: str, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> tuple[list[Tensor], dict[str, Any]]:
    """The tensors and the whole attributes of an operation, for these arguments of `apply_op`; adds constants to the graph where it has to."""
    signature = registry.get(op_type).signature()
    return _Resolution(signature, graph_of(inputs), op_type).resolve(inputs, _of_kinds(signature, attrs))


def graph_of(inputs: Sequence[Any]) -> Graph:
    """The graph that all tensors among the inputs are in; the default graph where there is none, or where it is a function in the making.

    Raises:
        ValueError: they are in different graphs.
    """
    if defaults.GRAPHS.entries and defaults.GRAPHS.entries[-1].building_function:
        return defaults.GRAPHS.entries[-1]  # what is taken from the graph around becomes an argument
    graph: Graph | None = None
    first: Any = None
    for value in inputs:
        for item in value if isinstance(value, (list, tuple)) else (value,):
            found = getattr(item, "graph", None)
            if found is graph or not isinstance(found, Graph):
                continue
            if graph is not None:
                raise ValueError(f"{item} must be from the same graph as {first} (graphs are {found} and {graph}).")
            graph, first = found, item
    return graph or defaults.get_default_graph()


class _Resolution:
    """One call's arguments on their way to a node.

    Args:
        signature: the operation's.
        graph: that the node will be in.
        scope: the node's name, under which constants are made.
    """

    def __init__(self, signature: Signature, graph: Graph, scope: str) -> None:
        self._signature = signature
        self._graph = graph
        self._scope = scope
        self._attrs: dict[str, Any] = {}
        self._sources: dict[str, str] = {}  # which input has fixed a type

    def resolve(self, inputs: Sequence[Any], given: Mapping[str, Any]) -> tuple[list[Tensor], dict[str, Any]]:
        """The tensors, lists of them flat, and all attributes, in the order of the signature."""
        signature = self._signature
        if len(inputs) != len(signature.inputs):
            raise TypeError(f"{signature.name} takes {len(signature.inputs)} inputs, {len(inputs)} were given")
        for name, value in given.items():
            self._attrs[name] = self._checked(name, value)
        tensors: list[Tensor] = []
        for arg, value in zip(signature.inputs, inputs, strict=True):
            if not arg.is_list:
                tensors.append(self._input(arg, value))
            elif not isinstance(value, (list, tuple)):
                raise TypeError(f"Expected list for '{arg.name}' argument to '{signature.name}' Op, not {value}.")
            else:
                tensors += self._same_types(arg, value) if arg.number_attr else self._own_types(arg, value)
        return tensors, self._complete()

    # ---- inputs

    def _input(self, arg: Arg, value: Any) -> Tensor:
        wanted = arg.dtype or self._attrs.get(arg.type_attr)
        tensor = value if isinstance(value, Tensor) else self._convert(arg, value, wanted, arg.name)
        dtype = tensor.dtype.base_dtype
        if wanted is None:
            self._fix_type(arg, dtype)
        elif dtype is not wanted.base_dtype:
            raise self._mismatch(arg, tensor, wanted)
        if arg.is_ref and not tensor.dtype.is_ref:
            raise TypeError(f"'{self._signature.name}' Op requires that input '{arg.name}' be a mutable tensor (e.g.: a tf.Variable)")
        return tensor

    def _same_types(self, arg: Arg, values: Sequence[Any]) -> list[Tensor]:
        """The tensors of `N * T`."""
        name = self._signature.name
        if self._attrs.setdefault(arg.number_attr, len(values)) != len(values):
            raise ValueError(f"List argument '{arg.name}' to '{name}' Op with length {len(values)} must match length {self._attrs[arg.number_attr]}.")
        self._check_minimum(
            arg.number_attr, len(values), f"List argument '{arg.name}' to '{name}' Op with length {len(values)} shorter than minimum length"
        )
        wanted = arg.dtype or self._attrs.get(arg.type_attr)
        if wanted is None:
            wanted = next((value.dtype.base_dtype for value in values if isinstance(getattr(value, "dtype", None), DType)), None)
        tensors: list[Tensor] = []
        try:
            for index, value in enumerate(values):
                tensor = value if isinstance(value, Tensor) else self._convert(arg, value, wanted, f"{arg.name}_{index}")
                wanted = wanted or tensor.dtype.base_dtype
                tensors.append(tensor)
        except (TypeError, ValueError):
            raise self._not_alike(arg, values) from None
        if any(tensor.dtype.base_dtype is not wanted for tensor in tensors):
            raise self._not_alike(arg, tensors)
        if wanted is not None and arg.type_attr and arg.type_attr not in self._attrs:
            self._fix_type(arg, wanted)
        return tensors

    def _not_alike(self, arg: Arg, values: Sequence[Any]) -> TypeError:
        """The error of a list whose items are not all of the type that they have to be, or of one type."""
        types = []
        for value in values:
            try:
                types.append(convert_to_tensor(value).dtype.base_dtype.name)
            except (TypeError, ValueError):
                types.append("<NOT CONVERTIBLE TO TENSOR>")
        why = "that don't all match."
        if arg.dtype is not None:
            why = f"that do not match expected type {arg.dtype.name}."
        elif arg.type_attr in self._sources:
            why = f"that do not match type {self._attrs[arg.type_attr].name} inferred from earlier arguments."
        return TypeError(f"Tensors in list passed to '{arg.name}' of '{self._signature.name}' Op have types [{', '.join(types)}] {why}")

    def _own_types(self, arg: Arg, values: Sequence[Any]) -> list[Tensor]:
        """The tensors of a list with a type for each."""
        types = self._attrs.get(arg.type_list_attr) or [None] * len(values)
        if len(types) != len(values):
            raise ValueError(f"List argument '{arg.name}' to '{self._signature.name}' Op with length {len(values)} must match length {len(types)}.")
        tensors = [
            value if isinstance(value, Tensor) else self._convert(arg, value, wanted, f"{arg.name}_{index}")
            for index, (value, wanted) in enumerate(zip(values, types, strict=True))
        ]
        self._attrs[arg.type_list_attr] = [tensor.dtype.base_dtype for tensor in tensors]
        shown = f"list of length {len(values)}"
        self._check_minimum(
            arg.type_list_attr, len(values), f"Attr '{arg.type_list_attr}' of '{self._signature.name}' Op passed {shown} less than minimum"
        )
        return tensors

    def _convert(self, arg: Arg, value: Any, wanted: DType | None, name: str) -> Tensor:
        """Makes a tensor of a value, under the operation's name."""
        default = self._signature.by_name[arg.type_attr].default if arg.type_attr else REQUIRED
        hint = None if default is REQUIRED else default
        allowed = self._signature.by_name[arg.type_attr].allowed if hint is not None else None
        with self._graph.as_default(), self._graph.name_scope(self._scope + "/"):
            try:
                if wanted is None and allowed is not None:  # its own type goes before the default one
                    with suppress(TypeError):
                        own = convert_to_tensor(value, None, name, as_ref=arg.is_ref)
                        if own.dtype.base_dtype in allowed:
                            return own
                return convert_to_tensor(value, wanted, name, hint, as_ref=arg.is_ref)
            except TypeError as error:
                if wanted is None:
                    raise
                raise TypeError(
                    f"Expected {wanted.name} passed to parameter '{arg.name}' of op '{self._signature.name}', got {value!r} of type "
                    f"'{type(value).__name__}' instead. Error: {error}"
                ) from None
            except ValueError as error:
                if value is not None and wanted is None:
                    raise
                try:
                    found = convert_to_tensor(value, None, name, as_ref=arg.is_ref)
                except (TypeError, ValueError):
                    raise ValueError(f"Tried to convert '{arg.name}' to a tensor and failed. Error: {error}") from None
        assert wanted is not None
        raise self._mismatch(arg, found, wanted)

    def _mismatch(self, arg: Arg, tensor: Tensor, wanted: DType) -> TypeError:
        found = f"Input '{arg.name}' of '{self._signature.name}' Op has type {tensor.dtype.base_dtype.name} that does not match"
        if arg.type_attr in self._sources:
            return TypeError(f"{found} type {wanted.name} of argument '{self._sources[arg.type_attr]}'.")
        return TypeError(f"{found} expected type of {wanted.name}.")

    def _fix_type(self, arg: Arg, dtype: DType) -> None:
        """The type attribute of an input is from now on this."""
        allowed = self._signature.by_name[arg.type_attr].allowed
        if allowed is not None and dtype not in allowed:
            names = ", ".join(found.name for found in allowed)
            raise TypeError(f"Value passed to parameter '{arg.name}' has DataType {dtype.name} not in list of allowed values: {names}")
        self._attrs[arg.type_attr] = dtype
        self._sources[arg.type_attr] = arg.name

    # ---- attributes

    def _checked(self, name: str, found: Any) -> Any:
        """An attribute's value, if it is allowed."""
        op_name, attr = self._signature.name, self._signature.by_name[name]
        is_list = attr.kind.startswith("list(")
        if attr.allowed is not None:
            for item in found if is_list else (found,):
                _check_allowed(attr, item, op_name)
        if attr.minimum is not None and (is_list or attr.kind == "int"):
            shown = f"list of length {len(found)}" if is_list else found
            self._check_minimum(name, len(found) if is_list else found, f"Attr '{name}' of '{op_name}' Op passed {shown} less than minimum")
        return found

    def _check_minimum(self, name: str, number: int, what: str) -> None:
        minimum = self._signature.by_name[name].minimum
        if minimum is not None and number < minimum:
            raise ValueError(f"{what} {minimum}.")

    def _complete(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attr in self._signature.attrs:
            value = self._attrs.get(attr.name, attr.default)
            if value is REQUIRED:
                raise TypeError(f"'{self._signature.name}' Op: no value for attribute '{attr.name}' of kind {attr.kind}")
            found[attr.name] = value
        return found


def _of_kinds(signature: Signature, given: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are given, as `gpersist.graph.attr_value` has them."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        attr = signature.by_name.get(name)
        if attr is None:
            raise TypeError(f"{signature.name} got an unexpected attribute '{name}'; it has {', '.join(signature.by_name) or 'none'}")
        if value is None and not (attr.kind == "string" and attr.default is REQUIRED):  # no input tells a string
            continue
        try:
            found[name] = attr_value.normalised(value, attr.kind)
        except (TypeError, ValueError):
            raise TypeError(f"Expected {attr.kind} for argument '{name}' not {value!r}.") from None
    return found


def _check_allowed(attr: Attr, item: Any, op_name: str) -> None:
    assert attr.allowed is not None
    if isinstance(item, DType):
        if item.base_dtype not in attr.allowed:
            names = ", ".join(allowed.name for allowed in attr.allowed)
            raise TypeError(f"Value passed to parameter '{attr.name}' has DataType {item.name} not in list of allowed values: {names}")
    elif item not in attr.allowed:
        names = ", ".join(f'"{allowed.decode()}"' for allowed in attr.allowed)
        raise ValueError(f"Attr '{attr.name}' of '{op_name}' Op passed string '{item.decode('utf-8', 'replace')}' not in: {names}.")
