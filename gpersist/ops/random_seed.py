"""The seeds of random operations: one of the graph, one of the operation (`tensorflow/python/framework/random_seed.py`)."""

from __future__ import annotations

import weakref

from gpersist.graph import Graph, get_default_graph

__all__ = ["get_seed", "set_random_seed"]

DEFAULT_GRAPH_SEED = 87654321
"""The graph's seed where only the operation is given one."""

_MODULUS = 2**31 - 1
_GIVEN: weakref.WeakKeyDictionary[Graph, int] = weakref.WeakKeyDictionary()


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The two seeds of an operation of the default graph (`tf.get_seed`).

    Operations without a seed of their own are numbered, in a graph that has one: 0, 1, 2, ... This is TensorFlow 2's `compat.v1`; TensorFlow 1 itself
    took the number of the graph's last node instead.

    Args:
        op_seed: the operation's, or None.

    Returns:
        The attributes `seed` and `seed2`; None for both where neither the graph nor the operation has a seed, and each run shall differ.
    """
    graph = get_default_graph()
    if graph.seed is None and op_seed is None:
        return None, None
    if op_seed is None:
        op_seed = _GIVEN.get(graph, 0)
        _GIVEN[graph] = op_seed + 1
    seeds = (DEFAULT_GRAPH_SEED if graph.seed is None else graph.seed) % _MODULUS, op_seed % _MODULUS
    return (0, _MODULUS) if seeds == (0, 0) else seeds  # two zeros would mean: none


def set_random_seed(seed: int | None) -> None:
    """Gives the default graph its seed (`tf.set_random_seed`)."""
    get_default_graph().seed = seed
