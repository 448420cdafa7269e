"""From what a model offers to the signatures of its SavedModel."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from gpersist import protos
from gpersist.estimator.export_output import ExportOutput, PredictOutput
from gpersist.graph import Operation, Tensor
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.saved_model import signature_constants
from gpersist.saved_model.signature_def_utils import is_valid_signature
from gpersist.saved_model.tensor_info import get_tensor_from_tensor_info

_LOG = logging.getLogger("gpersist")
_METHODS = {
    signature_constants.CLASSIFY_METHOD_NAME: "Classify",
    signature_constants.REGRESS_METHOD_NAME: "Regress",
    signature_constants.PREDICT_METHOD_NAME: "Predict",
    "tensorflow/supervised/training": "Train",
    "tensorflow/supervised/eval": "Eval",
}


def get_export_outputs(export_outputs: Any, predictions: Any) -> dict[str, ExportOutput]:
    """The outputs of a model, one of which is the default.

    Args:
        export_outputs: outputs by the names of their signatures; None for the predictions alone.
        predictions: a tensor, or tensors by name.

    Raises:
        TypeError: no dict, or something in it that is no `ExportOutput`.
        ValueError: several, none of which is the default.
    """
    default = signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    if export_outputs is None:
        return {default: PredictOutput(predictions)}
    if not isinstance(export_outputs, dict):
        raise TypeError(f"`export_outputs` must be dict, received: {export_outputs}.")
    if not all(isinstance(output, ExportOutput) for output in export_outputs.values()):
        raise TypeError(f"Values in `export_outputs` must be ExportOutput objects, received: {export_outputs}.")
    if len(export_outputs) == 1:
        export_outputs.setdefault(default, *export_outputs.values())
    if export_outputs and default not in export_outputs:
        raise ValueError(
            "Multiple `export_outputs` were provided, but none of them are specified as the default. Use "
            "`tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY` to specify a default."
        )
    return export_outputs


def build_all_signature_defs(
    receiver_tensors: Mapping[str, Any], export_outputs: Mapping[str, ExportOutput], alternatives: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, protos.SignatureDef]:
    """A signature for each output, and for each with each of the alternative inputs; those that cannot be served are left out, and logged.

    Args:
        receiver_tensors: the inputs, by name.
        export_outputs: the outputs, by the names of their signatures.
        alternatives: other inputs, by a name that comes before that of the signature.
    """
    found: dict[str, protos.SignatureDef] = {}
    left_out: dict[str, str] = {}
    groups = [("", receiver_tensors), *((f"{name or 'None'}:", tensors) for name, tensors in (alternatives or {}).items())]
    for prefix, inputs in groups:
        for key, output in export_outputs.items():
            name = f"{prefix}{key or 'None'}"
            try:
                signature = output.as_signature_def(inputs)
                _check_servable(inputs.values(), signature.outputs)
                found[name] = signature
            except ValueError as error:
                left_out[name] = str(error)
    _log(found, left_out)
    return {name: signature for name, signature in found.items() if is_valid_signature(signature)}


def _check_servable(inputs: Iterable[Any], outputs: Mapping[str, protos.TensorInfo]) -> None:
    """Holds that the outputs depend on no placeholder but the inputs."""
    fed = set(_flat(inputs))
    graph = next(iter(fed)).graph
    wanted = _flat(get_tensor_from_tensor_info(info, graph) for info in outputs.values())
    seen: set[Operation] = set()
    waiting = [tensor.op for tensor in wanted if tensor not in fed]
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type == "Placeholder" and not fed.issuperset(op.outputs):
            raise ValueError(
                f"The signature's input tensors {[tensor.name for tensor in fed]} are insufficient to compute its output keys {list(outputs)} "
                f"(respectively, tensors {[tensor.name for tensor in wanted]}) because of the dependency on `{op.name}` which is not given as a "
                "signature input"
            )
        waiting += [tensor.op for tensor in op.inputs if tensor not in fed]


def _flat(tensors: Iterable[Any]) -> list[Tensor]:
    return [
        part
        for tensor in tensors
        for part in ((tensor.indices, tensor.values, tensor.dense_shape) if isinstance(tensor, SparseTensor) else (tensor,))
    ]


def _log(found: Mapping[str, protos.SignatureDef], left_out: Mapping[str, str]) -> None:
    for method, friendly in _METHODS.items():
        names = [name for name, signature in found.items() if signature.method_name == method]
        _LOG.info("Signatures INCLUDED in export for %s: %s", friendly, names or None)
    if left_out:
        _LOG.info("Signatures EXCLUDED from export because they cannot be served via TensorFlow Serving APIs:")
        for name, reason in left_out.items():
            _LOG.info("'%s' : %s", name, reason)
    if not found:
        _LOG.warning("Export includes no signatures!")
    elif signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY not in found:
        _LOG.warning("Export includes no default signature!")
