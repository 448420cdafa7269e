"""While loops of a graph, as TensorFlow 1 has them: which operations are in which loop, and the parts of each loop.

A loop is a frame, named by its Enter operations. In TensorFlow's form, for each of its variables:

    Enter -> Merge -> (condition) -> LoopCond -> Switch -> (body) -> NextIteration -> back to Merge
                                                        -> Exit
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from gpersist import protos
from gpersist.errors import InternalError, InvalidArgumentError, UnimplementedError
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op
from gpersist.graph.tensor import Tensor

ENTERS = frozenset({"Enter", "RefEnter"})
EXITS = frozenset({"Exit", "RefExit"})
NEXTS = frozenset({"NextIteration", "RefNextIteration"})
SWITCHES = frozenset({"Switch", "RefSwitch", "_SwitchN"})
MERGES = frozenset({"Merge", "RefMerge"})


class Frame:
    """A loop, or (with no parent) what is in none.

    Attributes:
        name: the loop's.
        parent: the frame around it.
        depth: how many loops it is in, itself included.
        enters: operations that take values into it.
        ops: the operations that run in each iteration, those of loops within it left out.
        children: the loops within it.
        exits: operations that take values out of it.
    """

    def __init__(self, name: str, parent: Frame | None) -> None:
        self.name = name
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.enters: list[Operation] = []
        self.ops: list[Operation] = []
        self.children: list[Frame] = []
        self.exits: list[Operation] = []

    def __repr__(self) -> str:
        return f"<Frame {self.name!r} of {len(self.ops)} operations>"


class Frames:
    """The frames of the operations of a plan.

    Args:
        ops: all operations that have to run.

    Attributes:
        root: the frame of those that are in no loop.
    """

    def __init__(self, ops: Sequence[Operation]) -> None:
        self.root = Frame("", None)
        self._of: dict[Operation, Frame] = {}
        if any(op.type in ENTERS or op.type in EXITS for op in ops):
            self._walk(ops)
        for op in ops:
            frame = self.of(op)
            if op.type in NEXTS and frame is self.root:
                raise with_op(InternalError(f"'{op.name}' hands a value on to a next iteration, but no Enter leads into a loop that it is in"), op)
            (frame.enters if op.type in ENTERS else frame.exits if op.type in EXITS else frame.ops).append(op)

    def of(self, op: Operation) -> Frame:
        """The frame in which an operation runs: of an Enter and an Exit, the inner one."""
        return self._of.get(op, self.root)

    def item(self, op: Operation, frame: Frame) -> Operation | Frame | None:
        """What stands for an operation in a frame: itself, or the loop directly within the frame that it is somewhere in; None outside of it."""
        found: Frame | None = self.of(op)
        if found is frame and op.type not in ENTERS and op.type not in EXITS:
            return op
        last: Frame | None = None
        while found is not None and found is not frame:
            last, found = found, found.parent
        return last if found is not None else None

    def _walk(self, ops: Sequence[Operation]) -> None:
        """Gives each operation the innermost of the frames that its inputs come from."""
        found: dict[tuple[Frame, bytes], Frame] = {}
        inside = set(ops)
        for op in in_order(ops, forward_sources):
            frame, first = self.root, None
            for source in forward_sources(op):
                outer = self.of(source)
                if source.type in EXITS and outer.parent is not None:
                    outer = outer.parent
                if first is not None and outer is not frame and source in inside:  # what is fed has no frame
                    raise with_op(
                        InvalidArgumentError(
                            f"{{{{node {op.name}}}}} has inputs from different frames. The input {{{{node {source.name}}}}} is in frame "
                            f"'{outer.name}'. The input {{{{node {first.name}}}}} is in frame '{frame.name}'."
                        ),
                        op,
                    )
                if source in inside:
                    frame, first = outer, source
            if op.type in ENTERS:
                key = (frame, op.attr("frame_name"))
                if key not in found:
                    found[key] = Frame(key[1].decode("utf-8", "replace"), frame)
                    frame.children.append(found[key])
                frame = found[key]
            elif op.type in EXITS and frame.parent is None:
                raise with_op(
                    InvalidArgumentError(f"Invalid Exit op: Cannot find a corresponding Enter op. '{op.name}' leaves a loop, but is in none"), op
                )
            if frame is not self.root:
                self._of[op] = frame
                if op.type in MERGES:
                    _check_back_edge(op)


def _check_back_edge(merge: Operation) -> None:
    """Holds the types of what comes back to the head of a loop against that of what came in; whoever built the loop could not yet tell."""
    expected = merge.outputs[0].dtype.base_dtype
    for index, tensor in enumerate(merge._inputs):
        if tensor.dtype.base_dtype is not expected:
            given, wanted = (protos.DataType.Name(dtype.enum)[3:].lower() for dtype in (tensor.dtype.base_dtype, expected))
            raise with_op(
                InvalidArgumentError(
                    f"Input {index} of node {merge.name} was passed {given} from {tensor.name} incompatible with expected {wanted}."
                ),
                merge,
            )


_Item = TypeVar("_Item", Operation, "Operation | Frame")


def in_order(items: Iterable[_Item], waits_for: Callable[[_Item], Iterable[_Item]]) -> list[_Item]:
    """Items, each behind what it waits for; as they are, where that is so already.

    Raises:
        UnimplementedError: some wait for each other.
    """
    members = list(items)
    inside = set(members)
    done: set[_Item] = set()
    order: list[_Item] = []
    path: dict[_Item, None] = {}
    for first in members:
        stack = [first]
        while stack:
            item = stack[-1]
            if item in done:
                stack.pop()
                continue
            ahead = [found for found in waits_for(item) if found in inside and found not in done]
            if not ahead:
                stack.pop()
                path.pop(item, None)
                done.add(item)
                order.append(item)
                continue
            path[item] = None
            circle = next((found for found in ahead if found in path), None)
            if circle is not None:
                raise UnimplementedError(f"{_named(item)} and {_named(circle)} wait for each other, and no NextIteration is between them")
            stack += ahead
    return order


def _named(item: Operation | Frame) -> str:
    return f"'{item.name}'"


def is_loop_merge(op: Operation) -> bool:
    """Whether it is where a loop's variable begins each iteration."""
    return op.type in MERGES and any(tensor._op.type in NEXTS for tensor in op._inputs)


def sources(op: Operation) -> list[Operation]:
    """What an operation waits for."""
    return [tensor._op for tensor in op._inputs] + op._control_inputs


def forward_sources(op: Operation) -> list[Operation]:
    """The same within an iteration: what a NextIteration hands on is of the iteration before."""
    return [found for found in sources(op) if found.type not in NEXTS]


def loop_switches(frame: Frame) -> tuple[Tensor, list[Operation]]:
    """A loop's condition, and the Switch operations that it decides.

    Raises:
        UnimplementedError: the loop is not of TensorFlow's form.
    """
    conditions = {op.outputs[0] for op in frame.ops if op.type == "LoopCond"}
    if not conditions:  # which is there for the reader: what counts is what decides over the loop's variables
        conditions = {op._inputs[1] for op in frame.ops if op.type in SWITCHES and is_loop_merge(op._inputs[0]._op)}
    if len(conditions) != 1:
        raise UnimplementedError(f"the loop {frame.name!r} has {len(conditions)} conditions (LoopCond); expected one")
    (condition,) = conditions
    return condition, [op for op in frame.ops if op.type in SWITCHES and op._inputs[1] is condition]
