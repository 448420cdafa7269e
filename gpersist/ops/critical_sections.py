"""Parts of a graph of which one runs at a time, whichever runs they are part of (`tf.CriticalSection`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gpersist.dtypes import resource
from gpersist.graph import Operation, Tensor, apply, apply_op, get_default_graph, name_scope
from gpersist.ops import nest
from gpersist.ops.control import control_dependencies, group, tuple_
from gpersist.ops.passing import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CriticalSection"]

_SECTIONS, _EXECUTIONS = "critical_sections", "critical_section_executions"


class _Execution(NamedTuple):
    """A function that was added to a section, and the resources that it reaches."""

    op: Operation
    handle: Tensor
    resources: list[Tensor]
    exclusive_resource_access: bool


class _Inside(threading.local):
    """The sections whose functions are being called, by their signatures."""

    def __init__(self) -> None:
        self.signatures: list[tuple[Any, ...]] = []


_INSIDE = _Inside()


class CriticalSection:
    """Parts of a graph of which one runs at a time (`tf.CriticalSection`).

    Args:
        name: of the node.
        shared_name: by which sections of a session are the same; by default the node's name.
        critical_section_def: nothing that there is.
        import_scope: nothing.

    Raises:
        ValueError: there is a `critical_section_def`.
    """

    def __init__(
        self, name: str | None = None, shared_name: str | None = None, critical_section_def: Any = None, import_scope: str | None = None
    ) -> None:
        del import_scope
        if critical_section_def and name is not None:
            raise ValueError(
                f"Arguments critical_section_def={critical_section_def} and shared_name={shared_name} are mutually exclusive. Please only specify "
                "one of them."
            )
        if critical_section_def:
            raise ValueError("Argument `critical_section_def` is not supported.")
        with name_scope(name, "CriticalSection", []) as scope, control_dependencies(None):
            container = get_default_graph()._container
            shared = scope if shared_name is None else shared_name
            self._handle = apply("MutexV2", shared_name=shared, container=container, name=scope)
            self._signature = (container, shared or id(self._handle), self._handle.op.device or None)
        get_default_graph().add_to_collection(_SECTIONS, self)

    @property
    def name(self) -> str:
        """The name of the node."""
        return self._handle.op.name

    def execute(self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None) -> Any:
        """What a function gives, whose operations run only while no others of this section do.

        Args:
            fn: takes nothing, and gives tensors in any nest.
            exclusive_resource_access: whether no other section may reach the variables that `fn` does.
            name: of the scope.

        Raises:
            ValueError: `fn` uses this section itself, or another one may use the same variables.
        """
        graph = get_default_graph()
        with name_scope(name, "critical_section_execute", []):
            with self._entered():
                lock = apply("MutexLock", self._handle)
                before = len(graph.get_operations())
                with control_dependencies([lock]):
                    result = fn()
                made = graph.get_operations()[before:]
            self._wait_for_arguments(made, lock.op)
            reached = list(dict.fromkeys(tensor for op in made for tensor in op.inputs if tensor.dtype is resource))
            if any(self._is_own(tensor) for tensor in reached):
                raise ValueError(
                    f"Attempting to lock a CriticalSection in which we are already running (signature={self._signature}). This is illegal and may "
                    "cause deadlocks."
                )
            self._check_exclusive(reached, exclusive_resource_access)
            leaves = [_again(leaf) for leaf in nest.flatten(result)]
            with control_dependencies(leaves):
                with graph.colocate_with(self._handle):
                    unlocked = apply_op("ConsumeMutexLock", lock)
                together = nest.pack_sequence_as(result, tuple_(nest.flatten(result)))
            with control_dependencies([unlocked]):
                outputs = nest.map_structure(_again, together)
            graph.add_to_collection(_EXECUTIONS, _Execution(lock.op, self._handle, reached, exclusive_resource_access))
            return outputs

    @contextmanager
    def _entered(self) -> Iterator[None]:
        if self._signature in _INSIDE.signatures:
            raise ValueError(
                f"Attempting to lock a CriticalSection (signature={self._signature}) in which we are already running. This is illegal and may cause "
                "deadlocks."
            )
        _INSIDE.signatures.append(self._signature)
        try:
            yield
        finally:
            _INSIDE.signatures.pop()

    def _wait_for_arguments(self, made: list[Operation], lock: Operation) -> None:
        """Has the lock taken only once everything is there that the function takes from outside."""
        inside = {*made, lock, *lock.control_inputs, *(tensor.op for tensor in lock.inputs)}
        outside = dict.fromkeys(arg for op in made for arg in (*(tensor.op for tensor in op.inputs), *op.control_inputs) if arg not in inside)
        if outside:
            lock._add_control_input(group(*outside))

    def _is_own(self, tensor: Tensor) -> bool:
        op, own = tensor.op, self._handle.op
        return op.type == "MutexV2" and bool(op.get_attr("shared_name")) and op.get_attr("shared_name") == own.get_attr("shared_name")

    def _check_exclusive(self, reached: Collection[Tensor], is_exclusive: bool) -> None:
        for other in get_default_graph().get_collection(_EXECUTIONS):
            if self._is_own(other.handle) or not (is_exclusive or other.exclusive_resource_access):
                continue
            if common := [tensor for tensor in reached if tensor in other.resources]:
                raise ValueError(
                    f"This execution would access resources: {common}. Either this lock (CriticalSection: {self._handle}) or lock '{other}' "
                    f"(CriticalSection: {other.handle}) requested exclusive resource access of this resource. Did you mean to call execute with "
                    "keyword argument exclusive_resource_access=False?"
                )


def _again(value: Any) -> Any:
    return group(value) if isinstance(value, Operation) else value.identity() if hasattr(value, "identity") else identity(value)
