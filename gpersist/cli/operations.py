"""`gpersist show --ops`: which operations a model needs, which are missing, which run on the host only, and which reach beyond the graph."""

from __future__ import annotations

from typing import Any

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist.cli.model_file import read_model
from gpersist.cli.output import Column, counted, printable, write_json, write_line, write_table
from gpersist.graph import Requirement, requirements

_COLUMNS = (Column("operation"), Column("nodes", is_number=True), Column("gpersist"), Column("the first of them", folds=True, style="cyan"))


def show_operations(path: str, as_json: bool) -> int:
    """Writes what a model needs: a GraphDef, a SavedModel or its folder, a MetaGraphDef, or a checkpoint with one beside it.

    Returns:
        The exit status: 1 if operations are missing.
    """
    file, metas = read_model(path)
    found = _merged([each for meta in metas for each in requirements(meta.graph_def)])
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
