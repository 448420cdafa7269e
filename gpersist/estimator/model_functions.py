"""The functions that a user gives to an Estimator: what they may take, and what calling them gives."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.graph import BaseSession, get_default_graph
from gpersist.ops.dataset_iterators import make_initializable_iterator
from gpersist.ops.datasets import Dataset
from gpersist.train.coordinator import Coordinator
from gpersist.train.session_run_hook import SessionRunHook

_LOG = logging.getLogger("gpersist")
_ARGUMENTS = {"features", "labels", "mode", "params", "config", "self"}


def arguments(function: Callable[..., Any]) -> set[str]:
    """The names of the arguments that a function still takes: those that `functools.partial` has set are not among them."""
    if isinstance(function, functools.partial):
        taken = list(arguments_in_order(function.func))[len(function.args) :]
        return set(taken) - set(function.keywords)
    return set(arguments_in_order(function))


def arguments_in_order(function: Callable[..., Any]) -> list[str]:
    """The same, in order, of a function that is none of `functools.partial`."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind not in kinds]


def check_model_fn(model_fn: Any, params: Any) -> None:
    """Holds that a model function takes what it needs, and nothing else.

    Raises:
        ValueError: it does not.
    """
    if model_fn is None:
        raise ValueError("model_fn must be provided to Estimator.")
    names = arguments(model_fn)
    if "features" not in names:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in names:
        raise ValueError(f"model_fn ({model_fn}) does not include params argument, but params ({params}) is passed to Estimator.")
    if params is None and "params" in names:
        _LOG.warning("Estimator's model_fn (%s) includes params argument, but params are not passed to Estimator.", model_fn)
    others = sorted(names - _ARGUMENTS)
    if others:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {others}")


class _InitializerHook(SessionRunHook):
    """Has a session's iterator begin with its data."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def begin(self) -> None:
        self._initializer = self._iterator.initializer

    def after_create_session(self, session: BaseSession, coord: Coordinator) -> None:
        session.run(self._initializer)


def call_input_fn(input_fn: Callable[..., Any], mode: str, params: Any, config: Any) -> tuple[Any, Any, list[SessionRunHook]]:
    """Features, labels, which are None where there are none, and hooks that they need: the function gives these two, or a Dataset of them.

    Raises:
        ValueError: the function gives more than two things.
    """
    given = {"mode": mode, "params": params, "config": config}
    names = arguments(input_fn)
    with get_default_graph().device("/cpu:0"):
        found = input_fn(**{name: value for name, value in given.items() if name in names})
    hooks: list[SessionRunHook] = []
    if isinstance(found, Dataset):
        iterator = make_initializable_iterator(found)
        hooks.append(_InitializerHook(iterator))
        found = iterator.get_next()
    if not isinstance(found, (list, tuple)):
        return found, None, hooks
    if len(found) != 2:
        raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
    return found[0], found[1], hooks


def call_model_fn(model_fn: Callable[..., Any], features: Any, labels: Any, mode: str, params: Any, config: Any) -> EstimatorSpec:
    """What a model function makes in the default graph.

    Raises:
        ValueError: it takes no labels and there are some, or it gives no EstimatorSpec.
    """
    names = arguments(model_fn)
    if labels is not None and "labels" not in names:
        raise ValueError("model_fn does not take labels, but input_fn returns labels.")
    given = {"labels": labels, "mode": mode, "params": params, "config": config}
    _LOG.info("Calling model_fn.")
    found = model_fn(features=features, **{name: value for name, value in given.items() if name in names})
    _LOG.info("Done calling model_fn.")
    if not isinstance(found, EstimatorSpec):
        raise ValueError("model_fn should return an EstimatorSpec.")
    return found
