"""Makes plans for a session, and keeps what they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpersist.devices import Device
from gpersist.graph.context import Context
from gpersist.graph.fetches import Element
from gpersist.graph.op_type import OpType
from gpersist.graph.operation import Operation
from gpersist.graph.placer import Placer
from gpersist.graph.plan import Plan
from gpersist.graph.plan_builder import PlanBuilder
from gpersist.graph.tensor import Tensor
from gpersist.graph.transfer import Transfers, array_module
from gpersist.graph.variables_store import VariablesStore


class Planner:
    """Makes plans for a session; keeps what they share: constants on devices, and the operations' states."""

    def __init__(self, placer: Placer, variables: VariablesStore, transfers: Transfers, session: Any) -> None:
        self._placer = placer
        self._variables = variables
        self._transfers = transfers
        self._session = session
        self._statics: dict[tuple[Operation, Device], Any] = {}
        self._contexts: dict[Operation, Context] = {}

    def plan(self, fetches: Sequence[Element], feeds: Sequence[Tensor], places: Sequence[Device] | None = None) -> Plan:
        """The plan for some fetches, where some tensors are fed.

        Args:
            fetches: tensors and operations.
            feeds: tensors.
            places: where the fed values are; then what is fetched stays where it is made, too. By default both are on the host.

        Raises:
            NotFoundError: an operation that would have to run is none of gpersist's.
            UnimplementedError: operations depend on each other in a circle.
        """
        return PlanBuilder(self, fetches, feeds, places).plan()

    def context(self, op: Operation) -> Context:
        """The context of an operation, always the same one."""
        found = self._contexts.get(op)
        if found is None:
            found = self._contexts[op] = Context(op, self._placer.device_of(op), self._variables, self._transfers, self._session)
        return found

    def move_to_new_places(self) -> None:
        """Has operations that were placed anew run there from now on, variables' values with them."""
        self._statics.clear()
        for op, context in self._contexts.items():
            device = self._placer.device_of(op)
            if device is context.device:
                continue
            context.device, context.xp = device, array_module(device)
            if op.op_type is not None and op.op_type.is_static and op.signature is not None and "shared_name" in op.signature.by_name:
                buffer = context.buffer()
                with buffer.lock:
                    buffer.device = device
                    if buffer.is_initialized:
                        buffer.adopt(self.move(buffer.read(), device))

    def static(self, op: Operation, op_type: type[OpType], device: Device) -> Any:
        """The one output, in a device's memory, of an operation that has the same in every run."""
        found = self._statics.get((op, device))
        if found is None:
            if op_type.takes_context:
                found = op_type.run(self.context(op), **{name: op.attr(name) for name in op_type.run_attrs})
            elif device.is_host:
                found = op_type.run(array_module(device), **{name: op.attr(name) for name in op_type.run_attrs})
            else:
                found = self.move(self.static(op, op_type, self.host), device)
            self._statics[op, device] = found
        return found

    def tell_of_fallbacks(self, ops: Iterable[Operation]) -> None:
        """See `Placer.tell_of_fallbacks`."""
        self._placer.tell_of_fallbacks(ops)

    def device_of(self, op: Operation, op_type: type[OpType]) -> Device:
        """Where an operation runs."""
        return self._placer.host if op_type.is_host_only else self._placer.device_of(op)

    @property
    def host(self) -> Device:
        """The host."""
        return self._placer.host

    def move(self, value: Any, device: Device) -> Any:
        """A value in a device's memory."""
        return self._transfers.move(value, device)
