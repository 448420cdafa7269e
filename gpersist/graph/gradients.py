"""The way back through a graph: from the gradients of some tensors to those of others, operation by operation.

Knows which operations lie between, in which order their gradients are complete, and which function each operation's gradient is; of adding gradients
up, and of those that are missing, whoever calls `backpropagate` knows. A gradient is a tensor, or what stands for one (`gpersist.ops.IndexedSlices`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol, TypeVar

from gpersist.dtypes import DType, bfloat16, complex64, complex128, float16, float32, float64, resource, variant
from gpersist.graph import registry
from gpersist.graph.frames import EXITS
from gpersist.graph.function_library import find_function
from gpersist.graph.operation import Operation
from gpersist.graph.tensor import Tensor

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
"""What calls a function; where `_gradient_op_type` names a gradient that another process knew, they have that of their function."""

GradientFunction = Callable[..., Any]
"""`gradient(op, *grads)`: the gradient of each input, or None, from those of the outputs."""

_F = TypeVar("_F", bound=GradientFunction)

_NOT_DIFFERENTIABLE = (
    *("Assert", "Assign", "AssignAdd", "AssignSub", "DrawBoundingBoxes", "HSVToRGB", "RandomShuffle", "ResizeBilinearGrad", "VariableShape"),
    *("ScatterAdd", "ScatterDiv", "ScatterMul", "ScatterNdAdd", "ScatterNdSub", "ScatterNdUpdate", "ScatterSub", "SparseAddGrad", "SparseConcat"),
    *("QueueClose", "QueueDequeue", "QueueDequeueMany", "QueueDequeueUpTo", "QueueEnqueue", "QueueEnqueueMany", "QueueSize"),
    *("DenseToDenseSetOperation", "DenseToSparseSetOperation", "ReduceDataset", "SetSize", "SparseToSparseSetOperation"),
    *("ReaderNumRecordsProduced", "ReaderNumWorkUnitsCompleted", "ReaderRead", "ReaderReadUpTo"),
    *("ReaderReset", "ReaderRestoreState", "ReaderSerializeState"),
    *("AudioMicrofrontend", "GenerateVocabRemapping", "LoadAndRemapMatrix", "RandomIndexShuffle"),
    *("DeleteSessionTensor", "GetSessionHandle", "GetSessionHandleV2", "GetSessionTensor"),
    *("FakeQuantWithMinMaxArgsGradient", "FakeQuantWithMinMaxVarsGradient", "FakeQuantWithMinMaxVarsPerChannelGradient"),
)
"""What gradients do not pass in TensorFlow, without this being an error, though there are inputs of numbers."""

_REGISTERED: dict[str, GradientFunction | None] = dict.fromkeys(_NOT_DIFFERENTIABLE)
"""What callers have registered, and these; None for what is not differentiable. The gradients of gpersist's own operations are beside them."""

_OVERRIDE = "_gradient_op_type"
"""The attribute that names another gradient than that of the operation's own type; `Graph.gradient_override_map` sets it."""


class RegisterGradient:
    """A decorator that makes a function the gradient of a type of operation (`tf.RegisterGradient`).

    Args:
        op_type: of an operation that has none yet, or any name, for `Graph.gradient_override_map`.

    Raises:
        TypeError: the name is no text.
        KeyError: the type has a gradient already.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: _F) -> _F:
        """Registers the function, and gives it back."""
        _register(self._op_type, f)
        return f


def NotDifferentiable(op_type: str) -> None:  # noqa: N802  # TensorFlow's name
    """Says that no gradient passes a type of operation (`tf.NotDifferentiable`), and that this is no error.

    Raises:
        TypeError: the name is no text.
        KeyError: the type has a gradient already.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


NoGradient = NotDifferentiable
"""The old name of `NotDifferentiable`."""


def _register(name: str, function: GradientFunction | None) -> None:
    found = registry.find(name)
    if name in _REGISTERED or (found is not None and found.gradient is not None):
        raise KeyError(f"Registering two gradient with name '{name}'! Give this one another name, and choose it with Graph.gradient_override_map")
    _REGISTERED[name] = function


def get_gradient_function(op: Operation) -> GradientFunction | None:
    """The function that builds an operation's gradient; None if it is not differentiable, or has no inputs.

    Raises:
        LookupError: nobody has said what its gradient is.
    """
    if not op._inputs:
        return None
    name = op.attr(_OVERRIDE).decode() if op.has_attr(_OVERRIDE) else op.type
    if name in _REGISTERED:
        return _REGISTERED[name]
    op_type = registry.find(name)
    found: GradientFunction | None = None if op_type is None else op_type.gradient
    if found is None:
        raise LookupError(f"gradient registry has no entry for: {name}")
    return found


def is_trainable(dtype: DType) -> bool:
    """Whether tensors of a type have gradients: real and complex numbers, and handles of variables."""
    return dtype.enum % 100 in _TRAINABLE  # a reference's number is its base's and 100


_TRAINABLE = frozenset(dtype.enum for dtype in (float16, bfloat16, float32, float64, complex64, complex128, resource, variant))


class Loops(Protocol):
    """What `backpropagate` asks about while loops: the gradient of a loop is another one, and what is built of it is within that."""

    def add(self, op: Operation) -> list[Operation]:
        """Makes the backward loop of the loop that an Exit is of, if it isn't there; gives all Exits of the loop."""

    def unused_exits(self, pending: dict[Operation, int], starts: set[Operation]) -> list[Tensor]:
        """Exits that no gradient will reach, of loops where that is so of all others, too; counts what waits for them."""

    def within(self, op: Operation, *, is_before: bool) -> AbstractContextManager[None]:
        """In the backward loop of the loop that an operation is in; of an Exit, before its gradient is built, of the one around."""

    def zeros_for_exit(self, tensor: Tensor) -> Any:
        """What stands for the gradient of an Exit that has none."""

    def is_ready_early(self, op: Operation) -> bool:
        """Whether an operation's gradient is built before all of its outputs' are there, and again then: a loop's Switch."""

    def exits_after(self, tensor: Tensor, has_gradient: Callable[[Operation], bool]) -> tuple[list[Operation], list[Tensor]]:
        """What follows once an Exit is ready: operations, and Exits that get zeros first; nothing, while the loop has others that are not."""

    def check(self, op: Operation) -> None:
        """Raises ValueError, if the gradient of an operation cannot be built where the caller is: within its loop."""


class Rules(Protocol):
    """What `backpropagate` leaves to others."""

    def total(self, op: Operation, grads: list[Any]) -> Any:
        """The sum of several gradients of one output of an operation."""

    def zeros(self, op: Operation, index: int) -> Any:
        """The gradient of an output that nothing depends on; None for one that needs none."""

    def loops(self) -> Loops:
        """What is known of while loops on the way; made if there are any, and completed by the caller of `backpropagate`."""

    def gate(self, grads: list[Any]) -> list[Any]:
        """The same gradients, for each input or None, before they are handed on."""


class Between(NamedTuple):
    """The operations from some tensors to others.

    Attributes:
        pending: each of them, and how many inputs of the others it gives: so many gradients it waits for.
        starts: those at the end of the graph, each once.
        loops: of the while loops among them; None without any.
    """

    pending: dict[Operation, int]
    starts: list[Operation]
    loops: Loops | None


def between(from_ops: Sequence[Operation], to_ops: Sequence[Operation], rules: Rules, *, colocate: bool) -> Between:
    """The operations on the ways from some to others that gradients can pass."""
    reached: set[Operation] = set()
    waiting = deque(from_ops)
    while waiting:
        op = waiting.popleft()
        if op not in reached:
            reached.add(op)
            for tensor in op._outputs:
                if tensor._consumers and is_trainable(tensor._dtype):
                    waiting.extend(tensor._consumers)
    pending: dict[Operation, int] = {}
    waiting = deque(to_ops)
    while waiting:
        op = waiting.popleft()
        if op in reached and op not in pending:
            pending[op] = 0
            waiting.extend(tensor._op for tensor in op._inputs)
    reachable = set(pending)
    loops: Loops | None = None
    for op in list(pending):
        if op._type in EXITS:
            loops = rules.loops() if loops is None else loops
            with op.graph.colocate_with(op) if colocate else nullcontext():
                pending.update((found, 0) for found in loops.add(op) if found not in pending)
    for op in pending:
        for tensor in op._inputs:
            if tensor._op in pending:
                pending[tensor._op] += 1
    return Between(pending, [op for op in dict.fromkeys(to_ops) if op in reachable and not pending[op]], loops)


def backpropagate(
    ys: Sequence[Tensor],
    grad_ys: Sequence[Any],
    xs: Sequence[Tensor],
    stops: Sequence[Tensor],
    rules: Rules,
    *,
    colocate: bool,
) -> list[Any]:
    """Builds the gradients of some tensors with respect to others, in the default graph.

    Args:
        ys: what is differentiated.
        grad_ys: the gradient of each.
        xs: what it is differentiated by.
        stops: tensors whose operations no gradient passes.
        rules: how gradients are summed, and what stands for missing ones.
        colocate: whether what is built for an operation goes to that operation's device.

    Returns:
        One for each of `xs`; None for those that no way leads to.

    Raises:
        LookupError: an operation on the way has no gradient.
        ValueError: a gradient function gave too many or too few, or one of a wrong shape.
    """
    sources = [x._op for x in xs]
    pending, starts, loops = between(sources, [y._op for y in ys], rules, colocate=colocate)
    received: dict[Operation, list[Any]] = {}  # of each output: gradients to be summed, or their sum
    for y, grad in zip(ys, grad_ys, strict=True):
        _receive(received, y, grad)
    ready = deque(starts)
    if loops is not None:
        for tensor in loops.unused_exits(pending, set(starts)):
            if is_trainable(tensor._dtype):
                _receive(received, tensor, loops.zeros_for_exit(tensor))
                ready.append(tensor._op)
    ends = {op for op in sources if not any(pending.get(tensor._op, 0) > 0 for tensor in op._inputs)} | {tensor._op for tensor in stops}
    while ready:
        op = ready.popleft()
        with op.graph.colocate_with(op) if colocate else nullcontext():
            with _within(loops, op, is_before=True):
                grads = received[op] = [_total(rules, op, parts) for parts in received.get(op) or [[]] * len(op._outputs)]
            function = _function_of(op) if op not in ends and any(grad is not None for grad in grads) else None
            with _within(loops, op, is_before=False):
                if loops is not None:
                    loops.check(op)
                if function is not None:
                    for tensor, grad in zip(op._inputs, _backward(function, op, grads, rules), strict=True):
                        if grad is not None:
                            _receive(received, tensor, grad)
        for tensor in op._inputs:
            _count_down(tensor, pending, ready, received, loops)
    return [_found(received, x) for x in xs]


def _within(loops: Loops | None, op: Operation, *, is_before: bool) -> AbstractContextManager[None]:
    return nullcontext() if loops is None else loops.within(op, is_before=is_before)


def _count_down(
    tensor: Tensor, pending: dict[Operation, int], ready: deque[Operation], received: dict[Operation, list[Any]], loops: Loops | None
) -> None:
    """Counts one gradient of a tensor as there, and its operation as ready once all are."""
    op = tensor._op
    if op not in pending:
        return
    pending[op] -= 1
    if loops is None:
        if not pending[op]:
            ready.append(op)
    elif not pending[op] or (pending[op] > 0 and loops.is_ready_early(op)):
        if op._type not in EXITS:
            ready.append(op)
            return
        following, without = loops.exits_after(tensor, lambda found: any(part is not None and part != [] for part in received.get(found, ())))
        ready.extend(following)
        for unused in without:
            if is_trainable(unused._dtype):
                _receive(received, unused, loops.zeros_for_exit(unused))
            ready.append(unused._op)


def _found(received: dict[Operation, list[Any]], x: Tensor) -> Any:
    found = received[x._op][x._value_index] if x._op in received else None
    return None if isinstance(found, list) else found


def _total(rules: Rules, op: Operation, parts: Any) -> Any:
    if not isinstance(parts, list):
        return parts
    return None if not parts else parts[0] if len(parts) == 1 else rules.total(op, parts)


def _receive(received: dict[Operation, list[Any]], tensor: Tensor, grad: Any) -> None:
    op = tensor._op
    if op not in received:
        received[op] = [[] for _ in op._outputs]
    parts = received[op]
    if isinstance(parts[tensor._value_index], list):
        parts[tensor._value_index].append(grad)
    else:
        parts[tensor._value_index] = grad  # of a loop's Switch, which is passed twice


def _function_of(op: Operation) -> GradientFunction | None:
    """The function that builds an operation's gradient; None if no gradient passes it."""
    try:
        return get_gradient_function(op)
    except LookupError:
        if op._type in _CALLS or (op.op_type is None and find_function(op.graph, op._type, is_optional=True) is not None):
            call = registry.find("PartitionedCall")
            return None if call is None else call.gradient
        raise LookupError(
            f"No gradient defined for operation '{op.name}' (op type: {op.type}). Put tf.stop_gradient behind it if it is to count as a constant, or "
            "say what its gradient is: @tf.RegisterGradient for a type of operation that has none, Graph.gradient_override_map for another one, "
            "tf.custom_gradient for a function."
        ) from None


def _backward(function: GradientFunction, op: Operation, grads: Sequence[Any], rules: Rules) -> list[Any]:
    """The gradients of an operation's inputs from those of its outputs, of which at least one is there."""
    outer = [rules.zeros(op, index) if grad is None and is_trainable(op._outputs[index]._dtype) else grad for index, grad in enumerate(grads)]
    with op.graph.name_scope(f"{op.name}_grad"):
        found = function(op, *outer)
        inner = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(inner) != len(op._inputs):
            raise ValueError(f"Num gradients {len(inner)} generated for op {op.node_def} do not match num inputs {len(op._inputs)}")
        inner = rules.gate(inner)
    for index, (tensor, grad) in enumerate(zip(op._inputs, inner, strict=True)):
        if isinstance(grad, Tensor) and tensor._dtype is not resource:
            try:
                grad.set_shape(tensor._shape)
            except ValueError:
                raise ValueError(
                    f"Incompatible shapes between op input and calculated input gradient. Forward operation: {op.name}. Input index: {index}. "
                    f"Original input shape: {tensor._shape}. Calculated input gradient shape: {grad._shape}"
                ) from None
    return inner
