"""Scaffold: the operations that initialise, check, summarise and save a graph, gathered or made (`tf.train.Scaffold`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from gpersist.graph import BaseSession, GraphKeys, Operation, Tensor, get_default_graph, name_scope
from gpersist.ops.array import concat
from gpersist.ops.constants import constant
from gpersist.ops.control import group, no_op
from gpersist.ops.lookup import tables_initializer
from gpersist.ops.summary import merge_all
from gpersist.ops.variable_lists import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from gpersist.train.saver import Saver

__all__ = ["Scaffold"]

_LOG = logging.getLogger("gpersist")

_REPORTING_DEVICE = "/cpu:0"


class Scaffold:
    """What a monitored session needs of a graph (`tf.train.Scaffold`).

    What is not given is taken from the graph's collections, or made, by `finalize`.

    Args:
        init_op: initialises the variables; all global ones by default.
        init_feed_dict: what it is fed with.
        init_fn: is called after it, as `init_fn(scaffold, session)`.
        ready_op: gives the names of variables that have no value.
        ready_for_local_init_op: gives the names of those that have no value before `local_init_op` runs.
        local_init_op: run for each session, restored ones as well; local variables and tables by default.
        summary_op: all summaries, as one.
        saver: saves and restores; a sharded one for all variables by default.
        copy_from_scaffold: another one, for what is not given.
        local_init_feed_dict: what `local_init_op` is fed with.

    Raises:
        TypeError: `copy_from_scaffold` is none.
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Mapping[Any, Any] | None = None,
        init_fn: Callable[[Scaffold, BaseSession], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
        local_init_feed_dict: Mapping[Any, Any] | None = None,
    ) -> None:
        if copy_from_scaffold is not None and not isinstance(copy_from_scaffold, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")

        def chosen(given: Any, name: str) -> Any:
            return given if given is not None or copy_from_scaffold is None else getattr(copy_from_scaffold, name)

        self._init_op = chosen(init_op, "init_op")
        self._init_feed_dict = chosen(init_feed_dict, "init_feed_dict")
        self._user_init_fn = chosen(init_fn, "_user_init_fn")
        self._ready_op = chosen(ready_op, "ready_op")
        self._ready_for_local_init_op = chosen(ready_for_local_init_op, "ready_for_local_init_op")
        self._local_init_op = chosen(local_init_op, "local_init_op")
        self._local_init_feed_dict = chosen(local_init_feed_dict, "local_init_feed_dict")
        self._summary_op = chosen(summary_op, "summary_op")
        self._saver = chosen(saver, "saver")

    def finalize(self) -> Scaffold:
        """Makes what is missing; the default graph cannot be changed after that.

        Raises:
            RuntimeError: a collection that should have one operation, or one saver, has several.
        """
        default = Scaffold.get_or_default
        if self._init_op is None:
            self._init_op = default("init_op", GraphKeys.INIT_OP, _default_init_op)
        if self._ready_op is None:
            self._ready_op = default("ready_op", GraphKeys.READY_OP, lambda: _unready(None))
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = default(
                "ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: _unready(global_variables())
            )
        if self._local_init_op is None:
            self._local_init_op = default("local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op)
        if self._summary_op is None:
            self._summary_op = default("summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = _saver_or_default()
        self._saver.build()
        get_default_graph().finalize()
        _LOG.info("Graph was finalized.")
        return self

    @property
    def init_op(self) -> Any:
        """Initialises the variables."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        """What `init_op` is fed with."""
        return self._init_feed_dict

    @property
    def init_fn(self) -> Callable[[BaseSession], Any] | None:
        """The function that is called after `init_op`, with the session alone."""
        function = self._user_init_fn
        return None if function is None else lambda session: function(self, session)

    @property
    def ready_op(self) -> Any:
        """Gives the names of variables that have no value."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """Gives the names of global variables that have no value."""
        return self._ready_for_local_init_op

    @property
    def local_init_op(self) -> Any:
        """Initialises what is not saved."""
        return self._local_init_op

    @property
    def local_init_feed_dict(self) -> Any:
        """What `local_init_op` is fed with."""
        return self._local_init_feed_dict

    @property
    def summary_op(self) -> Any:
        """All summaries as one, or None."""
        return self._summary_op

    @property
    def saver(self) -> Any:
        """Saves and restores."""
        return self._saver

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """The only element of a collection; if it is empty, what a function makes, which is put there.

        Raises:
            RuntimeError: there are several.
        """
        graph = get_default_graph()
        found = graph.get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(
                f'More than one item in the collection "{collection_key}". Please indicate which one to use by passing it to the tf.Scaffold '
                f"constructor as:  tf.Scaffold({arg_name}=item to use)"
            )
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            graph.add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op() -> Operation:
        """An operation that initialises local variables and tables."""
        return group(local_variables_initializer(), tables_initializer(), no_op(name="init"))


def _default_init_op() -> Operation:
    return group(global_variables_initializer(), no_op(name="init"), get_default_graph().get_collection("saved_model_initializers"))


def _unready(variables: Any) -> Tensor:
    """Names of variables without a value, and of resources: there are none of these here, but their nodes are part of TensorFlow's graph."""
    names = report_uninitialized_variables(variables)
    with name_scope("report_uninitialized_resources"), get_default_graph().device(_REPORTING_DEVICE):
        resources = constant([], dtype="string")
    return concat([names, resources], 0)


def _saver_or_default() -> Any:
    graph = get_default_graph()
    savers = graph.get_collection(GraphKeys.SAVERS)
    if len(savers) > 1:
        raise RuntimeError(f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one to use by passing it to the constructor.")
    if savers:
        return savers[0]
    saver = Saver(sharded=True, allow_empty=True)
    graph.add_to_collection(GraphKeys.SAVERS, saver)
    return saver
