"""What a Saver's nodes would do, read from the graph: which tensors under which names, which of them are variables, in which data file each goes.

A SaverDef names a tensor that saves when it is fetched and an operation that restores when it is run. From those the nodes are followed back:

    save:     Identity <- SaveV2 | SaveSlices | Save <- names, slices, tensors           each tensor a variable's value, or to be computed
              Identity <- MergeV2Checkpoints <- SaveV2 of each shard;  ShardedFilespec <- SaveSlices of each shard
    restore:  NoOp <- Assign | AssignVariableOp <- [Identity | Reshape] <- RestoreV2 | RestoreSlice | Restore

Any TensorFlow's Saver makes such nodes. Where others are met, there is no plan, and the graph itself has to be run.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterable
from typing import NamedTuple

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import BaseSession, Buffer, Graph, Operation, Tensor, constant_value
from gpersist.shapes import TensorShape

_VARIABLES = frozenset({"VariableV2", "Variable", "VarHandleOp"})
_PASS_ON = frozenset({"Identity", "RefIdentity", "ReadVariableOp"})
_SAVES_V2 = frozenset({"SaveV2"})
_SAVES_V1 = frozenset({"SaveSlices", "Save"})
_SAVES = _SAVES_V2 | _SAVES_V1
_RESTORES = frozenset({"RestoreV2", "RestoreSlice", "Restore"})
_ASSIGNS = frozenset({"Assign", "AssignVariableOp"})
_BETWEEN = frozenset(
    {
        *("Identity", "NoOp", "Const", "PlaceholderWithDefault", "MergeV2Checkpoints", "Pack", "ShardedFilename", "ShardedFilespec", "StringJoin"),
        *("Select", "SelectV2", "StaticRegexFullMatch", "RegexFullMatch"),
    }
)


class Saved(NamedTuple):
    """A tensor that is saved.

    Attributes:
        name: in the checkpoint.
        part: which slice of what it is; empty for a whole tensor.
        tensor: what the graph saves.
        variable: the node of the variable whose value that is; None for one that has to be computed.
        shard: the data file that it goes to.
    """

    name: str
    part: str
    tensor: Tensor
    variable: Operation | None
    shard: int


class SavePlan(NamedTuple):
    """What a save does.

    Attributes:
        entries: what is saved.
        num_shards: data files, each made on a device of its own; 0 where it is not sharded.
        is_v1: whether it is in the first format.
    """

    entries: tuple[Saved, ...]
    num_shards: int
    is_v1: bool


class Restored(NamedTuple):
    """A tensor that is read, and the variable that takes it.

    Attributes:
        name: in the checkpoint.
        part: which slice of what it is; empty for a whole tensor.
        dtype: element type.
        variable: the node of the variable.
        shape: that the value has to have; None where any will do.
        reshaped: the shape that it is brought into; None for its own.
        op: the node that reads.
    """

    name: str
    part: str
    dtype: DType
    variable: Operation
    shape: tuple[int | None, ...] | None
    reshaped: tuple[int, ...] | None
    op: Operation


class Plans:
    """What a SaverDef's nodes in a graph do, found out when it is first asked for.

    Attributes:
        mutations: the graph's, for which they are right.
    """

    def __init__(self, graph: Graph, saver_def: protos.SaverDef) -> None:
        self.mutations = graph._mutations
        self._graph = weakref.proxy(graph)
        self._saver_def = saver_def
        self._buffers: weakref.WeakKeyDictionary[BaseSession, list[Buffer]] = weakref.WeakKeyDictionary()

    @functools.cached_property
    def saving(self) -> SavePlan | None:
        """See `plan_save`."""
        return plan_save(self._graph, self._saver_def)

    @functools.cached_property
    def restoring(self) -> tuple[Restored, ...] | None:
        """See `plan_restore`."""
        return plan_restore(self._graph, self._saver_def)

    def saved_buffers(self, session: BaseSession) -> list[Buffer]:
        """The buffers of the variables among what is saved, in order."""
        found = self._buffers.get(session)
        if found is None:
            entries = self.saving.entries if self.saving else ()
            found = self._buffers[session] = session.buffers_of([entry.variable for entry in entries if entry.variable is not None])
        return found


def plan_save(graph: Graph, saver_def: protos.SaverDef) -> SavePlan | None:
    """What the nodes that save do; None where they are of another form.

    Raises:
        KeyError, ValueError: the graph has not the nodes.
    """
    result = graph.get_tensor_by_name(saver_def.save_tensor_name)
    filename = graph.get_tensor_by_name(saver_def.filename_tensor_name)
    behind = _behind(result.op, filename.op)
    if behind is None:
        return None
    saves = sorted((op for op in behind if op.type in _SAVES), key=lambda op: op._id)
    merges = [op for op in behind if op.type == "MergeV2Checkpoints"]
    is_v1 = {op.type in _SAVES_V1 for op in saves}
    if len(is_v1) != 1:
        return None
    if len(saves) == 1 and _source(saves[0].inputs[0]) is filename and not merges and _source(result) is filename:
        entries = _entries(saves[0], 0)
        return None if entries is None else SavePlan(entries, 0, is_v1.pop())
    numbers = _numbers_v1(result, filename, saves) if is_v1 == {True} else _numbers_v2(result, filename, saves, merges)
    if numbers is None:
        return None
    found: list[Saved] = []
    for op, number in zip(saves, numbers, strict=True):
        part = _entries(op, number)
        if part is None:
            return None
        found += part
    return SavePlan(tuple(found), len(saves), is_v1.pop())


def plan_restore(graph: Graph, saver_def: protos.SaverDef) -> tuple[Restored, ...] | None:
    """What the nodes that restore do; None where they are of another form.

    Raises:
        KeyError, ValueError: the graph has not the nodes.
    """
    filename = graph.get_tensor_by_name(saver_def.filename_tensor_name)
    waiting = [graph.get_operation_by_name(saver_def.restore_op_name)]
    assigns: dict[Operation, None] = {}
    seen: set[Operation] = set()
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type in _ASSIGNS and not op._control_inputs:
            assigns[op] = None
        elif op.type == "NoOp":
            waiting += op._control_inputs
        else:
            return None
    names: dict[Operation, tuple[list[str], list[str]]] = {}
    found = []
    for op in sorted(assigns, key=lambda op: op._id):
        entry = _restored(op, filename, names)
        if entry is None:
            return None
        found.append(entry)
    return tuple(found)


def _behind(op: Operation, filename: Operation) -> set[Operation] | None:
    """What has to run before an operation, up to what is saved; None where something else than a Saver's nodes is among it."""
    found: set[Operation] = set()
    waiting = [op]
    while waiting:
        op = waiting.pop()
        if op in found or op is filename:
            continue
        found.add(op)
        if op.type in _SAVES and not op._control_inputs:
            waiting.append(op.inputs[0].op)
        elif op.type in _BETWEEN:
            waiting += [tensor.op for tensor in op._inputs]
            waiting += op._control_inputs
        else:
            return None
    return found


def _numbers_v2(result: Tensor, filename: Tensor, saves: Iterable[Operation], merges: list[Operation]) -> list[int] | None:
    """The data file of each save: the place of its prefix among those that are merged."""
    if len(merges) != 1 or _source(merges[0].inputs[1]) is not filename or _source(result) is not filename:
        return None
    packed = merges[0].inputs[0].op
    prefixes = [_source(tensor) for tensor in packed.inputs] if packed.type == "Pack" else []
    found = [_source(op.inputs[0]) for op in saves]
    return [prefixes.index(prefix) for prefix in found] if sorted(map(id, prefixes)) == sorted(map(id, found)) else None


def _numbers_v1(result: Tensor, filename: Tensor, saves: list[Operation]) -> list[int] | None:
    """The data file of each save, as its name says."""
    if result.op.type != "ShardedFilespec" or _source(result.op.inputs[0]) is not filename:
        return None
    numbers: list[int] = []
    for op in saves:
        name = _source(op.inputs[0]).op
        if name.type != "ShardedFilename" or _source(name.inputs[0]) is not filename:
            return None
        number = constant_value(name.inputs[1])
        if number is None:
            return None
        numbers.append(int(number))
    return numbers if sorted(numbers) == list(range(len(saves))) else None


def _entries(op: Operation, shard: int) -> tuple[Saved, ...] | None:
    """What one save operation saves."""
    first = 2 if op.type == "Save" else 3
    names = constant_value(op.inputs[1])
    tensors = op.inputs[first:]
    parts = constant_value(op.inputs[2]) if first > 2 else None
    if names is None or names.shape != (len(tensors),) or (first > 2 and (parts is None or parts.shape != names.shape)):
        return None
    slices = [""] * len(tensors) if parts is None else list(map(_text, parts.tolist()))
    return tuple(
        Saved(_text(name), part, tensor, variable_of(tensor), shard) for name, part, tensor in zip(names.tolist(), slices, tensors, strict=True)
    )


def _restored(op: Operation, filename: Tensor, names: dict[Operation, tuple[list[str], list[str]]]) -> Restored | None:
    """What one assignment takes."""
    variable, value = op.inputs[0].op, op.inputs[1]
    if variable.type not in _VARIABLES:
        return None
    reshaped: tuple[int, ...] | None = None
    while value.op.type in ("Identity", "Reshape") and not value.op._control_inputs:
        if value.op.type == "Reshape":
            sizes = constant_value(value.op.inputs[1])
            if sizes is None or (sizes < 0).any() or reshaped is not None:
                return None
            reshaped = tuple(map(int, sizes))
        value = value.op.inputs[0]
    restore = value.op
    if restore.type not in _RESTORES or _source(restore.inputs[0]) is not filename:
        return None
    if any(before.type not in _ASSIGNS for before in restore._control_inputs):  # those of restore_sequentially
        return None
    if restore not in names:
        columns = [constant_value(tensor) for tensor in restore.inputs[1:]]
        if any(column is None or column.size != len(restore.outputs) for column in columns):
            return None
        texts = [list(map(_text, column.reshape(-1).tolist())) for column in columns if column is not None]
        names[restore] = texts[0], texts[1] if len(texts) > 1 else [""] * len(texts[0])
    index = value.value_index
    shape = None
    if reshaped is None and op.type == "Assign" and op.attr("validate_shape"):
        shape = _sizes(op.inputs[0].shape)
    return Restored(names[restore][0][index], names[restore][1][index], value.dtype.base_dtype, variable, shape, reshaped, restore)


def variable_of(tensor: Tensor) -> Operation | None:
    """The node of the variable whose value a tensor is, read at no other time than any; None for other tensors."""
    op = tensor.op
    while op.type in _PASS_ON and not op._control_inputs:
        op = op.inputs[0].op
    return op if op.type in _VARIABLES else None


def _source(tensor: Tensor) -> Tensor:
    """A tensor without the Identity nodes that pass it on."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _sizes(shape: TensorShape) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())


def _text(name: bytes | str) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
