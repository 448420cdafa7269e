"""Keras's models as layers: Sequential, and those made of nodes that take what other nodes give ("functional").

A node is one call of a layer. A config names the tensors that it takes as `[layer, node, output]`; in Keras 3 the same stands in a dict of the class
`__keras_tensor__`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gpersist.dtypes import as_dtype
from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Flow, Layer, Slot
from gpersist.keras.operations import Operation
from gpersist.keras.wrapper_layers import made
from gpersist.ops.casting import cast
from gpersist.ops.constants import placeholder


class Reference(NamedTuple):
    """A tensor: which output of which call of which layer."""

    layer: str
    node: int
    output: int


class _Call(NamedTuple):
    """A call of a layer; of an operation it is the arguments that count, in which the inputs stand in the same order."""

    inputs: list[Reference]
    mask: Reference | None
    arguments: list[Any]
    named: dict[str, Any]


class InputLayer(Layer):
    """An input of a model: a placeholder, but in a model within another one."""

    def placeholder(self) -> Tensor:
        """The placeholder."""
        self.refuse("sparse", "ragged")
        shape = self.config.get("batch_input_shape", self.config.get("batch_shape"))
        return _placeholder(self.name, shape, self.dtype)

    def call(self, x: Tensor) -> Tensor:
        return x


class Network(Layer, names=("Sequential", "Model", "Functional"), abstract=True):
    """A model: layers, and where its tensors come from and go to.

    Attributes:
        layers: those of it, in the file's order.
        input_names: names of its inputs.
        output_names: names of the layers that give its outputs.
    """

    layers: list[Layer]
    input_names: list[str]
    output_names: list[str]

    def slots(self) -> list[Slot]:
        found = [slot for layer in self.layers for slot in layer.slots()]
        return [slot for slot in found if slot.is_trainable] + [slot for slot in found if not slot.is_trainable]

    def placeholders(self) -> list[Tensor]:
        """A placeholder for each of its inputs."""
        raise NotImplementedError

    def _named(self) -> dict[str, Layer]:
        found = {layer.name: layer for layer in self.layers}
        if len(found) < len(self.layers):
            names = [layer.name for layer in self.layers]
            raise DataLossError(f"has several layers named {next(name for name in names if names.count(name) > 1)!r}")
        return found


class Sequential(Network):
    """Layers one after the other."""

    def prepare(self) -> None:
        specs = self.get("layers", [], list)
        layers = [made(spec, self.building) for spec in specs]
        if not layers:
            raise InvalidArgumentError("has no layers")
        self.layers = layers
        self._named()
        self.first = layers[0] if isinstance(layers[0], InputLayer) else None
        self.input_names = [self.first.name if self.first else f"{layers[0].name}_input"]
        self.output_names = [layers[-1].name]

    def placeholders(self) -> list[Tensor]:
        if self.first is not None:
            with self.first.located():
                return [self.first.placeholder()]
        layer: Layer = self.layers[0]
        shape = layer.config.get("batch_input_shape", self.config.get("build_input_shape"))
        if shape is None and isinstance(layer, Network):
            found = layer.placeholders()
            self.input_names = layer.input_names
            return found
        if shape is None and (inner := layer.config.get("input_shape")) is not None:
            shape = [None, *inner]
        return [_placeholder(self.input_names[0], shape, self.dtype if layer.config.get("dtype") is None else layer.dtype)]

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        flows = list(inputs)
        for layer in self.layers:
            flows = layer(flows) if layer is not self.first else flows
        return flows


class Functional(Network, names=("Model",)):
    """Layers as nodes of a graph."""

    def prepare(self) -> None:
        specs = self.get("layers", [], list)
        self.layers = [made(spec, self.building) for spec in specs]
        self._by_name = self._named()
        self._calls = {layer.name: _calls(spec.get("inbound_nodes", []), layer.name) for layer, spec in zip(self.layers, specs, strict=True)}
        for layer in self.layers:
            if isinstance(layer, InputLayer):
                self._calls[layer.name] = []
        ends = [self.get(key, [], (list, dict)) for key in ("input_layers", "output_layers")]
        self._inputs, self._outputs = (list(_references(_in_order(each))) for each in ends)
        if not self._outputs or not self._inputs:
            raise DataLossError("its config names no outputs, or no inputs")
        self._shift()
        self.input_names, self.output_names = (
            sorted(each) if isinstance(each, dict) and len(each) == len(found) else [reference.layer for reference in found]
            for each, found in zip(ends, (self._inputs, self._outputs), strict=True)
        )
        for name, _, _ in self._inputs:
            if not isinstance(self._by_name.get(name), InputLayer):
                raise UnimplementedError(f"has an input {name!r} that is no InputLayer")

    def _shift(self) -> None:
        """Counts the nodes of models within from 0: newer files begin with 1, since such a model has been called on its own inputs before."""
        used = [reference for calls in self._calls.values() for call in calls for reference in call.inputs] + self._outputs
        nodes: dict[str, set[int]] = {}
        for reference in used:
            nodes.setdefault(reference.layer, set()).add(reference.node)
        shifted = {
            name
            for name, found in nodes.items()
            if isinstance(self._by_name.get(name), Network) and max(found) == len(self._calls[name]) and min(found)
        }

        def counted(reference: Reference) -> Reference:
            return reference._replace(node=reference.node - 1) if reference.layer in shifted else reference

        self._calls = {name: [call._replace(inputs=[*map(counted, call.inputs)]) for call in calls] for name, calls in self._calls.items()}
        self._outputs = [*map(counted, self._outputs)]

    def placeholders(self) -> list[Tensor]:
        found = []
        for name, _, _ in self._inputs:
            layer = self._by_name[name]
            assert isinstance(layer, InputLayer)
            with layer.located():
                found.append(layer.placeholder())
        return found

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        if len(inputs) != len(self._inputs):
            raise InvalidArgumentError(f"takes {len(inputs)} tensors; expected {len(self._inputs)}")
        flows: dict[tuple[str, int], list[Flow]] = {}
        for reference, flow in zip(self._inputs, inputs, strict=True):
            layer = self._by_name[reference.layer]
            tensor = flow.tensor if flow.tensor.dtype == layer.dtype else cast(flow.tensor, layer.dtype)
            flows[reference.layer, reference.node] = [flow._replace(tensor=tensor)]
        waiting = {layer.name: list(enumerate(self._calls[layer.name])) for layer in self.layers}
        waiting = {name: calls for name, calls in waiting.items() if calls}
        while waiting:
            before = sum(map(len, waiting.values()))
            for name, calls in list(waiting.items()):
                while calls and all((reference.layer, reference.node) in flows for reference in self._needed(calls[0][1])):
                    node, call = calls.pop(0)
                    taken = [self._found(flows, reference) for reference in call.inputs]
                    if call.mask is not None:
                        taken[0] = taken[0]._replace(mask=self._found(flows, call.mask).tensor)
                    layer = self._by_name[name]
                    if isinstance(layer, Operation):
                        arguments, named = _replaced([call.arguments, call.named], iter([flow.tensor for flow in taken]))
                        flows[name, node] = layer.operate(arguments, named)
                    elif layer.takes_arguments:
                        arguments, named = _replaced([call.arguments, call.named], iter(taken))
                        flows[name, node] = layer.call_named(arguments, named)
                        if layer.takes_masks_away and self.building.major >= 3:
                            for reference in call.inputs:
                                taken_from = flows[reference.layer, reference.node]
                                taken_from[reference.output] = taken_from[reference.output]._replace(mask=None)
                    else:
                        _check_arguments(call, name)
                        flows[name, node] = layer(taken)
                if not calls:
                    del waiting[name]
            if before == sum(map(len, waiting.values())):
                raise DataLossError(f"cannot be built: the inputs of layers {', '.join(map(repr, list(waiting)[:5]))} never come")
        return [self._found(flows, reference) for reference in self._outputs]

    def _needed(self, call: _Call) -> list[Reference]:
        return call.inputs if call.mask is None else [*call.inputs, call.mask]

    def _found(self, flows: Mapping[tuple[str, int], list[Flow]], reference: Reference) -> Flow:
        outputs = flows.get((reference.layer, reference.node))
        if outputs is None or not 0 <= reference.output < len(outputs):
            raise DataLossError(f"takes output {reference.output} of call {reference.node} of layer {reference.layer!r}, which is not there")
        return outputs[reference.output]


def _placeholder(name: str, shape: Any, dtype: Any) -> Tensor:
    """REQUIRES: no layer of this name has been called yet."""
    if isinstance(shape, list) and len(shape) == 1 and isinstance(shape[0], list):
        shape = shape[0]
    if shape is None:
        raise InvalidArgumentError(f"the shape of the input {name!r} is not in the file: build the model, or give it an Input, before it is saved")
    if not isinstance(shape, list) or not all(size is None or (isinstance(size, int) and size >= 0) for size in shape):
        raise DataLossError(f"the input {name!r} has the shape {shape!r} in its config")
    return placeholder(as_dtype(dtype), shape, name=name)


def _in_order(ends: Any) -> Any:
    """A model's inputs or outputs: those of a dict in the order of their names, as Keras has them."""
    return [ends[key] for key in sorted(ends)] if isinstance(ends, dict) else ends


def _references(value: Any) -> Iterator[Reference]:
    """The tensors in an argument, whatever lists and dicts they are in."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            inner = value.get("config")
            yield from _references(inner.get("keras_history") if isinstance(inner, Mapping) else None)
        else:
            for part in value.values():
                yield from _references(part)
    elif isinstance(value, list):
        if _is_constant(value):
            yield from _references(value[3:])
        elif len(value) >= 3 and isinstance(value[0], str) and all(isinstance(part, int) for part in value[1:3]):
            yield Reference(*value[:3])
            if len(value) > 3:
                yield from _references(value[3])
        else:
            for part in value:
                yield from _references(part)


def _calls(nodes: Any, name: str) -> list[_Call]:
    """The calls of a layer, of its config's "inbound_nodes"."""
    if not isinstance(nodes, list):
        raise DataLossError(f"the nodes of layer {name!r} are {type(nodes).__name__}; expected a list")
    found = []
    for node in nodes:
        if isinstance(node, Mapping):  # Keras 3
            arguments, named = node.get("args", []), dict(node.get("kwargs") or {})
        else:
            is_one = isinstance(node, list) and node and isinstance(node[0], str)
            arguments, named = [node] if is_one else node, _named_arguments(node)
        masks = list(_references(named.pop("mask", None)))
        named.pop("training", None)
        inputs = [*_references(_without_named(arguments)), *_references(list(named.values()))]
        if not inputs:
            raise DataLossError(f"a call of layer {name!r} takes no tensors")
        found.append(_Call(inputs, masks[0] if masks else None, _without_named(arguments), named))
    return found


def _is_constant(value: list[Any]) -> bool:
    """Whether it is what Keras 2 has where a number stands in the place of a tensor."""
    return len(value) >= 3 and value[0] == "_CONSTANT_VALUE"


def _check_arguments(call: _Call, name: str) -> None:
    """Numbers among a layer's arguments would be lost."""
    waiting: list[Any] = [call.arguments]
    while waiting:
        part = waiting.pop()
        if isinstance(part, float):
            raise UnimplementedError(f"calls layer {name!r} with {part}, and layers are read that take tensors only")
        if isinstance(part, list):
            waiting += part
    for key, value in call.named.items():
        if value is True:
            raise UnimplementedError(f"calls layer {name!r} with {key}=True, which is not read")


def _replaced(value: Any, tensors: Iterator[Any]) -> Any:
    """Arguments with tensors, those of the call in order, in the places that name them."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return next(tensors)
        return {key: _replaced(part, tensors) for key, part in value.items()}
    if isinstance(value, list):
        if _is_constant(value):
            return value[2]
        if len(value) == 3 and isinstance(value[0], str) and all(isinstance(part, int) for part in value[1:]):
            return next(tensors)
        return [_replaced(part, tensors) for part in value]
    return value


def _named_arguments(node: Any) -> dict[str, Any]:
    """The named arguments of a call, which its tensors have beside them in Keras 2."""
    if isinstance(node, list) and len(node) > 3 and isinstance(node[0], str) and isinstance(node[3], Mapping):
        return dict(node[3])
    found: dict[str, Any] = {}
    for part in node if isinstance(node, list) else []:
        found |= _named_arguments(part)
    return found


def _without_named(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) > 3 and isinstance(value[0], str) and isinstance(value[3], Mapping):
            return value[:3]
        return [_without_named(part) for part in value]
    return value
