"""Models that others published, as `case.json` and the files beside it describe them: how each is loaded, fed and run."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.graph import Graph, Session, import_graph_def
from gpersist.ops.variable_lists import global_variables
from gpersist.saved_model.loader import load
from gpersist.train.meta_graph import import_meta_graph

_CONFIG = protos.ConfigProto(allow_soft_placement=True)  # some name GPUs


class Run:
    """One way in which a model is run, with what TensorFlow gave.

    Args:
        folder: the model's.
        spec: the entry of `runs` in its `case.json`.
    """

    def __init__(self, folder: Path, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self._folder = folder
        self._inputs = _arrays(folder / "inputs.npz")
        self._outputs = _arrays(folder / "outputs.npz")
        self._signatures: Mapping[str, protos.SignatureDef] = {}

    def results(self) -> Iterator[tuple[str, Any, Any]]:
        """Loads and runs it: for each result its key, what was found, and what TensorFlow found."""
        with Graph().as_default() as graph, Session(config=_CONFIG) as session:
            self._load(session)
            for name in self.spec["init"]:
                session.run(graph.get_operation_by_name(name))
            for number, step in enumerate(self.spec["steps"]):
                fetches = {key: self._name(step, "outputs", name) for key, name in step["fetches"].items()}
                feeds = {self._name(step, "inputs", name): self._inputs[f"{self.spec['id']}/{key}"] for name, key in step["feeds"].items()}
                for repeat in range(step.get("repeat", 1)):
                    found, _ = session.run([fetches, step.get("targets", [])], feeds)
                    for key, value in found.items():
                        yield f"{number}/{repeat}/{key}", value, self._outputs[f"{self.spec['id']}/{number}/{repeat}/{key}"]

    def _name(self, step: Mapping[str, Any], side: str, name: str) -> str:
        if self.spec["mode"] == "graph":
            return name
        found: str = getattr(self._signatures[step["signature"]], side)[name].name
        return found

    def _load(self, session: Session) -> None:
        source = self.spec["source"]
        if source == "frozen":
            import_graph_def(protos.GraphDef.FromString((self._folder / "graph.pb").read_bytes()), name="")
        elif source == "savedmodel":
            self._signatures = load(session, ["serve"], str(self._folder / "model")).signature_def
        else:
            meta = next(path for path in self._folder.iterdir() if path.suffix == ".meta")
            saver = import_meta_graph(str(meta))
            if source == "meta_ckpt":
                saver.restore(session, str(meta.with_suffix("")))
            elif source == "v1_ckpt":
                saver.restore(session, str(meta.with_suffix("")) + "-?????-of-?????")
        if self.spec.get("var_init") == "crc":
            _set_variables(session)


def difference(spec: Mapping[str, Any], key: str, found: Any, wanted: Any) -> str | None:
    """How a result differs from TensorFlow's beyond what the case allows, or None."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape:
        return f"shape {list(found.shape)}, not {list(wanted.shape)}"
    exact = spec.get("exact", {})
    allowed = exact.get(key.rsplit("/", 1)[-1]) if isinstance(exact, Mapping) else None
    if wanted.dtype.kind in "OSU":
        same = [_text(value) for value in found.reshape(-1).tolist()] == [_text(value) for value in wanted.reshape(-1).tolist()]
        return None if same else f"text {found.tolist()}, not {wanted.tolist()}"
    if found.dtype != wanted.dtype:
        return f"{found.dtype}, not {wanted.dtype}"
    if wanted.dtype.kind in "iub" or allowed is not None:
        slack = allowed if isinstance(allowed, (int, float)) and not isinstance(allowed, bool) else 0
        worst = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max(initial=0)
        return None if worst <= slack else f"differs by {worst}"
    if np.allclose(found, wanted, rtol=spec["rtol"], atol=spec["atol"], equal_nan=True):
        return None
    return f"differs by {np.nanmax(np.abs(found - wanted))} where values reach {np.nanmax(np.abs(wanted))}"


def runs_of(folder: Path) -> Iterator[Run]:
    """The ways in which a model is run."""
    for spec in json.loads((folder / "case.json").read_text())["runs"]:
        yield Run(folder, spec)


def value_of(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """What a variable holds where there is no checkpoint, from its name."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    low = name.lower()
    value: Any
    if np.dtype(dtype).kind in "iu":
        value = np.zeros(shape)
    elif low.endswith(("variance", "gamma")):
        value = generator.uniform(0.5, 1.5, shape)
    elif low.endswith(("beta1_power", "beta2_power")):
        value = np.full(shape, 0.9 if low.endswith("beta1_power") else 0.999)
    elif "/adam" in low or "momentum" in low.rsplit("/", 1)[-1]:
        value = np.zeros(shape)
    elif len(shape) <= 1:
        value = generator.normal(0, 0.1, shape)
    else:
        value = generator.normal(0, 1 / np.sqrt(max(1, np.prod(shape[:-1]))), shape)
    return np.asarray(value, dtype)


def _set_variables(session: Session) -> None:
    for op in session.graph.get_operations():
        if op.type in ("Variable", "VariableV2"):
            _assign(session, op)
    assert all(session.run([variable.is_initialized() for variable in global_variables() if hasattr(variable, "is_initialized")]))


def _assign(session: Session, op: Any) -> None:
    assignment = next(user for user in op.outputs[0].consumers() if user.type == "Assign" and user.inputs[0] is op.outputs[0])
    dtype, shape = op.attr("dtype"), op.attr("shape")
    session.run(assignment, {assignment.inputs[1]: value_of(op.name, tuple(shape.as_list()), dtype.numpy)})


def _arrays(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=True) as found:
        return dict(found)


def _text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
