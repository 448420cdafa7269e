"""The objects of a SavedModel that TensorFlow 2 wrote (`SavedObjectGraph`), made anew: variables on devices, tables, assets, functions with what they
have captured.

A node is one of: a variable, a constant of the graph, an asset, a resource made by its function `_create_resource`, a function with its traces, or an
object of the user's, which is all that it has under names. A trace is called with the tensors of its arguments and then those that it captured, which
are nodes as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.checkpoint import CheckpointReader, ObjectGraph, ObjectNode, TensorSpec, Wanted, fetch, place
from gpersist.dtypes import from_enum
from gpersist.errors import DataLossError, GPersistError, NotFoundError, PermissionDeniedError, UnimplementedError
from gpersist.graph import Buffer, Session, as_array, make_ndarray
from gpersist.ops.lookup_ops import Table
from gpersist.saved_model.concrete_functions import ConcreteFunction, Function, Parameters, own
from gpersist.shapes import TensorShape, as_shape

_LISTS = ("trackable_list_wrapper", "trackable_tuple_wrapper")
_DICTS = ("trackable_dict_wrapper",)
_VALUE = "VARIABLE_VALUE"
_MAX_TOLD = 10


class LoadedObject:
    """An object of the program that saved the model: what it had, under the same names; callable, if `__call__` was saved.

    Attributes:
        children: all of that by name, for names that Python has otherwise.
    """

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self.children: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        children = self.__dict__.get("children", {})
        if name not in children:
            raise AttributeError(f"the saved object has no {name!r}; it has {', '.join(map(repr, children)) or 'nothing'}")
        return children[name]

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Calls the function `__call__` that was saved with it; see `Function`."""
        function = self.children.get("__call__")
        if not callable(function):
            there = ", ".join(self._functions()) or "none"
            raise TypeError(f"the saved object has no function '__call__'; its functions are {there}; a model's signatures are in .signatures")
        return function(*args, **named)

    def __dir__(self) -> Iterator[str]:
        yield from super().__dir__()
        yield from (name for name in self.children if name.isidentifier())

    def _functions(self) -> list[str]:
        return [name for name, child in self.children.items() if isinstance(child, Function)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {', '.join(self.children) or 'nothing'}>"


class LoadedVariable:
    """A variable, which lives on a device.

    Attributes:
        name: that it had; several may have the same one.
        path: how it is reached from the model.
        dtype, shape: its own; the shape may be known in part only.
        trainable: whether training changes it.
    """

    def __init__(self, message: protos.SavedVariable, path: str, number: int) -> None:
        self.name = message.name or path or f"variable_{number}"
        self.path = path
        self.dtype = from_enum(message.dtype, f"variable {self.name!r}")
        self.shape: TensorShape = as_shape(message.shape)
        self.trainable = message.trainable
        self._recorded = message.device
        self._key = f"{number}/{self.name}"
        self._buffer: Buffer | None = None

    @property
    def buffer(self) -> Buffer:
        """Its place in the model's session."""
        assert self._buffer is not None  # whoever has a model has all of its variables
        return self._buffer

    @property
    def device(self) -> str:
        """The device where it lives."""
        return self.buffer.device.name

    def read(self) -> Any:
        """Its value, as an array of its device that is the caller's own."""
        return own(self.buffer.read())

    def numpy(self) -> np.ndarray[Any, Any]:
        """Its value, as a new NumPy array."""
        value = self.read()
        return value if isinstance(value, np.ndarray) and self.buffer.device.is_host else _to_host(value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    def __repr__(self) -> str:
        return f"<LoadedVariable {self.name!r}: {self.dtype.name}{list(self.shape.sizes) if self.shape.sizes is not None else ''} on {self.device}>"


def _to_host(value: Any) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = value.get()
    return found


class Objects:
    """All objects of a SavedModel in the making. `load` does everything.

    Args:
        message: the graph's.
        session: whose graph has the functions; it gets variables and tables.
        assets: paths of the assets, in the order of the graph's message.
        where: the SavedModel's folder, for errors.
    """

    def __init__(self, message: protos.MetaGraphDef, session: Session, assets: Sequence[str], where: str) -> None:
        self._nodes = message.object_graph_def.nodes
        self._functions = message.object_graph_def.concrete_functions
        self._constants = {node.name: node for node in message.graph_def.node if node.op == "Const"}
        self._session = session
        self._assets = assets
        self._where = where
        self._captured: dict[int, Any] = {}
        self._in_making: set[int] = set()
        self.variables: list[LoadedVariable] = []
        self.made: list[Any] = []

    def load(self, prefix: str, device_map: Any, root: LoadedObject) -> None:
        """Makes the objects, the first one being `root`; restores variables from a checkpoint, makes tables and fills them.

        Raises:
            GPersistError: see `saved_model.load`.
        """
        if not self._nodes:
            raise DataLossError(f"{self._where!r}: no objects, not even the root; the file is damaged: use another copy")
        paths = self._paths()
        self.made = [self._make(number, node, paths) for number, node in enumerate(self._nodes)]
        self.made[0] = root
        for number, node in enumerate(self._nodes):
            self._add_children(self.made[number], node)
        resources = [number for number, node in enumerate(self._nodes) if node.WhichOneof("kind") == "resource"]
        if self.variables or any(self._nodes[number].saveable_objects for number in resources):
            with CheckpointReader(prefix) as reader:
                saved = self._saved(reader.object_graph())
                self._restore(reader, saved, device_map)
                self._fill_resources(resources)
                self._restore_tables(resources, saved)
        else:
            self._fill_resources(resources)

    def concrete_function(self, name: str) -> ConcreteFunction:
        """A trace.

        Raises:
            DataLossError: there is none of that name.
        """
        if name not in self._functions:
            raise DataLossError(f"{self._where!r}: no concrete function {name!r} in the file; it is damaged: use another copy")
        message = self._functions[name]
        numbers = list(message.bound_inputs)
        for number in numbers:
            self._known(number, f"a capture of {name!r}")

        def run(tensors: list[Any]) -> list[Any]:
            self._check_paths(name, numbers)
            return self._call(name, [*tensors, *(self.captured(number) for number in numbers)])

        self._session.functions.argument_names(name)  # it is there
        return ConcreteFunction(name, message, lambda tensors: [own(value) for value in run(tensors)])

    def captured(self, number: int) -> Any:
        """What a function gets for a node that it has captured: a variable's buffer, a table, a path, an array."""
        found = self._captured.get(number)
        if found is None:
            node = self._nodes[self._known(number, "a capture")]
            found = self._captured[number] = self._capture(number, node)
        return found

    def _capture(self, number: int, node: protos.SavedObject) -> Any:
        kind = node.WhichOneof("kind")
        if kind == "variable":
            return self.made[number].buffer
        if kind == "asset":
            if not 0 <= node.asset.asset_file_def_index < len(self._assets):
                raise DataLossError(f"{self._where!r}: asset {node.asset.asset_file_def_index} of {len(self._assets)}; the file is damaged")
            return as_array(self._assets[node.asset.asset_file_def_index], "string")
        if kind == "constant":
            source = self._constants.get(node.constant.operation)
            if source is None:
                raise DataLossError(f"{self._where!r}: no constant {node.constant.operation!r} in the graph; the file is damaged")
            return make_ndarray(source.attr["value"].tensor)
        if kind == "resource":
            return self._resource(number)
        raise UnimplementedError(f"{self._where!r}: a function captures an object of kind {kind or 'none'!r}, which gpersist does not make")

    def _resource(self, number: int) -> Any:
        if number in self._in_making:
            raise DataLossError(f"{self._where!r}: resource {number} needs itself to be made; the file is damaged")
        self._in_making.add(number)
        handles = self._method(number, "_create_resource")
        self._in_making.discard(number)
        if handles is None or len(handles) != 1:
            raise UnimplementedError(f"{self._where!r}: resource {number} has no function that makes it, and gpersist does not know its kind")
        return handles[0]

    def _method(self, number: int, name: str) -> list[Any] | None:
        """What a resource's own function gives; None, if there is none."""
        child = next((child.node_id for child in self._nodes[number].children if child.local_name == name), None)
        if child is None:
            return None
        node = self._nodes[self._known(child, f"{name!r} of resource {number}")]
        names = list(node.function.concrete_functions) or [node.bare_concrete_function.concrete_function_name]
        if names[0] not in self._functions:
            raise DataLossError(f"{self._where!r}: no concrete function {names[0]!r} in the file; it is damaged: use another copy")
        numbers = list(self._functions[names[0]].bound_inputs)
        self._check_paths(names[0], numbers)
        return self._call(names[0], [self.captured(each) for each in numbers])

    def _call(self, name: str, values: Sequence[Any]) -> list[Any]:
        """Runs a function of the library."""
        try:
            with np.errstate(all="ignore"):
                return self._session.functions.call(protos.NameAttrList(name=name), values)
        except GPersistError:
            raise
        except (KeyError, TypeError, ValueError) as error:  # of importing its nodes
            raise DataLossError(f"{self._where!r}: function {name!r} makes no sense: {error}") from error

    def _check_paths(self, name: str, numbers: Sequence[int]) -> None:
        """Holds that a function takes no path of a file from the model, other than those of assets."""
        known = len(self._session.functions.argument_names(name)) - len(numbers)
        for index in self._session.functions.path_arguments(name):
            if index >= known and self._nodes[numbers[index - known]].WhichOneof("kind") != "asset":
                raise PermissionDeniedError(
                    f"{self._where!r}: function {name!r} touches a file that is none of the model's assets, and that nobody has named"
                )

    def _known(self, number: int, what: str) -> int:
        if not 0 <= number < len(self._nodes):
            raise DataLossError(f"{self._where!r}: {what} is object {number} of {len(self._nodes)}; the file is damaged: use another copy")
        return number

    # ---- objects and their names

    def _paths(self) -> dict[int, str]:
        """The shortest way to each object."""
        paths = {0: ""}
        waiting = deque([0])
        while waiting:
            number = waiting.popleft()
            for child in self._nodes[number].children:
                if self._known(child.node_id, f"{child.local_name!r} of object {number}") not in paths:
                    paths[child.node_id] = f"{paths[number]}/{child.local_name}" if number else child.local_name
                    waiting.append(child.node_id)
        return paths

    def _make(self, number: int, node: protos.SavedObject, paths: Mapping[int, str]) -> Any:
        kind = node.WhichOneof("kind")
        path = paths.get(number, "")
        if kind == "variable":
            if node.variable.experimental_distributed_variable_components:
                raise UnimplementedError(f"{self._where!r}: variable {node.variable.name!r} is a distributed one; save the model without a strategy")
            made = LoadedVariable(node.variable, path, number)
            self.variables.append(made)
            return made
        if kind == "function":
            names = list(node.function.concrete_functions)
            parameters = Parameters.of(node.function.function_spec)
            return Function(path.rpartition("/")[2], [self.concrete_function(name) for name in names], parameters)
        if kind == "bare_concrete_function":
            bare = node.bare_concrete_function
            function = self.concrete_function(bare.concrete_function_name)
            return Function(path.rpartition("/")[2], [function], _flat_parameters(bare, function))
        if kind == "asset":
            return self.captured(number)[()].decode("utf-8", "surrogateescape")
        if kind == "constant":
            return self.captured(number)
        identifier = node.user_object.identifier if kind == "user_object" else kind or ""
        if identifier in _LISTS:
            return []
        return {} if identifier in _DICTS else LoadedObject(identifier)

    def _add_children(self, made: Any, node: protos.SavedObject) -> None:
        children = {child.local_name: self.made[child.node_id] for child in node.children}
        if isinstance(made, LoadedObject):
            made.children.update(children)
        elif isinstance(made, dict):
            made.update(children)
        elif isinstance(made, list):
            made += [children[name] for name in sorted((name for name in children if name.isdecimal()), key=int)]

    # ---- values

    def _saved(self, graph: ObjectGraph) -> dict[int, ObjectNode]:
        """What the checkpoint has of each object: both graphs are walked alike, by names, since their numbers may differ."""
        found = {0: graph.root}
        waiting = deque([0])
        while waiting:
            number = waiting.popleft()
            for child in self._nodes[number].children:
                other = found[number].children.get(child.local_name)
                if other is not None and child.node_id not in found:
                    found[child.node_id] = other
                    waiting.append(child.node_id)
        for number, node in enumerate(self._nodes):
            for slot in node.slot_variables:
                variable = found.get(slot.original_variable_node_id)
                if number in found and variable is not None:
                    other = found[number].slots.get(slot.slot_name, {}).get(variable.path)
                    if other is not None:
                        found.setdefault(self._known(slot.slot_variable_node_id, f"slot {slot.slot_name!r}"), other)
        return found

    def _restore(self, reader: CheckpointReader, saved: Mapping[int, ObjectNode], device_map: Any) -> None:
        keys = self._keys(reader, saved)
        there = [(variable, keys[number]) for number, variable in enumerate(self.made) if isinstance(variable, LoadedVariable)]
        specs = []
        for variable, key in there:
            stored = reader[key]
            specs.append(TensorSpec(variable.name, tuple(stored.shape), variable.dtype, stored.size_bytes, variable._recorded))
        placed = place(specs, "recorded" if device_map is None else device_map, available=self._session.available_devices)
        wanted = [
            Wanted(key, variable.dtype, device, shape=None if variable.shape.sizes is None else tuple(variable.shape.sizes))
            for (variable, key), device in zip(there, placed.devices, strict=True)
        ]
        for (variable, _), device, array in zip(there, placed.devices, fetch(reader.prefix, wanted), strict=True):
            variable._buffer = self._session.variables.buffer(variable._key, variable.dtype, device)
            variable._buffer.adopt(array)

    def _keys(self, reader: CheckpointReader, saved: Mapping[int, ObjectNode]) -> dict[int, str]:
        """The key of each variable's value, by the variable's number."""
        keys: dict[int, str] = {}
        missing: list[str] = []
        for number, variable in enumerate(self.made):
            if isinstance(variable, LoadedVariable):
                tensors = saved[number].tensors if number in saved else {}
                key = tensors[_VALUE].name if _VALUE in tensors else variable.name
                if key in reader:
                    keys[number] = key
                else:
                    missing.append(variable.path or variable.name)
        if missing:
            told = ", ".join(map(repr, missing[:_MAX_TOLD])) + (", ..." if len(missing) > _MAX_TOLD else "")
            raise NotFoundError(f"{self._where!r}: the checkpoint {reader.prefix!r} lacks {len(missing)} of {len(self.variables)} variables: {told}")
        return keys

    def _fill_resources(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.captured(number)
        for number in numbers:
            self._method(number, "_initialize")

    def _restore_tables(self, numbers: Sequence[int], saved: Mapping[int, ObjectNode]) -> None:
        for number in numbers:
            for name in self._nodes[number].saveable_objects:
                table, tensors = self.captured(number), saved[number].tensors if number in saved else {}
                parts = [tensors.get(f"{name}{end}") for end in ("-keys", "-values")]
                if not isinstance(table, Table) or parts[0] is None or parts[1] is None:
                    raise UnimplementedError(f"{self._where!r}: resource {number} has values in the checkpoint, and gpersist does not know its kind")
                table.replace(parts[0].read(), parts[1].read())


def _flat_parameters(bare: protos.SavedBareConcreteFunction, function: ConcreteFunction) -> Parameters:
    positional, named = function.inputs
    names = tuple(bare.argument_keywords)
    return Parameters(names[: len(positional)], {}, tuple(sorted(named)))
