"""`gpersist show --ops`: which operations a model needs, which are missing, which run on the host only, and which reach beyond the graph."""

from __future__ import annotations

import os
from typing import Any

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.cli.output import Column, counted, printable, write_json, write_line, write_table
from gpersist.errors import CheckpointNotFoundError
from gpersist.graph import Requirement, requirements
from gpersist.train.meta_graph import read_message

_COLUMNS = (Column("operation"), Column("nodes", is_number=True), Column("gpersist"), Column("the first of them", folds=True, style="cyan"))
_SAVED_MODEL_NAMES = ("saved_model.pb", "saved_model.pbtxt")


def show_operations(path: str, as_json: bool) -> int:
    """Writes what a model needs: a GraphDef, a SavedModel or its folder, a MetaGraphDef, or a checkpoint with one beside it.

    Returns:
        The exit status: 1 if operations are missing.
    """
    file, graph_defs = _graph_defs(path)
    found = _merged([each for graph_def in graph_defs for each in requirements(graph_def)])
    missing = [each for each in found if not each.is_known]
    on_host = [each for each in found if each.is_known and not each.has_device_kernel]
    reaching = [each for each in found if each.needs_permission]
    if as_json:
        write_json({"file": file, "operations": [_to_json(each) for each in found], "missing": [each.op for each in missing]})
        return 1 if missing else 0
    write_table(_COLUMNS, [(each.op, f"{len(each.nodes):,}", _standing(each), printable(each.nodes[0])) for each in found])
    write_line()
    nodes = sum(len(each.nodes) for each in found)
    write_line(f"{printable(file)}: {counted(nodes, 'node')} of {counted(len(found), 'operation')}")
    write_line(f"  missing: {_listed(missing) or 'none'}")
    write_line(f"  on the host only: {_listed(on_host) or 'none'}")
    if reaching:
        write_line(f"  touching files, or Python; refused unless the path is fed, or Graph.allow_ops names them: {_listed(reaching)}")
    return 1 if missing else 0


def _standing(found: Requirement) -> str:
    return "missing" if not found.is_known else "device" if found.has_device_kernel else "host only"


def _listed(found: list[Requirement]) -> str:
    return ", ".join(f"{printable(each.op)} ({counted(len(each.nodes), 'node')}, {printable(each.nodes[0])!r})" for each in found)


def _to_json(found: Requirement) -> dict[str, Any]:
    return {
        "operation": found.op,
        "nodes": len(found.nodes),
        "first": found.nodes[0],
        "known": found.is_known,
        "device_kernel": found.has_device_kernel,
        "needs_permission": found.needs_permission,
    }


def _merged(found: list[Requirement]) -> list[Requirement]:
    """Those of several graphs as of one."""
    by_op: dict[str, Requirement] = {}
    for each in found:
        other = by_op.get(each.op)
        by_op[each.op] = each if other is None else other._replace(nodes=other.nodes + each.nodes)
    return [by_op[op] for op in sorted(by_op)]


def _graph_defs(path: str) -> tuple[str, list[protos.GraphDef]]:
    """The file that a path means, and the graphs in it."""
    file = _file_of(path)
    if os.path.basename(file) in _SAVED_MODEL_NAMES:
        return file, [meta.graph_def for meta in read_message(protos.SavedModel, file).meta_graphs]
    if file.endswith(".meta"):
        return file, [read_message(protos.MetaGraphDef, file).graph_def]
    return file, [read_message(protos.GraphDef, file)]


def _file_of(path: str) -> str:
    if os.path.isdir(path):
        inside = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name in _SAVED_MODEL_NAMES or name.endswith(".meta")]
        if inside:
            return inside[-1]
        raise CheckpointNotFoundError(f"the folder {path!r} holds no model: neither a saved_model.pb nor a '*.meta' is in it")
    if os.path.isfile(path):
        beside = path.removesuffix(".index") + ".meta"
        return beside if path.endswith(".index") and os.path.isfile(beside) else path
    if os.path.isfile(path + ".meta"):
        return path + ".meta"
    raise CheckpointNotFoundError(
        f"there is no model {path!r}: expected a GraphDef (.pb, .pbtxt), a SavedModel's folder, a .meta, or a checkpoint's prefix"
    )
