"""Context: what an operation that needs the session gets."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Device
from gpersist.graph.operation import Operation
from gpersist.graph.transfer import Transfers, array_module
from gpersist.graph.variables_store import Buffer, VariablesStore


class Context:
    """What an operation that needs the session gets: itself, its surroundings, and a memory of its own.

    Attributes:
        op: the node.
        device: where it runs.
        xp: the module for that device's arrays, NumPy or CuPy.
        variables: the session's.
        state: a dict of this operation in this session; lives as long as the session.
        session: the session itself, as `gpersist.graph.Session`.
    """

    __slots__ = ("_move", "device", "op", "session", "state", "variables", "xp")

    def __init__(self, op: Operation, device: Device, variables: VariablesStore, transfers: Transfers, session: Any) -> None:
        self._move = transfers.move
        self.op = op
        self.device = device
        self.xp = array_module(device)
        self.variables = variables
        self.state: dict[str, Any] = {}
        self.session = session

    def move(self, value: Any) -> Any:
        """A value in the memory of this device."""
        return self._move(value, self.device)

    def buffer(self) -> Buffer:
        """The buffer of the variable that this operation makes: its `shared_name`, or its own name."""
        name = self.op.attr("shared_name").decode("utf-8", "surrogateescape") or self.op.name
        return self.variables.buffer(name, self.op.attr("dtype"), self.device, self.op.attr("container").decode("utf-8", "surrogateescape"))
