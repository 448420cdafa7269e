"""`tf.custom_gradient`: functions that bring their own gradient."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import GraphKeys, Operation, RegisterGradient, Tensor, apply, convert_to_tensor, get_default_graph
from gpersist.ops.passing import identity_n
from gpersist.ops.variable import Variable

__all__ = ["custom_gradient", "grad_pass_through"]

_NUMBERS = itertools.count()


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """A decorator for a function that gives its result and that result's gradient (`tf.custom_gradient`).

    Args:
        f: `f(*tensors)` gives `(result, grad)`; `grad(*dresult)` gives the gradient of each tensor. Where `f` uses resource variables, `grad` takes
            them as the keyword `variables`, and gives two lists: the gradients of the tensors, and those of the variables.

    Raises:
        ValueError: the function was called with keywords.
        TypeError: it uses variables, and `grad` has no such keyword.
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def call(*args: Any, **keywords: Any) -> Any:
        if keywords:
            raise ValueError("The custom_gradient decorator currently supports keywords arguments only when eager execution is enabled.")
        return _call(f, [_map(_as_tensor, arg) for arg in args])

    return call


def grad_pass_through(f: Callable[..., Any]) -> Any:
    """A function whose gradient is that of its result, as if it gave what it got (`tf.grad_pass_through`)."""

    @custom_gradient
    def passing(*args: Any) -> Any:
        def grad(*grads: Any, **keywords: Any) -> Any:
            used = keywords.get("variables")
            return grads if used is None else (grads, [None] * len(used))

        return f(*args), grad

    return passing


def _call(f: Callable[..., Any], args: list[Any]) -> Any:
    graph = get_default_graph()
    result, grad = f(*args)
    inputs, results = _flat(args), _flat(result)
    for tensor in results:
        apply("Identity", tensor)  # TensorFlow starts here when it looks for variables
    used = _variables_behind(results, inputs)
    parameters = inspect.signature(grad).parameters.values()
    takes_variables = any(parameter.name == "variables" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    if used and not takes_variables:
        raise TypeError(f"@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: {used}")
    name = f"CustomGradient-{next(_NUMBERS)}"

    @RegisterGradient(name)
    def gradient(op: Operation, *grads: Any) -> list[Any]:
        received = grads[: len(results)]
        if used:
            of_inputs, of_variables = grad(*received, variables=used)
            if len(of_variables) != len(used):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            of_inputs, of_variables = grad(*received), []
        return [None] * len(results) + _flat(of_inputs) + list(of_variables)

    with graph.gradient_override_map({"IdentityN": name}):
        passed = iter(identity_n([*results, *inputs, *used]))
    for variable in used:
        convert_to_tensor(variable)
    return _map(lambda _: next(passed), result)


def _variables_behind(results: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Any]:
    """The trainable resource variables that results follow from, other than through the inputs; by name."""
    stops = {tensor.op for tensor in inputs}
    seen: set[Operation] = set()
    waiting = [tensor.op for tensor in results]
    while waiting:
        op = waiting.pop()
        if op not in seen and op not in stops:
            seen.add(op)
            waiting += [tensor.op for tensor in op.inputs]
    known = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)
    found = [variable for variable in known if variable.op in seen and variable.op.type == "VarHandleOp" and variable.trainable]
    return sorted(found, key=lambda variable: str(variable.name))


def _as_tensor(value: Any) -> Tensor:
    return value.value() if isinstance(value, Variable) else convert_to_tensor(value)


def _map(function: Callable[[Any], Any], nest: Any) -> Any:
    if isinstance(nest, (list, tuple)):
        return type(nest)(_map(function, item) for item in nest)
    if isinstance(nest, dict):
        return {key: _map(function, item) for key, item in nest.items()}
    return function(nest)


def _flat(nest: Any) -> list[Any]:
    if isinstance(nest, dict):
        nest = list(nest.values())
    return [item for part in nest for item in _flat(part)] if isinstance(nest, (list, tuple)) else [nest]
