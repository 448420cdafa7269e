"""Keras's recurrent layers: one loop over the steps of a sequence, and three cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.activations import activated, activation
from gpersist.keras.layer import Flow, Layer, as_tensor, channels, sizes
from gpersist.keras.shape_layers import reshaped
from gpersist.ops.arranging import reverse, transpose
from gpersist.ops.array import identity, zeros_like
from gpersist.ops.bias import bias_add
from gpersist.ops.choosing import where_v2
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import while_loop
from gpersist.ops.filling import zeros
from gpersist.ops.joining import stack
from gpersist.ops.matmul import matmul
from gpersist.ops.shaping import expand_dims, reshape
from gpersist.ops.splitting import split
from gpersist.ops.tensor_array import TensorArray

Step = Callable[[Tensor, list[Tensor]], list[Tensor]]
"""From what the inputs of a step give and the states to the states; the first of them is the output."""


class Recurrent(Layer, abstract=True):
    """A cell in a loop. The product of the inputs and the kernel is computed at once for all steps, before it."""

    gates: ClassVar[int]
    num_states: ClassVar[int] = 1
    default_recurrent_activation: ClassVar[str] = "sigmoid"

    def prepare(self) -> None:
        self.units = self.integer("units")
        self.has_bias = self.get("use_bias", True)
        self.activation = activation(self.config.get("activation", "tanh"), self.building)
        self.recurrent_activation = activation(self.config.get("recurrent_activation", self.default_recurrent_activation), self.building)
        self.is_backward = bool(self.get("go_backwards", False))
        self.gives_sequence = bool(self.get("return_sequences", False))
        self.gives_states = bool(self.get("return_state", False))
        self.gives_zeros = bool(self.get("zero_output_for_mask", False))

    def weights(self) -> list[str]:
        return ["kernel", "recurrent_kernel", *(["bias"] if self.has_bias else [])]

    def projected(self, x: Tensor) -> Tensor:
        """What the inputs give to the gates."""
        kernel = self.weight("kernel", (channels(x), self.gates * self.units))
        *outer, depth = sizes(x)
        flat = matmul(reshape(x, [-1, depth]), kernel)
        if self.has_bias:
            flat = bias_add(flat, self.input_bias())
        return reshaped(flat, [*outer, self.gates * self.units])

    def input_bias(self) -> Any:
        """What is added to it."""
        return self.weight("bias", (self.gates * self.units,))

    def step(self) -> Step:
        """The cell."""
        raise NotImplementedError

    def recurrent_kernel(self) -> Tensor:
        """The states' kernel, read outside of the loop."""
        return as_tensor(self.weight("recurrent_kernel", (self.units, self.gates * self.units)))

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        (x, mask), *given = inputs
        if len(given) not in (0, self.num_states):
            raise InvalidArgumentError(f"takes {len(given)} initial states; expected {self.num_states}")
        if x.shape.rank != 3:
            raise DataLossError(f"takes 3 dimensions; found an input of shape {x.shape}")
        is_time_major = bool(self.get("time_major", False))
        if not is_time_major:
            x = transpose(x, [1, 0, 2])
            mask = None if mask is None else transpose(mask, [1, 0])
        if self.is_backward:
            x = reverse(x, [0])
            mask = None if mask is None else reverse(mask, [0])
        batch = sizes(x)[1]
        states = [flow.tensor for flow in given] or [zeros(stack([batch, self.units]), self.dtype) for _ in range(self.num_states)]
        for state in states:
            state.set_shape([None if isinstance(batch, Tensor) else batch, self.units])
        outputs, last, states = self._loop(self.projected(x), mask, states)
        if outputs is None:
            result = identity(last)  # whose name can be told, unlike that of a loop's exit
        else:
            result = outputs if is_time_major else transpose(outputs, [1, 0, 2])
        kept = inputs[0].mask if self.gives_sequence else None
        return [Flow(result, kept), *(Flow(state) for state in states if self.gives_states)]

    def _loop(self, x: Tensor, mask: Tensor | None, states: list[Tensor]) -> tuple[Tensor | None, Tensor, list[Tensor]]:
        """The outputs of all steps, if they are wanted, the last one, and the states after it."""
        count = sizes(x)[0]
        rows = TensorArray(x.dtype, size=count, dynamic_size=False, element_shape=x.shape[1:], name="input_ta").unstack(x)
        masks = None if mask is None else TensorArray("bool", size=count, dynamic_size=False, name="mask_ta").unstack(expand_dims(mask, 2))
        outputs = TensorArray(x.dtype, size=count, dynamic_size=False, element_shape=states[0].shape, name="output_ta")
        step = self.step()

        def compute(time: Tensor, held: TensorArray, last: Tensor, *before: Tensor) -> tuple[Any, ...]:
            after = step(rows.read(time), list(before))
            output = after[0]
            if masks is not None:
                counts = masks.read(time)
                output = where_v2(counts, output, zeros_like(last) if self.gives_zeros else last)
                after = [where_v2(counts, new, old) for new, old in zip(after, before, strict=True)]
            if self.gives_sequence:
                held = held.write(time, output)
            for new, old in zip([output, *after], [last, *before], strict=True):
                new.set_shape(old.shape)
            return (time + 1, held, output, *after)

        start = (constant(0, name="time"), outputs, zeros_like(states[0]), *states)
        _, held, last, *after = while_loop(lambda time, *_: time < count, compute, start, parallel_iterations=32)
        return held.stack() if self.gives_sequence else None, last, list(after)


class LSTM(Recurrent):
    """Long short-term memory: gates i, f, c, o; states h, c."""

    gates, num_states = 4, 2

    def step(self) -> Step:
        kernel = self.recurrent_kernel()

        def compute(x: Tensor, states: list[Tensor]) -> list[Tensor]:
            hidden, carried = states
            i, f, c, o = split(x + matmul(hidden, kernel), 4, axis=1)
            i, f, o = (activated(gate, self.recurrent_activation) for gate in (i, f, o))
            carried = f * carried + i * activated(c, self.activation)
            return [o * activated(carried, self.activation), carried]

        return compute


class GRU(Recurrent):
    """Gated recurrent unit: gates z, r, h; `reset_after` says whether the reset comes after the product, which then has a bias of its own."""

    gates = 3

    def prepare(self) -> None:
        super().prepare()
        self.resets_after = bool(self.get("reset_after", False))

    def input_bias(self) -> Any:
        return self._biases()[0] if self.resets_after else super().input_bias()

    def _biases(self) -> Tensor:
        return as_tensor(self.weight("bias", (2, 3 * self.units)))

    def step(self) -> Step:
        kernel = self.recurrent_kernel()
        bias = self._biases()[1] if self.resets_after and self.has_bias else None
        gate_kernel, new_kernel = kernel[:, : 2 * self.units], kernel[:, 2 * self.units :]

        def compute(x: Tensor, states: list[Tensor]) -> list[Tensor]:
            (hidden,) = states
            xz, xr, xh = split(x, 3, axis=1)
            if self.resets_after:
                product = matmul(hidden, kernel)
                hz, hr, hh = split(product if bias is None else bias_add(product, bias), 3, axis=1)
            else:
                hz, hr = split(matmul(hidden, gate_kernel), 2, axis=1)
            z = activated(xz + hz, self.recurrent_activation)
            r = activated(xr + hr, self.recurrent_activation)
            new = activated(xh + (r * hh if self.resets_after else matmul(r * hidden, new_kernel)), self.activation)
            return [z * hidden + (1 - z) * new]

        return compute


class SimpleRNN(Recurrent):
    """A layer that sees its own last output."""

    gates = 1

    def step(self) -> Step:
        kernel = self.recurrent_kernel()
        return lambda x, states: [activated(x + matmul(states[0], kernel), self.activation)]


class RNN(Layer):
    """A cell in a loop, where the file has them apart."""

    def prepare(self) -> None:
        cell = self.get("cell", {}, (dict, list))
        if isinstance(cell, list):
            cells: Any = cell
        else:
            inner = cell.get("config")
            cells = inner.get("cells") if cell.get("class_name") == "StackedRNNCells" and isinstance(inner, Mapping) else [cell]
        if not isinstance(cells, list) or not cells:
            raise DataLossError(f"its config has cell={cell!r}")
        self.layers = [self._layer(each, number, len(cells)) for number, each in enumerate(cells)]
        if len(self.layers) == 1:
            self.whole = self.layers[0]

    def _layer(self, cell: Any, number: int, count: int) -> Recurrent:
        """One of several cells as a layer that hands all its steps to the next."""
        kind = _CELLS.get(cell.get("class_name")) if isinstance(cell, Mapping) else None
        if kind is None or not isinstance(cell.get("config"), Mapping):
            raise UnimplementedError(f"has the cell {cell.get('class_name') if kind is None else cell!r}; expected one of {', '.join(_CELLS)}")
        config = {**cell["config"], **{key: value for key, value in self.config.items() if key != "cell"}}
        if number < count - 1:
            config["return_sequences"] = True
        if number:
            config["go_backwards"] = False
        return kind(config, self.building)

    def slots(self) -> list[Any]:
        return [slot for layer in self.layers for slot in layer.slots()]

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        if len(self.layers) == 1:
            return self.layers[0].flow(inputs)
        if len(inputs) > 1 or (inputs[0].mask is not None and self.layers[0].is_backward):
            raise UnimplementedError("has several cells, which are read without initial states, and forwards where steps are masked")
        flow, states = inputs[0], list[Flow]()
        for layer in self.layers:
            flow, *after = layer.flow([flow])
            states += after
        return [flow, *states]


_CELLS: dict[Any, type[Recurrent]] = {"LSTMCell": LSTM, "GRUCell": GRU, "SimpleRNNCell": SimpleRNN}
