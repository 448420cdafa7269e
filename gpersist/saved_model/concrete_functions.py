"""Functions of a SavedModel as functions of Python: which of the traces that were saved fits the arguments, and what it gives (`tf.function`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.devices import device_of
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.saved_model.signatures import argument, arguments, spec_text
from gpersist.saved_model.structure import CompositeSpec, NamedValues, TensorSpec, decode, packed, specs_in, tensor_count


class ConcreteFunction:
    """One trace of a function: for arguments of these dtypes and shapes, and these values where they are no tensors.

    Attributes:
        name: in the library.
        inputs: what it takes: a tuple of the positional arguments, and a dict of the others; nests of specs and values.
        outputs: what it gives, likewise.
    """

    def __init__(self, name: str, message: protos.SavedConcreteFunction, run: Callable[[list[Any]], list[Any]]) -> None:
        found = decode(message.canonicalized_input_signature)
        if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], tuple) and isinstance(found[1], dict)):
            raise DataLossError(f"function {name!r}: its arguments are {found!r}, expected a pair of a tuple and a dict; the file is damaged")
        self.name = name
        self.inputs: tuple[tuple[Any, ...], dict[str, Any]] = found
        self.outputs = decode(message.output_signature)
        self._run = run

    def call_flat(self, tensors: list[Any]) -> list[Any]:
        """What it makes of the arrays of all tensors that it takes: those of all that it gives."""
        results = self._run(tensors)
        if len(results) != tensor_count(self.outputs):
            raise DataLossError(f"function {self.name!r} gives {len(results)} tensors, expected {tensor_count(self.outputs)}; the file is damaged")
        return results

    def call_matched(self, tensors: list[Any]) -> Any:
        """The same, in the structure that the function has given when it was traced."""
        return packed(self.outputs, self.call_flat(tensors))

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name!r} ({_shown(self.inputs)}) -> {_shown(self.outputs)}>"


@dataclasses.dataclass(frozen=True)
class Parameters:
    """The parameters of a function of Python.

    Attributes:
        names: of those that may be positional.
        defaults: values of those that have one, the keyword-only ones too.
        keyword_only: names.
        has_varargs: whether there may be more positional ones.
        has_varkw: whether there may be others by keyword.
    """

    names: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    keyword_only: tuple[str, ...] = ()
    has_varargs: bool = False
    has_varkw: bool = False

    @classmethod
    def of(cls, spec: protos.FunctionSpec) -> Parameters:
        """Those that a message tells; `self` is none of them."""
        found = decode(spec.fullargspec)
        if not isinstance(found, NamedValues):
            return cls(has_varargs=True, has_varkw=True)
        fields = dict(zip(found._names, found, strict=True))
        names = [str(name) for name in fields.get("args") or ()]
        values = list(fields.get("defaults") or ())
        defaults = dict(zip(names[len(names) - len(values) :], values, strict=False)) if values else {}
        return cls(
            tuple(names[1:] if spec.is_method else names),
            defaults | dict(fields.get("kwonlydefaults") or {}),
            tuple(str(name) for name in fields.get("kwonlyargs") or ()),
            fields.get("varargs") is not None,
            fields.get("varkw") is not None,
        )

    def bind(self, name: str, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments as a function gets them: all that may be positional so, those that were left out with their defaults.

        Raises:
            TypeError: some are missing, unknown, or given twice.
        """
        rest = dict(named)
        if len(args) > len(self.names) and not self.has_varargs:
            raise TypeError(f"{name}() takes {len(self.names)} positional arguments ({', '.join(self.names)}), and got {len(args)}")
        positional = list(args)
        missing = [each for each in self.names[len(args) :] if each not in rest and each not in self.defaults]
        missing += [each for each in self.keyword_only if each not in rest and each not in self.defaults]
        twice = [each for each in self.names[: len(args)] if each in rest]
        positional += [rest.pop(each) if each in rest else self.defaults.get(each) for each in self.names[len(args) :]]
        unknown = [] if self.has_varkw else [each for each in rest if each not in self.keyword_only]
        for what, found in (("got twice", twice), ("lacks", missing), ("does not know", unknown)):
            if found:
                raise TypeError(f"{name}() {what} {', '.join(map(repr, found))}; its arguments are {', '.join((*self.names, *self.keyword_only))}")
        by_keyword = {each: rest.get(each, self.defaults.get(each)) for each in self.keyword_only}
        return tuple(positional), by_keyword | rest


class Function:
    """A function with all of its traces; `function(x, training=False)` calls the first that fits, and gives what the original gave, as arrays.

    Attributes:
        name: that it has in its object.
        concrete_functions: the traces.
    """

    def __init__(self, name: str, concrete_functions: Sequence[ConcreteFunction], parameters: Parameters) -> None:
        self.name = name
        self.concrete_functions = list(concrete_functions)
        self._parameters = parameters

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Calls it.

        Raises:
            TypeError: arguments are missing, unknown, or given twice.
            InvalidArgumentError: no trace is for such arguments; says for which there are.
            GPersistError: an operation failed.
        """
        positional, by_keyword = self._parameters.bind(self.name, args, named)
        fault: InvalidArgumentError | None = None
        for is_exact in (True, False):
            for function in self.concrete_functions:
                try:
                    tensors = _matched(function.inputs, (self._without_defaults(positional, function), by_keyword), is_exact)
                except InvalidArgumentError as error:
                    fault = error
                else:
                    return function.call_matched(tensors)
        if len(self.concrete_functions) == 1 and fault is not None:
            raise InvalidArgumentError(f"{self.name}(): {fault}") from None
        options = "".join(f"\n  {_shown(function.inputs)}" for function in self.concrete_functions) or " none"
        raise InvalidArgumentError(
            f"no trace of {self.name}() that was saved is for the arguments ({_shown((positional, by_keyword))}); those there are are for:{options}"
        )

    def _without_defaults(self, positional: tuple[Any, ...], function: ConcreteFunction) -> tuple[Any, ...]:
        """Arguments that a trace has none for, since it was made for an `input_signature`, may only have their defaults."""
        count = len(function.inputs[0])
        defaults = self._parameters.defaults
        left = zip(self._parameters.names[count:], positional[count:], strict=False)
        return positional[:count] if all(each in defaults and value is defaults[each] for each, value in left) else positional

    def __repr__(self) -> str:
        return f"<Function {self.name!r}: {'; '.join(_shown(function.inputs) for function in self.concrete_functions) or 'no traces'}>"


def _matched(wanted: Any, given: Any, is_exact: bool, what: str = "argument") -> list[Any]:
    """The arrays for the specs of a nest, which arguments have to fit.

    Raises:
        InvalidArgumentError: they don't.
    """
    if isinstance(wanted, TensorSpec):
        if is_exact and not (hasattr(given, "dtype") and given.dtype == wanted.dtype.numpy):
            raise InvalidArgumentError(f"{what} is no array of {wanted.dtype.name}")
        return [argument(given, wanted, f"{what} {wanted.name!r}" if wanted.name else what)]
    if isinstance(wanted, CompositeSpec):
        return list(arguments(given, wanted, what))
    if isinstance(wanted, Mapping):
        if not isinstance(given, Mapping) or set(given) != set(wanted):
            raise InvalidArgumentError(f"{what}: expected {_shown(wanted)}, got {_shown(given)}")
        return [tensor for key in sorted(wanted) for tensor in _matched(wanted[key], given[key], is_exact, f"{what} {key!r}")]
    if isinstance(wanted, (tuple, list)):
        if not isinstance(given, (tuple, list)) or len(given) != len(wanted):
            raise InvalidArgumentError(f"{what}: expected {_shown(wanted)}, got {_shown(given)}")
        return [tensor for part, value in zip(wanted, given, strict=True) for tensor in _matched(part, value, is_exact, what)]
    if isinstance(wanted, np.ndarray) or hasattr(given, "dtype") or isinstance(given, (tuple, list, Mapping)) or given != wanted:
        raise InvalidArgumentError(f"{what}: expected {wanted!r}, got {_shown(given)}")
    return []


def own(value: Any) -> Any:
    """A result as an array that nobody else has, on the device where it lives."""
    if isinstance(value, (np.generic, bytes)):
        return np.array(value, object if isinstance(value, bytes) else None)
    with device_of(value).activate():
        return value.copy()


def input_specs(function: ConcreteFunction) -> dict[str, Any]:
    """The inputs of a function that is a signature, by name, in the order in which it takes them.

    Raises:
        DataLossError: it takes other arguments than tensors by name.
    """
    positional, named = function.inputs
    specs = [spec for spec in specs_in(positional) if isinstance(spec, TensorSpec)]
    found = {spec.name or f"args_{number}": spec for number, spec in enumerate(specs)} | {name: named[name] for name in sorted(named)}
    if tensor_count(function.inputs) != len(found):
        raise DataLossError(f"signature function {function.name!r} takes {_shown(function.inputs)}, expected tensors by name; the file is damaged")
    return found


def _shown(nest: Any) -> str:
    if isinstance(nest, (TensorSpec, CompositeSpec)):
        return f"{nest.name}: {spec_text(nest)}" if isinstance(nest, TensorSpec) and nest.name else spec_text(nest)
    if isinstance(nest, tuple) and len(nest) == 2 and isinstance(nest[0], tuple) and isinstance(nest[1], dict):
        return ", ".join([_shown(part) for part in nest[0]] + [f"{key}={_shown(part)}" for key, part in nest[1].items()])
    if isinstance(nest, Mapping):
        return f"{{{', '.join(f'{key!r}: {_shown(part)}' for key, part in nest.items())}}}"
    if isinstance(nest, (tuple, list)):
        return f"[{', '.join(map(_shown, nest))}]"
    if hasattr(nest, "dtype") and hasattr(nest, "shape"):
        return f"{nest.dtype}{list(nest.shape)}"
    return repr(nest)[:80]
