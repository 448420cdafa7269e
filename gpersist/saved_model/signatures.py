"""What a loaded SavedModel offers to its callers: signatures, which take arrays by name and give arrays by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.devices import adopt, device_of
from gpersist.dtypes import DType, from_numpy
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.graph import as_array
from gpersist.saved_model.structure import CompositeSpec, Spec, TensorSpec

Run = Callable[[list[Any]], list[Any]]
"""From tensors to tensors, in the order of the specs."""


class Signature:
    """A function that a SavedModel offers by name.

    `signature(x=array)` takes an array of NumPy or CuPy, or nested lists, for each of `inputs`, and gives a dict with a new array for each of
    `outputs`, on the device that it was made on. Where there is one input, its name may be left out.

    Attributes:
        name: "serving_default".
        inputs: specs of the inputs by name.
        outputs: specs of the results by name.
        defaults: values of inputs that may be left out.
    """

    def __init__(
        self, name: str, inputs: Mapping[str, Spec], outputs: Mapping[str, Spec], run: Run, defaults: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)
        self.defaults = dict(defaults or {})
        self._run = run

    def __call__(self, *args: Any, **arrays: Any) -> dict[str, Any]:
        """Runs it.

        Raises:
            TypeError: inputs are missing, or unknown; says which, and what is wanted.
            InvalidArgumentError: an array is of another dtype or shape.
            GPersistError: an operation failed.
        """
        if args:
            if len(args) > 1 or len(self.inputs) != 1 or arrays:
                raise TypeError(f"signature {self.name!r} takes its inputs by name, and got {len(args)} without; {self._wanted()}")
            arrays = {next(iter(self.inputs)): args[0]}
        missing = [name for name in self.inputs if name not in arrays and name not in self.defaults]
        unknown = [name for name in arrays if name not in self.inputs]
        if missing or unknown:
            faults = [f"{what} {', '.join(map(repr, names))}" for what, names in (("lacks", missing), ("does not know", unknown)) if names]
            raise TypeError(f"signature {self.name!r} {' and '.join(faults)}; {self._wanted()}")
        given = self.defaults | arrays
        flat = [part for name, spec in self.inputs.items() for part in arguments(given[name], spec, f"input {name!r} of signature {self.name!r}")]
        results = iter(self._run(flat))
        return {
            name: next(results) if isinstance(spec, TensorSpec) else tuple(next(results) for _ in range(spec.parts))
            for name, spec in self.outputs.items()
        }

    def _wanted(self) -> str:
        return f"it takes {_listed(self.inputs) or 'no inputs'}"

    def __str__(self) -> str:
        return f"{self.name}({_listed(self.inputs)}) -> {{{_listed(self.outputs)}}}"

    def __repr__(self) -> str:
        return f"<Signature {self}>"


class Signatures(Mapping[str, Signature]):
    """The signatures of a SavedModel by name; printed, one a line."""

    def __init__(self, signatures: Mapping[str, Signature], where: str) -> None:
        self._signatures = dict(signatures)
        self._where = where

    def __getitem__(self, name: str) -> Signature:
        found = self._signatures.get(name)
        if found is None:
            there = f"it has {', '.join(map(repr, self._signatures))}" if self._signatures else "it has none"
            raise KeyError(f"the SavedModel {self._where!r} has no signature {name!r}; {there}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures)

    def __len__(self) -> int:
        return len(self._signatures)

    def __repr__(self) -> str:
        return "\n".join(map(str, self._signatures.values())) or f"no signatures in {self._where!r}"


def arguments(value: Any, spec: Spec, what: str) -> Sequence[Any]:
    """An argument as arrays: one of a tensor, a tuple's of a composite value.

    Raises:
        InvalidArgumentError: it is of another dtype or shape, or no tensor.
    """
    if isinstance(spec, TensorSpec):
        return [argument(value, spec, what)]
    if not isinstance(value, (tuple, list)) or len(value) != spec.parts:
        raise InvalidArgumentError(f"{what} is a {spec.kind}: expected a tuple of the {spec.parts} arrays that it consists of, got {_shown(value)}")
    return [value if hasattr(value, "dtype") else np.asarray(value) for value in value]


def argument(value: Any, spec: TensorSpec, what: str) -> Any:
    """An argument as an array of a tensor's dtype and shape, on the device where it lives, or the host.

    Numbers of the host are converted, as TensorFlow does, where the kind of number allows it: integers to floats, floats to other floats.

    Raises:
        InvalidArgumentError: it is of another dtype or shape, or no tensor.
    """
    try:
        array = _converted(value, spec.dtype)
    except (TypeError, ValueError, GPersistError) as error:
        raise InvalidArgumentError(f"{what} is {spec_text(spec)}, and got {_shown(value)}: {error}") from error
    if not spec.shape.is_compatible_with(array.shape):
        raise InvalidArgumentError(f"{what} is {spec_text(spec)}, and got {_shown(array)}: its shape is another one")
    return array


def spec_text(spec: Spec) -> str:
    """A spec in short: "float32[?, 3]"."""
    if isinstance(spec, CompositeSpec):
        return f"{spec.kind} of {spec.parts} tensors"
    sizes = spec.shape.sizes
    return spec.dtype.name + ("[...]" if sizes is None else f"[{', '.join('?' if size is None else str(size) for size in sizes)}]")


def _converted(value: Any, dtype: DType) -> Any:
    if dtype.numpy is None:
        raise TypeError("nobody outside of the model can make such a handle")
    if dtype.is_string or isinstance(value, (list, tuple, bool, int, float, complex, str, bytes)):
        return as_array(value, dtype)
    array = adopt(value)
    if array.dtype == dtype.numpy:
        return array
    found = from_numpy(array.dtype)
    if not device_of(array).is_host:
        raise TypeError(f"arrays on devices are not converted; give array.astype({dtype.name!r})")
    if not _may_become(found, dtype):
        raise TypeError(f"{found.name} is not converted to {dtype.name}")
    with np.errstate(all="ignore"):
        converted = array.astype(dtype.numpy)
    if found.is_integer and dtype.is_integer and not np.array_equal(converted, array):
        raise ValueError(f"a value of it is none of {dtype.name}")
    return converted


def _may_become(found: DType, wanted: DType) -> bool:
    kinds = [next((rank for rank, fits in enumerate((kind.is_integer, kind.is_floating, kind.is_complex)) if fits), -1) for kind in (found, wanted)]
    return 0 <= kinds[0] <= kinds[1]


def _shown(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{'string' if value.dtype == object else value.dtype}{list(value.shape)}"
    return f"{str(value)[:80]!r} of type {type(value).__name__}"


def _listed(specs: Mapping[str, Spec]) -> str:
    return ", ".join(f"{name}: {spec_text(spec)}" for name, spec in specs.items())
