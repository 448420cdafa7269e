"""Runs in parts (`Session.partial_run`): what has been computed for one part is kept for those after it, so that no operation runs twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gpersist.errors import InvalidArgumentError
from gpersist.graph.fetches import Element
from gpersist.graph.operation import Operation
from gpersist.graph.tensor import Tensor

_UNKEPT = ("resource", "variant")


class PartialRun:
    """One run that is made in parts.

    Args:
        fetched: all that its parts may fetch.
        fed: all that they may feed.

    Raises:
        InvalidArgumentError: nothing is fetched, or a tensor fed twice.
    """

    def __init__(self, fetched: Iterable[Element], fed: Sequence[Tensor]) -> None:
        self._fetched = dict.fromkeys(fetched, False)
        self._fed = dict.fromkeys(fed, False)
        self._known: dict[Tensor, Any] = {}
        if not self._fetched:
            raise InvalidArgumentError("Must specify at least one target to fetch or execute.")
        for tensor in self._fed:
            if fed.count(tensor) > 1:
                raise InvalidArgumentError(f'Endpoint "{tensor.name}" fed more than once.')

    @property
    def is_done(self) -> bool:
        """Whether all has been fetched and fed."""
        return all(self._fetched.values()) and all(self._fed.values())

    def handle(self, number: int) -> str:
        """A name for it, as TensorFlow writes it."""
        tensors = ",".join(element.name for element in self._fetched if isinstance(element, Tensor))
        targets = ",".join(element.name for element in self._fetched if isinstance(element, Operation))
        return f"{','.join(tensor.name for tensor in self._fed)}->{tensors}/{targets}/1/;{number}"

    def run(self, fetched: Sequence[Element], fed: Mapping[Tensor, Any], run: Callable[[list[Tensor], dict[Tensor, Any]], list[Any]]) -> list[Any]:
        """Runs a part.

        Args:
            fetched: what this part fetches.
            fed: what it feeds, besides the parts before it.
            run: runs tensors of the graph, with these feeds.

        Returns:
            The value of each fetched tensor.

        Raises:
            InvalidArgumentError: it was fetched or fed before, or is not to be; or it needs what has not been fed yet.
            RuntimeError: an operation is fetched.
        """
        if targets := [element for element in fetched if isinstance(element, Operation)]:
            raise RuntimeError(f"partial_run() requires empty `target_list`. Received: target_list={targets} (non-empty)")
        _check("feed", "fed", fed, self._fed)
        _check("fetch", "fetched", fetched, self._fetched)
        known = self._known | dict(fed)
        wanted = self._needed(fetched, known)
        values = dict(zip(wanted, run(wanted, known), strict=True)) if wanted else {}
        self._known = known | values
        self._fed |= dict.fromkeys(fed, True)
        self._fetched |= dict.fromkeys(fetched, True)
        return [self._known[tensor] for tensor in fetched if isinstance(tensor, Tensor)]

    def _needed(self, fetched: Sequence[Element], known: Mapping[Tensor, Any]) -> list[Tensor]:
        """The tensors that have to be computed: those that are fetched, and all on the way there that can be kept."""
        found = {tensor: None for tensor in fetched if isinstance(tensor, Tensor) and tensor not in known}
        seen: set[Operation] = set()
        waiting = [tensor for tensor in fetched if isinstance(tensor, Tensor)]
        while waiting:
            tensor = waiting.pop()
            if tensor in known:
                continue
            if tensor in self._fed:
                raise InvalidArgumentError(f"Fetch {tensor.name} can't be computed from the feeds that have been fed so far.")
            op = tensor.op
            if op in seen:
                continue
            seen.add(op)
            waiting += op.inputs
            waiting += [output for before in op.control_inputs for output in before.outputs]
            if (op.inputs and op._control_flow_context is None) or op.type.startswith("Random"):
                found |= {output: None for output in op.outputs if not output.dtype.is_ref and output.dtype.name not in _UNKEPT}
        return list(found)


def _check(what: str, done: str, asked: Iterable[Any], all_of: Mapping[Any, bool]) -> None:
    for element in asked:
        if element not in all_of:
            raise InvalidArgumentError(f"The {what} {element.name} was not specified in partial_run_setup.")
        if all_of[element]:
            raise InvalidArgumentError(f"The {what} {element.name} has already been {done}.")
