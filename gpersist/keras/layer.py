"""What all Keras layers are here: a config, weights that a file gives, and a function from tensors to tensors, as in prediction."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from gpersist.dtypes import DType, as_dtype
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.keras.hdf5 import Stored
from gpersist.ops.casting import cast
from gpersist.ops.filling import zeros
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.shaping import shape as shape_of

MAX_CALLS = 20_000
"""Calls of layers in one model: more than any has, and an end to models that hold each other many times over."""


class Flow(NamedTuple):
    """A tensor on its way through layers.

    Attributes:
        tensor: the tensor.
        mask: which of its steps count, bools of its first two dimensions; None: all.
    """

    tensor: Tensor
    mask: Tensor | None = None


class Slot(NamedTuple):
    """The place of a weight: a layer, the weight's name in it, and whether training changes it."""

    layer: Layer
    name: str
    is_trainable: bool


@dataclasses.dataclass
class Building:
    """What the layers of one model share.

    Attributes:
        major: Keras's major version, which wrote the file.
        values: the array of each variable.
        num_calls: how many times layers were called.
    """

    major: int
    values: dict[ResourceVariable, Any] = dataclasses.field(default_factory=dict)
    num_calls: int = 0


class Layer:
    """A layer. Subclasses stand under their class's name in `kinds`, as files name them.

    Args:
        config: its config, of a file.
        building: of the model.
    """

    kinds: ClassVar[dict[str, type[Layer]]] = {}
    has_mask: ClassVar[bool] = False
    """Whether its output has its input's mask."""
    takes_arguments: ClassVar[bool] = False
    """Whether what it is called with has names: then it is `call_named` in the place of a call."""

    takes_masks_away: ClassVar[bool] = False
    """Whether layers after it that take the same tensors get these without their masks, as in Keras 3."""

    def __init_subclass__(cls, names: Sequence[str] = (), abstract: bool = False) -> None:
        for name in () if abstract else (cls.__name__, *names):
            Layer.kinds[name] = cls

    def __init__(self, config: Mapping[str, Any], building: Building) -> None:
        self.config = config
        self.building = building
        self.name = str(config.get("name") or type(self).__name__.lower())
        self.is_trainable = config.get("trainable", True) is not False
        self.stored: dict[str, Stored] = {}
        self._variables: dict[str, ResourceVariable] = {}
        variable, compute = dtypes_of(config.get("dtype"))
        self.variable_dtype: DType = variable
        self.dtype: DType = compute
        self.prepare()

    def prepare(self) -> None:
        """Reads the config; raises what is wrong about it."""

    def weights(self) -> list[str]:
        """Names of what training changes, in the file's order."""
        return []

    def states(self) -> list[str]:
        """Names of its other weights."""
        return []

    def slots(self) -> list[Slot]:
        """All its weights, in the file's order: first those that training changes."""
        return [*(Slot(self, name, self.is_trainable) for name in self.weights()), *(Slot(self, name, False) for name in self.states())]

    def call(self, x: Tensor) -> Any:
        """Its output for one tensor."""
        raise NotImplementedError

    def flow(self, inputs: Sequence[Flow]) -> list[Flow]:
        """Its outputs. REQUIRES: in the layer's name scope."""
        if len(inputs) != 1:
            raise InvalidArgumentError(f"takes {len(inputs)} tensors; expected 1")
        return [Flow(self.call(inputs[0].tensor), inputs[0].mask if self.has_mask else None)]

    def __call__(self, inputs: Sequence[Flow]) -> list[Flow]:
        """Its outputs.

        Raises:
            DataLossError: its config, weights and inputs don't go together; the layer is named.
        """
        with self.entered():
            return self.flow([flow._replace(tensor=self._cast(flow.tensor)) for flow in inputs])

    def flow_named(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Flow]:
        """Its outputs for arguments some of which have names, nests with flows in the places of tensors. REQUIRES: in the layer's name scope."""
        raise NotImplementedError

    def call_named(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Flow]:
        """The same in that scope, after casts as those of a call."""
        with self.entered():
            return self.flow_named(self._cast_all(list(arguments)), {key: self._cast_all(value) for key, value in named.items()})

    def _cast_all(self, value: Any) -> Any:
        if isinstance(value, Flow):
            return value._replace(tensor=self._cast(value.tensor))
        return [self._cast_all(part) for part in value] if isinstance(value, list) else value

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The scope of one call of it."""
        self.building.num_calls += 1
        if self.building.num_calls > MAX_CALLS:
            raise InvalidArgumentError(f"the model calls its layers more than {MAX_CALLS} times")
        with name_scope(_valid(self.name)), self.located():
            yield

    def located(self) -> _Located:
        """A context that names the layer in what is raised."""
        return _Located(self)

    def _cast(self, tensor: Tensor) -> Tensor:
        return cast(tensor, self.dtype) if tensor.dtype.is_floating and self.dtype.is_floating and tensor.dtype != self.dtype else tensor

    def variable(self, name: str, shape: Sequence[int | None]) -> ResourceVariable:
        """A weight's variable, made when it is asked for first.

        Args:
            name: of the weight.
            shape: what it has to have; None: any size.
        """
        found = self._variables.get(name)
        stored = self.stored[name]
        if len(stored.value.shape) != len(shape) or any(want not in (None, size) for want, size in zip(shape, stored.value.shape, strict=True)):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise DataLossError(f"its {name} {stored.name!r} has shape {stored.value.shape}; expected ({wanted})")
        if found is None:
            dtype = self.variable_dtype if stored.value.dtype.kind == "f" else as_dtype(stored.value.dtype)
            with name_scope(""), get_default_graph().control_dependencies(None):
                found = ResourceVariable(
                    lambda: zeros(stored.value.shape, dtype),
                    trainable=any(slot.name == name and slot.is_trainable for slot in self.slots()),
                    name=_valid(stored.name.partition(":")[0]),
                    dtype=dtype,
                )
            self._variables[name] = found
            self.building.values[found] = stored.value
        return found

    def weight(self, name: str, shape: Sequence[int | None]) -> Any:
        """A weight for computing: its variable, or its value in the dtype that the layer computes in; arguments as of `variable`."""
        found = self.variable(name, shape)
        return found if found.dtype == self.dtype else cast(found, self.dtype)

    def get(self, key: str, default: Any = None, kind: type | tuple[type, ...] | None = None) -> Any:
        """An entry of the config, or a default where there is none."""
        value = self.config.get(key)
        if value is None:
            return default
        if kind is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise DataLossError(f"its config has {key}={value!r}")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """The same, of a whole number."""
        value = self.get(key, default, (int, float))
        if value is None or value != int(value):
            raise DataLossError(f"its config has {key}={value!r}; expected a whole number")
        return int(value)

    def number(self, key: str, default: float) -> float:
        """The same, of a number; Keras 3 has some of them as a dict around an array of one."""
        value = self.config.get(key)
        if isinstance(value, Mapping) and isinstance(inner := value.get("config"), Mapping):
            value = inner.get("value")
        if value is None:
            return default
        if not isinstance(value, (int, float)):
            raise DataLossError(f"its config has {key}={value!r}; expected a number")
        return float(value)

    def integers(self, key: str, count: int, default: int = 1) -> list[int]:
        """The same, of so many whole numbers; one stands for all."""
        value = self.get(key, default)
        found = [value] * count if isinstance(value, int) else value
        if not isinstance(found, list) or len(found) != count or not all(isinstance(size, int) for size in found):
            raise DataLossError(f"its config has {key}={value!r}; expected {count} whole numbers")
        return found

    def refuse(self, *keys: str) -> None:
        """Raises UnimplementedError if one of these entries is set."""
        for key in keys:
            if self.config.get(key):
                raise UnimplementedError(f"has {key}={self.config[key]!r}, which is not read")


class _Located:
    """Puts the layer's name before what is raised within."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, Exception):
            return
        where = f"layer {self._layer.name!r} ({type(self._layer).__name__})"
        if isinstance(error, GPersistError):
            if not error.message.startswith("layer "):
                raise type(error)(f"{where} {error.message}") from error
        elif isinstance(error, (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)):
            raise DataLossError(f"{where} does not go together with its inputs or its weights: {error}") from error


def dtypes_of(policy: Any) -> tuple[DType, DType]:
    """The dtypes of variables and of computing that a config's "dtype" says."""
    name = policy
    if isinstance(policy, Mapping):
        inner = policy.get("config")
        name = inner.get("name") if isinstance(inner, Mapping) else None
    if name is None:
        name = "float32"
    if not isinstance(name, str):
        raise DataLossError(f"has dtype {policy!r} in its config")
    compute = name.removeprefix("mixed_")
    variable = "float32" if compute != name else name
    try:
        return as_dtype(variable), as_dtype(compute)
    except TypeError as error:
        raise UnimplementedError(f"has dtype {policy!r} in its config, which is not read") from error


def sizes(x: Tensor) -> list[Any]:
    """The sizes of a tensor's dimensions: numbers where they are known, else scalars of the graph."""
    static = x.shape.as_list()
    dynamic = shape_of(x) if None in static else None
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]  # type: ignore[index]


def channels(x: Tensor, axis: int = -1) -> int:
    """The size of one dimension, which has to be known."""
    size = x.shape.as_list()[axis]
    if size is None:
        raise DataLossError(f"needs to know the size of dimension {axis} of its input of shape {x.shape}")
    return int(size)


def as_tensor(value: Any) -> Tensor:
    """A variable's value, or a tensor as it is."""
    return value if isinstance(value, Tensor) else convert_to_tensor(value)


def _valid(name: str) -> str:
    """A name that a node can have."""
    found = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name).strip("/") or "unnamed"
    return found if re.match(r"[A-Za-z0-9.]", found) else f"unnamed{found}"


Function = Callable[[Any], Any]
"""From a tensor to a tensor."""
