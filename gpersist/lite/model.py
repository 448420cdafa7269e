"""A model as it is made: values, operators, and the whole as a file's message."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.lite.flatbuffer import encode
from gpersist.lite.schema import LARGEST_SMALL_CODE, OPERATORS, OPTIONS, TYPES, VERSION

NdArray = np.ndarray[Any, Any]
DESCRIPTION = "gpersist converted."


@dataclasses.dataclass(eq=False)
class Value:
    """A tensor of the model.

    Attributes:
        name: as in the graph, without the `:0`.
        dtype: its type.
        shape: its dimensions, those that are not known None; None if not even its rank is known.
        array: its value, if it is a constant.
        scales: of a constant that is quantised, for each element along the axis, or one alone; the zero points are 0.
        axis: likewise.
        is_dead: whether it is never there: what a branch not taken gives.
    """

    name: str
    dtype: DType
    shape: tuple[int | None, ...] | None
    array: NdArray | None = None
    scales: NdArray | None = None
    axis: int = 0
    is_dead: bool = False

    @property
    def rank(self) -> int | None:
        """How many dimensions it has, if that is known."""
        return None if self.shape is None else len(self.shape)

    @property
    def static_shape(self) -> tuple[int, ...] | None:
        """Its dimensions, if all of them are known."""
        return None if self.shape is None or None in self.shape else self.shape  # type: ignore[return-value]  # no None in it


@dataclasses.dataclass(eq=False)
class Operator:
    """A step of the model.

    Attributes:
        kind: the name of the builtin operator.
        inputs: what it takes; None is an input left out.
        outputs: what it gives.
        options: the fields of its options.
        version: of the operator.
        node, op: name and type of the graph's node that it came from.
        problem: why there is no such operator: then it stands for the node itself.
    """

    kind: str
    inputs: list[Value | None]
    outputs: list[Value]
    options: dict[str, Any]
    node: str
    op: str
    version: int = 1
    problem: str | None = None


@dataclasses.dataclass
class Model:
    """What is written: one graph, its operators in the order in which they run."""

    inputs: list[Value]
    outputs: list[Value]
    operators: list[Operator]

    def uses(self) -> dict[Value, int]:
        """How often each value is taken, by an operator or as an output."""
        found: dict[Value, int] = {}
        for value in self._taken():
            found[value] = found.get(value, 0) + 1
        return found

    def prune(self) -> None:
        """Leaves out the operators that no output needs."""
        needed = set(self.outputs)
        kept = []
        for operator in reversed(self.operators):
            if any(value in needed for value in operator.outputs):
                kept.append(operator)
                needed.update(value for value in operator.inputs if value is not None)
        self.operators = kept[::-1]

    def to_bytes(self) -> bytes:
        """The file; see `gpersist.lite.flatbuffer.encode` for the errors."""
        gives = [value for operator in self.operators for value in operator.outputs]
        constants = [value for value in self._taken() if value.array is not None]
        values = {value: index for index, value in enumerate(dict.fromkeys([*self.inputs, *constants, *gives]))}
        codes = {code: index for index, code in enumerate(dict.fromkeys((operator.kind, operator.version) for operator in self.operators))}
        names = _names(values, {*self.inputs, *self.outputs})
        contents: list[NdArray] = []
        buffers: dict[bytes, int] = {}
        tensors = []
        for value in values:
            buffer = 0
            if value.array is not None:
                content = _bytes(value.array)
                key = hashlib.sha256(content.data).digest()
                if key not in buffers:
                    contents.append(content)
                buffer = buffers.setdefault(key, len(contents))
            tensors.append(_tensor(value, names[value], buffer))

        def indices(some: Iterable[Value | None]) -> list[int]:
            return [-1 if value is None else values[value] for value in some]

        graph = {
            "tensors": tensors,
            "inputs": indices(self.inputs),
            "outputs": indices(self.outputs),
            "operators": [
                {"opcode_index": codes[operator.kind, operator.version], "inputs": indices(operator.inputs), "outputs": indices(operator.outputs)}
                | _options(operator)
                for operator in self.operators
            ],
            "name": "main",
        }
        model = {
            "version": VERSION,
            "operator_codes": [_code(kind, version) for kind, version in codes],
            "subgraphs": [graph],
            "description": DESCRIPTION,
            "buffers": [{}, *({"data": content} for content in contents)],
        }
        return encode("Model", model, sum(content.nbytes + 64 for content in contents) + 256 * len(values))

    def _taken(self) -> Iterable[Value]:
        for operator in self.operators:
            yield from (value for value in operator.inputs if value is not None)
        yield from self.outputs


def _names(values: Iterable[Value], fixed: set[Value]) -> dict[Value, str]:
    """A name for each value, all different; inputs and outputs keep theirs."""
    taken = {value.name for value in fixed}
    found = {}
    for value in values:
        name, number = value.name, 1
        while value not in fixed and name in taken:
            name, number = f"{value.name}_{number}", number + 1
        taken.add(name)
        found[value] = name
    return found


def _tensor(value: Value, name: str, buffer: int) -> dict[str, Any]:
    shape = value.shape or ()
    found: dict[str, Any] = {
        "shape": [1 if size is None else size for size in shape],
        "type": TYPES[value.dtype.name],
        "buffer": buffer,
        "name": name,
        "has_rank": value.shape is not None,
    }
    if None in shape:
        found["shape_signature"] = [-1 if size is None else size for size in shape]
    if value.scales is not None:
        zeros = np.zeros(len(value.scales), np.int64)
        found["quantization"] = {"scale": value.scales, "zero_point": zeros, "quantized_dimension": value.axis}
    return found


def _options(operator: Operator) -> dict[str, Any]:
    table = OPERATORS[operator.kind][1]
    return {} if table is None else {"builtin_options_type": OPTIONS[table], "builtin_options": (table, operator.options)}


def _code(kind: str, version: int) -> dict[str, int]:
    code = OPERATORS[kind][0]
    return {"deprecated_builtin_code": min(code, LARGEST_SMALL_CODE), "version": version, "builtin_code": code}


def _bytes(array: NdArray) -> NdArray:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)
