"""The functions, methods and constructors of the face take what TensorFlow's take: the same names, in the same order, the same ones optional."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from tests.compat import write_face

NEWER = frozenset(
    [
        "alg",
        "allow_broadcast",
        "allow_fast_lookup",
        "bad_indices_policy",
        "canonicalized_coordinates",
        "experimental_is_anonymous",
        "grad_a",
        "grad_b",
        "layout",
        "skip_gradients_aggregation",
        "sorted_input",
        "sparse_gradient",
        "tile_size",
        "use_own_namescope_for_non_slot_vars",
        "use_pybind11_proto",
    ]
)
"""Parameters that TensorFlow has added since 1.15."""

NEWER_OF = {"dequantize": {"axis", "dtype", "narrow_range"}, "lin_space": {"axis"}, "quantization.quantize_and_dequantize_v2": {"axis"}}
"""The same, of some functions."""

OURS = {
    "batch_to_space": {"block_size"},  # or `block_shape`: neither is needed there, too
    "convert_to_tensor": {"as_ref"},
    "fill": {"index_type"},
    "saved_model.load": {"device_map"},
    "shape": {"optimize"},
    "train.Saver.restore": {"device_map", "partial"},
    "train.Saver.save": {"blocking", "durable"},
    "train.export_meta_graph": {"unbound_inputs_col_name"},
    "train.import_meta_graph": {"graph", "input_map", "return_elements", "unbound_inputs_col_name", "restore_collections_predicate"},
}
"""What ours take beside, all optional."""

OTHERWISE = {
    "DType.": "a user makes none",
    "Operation.": "a user makes none",
    "Tensor.": "a user makes none",
    "RaggedTensor.": "a user makes none",
    "OpError.": "a message alone will do; all classes of tf.errors",
    "DeviceSpec.replace": "keywords",
    "TensorShape.as_proto": "a function put there by another package",
    "VariableScope.get_variable": "keywords, handed on",
    "variable_op_scope": "keywords, handed on",
    "einsum": "keywords by name",
    "nest.map_structure": "keywords by name",
    "group": "keywords by name",
    "meshgrid": "keywords by name",
    "print": "keywords by name",
    "make_parse_example_spec": "keywords by name",
}
"""Where the parameters are written in another way, with the reason."""


def _parameters(function: Any) -> list[str]:
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = inspect.signature(function).parameters.values()
    return [f"{marks.get(each.kind, '')}{each.name}{'' if each.default is each.empty else '='}" for each in found]


def _cases() -> dict[str, tuple[Any, list[str]]]:
    found: dict[str, tuple[Any, list[str]]] = {}
    seen: set[str] = set()
    for module, names in write_face.face().items():
        for name, implementation in names.items():
            identity, kind, detail = write_face.NAMES.get(module, {}).get(name, ("", "value", None))
            if identity in seen or kind == "value" or not detail:
                continue
            seen.add(identity)
            value = getattr(importlib.import_module(implementation.module), implementation.attribute)
            path = f"{module}.{name}" if module else name
            if kind == "function":
                found[path] = value, detail
                continue
            for method, parameters in detail.items():
                if not isinstance(parameters, list) or not hasattr(value, method or "__init__"):
                    continue
                member = value.__init__ if not method else inspect.getattr_static(value, method)
                if isinstance(member, (staticmethod, classmethod)):
                    member = getattr(value, method)
                if callable(member):
                    found[f"{path}.{method}"] = member, parameters
    return found


_CASES = _cases()


@pytest.mark.parametrize("path", _CASES)
def test_parameters_are_tensorflows(path: str) -> None:
    if path in OTHERWISE or (path.startswith("errors.") and path.endswith("Error.")):
        pytest.skip(OTHERWISE.get(path, OTHERWISE["OpError."]))
    function, theirs = _CASES[path]
    ours = _parameters(function)
    beside = OURS.get(path, set())
    assert all(name.rstrip("=") not in beside or name.endswith("=") for name in ours)
    kept = [name for name in ours if name.rstrip("=") not in beside]
    names, newer = {name.rstrip("=") for name in kept}, NEWER | NEWER_OF.get(path, set())
    wanted = [name for name in theirs if name.rstrip("=") not in beside and (name.rstrip("=") in names or name.rstrip("=") not in newer)]
    if beside and kept == [name for name in wanted if name != "**kwargs"]:
        return
    assert kept == wanted
