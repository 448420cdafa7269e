"""Writes the modules of gpersist/compat/v1: everything of gpersist that TensorFlow has a name for, at each place where TensorFlow has it. And
gpersist/ops/index.py, which says where each operation is.

    python -m tests.compat.write_face            # writes them
    python -m tests.compat.write_face --missing  # lists what TensorFlow has and gpersist has not

The places are those of tests/golden/compat/names.json; what they hold is found by name in the `__all__` of the modules below.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
import textwrap
import types
from pathlib import Path
from typing import NamedTuple

from gpersist.graph import get_op_type, op_type_names

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "gpersist" / "compat" / "v1"
INDEX = ROOT / "gpersist" / "ops" / "index.py"
NAMES = {
    module: {
        name: [f"{entry[0]} {name}" if "<locals>" in str(entry[0]) else entry[0], *entry[1:]]  # such functions share an identity
        for name, entry in entries.items()
    }
    for module, entries in json.loads((ROOT / "tests" / "golden" / "compat" / "names.json").read_text()).items()
}

ROOMS = ["gpersist.ops", "gpersist.train", "gpersist.saved_model", "gpersist.convert", "gpersist.lite", "gpersist.compat"]
"""Packages all of whose modules are searched."""

OTHERS = [
    "gpersist.graph",
    "gpersist.dtypes",
    "gpersist.shapes",
    "gpersist.protos",
    "gpersist.files.gfile",
    "gpersist.devices",
    "gpersist.distributions",
    "gpersist.feature_columns",
    "gpersist.estimator",
    "gpersist.estimator.experimental",
    "gpersist.estimator.export",
    "gpersist.estimator.inputs",
]
"""Modules that are searched after them."""

MODULE_OF_ROOM = {"op_errors": "errors", "random_splits": "random"}
"""Where TensorFlow has what a module holds, if that is told by neither its name nor the root."""

EXTRA = {
    "": ["__version__", "app", "flags", "raw_ops"],
    "compat": ["as_bytes", "as_str", "as_str_any", "as_text", "bytes_or_text_types", "complex_types", "dimension_at_index", "dimension_value",
               "forward_compatibility_horizon", "forward_compatible",
               "integral_types", "path_to_str", "real_types"],
    "data.experimental": ["*"],
    "graph_io": ["write_graph"],
    "layers": ["*"],
    "lookup.experimental": ["*"],
    "nn.rnn_cell": ["BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell", "LSTMStateTuple", "MultiRNNCell",
                    "RNNCell", "ResidualWrapper"],
    "estimator": ["*"],
    "estimator.experimental": ["*"],
    "estimator.export": ["*"],
    "estimator.inputs": ["*"],
    "train.experimental": ["*"],
    "autograph.experimental": ["*"],
    "config": ["*"],
    "config.experimental": ["*"],
    "config.optimizer": ["*"],
    "config.threading": ["*"],
    "test": ["*"],
}  # fmt: skip
"""Names that names.json lacks; `*`: all of the room of that name."""

ROOMS_OF = {
    "lookup.experimental": ("hash_tables",),
    "autograph.experimental": ("compat.autograph",),
    "config": ("compat.config",),
    "config.experimental": ("config_experimental",),
    "config.optimizer": ("config_optimizer",),
    "config.threading": ("config_threading",),
    "data.experimental": ("csv_datasets", "dataset_experiments", "dataset_grouping", "dataset_makers"),
    "test": ("compat.testing", "test_case"),
    "train.experimental": ("loss_scaling",),
}
"""The rooms of EXTRA that are not called as their places are."""

NOT_SEARCHED = {
    "gpersist.compat.v1",
    *(
        f"gpersist.ops.{part}" for part in ["batch_normalization", "convolution_layers", "dense_layers", "input_spec", "layer", "pooling_layers"]
    ),  # ops.layers has them
}


class Implementation(NamedTuple):
    module: str
    attribute: str


def modules() -> list[str]:
    found = []
    for package in ROOMS:
        try:
            root = importlib.import_module(package)
        except ImportError:
            continue
        inner = [f"{package}.{info.name}" for info in pkgutil.iter_modules(root.__path__)]
        found += sorted(name for name in inner if name not in NOT_SEARCHED)
    return found + OTHERS


def implementations() -> dict[str, list[Implementation]]:
    """What gpersist has, by the name that TensorFlow gives it."""
    found: dict[str, list[Implementation]] = {}
    for module_name in modules():
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name != module_name:
                raise
            continue
        for attribute in public(module):
            found.setdefault(attribute.rstrip("_") if not attribute.startswith("__") else attribute, []).append(
                Implementation(module_name, attribute)
            )
    return found


def public(module: types.ModuleType) -> list[str]:
    """What a module has for others: by its `__all__`, or what it defines itself; messages of `gpersist.protos` are made when they are asked for."""
    if module.__name__ == "gpersist.protos":
        return [name for name in dir(module) if name[:1].isupper()]
    if module.__name__.startswith(tuple(f"{room}." for room in ROOMS)):
        return list(getattr(module, "__all__", ()))  # a room without a list is nobody else's
    own = [
        name for name, value in vars(module).items() if getattr(value, "__module__", module.__name__) == module.__name__ and not name.startswith("_")
    ]
    return list(getattr(module, "__all__", own))


def identity_for(room: str, name: str) -> str | None:
    """Which of TensorFlow's objects of this name a module of ours has: the one at the place that the module is called after, or at the root."""
    places = {module: entries[name][0] for module, entries in NAMES.items() if name in entries}
    leaf = room.rpartition(".")[2]
    if not places or EXTRA.get(leaf) == ["*"] or any(leaf in rooms for rooms in ROOMS_OF.values()):  # such a room is at that place only
        return None
    wanted = [
        MODULE_OF_ROOM.get(leaf, leaf),
        *([] if leaf in ("initializers", "sparse", "ragged") else [""]),
        "math",
        "nn",
        "linalg",
        "train",
        "saved_model",
    ]
    for place in wanted:
        if place in places:
            return places[place]
    return next((identity for place, identity in places.items() if place != "ragged"), None)  # a name of ours is none of its own


def face() -> dict[str, dict[str, Implementation]]:
    """For each module of the face its names."""
    have = implementations()
    by_identity: dict[str, Implementation] = {}
    for name, candidates in have.items():
        for candidate in candidates:
            identity = identity_for(candidate.module, name)
            if identity:
                by_identity.setdefault(identity, candidate)
    for entries in NAMES.values():  # one of TensorFlow's own names may be ours, though it is exported under others only
        for identity, kind, _ in entries.values():
            leaf = identity.rpartition(".")[2].removesuffix("_v1")
            if kind != "value" and identity not in by_identity and leaf in have and not any(leaf in inner for inner in NAMES.values()):
                by_identity[identity] = have[leaf][0]
    found: dict[str, dict[str, Implementation]] = {}
    for module, entries in NAMES.items():
        if module.startswith(("app", "flags")):
            continue
        names = {name: by_identity[entry[0]] for name, entry in entries.items() if entry[0] in by_identity}
        if names:
            found[module] = names
    for module, extra in EXTRA.items():
        rooms = tuple(f".{room}" for room in ROOMS_OF.get(module, (module,)))
        wanted = [name for name, all_of in have.items() if any(each.module.endswith(rooms) for each in all_of)] if extra == ["*"] else extra
        names = {name: next((each for each in have[name] if each.module.endswith(rooms)), have[name][0]) for name in wanted if name in have}
        if names:
            found.setdefault(module, {}).update(names)
    found["compat"]["v1"] = Implementation("gpersist.compat", "v1")  # as programs of TensorFlow 1.13 on write it: tf.compat.v1.Session
    for module in list(found):  # every module needs those above it
        while module:
            module = module.rpartition(".")[0]
            found.setdefault(module, {})
    return found


def source(module: str, names: dict[str, Implementation], inner: list[str]) -> tuple[str, str]:
    """A module, and its stubs: what type checkers and editors read."""
    shown = f"tf.{module}" if module else "tf"
    package = f"gpersist.compat.v1{'.' if module else ''}{module}"
    by_module: dict[str, list[tuple[str, str]]] = {}
    for name, (where, attribute) in sorted(names.items()):
        by_module.setdefault(where, []).append((name, attribute))
    places = {
        where: " ".join(name if name == attribute else f"{name}={attribute}" for name, attribute in found) for where, found in by_module.items()
    }
    head = [f'"""TensorFlow 1\'s `{shown}`. Written by tests/compat/write_face.py."""', ""]
    listed = ["", "__all__ = [", *(f'    "{name}",' for name in sorted([*names, *inner])), "]", ""]
    lines = [*head, "from gpersist.compat.lazy import lazily as _lazily", ""]
    lines += ["__all__, __getattr__, __dir__ = _lazily(", "__name__,", f"{shown!r},", f"{_literal(' '.join(inner))},", "{"]
    lines += [f"{where!r}: {_literal(texts)}," for where, texts in sorted(places.items())]
    stubs = head
    for where, found in sorted(by_module.items()):
        imports = [attribute if attribute == name else f"{attribute} as {name}" for name, attribute in found]
        stubs.append(f"from {where} import (\n    " + ",\n    ".join(imports) + ",\n)")
    stubs += [f"from {package} import {leaf} as {leaf}" for leaf in inner]
    return "\n".join([*lines, "},", ")", ""]), "\n".join([*stubs, *listed])


def _literal(names: str) -> str:
    """Names with spaces between them as a string, in lines that are short enough."""
    lines = textwrap.wrap(names, 100, break_long_words=False, break_on_hyphens=False)
    if len(lines) <= 1:
        return repr(names)
    return "(\n" + "\n".join(repr(f"{line} ") for line in lines[:-1]) + f"\n{lines[-1]!r}\n)"


def index() -> str:
    """Where each operation is: in the module of its class, and in that of its gradient."""
    for module in pkgutil.iter_modules(importlib.import_module("gpersist.ops").__path__):
        importlib.import_module(f"gpersist.ops.{module.name}")
    places: dict[str, list[str]] = {}
    for name in op_type_names():
        op_type = get_op_type(name)
        found = {op_type.__module__, getattr(op_type.gradient, "__module__", op_type.__module__)}
        for module_name in found:
            if not module_name.startswith("gpersist.ops."):
                continue  # of a program, or without a gradient
            places.setdefault(module_name.removeprefix("gpersist.ops."), []).append(name)
    lines = ['"""In which module each operation is, or its gradient. Written by tests/compat/write_face.py."""', "", "OPERATIONS: dict[str, str] = {"]
    for module_name, names in sorted(places.items()):
        lines.append(f"{module_name!r}: {_literal(' '.join(sorted(names)))},")
    return "\n".join([*lines, "}", ""])


def files() -> dict[Path, str]:
    found = face()
    texts = {INDEX: index()}
    for module, names in found.items():
        inner = sorted(
            {other.removeprefix(f"{module}.").partition(".")[0] for other in found if other and (not module or other.startswith(f"{module}."))}
        )
        parts = module.split(".") if module else []
        path = TARGET.joinpath(*parts, "__init__.py") if inner or not module else TARGET.joinpath(*parts[:-1], f"{parts[-1]}.py")
        texts[path], texts[path.with_suffix(".pyi")] = source(module, names, inner)
    return _styled(texts)


def _styled(texts: dict[Path, str]) -> dict[Path, str]:
    with tempfile.TemporaryDirectory() as folder:
        drafts = {path: Path(folder, path.relative_to(ROOT)) for path in texts}
        for path, draft in drafts.items():
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(texts[path])
        for command in (["check", "--fix", "--select", "I,F,RUF022,ISC", "--quiet"], ["format", "--quiet"]):
            subprocess.run([sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), folder], cwd=ROOT, check=False)
        return {path: draft.read_text() for path, draft in drafts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true")
    if parser.parse_args().missing:
        found = face()
        for module, entries in NAMES.items():
            absent = [name for name in entries if name not in found.get(module, {})]
            if absent and not module.startswith(("app", "flags")):
                print(f"{module or 'tf'}: {' '.join(absent)}")
        return
    wanted = files()
    for path in TARGET.rglob("*.py*"):
        if path.suffix in (".py", ".pyi") and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
