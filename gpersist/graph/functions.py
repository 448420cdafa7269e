"""Calls of functions: plans of their bodies, made once for each set of attributes and devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.devices import Device, device_of
from gpersist.errors import InvalidArgumentError
from gpersist.graph.executor import run_raw
from gpersist.graph.function_library import body, find_function
from gpersist.graph.graph import Graph
from gpersist.graph.placer import Placer
from gpersist.graph.plan import Plan
from gpersist.graph.planner import Planner
from gpersist.graph.variables_store import Buffer

MAX_EXPANDED_NODES = 20_000_000
"""How many nodes a call may come to, functions called by functions counted each time, before it is refused."""


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
        places = tuple(_place(value) for value in arguments)
        key = (function.name, function.SerializeToString(deterministic=True), places)
        found = self._plans.get(key)
        if found is None:
            with self._lock:
                found = self._plans.get(key) or self._planned(function, places)
                self._plans[key] = found
        return run_raw(found[0], arguments)

    def _planned(self, function: protos.NameAttrList, places: Sequence[Device | None]) -> tuple[Plan, Graph]:
        definition = find_function(self._graph, function.name)
        count = len(definition.signature.input_arg)
        if count != len(places):
            raise InvalidArgumentError(f"function {function.name!r} takes {count} arguments, and is called with {len(places)}")
        self._check_size(definition, [])
        graph, inputs, outputs, also = body(self._graph, definition, function.attr)
        placer, planner = self._planner()
        placer.override(graph, {tensor.op: place for tensor, place in zip(inputs, places, strict=True) if place is not None})
        return planner.plan([*outputs, *also], inputs, [place or planner.host for place in places]), graph

    def _check_size(self, definition: protos.FunctionDef, path: list[str]) -> int:
        """How many nodes a call comes to."""
        name = definition.signature.name
        if name in path:
            raise InvalidArgumentError(f"function {name!r} calls itself ({' -> '.join([*path[path.index(name) :], name])}): it would never end")
        found = self._sizes.get(name)
        if found is None:
            found = len(definition.node_def)
            for node in definition.node_def:
                for called in _called_by(node):
                    inner = find_function(self._graph, called, is_optional=True)
                    if inner is not None:
                        found += self._check_size(inner, [*path, name])
            self._sizes[name] = found
        if found > MAX_EXPANDED_NODES:
            raise InvalidArgumentError(f"function {name!r} comes to {found} nodes with all that it calls; at most {MAX_EXPANDED_NODES} are run")
        return found


def _called_by(node: protos.NodeDef) -> list[str]:
    """The functions that a node calls."""
    names = [node.op]
    for value in node.attr.values():
        field = value.WhichOneof("value")
        if field == "func":
            names.append(value.func.name)
        elif field == "list":
            names += [each.name for each in value.list.func]
    return names


def _place(value: Any) -> Device | None:
    """Where an argument lives; None for handles and NumPy's scalars, which are everywhere."""
    if isinstance(value, Buffer):
        return value.device
    return device_of(value) if hasattr(value, "dtype") and not isinstance(value, np.generic) else None
