"""Kullback-Leibler divergences, each registered for two kinds of distributions (`tf.distributions.kl_divergence`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.checks import Assert
from gpersist.ops.math import is_nan, logical_not
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_any

__all__ = ["RegisterKL", "kl_divergence"]

_DIVERGENCES: dict[tuple[type, type], Callable[..., Tensor]] = {}


def kl_divergence(distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None) -> Tensor:
    """The divergence of one distribution from another, in nats (`tf.distributions.kl_divergence`).

    Args:
        distribution_a: the one.
        distribution_b: the other.
        allow_nan_stats: whether NaN is no error.
        name: of the scope.

    Raises:
        NotImplementedError: none is registered for these kinds.
    """
    found = _registered(type(distribution_a), type(distribution_b))
    if found is None:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type {type(distribution_a).__name__} and distribution_b type "
            f"{type(distribution_b).__name__}"
        )
    with name_scope("KullbackLeibler"):
        divergence = found(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return divergence
        divergence = identity(divergence, name="kl")
        told = (
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values (and was called with "
            "allow_nan_stats=False). Values:"
        )
        with get_default_graph().control_dependencies([Assert(logical_not(reduce_any(is_nan(divergence))), [told, divergence])]):
            return identity(divergence, name="checked_kl")


def cross_entropy(ref: Any, other: Any, allow_nan_stats: bool = True, name: str | None = None) -> Tensor:
    """The entropy of one distribution and its divergence from another, in nats."""
    with name_scope(name, "cross_entropy"):
        entropy: Tensor = ref.entropy()
        return entropy + kl_divergence(ref, other, allow_nan_stats=allow_nan_stats)


class RegisterKL:
    """Registers a function `f(a, b, name=None)` for two kinds of distributions, and those derived from them (`tf.distributions.RegisterKL`)."""

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        self._key = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn: Any) -> Any:
        """Registers it, and gives it back.

        Raises:
            TypeError: it is no function.
            ValueError: there is one for these kinds.
        """
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn}")
        if self._key in _DIVERGENCES:
            first, second = (kind.__name__ for kind in self._key)
            raise ValueError(f"KL({first} || {second}) has already been registered to: {_DIVERGENCES[self._key]}")
        _DIVERGENCES[self._key] = kl_fn
        return kl_fn


def _registered(first: type, second: type) -> Callable[..., Tensor] | None:
    """The function for the nearest kinds that two are derived from."""
    pairs = [(i + j, i, (a, b)) for i, a in enumerate(first.__mro__) for j, b in enumerate(second.__mro__) if (a, b) in _DIVERGENCES]
    return _DIVERGENCES[min(pairs, key=lambda pair: pair[:2])[2]] if pairs else None
