"""Which nodes a graph may be for, where nobody says: what to offer, and nothing more than that.

What is made of placeholders (or of an input pipeline's elements; or, without any, of variables) and what nothing but training takes. Training is
known by operations that change variables or save them, by summaries, and by the scopes of gradients and optimizers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from gpersist import protos
from gpersist.graph import input_name

_PLACEHOLDERS = re.compile("Placeholder(V2)?").fullmatch
_PIPELINES = re.compile(
    "IteratorGetNext(Sync)?|IteratorFromStringHandle|Queue(Dequeue|DequeueMany|DequeueUpTo)(V2)?|ReaderRead(UpTo)?(V2)?"
).fullmatch
_VARIABLES = re.compile("Variable(V2)?|VarHandleOp").fullmatch
_TRAINING = re.compile(
    "(Resource|Sparse|ResourceSparse)?Apply.+|Assign.*|(Resource)?Scatter.+|Save.*|Restore.*|.*Summary(V2)?|NoOp|Assert|Print(V2)?"
).fullmatch
_UPDATE = re.compile("(Resource|Sparse|ResourceSparse)?Apply.+").fullmatch
_GRADIENTS = re.compile("(^|/)gradients(_[0-9]+)?/").search
_PREDICTIONS = frozenset(["ArgMax", "LogSoftmax", "Sigmoid", "Softmax", "TopKV2"])
_MAX_TOLD = 10


def offer(graph_def: protos.GraphDef) -> str:
    """Words about the nodes that may be outputs: `'y' comes last after its placeholders`."""
    if all(_VARIABLES(node.op) for node in graph_def.node):
        return "it has only variables, as gpersist.save records them, and nothing to freeze: `gpersist convert` writes their values"
    if starts := [node for node in graph_def.node if _PLACEHOLDERS(node.op)]:
        return _offered(graph_def, starts, "placeholders")
    if starts := [node for node in graph_def.node if _PIPELINES(node.op)]:
        return f"{_offered(graph_def, starts, 'input pipeline')}; it has no placeholders, and {starts[0].name!r} gives its inputs: feed that one"
    starts = [node for node in graph_def.node if _VARIABLES(node.op)]
    return f"it has no placeholders; {_offered(graph_def, starts, 'variables')}"


def _offered(graph_def: protos.GraphDef, starts: Sequence[protos.NodeDef], what: str) -> str:
    takers: dict[str, list[protos.NodeDef]] = defaultdict(list)
    scopes = tuple({node.name.partition("/update_")[0] for node in graph_def.node if _UPDATE(node.op) and "/update_" in node.name})
    for node in graph_def.node:
        if not _is_training(node, scopes):
            for text in node.input:
                if not text.startswith("^"):
                    takers[input_name(text)].append(node)
    first = {node.name for node in starts}
    waiting, reached = list(reversed(starts)), dict[str, protos.NodeDef]()
    while waiting:
        node = waiting.pop()
        if node.name not in reached:
            reached[node.name] = node
            waiting += reversed(takers[node.name])
    made = [node for name, node in reached.items() if name not in first and not _is_read(node, reached)]
    ends = [node.name for node in made if not takers[node.name]]
    inner = [node.name for node in made if node.op in _PREDICTIONS and not _PREDICTIONS & {taker.op for taker in takers[node.name]}]
    if not ends:
        return f"nothing but training comes after its {what}"
    predictions = [name for name in inner if name not in ends]
    words = f"{_listed(predictions)} may be predictions, " if 0 < len(predictions) <= _MAX_TOLD else ""
    return f"{words}{_listed(ends)} come{'s' * (len(ends) == 1)} last after its {what}"


def _is_training(node: protos.NodeDef, scopes: tuple[str, ...]) -> bool:
    if _TRAINING(node.op) or _GRADIENTS(node.name):
        return True
    return any(node.name == scope or node.name.startswith(f"{scope}/") for scope in scopes)


def _is_read(node: protos.NodeDef, reached: dict[str, protos.NodeDef]) -> bool:
    """Whether it does nothing but read a variable."""
    if node.op not in ("Identity", "ReadVariableOp", "VarIsInitializedOp", "IsVariableInitialized"):
        return False
    source = reached.get(input_name(node.input[0])) if node.input else None
    return source is not None and bool(_VARIABLES(source.op))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_MAX_TOLD])) + (f" and {len(names) - _MAX_TOLD} more" if len(names) > _MAX_TOLD else "")
