"""Writes names.json: what `tensorflow.compat.v1` has under which names, with the parameters of its functions, methods and constructors.

    python tests/golden/compat/write_names.py          # in an environment with TensorFlow

Each entry: module -> name -> [identity, kind, parameters]; two names with one identity are one object. Keras, TPUs, distribution and what was
experimental are left out.
"""

import inspect
import json
import types
from pathlib import Path

import tensorflow.compat.v1 as tf

LEFT_OUT = {
    "keras", "tpu", "distribute", "distribution_strategy", "experimental", "raw_ops", "compat", "test", "mlir", "autograph", "config",
    "profiler", "xla", "mixed_precision", "types", "v1", "v2", "autodiff", "lookup_experimental", "internal", "__internal__",
    "layers_keras", "estimator",
}  # fmt: skip


def parameters(function):
    try:
        return [
            f"{'*' if p.kind is p.VAR_POSITIONAL else '**' if p.kind is p.VAR_KEYWORD else ''}{name}{'' if p.default is p.empty else '='}"
            for name, p in inspect.signature(function).parameters.items()
        ]
    except (ValueError, TypeError):
        return None


def described(value):
    if inspect.isclass(value):
        members = {}
        if value.__module__.startswith("tensorflow.python"):
            for name in dir(value):
                if name.startswith("_"):
                    continue
                member = inspect.getattr_static(value, name)
                if isinstance(member, (staticmethod, classmethod)):
                    member = getattr(value, name)
                members[name] = parameters(member) if callable(member) else "property"
            return "class", {"": parameters(value.__init__), **members}
        return "class", None
    if callable(value):
        return "function", parameters(value)
    return "value", repr(value)[:80]


def walk(module, path, found):
    entries = {}
    for name in sorted(dir(module)):
        if name.startswith("_") or name in LEFT_OUT:
            continue
        try:
            value = getattr(module, name)
            dir(value)
        except ImportError:  # parts of Keras, which is another package
            continue
        if isinstance(value, types.ModuleType) or "Lazy" in type(value).__name__ or type(value).__name__ == "TFModuleWrapper":
            inner = f"{path}.{name}" if path else name
            if inner.count(".") < 2 and inner not in found and "keras" not in inner:
                found[inner] = {}
                walk(value, inner, found)
            continue
        kind, detail = described(value)
        identity = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', name)}" if kind != "value" else name
        entries[name] = [identity, kind, detail]
    found[path] = entries


if __name__ == "__main__":
    found = {}
    walk(tf, "", found)
    text = ",\n".join(
        f'"{module}": {{\n' + ",\n".join(f'"{name}": {json.dumps(entry)}' for name, entry in entries.items()) + "\n}"
        for module, entries in sorted(found.items())
    )
    Path(__file__).with_name("names.json").write_text("{\n" + text + "\n}\n")
