"""Calls of functions: plans of their bodies, made once for each set of attributes and devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.devices import Device, device_of
from gpersist.dtypes import DType
from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph.executor import run_raw
from gpersist.graph.function_library import body, find_function
from gpersist.graph.graph import Graph
from gpersist.graph.operation import Operation
from gpersist.graph.permissions import path_arguments
from gpersist.graph.placer import Placer
from gpersist.graph.plan import Plan
from gpersist.graph.planner import Planner
from gpersist.graph.tensor import Tensor
from gpersist.graph.variables_store import Buffer

Body = tuple[Graph, list[Tensor], list[Tensor], list[Operation]]
"""A function as a graph, see `gpersist.graph.function_library.body`."""

MAX_EXPANDED_NODES = 20_000_000
"""How many nodes a call may come to, functions called by functions counted each time, before it is refused."""

MAX_DEPTH = 60
"""How deep calls may be within each other."""


class Functions:
    """The functions that a session's graph calls. Safe for threads.

    Args:
        graph: whose library it is.
        planner: makes a planner, and a placer, for the body of a function.
    """

    def __init__(self, graph: Graph, planner: Callable[[], tuple[Placer, Planner]]) -> None:
        self._graph = graph
        self._planner = planner
        self._plans: dict[Any, tuple[Plan, Graph]] = {}
        self._sizes: dict[str, int] = {}
        self._lock = threading.RLock()

    def call(self, function: protos.NameAttrList, arguments: Sequence[Any]) -> list[Any]:
        """Runs a function.

        Args:
            function: its name, and the attributes that it is called with.
            arguments: arrays on any device, and handles.

        Returns:
            The results, each on the device that it was made on.

        Raises:
            NotFoundError: the library has no such function.
            InvalidArgumentError: it takes another number of arguments, calls itself, or calls others too often.
            GPersistError: an operation of it failed.
        """
        key = (function.name, function.SerializeToString(deterministic=True))
        return self.call_made(key, lambda: self.body(function, len(arguments)), arguments)

    def call_made(self, key: Any, make: Callable[[], Body], arguments: Sequence[Any]) -> list[Any]:
        """Runs a graph as `call` does the body of a function.

        Args:
            key: of what is made; the same one gives the same graph.
            make: gives the graph, a placeholder for each argument, the results, and the operations that have to run besides.
            arguments: arrays on any device, and handles.
        """
        places = tuple(place_of(value) for value in arguments)
        found = self._plans.get((key, places))
        if found is None:
            with self._lock:
                found = self._plans.get((key, places)) or self._planned(make(), places)
                self._plans[key, places] = found
        return run_raw(found[0], arguments)

    def forget(self, key: Any) -> None:
        """Drops the plans that `call_made` has made for a key."""
        with self._lock:
            for each in [each for each in self._plans if each[0] == key]:
                del self._plans[each]

    def forget_places(self) -> None:
        """Has all bodies placed anew when they are called next."""
        with self._lock:
            self._plans.clear()

    def argument_names(self, name: str) -> list[str]:
        """What a function's arguments are called.

        Raises:
            NotFoundError: the library has no such function.
        """
        return [arg.name for arg in find_function(self._graph, name).signature.input_arg]

    def path_arguments(self, name: str) -> frozenset[int]:
        """Which arguments of a function name files; see `gpersist.graph.permissions`."""
        return path_arguments(self._graph, name)

    def check_types(self, function: protos.NameAttrList, takes: Sequence[DType], gives: Sequence[DType]) -> None:
        """Holds that a function takes and gives what its call says.

        Raises:
            NotFoundError: the library has no such function.
            InvalidArgumentError: it takes something else.
            InternalError: it gives something else; TensorFlow's kind of error.
        """
        signature = find_function(self._graph, function.name).signature
        wanted, made = ([_type_of(arg, function) for arg in args] for args in (signature.input_arg, signature.output_arg))
        if len(wanted) != len(takes):
            raise InvalidArgumentError(f"function {function.name!r} takes {len(wanted)} arguments, and is called with {len(takes)}")
        for index, (kind, given) in enumerate(zip(wanted, takes, strict=True)):
            if kind != given.base_dtype.enum:
                raise InvalidArgumentError(
                    f"Expects arg[{index}] to be {_shown(kind)} but {_shown(given.base_dtype.enum)} is provided: function {function.name!r}"
                )
        if len(made) < len(gives):
            raise InternalError(f"Missing {len(made)}-th output: function {function.name!r} gives {len(made)}, and {len(gives)} are taken")
        for index, (kind, taken) in enumerate(zip(made, gives, strict=False)):
            if kind != taken.enum:
                raise InternalError(
                    f"Output {index} of type {_shown(kind)} does not match declared output type {_shown(taken.enum)}: function {function.name!r}"
                )

    def on_host(self, value: Any) -> Any:
        """A result in host memory."""
        _, planner = self._planner()
        return planner.move(value, planner.host)

    def body(self, function: protos.NameAttrList, count: int) -> Body:
        """The graph of a function, as `call_made` takes it.

        Args:
            function: its name, and the attributes that it is called with.
            count: of the arguments of the call.

        Raises:
            NotFoundError: the library has no such function.
            InvalidArgumentError: it takes another number of arguments, calls itself, or calls others too often.
        """
        definition = find_function(self._graph, function.name)
        wanted = len(definition.signature.input_arg)
        if wanted != count:
            raise InvalidArgumentError(f"function {function.name!r} takes {wanted} arguments, and is called with {count}")
        self._check_size(definition, [])
        return body(self._graph, definition, function.attr)

    def _planned(self, made: Body, places: Sequence[Device | None]) -> tuple[Plan, Graph]:
        graph, inputs, outputs, also = made
        placer, planner = self._planner()
        placer.override(graph, {tensor.op: place for tensor, place in zip(inputs, places, strict=True) if place is not None}, placer.moved)
        return planner.plan([*outputs, *also], inputs, [place or planner.host for place in places]), graph

    def _check_size(self, definition: protos.FunctionDef, path: list[str]) -> int:
        """How many nodes a call comes to."""
        name = definition.signature.name
        if len(path) > MAX_DEPTH:
            raise InvalidArgumentError(f"function {path[0]!r} calls functions that call others, more than {MAX_DEPTH} deep (at {name!r})")
        if name in path:
            raise InvalidArgumentError(f"function {name!r} calls itself ({' -> '.join([*path[path.index(name) :], name])}): it would never end")
        found = self._sizes.get(name)
        if found is None:
            found = len(definition.node_def)
            for node in definition.node_def:
                for called in called_by(node):
                    inner = find_function(self._graph, called, is_optional=True)
                    if inner is not None:
                        found += self._check_size(inner, [*path, name])
            self._sizes[name] = found
        if found > MAX_EXPANDED_NODES:
            raise InvalidArgumentError(f"function {name!r} comes to {found} nodes with all that it calls; at most {MAX_EXPANDED_NODES} are run")
        return found


def called_by(node: protos.NodeDef) -> list[str]:
    """The functions that a node calls."""
    names = [node.op]
    for value in node.attr.values():
        field = value.WhichOneof("value")
        if field == "func":
            names.append(value.func.name)
        elif field == "list":
            names += [each.name for each in value.list.func]
    return names


def _type_of(arg: protos.OpDef.ArgDef, function: protos.NameAttrList) -> int:
    return int(arg.type or function.attr[arg.type_attr].type)


def _shown(kind: int) -> str:
    """A type as in an OpDef."""
    return protos.DataType.Name(kind).removeprefix("DT_").lower() if kind else "?"


def place_of(value: Any) -> Device | None:
    """Where an argument lives; None for handles and NumPy's scalars, which are everywhere."""
    if isinstance(value, Buffer):
        return value.device
    return device_of(value) if hasattr(value, "dtype") and not isinstance(value, np.generic) else None
