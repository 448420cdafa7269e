"""Parts of pages about what there is of TensorFlow 1: operations by their registry, Python names by the face."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist.graph import OpType, get_op_type, op_type_names
from tests.compat.write_face import NAMES, face


def operations() -> str:
    """All types of operations, by the module that has them."""
    by_module: dict[str, list[str]] = {}
    for name in op_type_names():
        by_module.setdefault(get_op_type(name).__module__, []).append(name)
    count = len(op_type_names())
    with_gradient = sum(get_op_type(name).gradient is not None for name in op_type_names())
    on_host = sum(get_op_type(name).is_host_only for name in op_type_names())
    lines = [f"{count} operations; {with_gradient} have a gradient function (∂), {on_host} run on the host only (ʰ), all others on GPUs as well."]
    for module, names in sorted(by_module.items()):
        path = module.replace(".", "/") + ".py"
        about = (importlib.import_module(module).__doc__ or "").split("\n")[0]
        lines += [f"**[{module.rpartition('.')[2]}](../{path})**: {about}", " ".join(f"`{name}`{_marks(get_op_type(name))}" for name in names)]
    return "\n\n".join(lines)


def _marks(op_type: type[OpType]) -> str:
    return "∂" * (op_type.gradient is not None) + "ʰ" * op_type.is_host_only


def missing() -> str:
    """What TensorFlow has a name for and gpersist has not, by module."""
    found = face()
    whole = [module for module, entries in NAMES.items() if entries and not _absent(module, entries, found)]
    lines = [f"Whole: {', '.join(f'`{_shown(module)}`' for module in sorted(whole))}.", "", "| module | has | has not |", "|---|---|---|"]
    for module, entries in sorted(NAMES.items()):
        if absent := _absent(module, entries, found):
            listed = " ".join(f"`{name}`" for name in absent)
            lines.append(f"| `{_shown(module)}` | {len(entries) - len(absent)} of {len(entries)} | {listed} |")
    return "\n".join(lines)


def _absent(module: str, entries: Mapping[str, object], found: Mapping[str, Mapping[str, object]]) -> list[str]:
    return [] if module.startswith(("app", "flags")) else [name for name in entries if name not in found.get(module, {})]


def _shown(module: str) -> str:
    return f"tf.{module}" if module else "tf"
