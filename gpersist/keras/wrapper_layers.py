"""Keras's layers around layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Building, Flow, Layer, Slot, sizes
from gpersist.keras.operations import Operation, is_operation
from gpersist.keras.recurrent_layers import Recurrent
from gpersist.keras.shape_layers import reshaped
from gpersist.ops.arranging import reverse
from gpersist.ops.joining import concat


def made(spec: Any, building: Building) -> Layer:
    """A layer from its class and its config, as files have them.

    Raises:
        DataLossError: it is no such thing.
        UnimplementedError: the class is not known.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("class_name"), str) or not isinstance(spec.get("config"), (Mapping, list)):
        raise DataLossError("the file has something that is no layer: expected an object with class_name and config")
    if is_operation(spec):
        return Operation(spec["class_name"], spec["config"], building)
    kind = Layer.kinds.get(spec["class_name"])
    if kind is None:
        raise UnimplementedError(f"the layer class {spec['class_name']!r} is not known")
    config = spec["config"] if isinstance(spec["config"], Mapping) else {"layers": spec["config"], "name": spec["class_name"].lower()}
    layer: Layer = object.__new__(kind)
    layer.config, layer.name = config, str(config.get("name"))
    with layer.located():
        layer.__init__(config, building)  # type: ignore[misc]  # it had to have a name first, for what it raises
    return layer


class TimeDistributed(Layer):
    """A layer at each step by itself."""

    def prepare(self) -> None:
        self.inner = made(self.config.get("layer"), self.building)

    def slots(self) -> list[Slot]:
        return self.inner.slots()

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        if len(inputs) != 1:
            raise InvalidArgumentError(f"takes {len(inputs)} tensors; expected 1")
        x, mask = inputs[0]
        batch, steps, *rest = sizes(x)
        found = self.inner.flow([Flow(reshaped(x, [-1, *rest]))])
        if len(found) != 1:
            raise UnimplementedError("holds a layer with several outputs, which is not read")
        return [Flow(reshaped(found[0].tensor, _outer(batch, steps, sizes(found[0].tensor)[1:])), mask)]


class SpectralNormalization(Layer):
    """A layer whose kernel training has kept in bounds; prediction takes the kernel as it is."""

    def prepare(self) -> None:
        self.inner = made(self.config.get("layer"), self.building)

    def states(self) -> list[str]:
        return ["vector_u"]

    def slots(self) -> list[Slot]:
        return [*self.inner.slots(), *super().slots()]

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        return self.inner.flow(inputs)


class Bidirectional(Layer):
    """A recurrent layer from both ends."""

    def prepare(self) -> None:
        spec = self.config.get("layer")
        self.forward = self._recurrent(spec, "forward")
        back = self.config.get("backward_layer")
        if back is None and isinstance(spec, Mapping) and isinstance(spec.get("config"), Mapping):
            back = {**spec, "config": {**spec["config"], "go_backwards": not spec["config"].get("go_backwards", False)}}
        self.backward = self._recurrent(back, "backward")
        self.merge_mode = self.config.get("merge_mode", "concat")
        if self.merge_mode not in ("concat", "sum", "mul", "ave", None):
            raise DataLossError(f"its config has merge_mode={self.merge_mode!r}")

    def _recurrent(self, spec: Any, direction: str) -> Recurrent:
        layer = made(spec, self.building)
        layer = getattr(layer, "whole", layer)  # of an RNN
        if not isinstance(layer, Recurrent):
            raise UnimplementedError(f"holds a {type(layer).__name__}; expected an LSTM, a GRU or a SimpleRNN")
        layer.gives_zeros = layer.gives_sequence or layer.gives_zeros  # of steps that a mask leaves out, whatever the file says
        layer.name = f"{direction}_{layer.name}" if not layer.name.startswith(direction) else layer.name
        return layer

    def slots(self) -> list[Slot]:
        found = self.forward.slots() + self.backward.slots()
        return found if self.is_trainable else [slot._replace(is_trainable=False) for slot in found]

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        sequence, *states = inputs
        half = len(states) // 2
        forward, *ahead = self.forward([sequence, *states[:half]])
        backward, *behind = self.backward([sequence, *states[half:]])
        if self.backward.gives_sequence:
            axis = 0 if self.backward.get("time_major", False) else 1
            backward = backward._replace(tensor=reverse(backward.tensor, [axis]))
        one, two = forward.tensor, backward.tensor
        merged: list[Tensor]
        if self.merge_mode is None:
            merged = [one, two]
        elif self.merge_mode == "concat":
            merged = [concat([one, two], -1)]
        else:
            merged = [one * two if self.merge_mode == "mul" else (one + two) / 2 if self.merge_mode == "ave" else one + two]
        return [*(Flow(tensor, forward.mask) for tensor in merged), *ahead, *behind]


def _outer(batch: Any, steps: Any, rest: list[Any]) -> list[Any]:
    """The shape of steps put together again, with the batch's size left open where it is not known."""
    if isinstance(batch, Tensor) and all(isinstance(size, int) for size in (steps, *rest)) and math.prod((steps, *rest)):
        return [-1, steps, *rest]
    return [batch, steps, *rest]
