"""What a loaded graph may do besides computing.

A model is a program. One that was loaded touches only those files that its caller names: the path has to begin with a value that is fed in the same
run (a Saver's prefix, an asset). Functions of Python's are never called for it. `Graph.allow_ops` lifts this for types of operations, by name. What a
program itself has added to a graph may do what the program may. This is a guard against models that reach out, and no sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gpersist import protos
from gpersist.dtypes import string, variant
from gpersist.errors import PermissionDeniedError
from gpersist.graph.constant_value import constant_value
from gpersist.graph.function_library import find_function
from gpersist.graph.op_type import OpType
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op
from gpersist.graph.registry import find
from gpersist.graph.tensor import Tensor

_FIRST_INPUT = frozenset(
    [
        *("ExpandDims", "GatherV2", "Identity", "IdentityN", "Reshape", "ShardedFilename", "Squeeze", "StridedSlice", "StringJoin", "Switch"),
        *(f"{name}Dataset" for name in ("Cache", "Options", "Prefetch", "Repeat", "Shard", "Shuffle", "Skip", "Take")),
    ]
)
"""Operations whose result begins as their first input does."""

_ALL_INPUTS = frozenset(["ConcatenateDataset", "Merge", "Pack", "TensorDataset", "TensorSliceDataset", "ZipDataset"])
"""Those whose results begin as one of their inputs does, or have elements that do."""

_FIRST_ARGUMENT = {"If": 1, "StatelessIf": 1, "Case": 1, "StatelessCase": 1}
"""Which input is the first argument of the functions that a node calls, where it isn't the first one."""


def check_allowed(ops: Iterable[Operation], fed: set[Tensor]) -> None:
    """Looks for operations of a loaded graph that would touch files which nobody has named, or call Python, before anything runs.

    Raises:
        PermissionDeniedError: there is one; it tells how to allow it.
    """
    for op in ops:
        if not op.is_imported or op.type in op.graph.allowed_ops:
            continue
        if op.op_type is not None:
            _check(op, op.op_type, fed)
        is_call = op.op_type is None or op.op_type.takes_any_device
        for name in _functions(op.node_def if is_call or _has_functions(op) else None):
            for index in sorted(path_arguments(op.graph, name)):
                if not is_call:  # a dataset's, which calls it with elements
                    for source in op._inputs:
                        if source.dtype in (string, variant) and not _is_named_by_caller(source, fed):
                            raise _refused(op, f"gives function '{name}' a path", None)
                    continue
                place = _FIRST_ARGUMENT.get(op.type, 0) + index
                if place < len(op._inputs) and not _is_named_by_caller(op._inputs[place], fed):
                    raise _refused(op, f"gives function '{name}' a path", op._inputs[place])


def _has_functions(op: Operation) -> bool:
    return op.signature is not None and any(attr.kind in ("func", "list(func)") for attr in op.signature.attrs)


def _check(op: Operation, op_type: type[OpType], fed: set[Tensor]) -> None:
    if op_type.calls_python:
        raise _refused(op, "calls a function of Python's", None)
    for name in op_type.path_attrs:
        if op.attr(name).startswith(b"file://"):
            raise _refused(op, f"touches {op.attr(name).decode(errors='replace')}", None)
    for name in op_type.file_attrs:
        if op.attr(name) and not op.attr(name).startswith((b"local://", b"bytes://")):
            raise _refused(op, f"touches {op.attr(name).decode(errors='replace')}", None)
    if op_type.path_inputs and op.signature is not None:
        names = [arg.name for arg in op.signature.inputs]
        for name in op_type.path_inputs:
            source = op._inputs[names.index(name)]
            if not _is_named_by_caller(source, fed):
                raise _refused(op, "touches a file", source)


def _is_named_by_caller(path: Tensor, fed: set[Tensor]) -> bool:
    waiting, seen = [path], {path}
    while waiting:
        source = waiting.pop()
        if source in fed or not source.op.is_imported:
            continue
        op = source.op
        leading = _leading(op.type, op._inputs)
        if not leading or (op.type == "StringJoin" and not all(map(_stays_inside, op._inputs[1:]))):
            return False
        waiting += [tensor for tensor in leading if tensor not in seen]
        seen.update(leading)
    return True


def _leading(type_name: str, inputs: Sequence[Any]) -> Sequence[Any]:
    return inputs[:1] if type_name in _FIRST_INPUT else inputs if type_name in _ALL_INPUTS else ()


def _stays_inside(part: Tensor) -> bool:
    """Whether a part of a path is a constant that does not lead upwards, or a choice of such."""
    waiting, seen = [part], {part}
    while waiting:
        source = waiting.pop()
        if source.op.type in ("Select", "SelectV2"):
            waiting += [tensor for tensor in source.op._inputs[1:] if tensor not in seen]
            seen.update(source.op._inputs[1:])
            continue
        value = constant_value(source)
        if value is None or any(b".." in text for text in value.reshape(-1).tolist()):
            return False
    return True


def _functions(node: protos.NodeDef | None) -> list[str]:
    """The functions that a node calls with its own inputs."""
    if node is None:
        return []
    names = [node.op]
    for value in node.attr.values():
        names += [value.func.name] if value.WhichOneof("value") == "func" else [each.name for each in value.list.func]
    return names


def path_arguments(graph: Any, name: str) -> frozenset[int]:
    """Which arguments of a function name files, in it or in functions that it calls; none, if there is no such function."""
    known: dict[str, frozenset[int]] = graph.__dict__.setdefault("_path_arguments", {})
    waiting, begun = [name], set[str]()
    while waiting:  # those that a function calls come before it; one that calls itself is refused elsewhere
        each = waiting.pop()
        if each in known:
            continue
        definition = find_function(graph, each, is_optional=True)
        if definition is None:
            known[each] = frozenset()
        elif each in begun:
            known[each] = frozenset(_found_in(definition, known))
        else:
            begun.add(each)
            called = {called for node in definition.node_def for called in _functions(node)}
            waiting += [each, *sorted(called - begun)]
    return known[name]


def _found_in(definition: protos.FunctionDef, known: Mapping[str, frozenset[int]]) -> Iterable[int]:
    nodes = {node.name: node for node in definition.node_def}
    arguments = {arg.name: index for index, arg in enumerate(definition.signature.input_arg)}
    waiting: list[str] = []
    for node in definition.node_def:
        op_type = find(node.op)
        if op_type is not None and op_type.path_inputs:
            names = [arg.name for arg in op_type.signature().inputs]
            waiting += [node.input[names.index(each)] for each in op_type.path_inputs if names.index(each) < len(node.input)]
        for called in _functions(node):
            first = _FIRST_ARGUMENT.get(node.op, 0)
            waiting += [node.input[first + index] for index in known.get(called, ()) if first + index < len(node.input)]
    seen: set[str] = set()
    while waiting:
        text = waiting.pop()
        source = text.partition(":")[0]
        if source in arguments:
            yield arguments[source]
        elif source in nodes and source not in seen:
            seen.add(source)
            waiting += _leading(nodes[source].op, nodes[source].input)


def _refused(op: Operation, does: str, path: Tensor | None) -> BaseException:
    value = None if path is None else constant_value(path)
    shown = "" if value is None or value.size != 1 else f", {value.reshape(-1)[0].decode(errors='replace')!r}"
    feed = "" if path is None else f"feed {path.name!r}, or "
    return with_op(
        PermissionDeniedError(
            f"{op.type} node '{op.name}' of a graph that was loaded {does}{shown}, which its caller has not named; nothing was run. If you trust the "
            f"model: {feed}graph.allow_ops({op.type!r})"
        ),
        op,
    )
