"""SignatureDef: a function of a graph by its inputs and outputs, as TensorFlow Serving offers it (`tf.saved_model.signature_def_utils`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist import protos
from gpersist.errors import NotFoundError
from gpersist.graph import Operation, Tensor, own
from gpersist.saved_model import signature_constants as constants
from gpersist.saved_model.tensor_info import build_tensor_info, get_element_from_tensor_info

__all__ = [
    "build_signature_def",
    "classification_signature_def",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]


def build_signature_def(
    inputs: Mapping[str, protos.TensorInfo] | None = None,
    outputs: Mapping[str, protos.TensorInfo] | None = None,
    method_name: str | None = None,
    defaults: Mapping[str, Tensor] | None = None,
) -> protos.SignatureDef:
    """A signature (`tf.saved_model.signature_def_utils.build_signature_def`).

    Args:
        inputs: messages of `build_tensor_info`, by the names that clients use.
        outputs: likewise.
        method_name: one of `signature_constants`.
        defaults: constants for inputs that clients may leave out, by name.

    Raises:
        TypeError: a tensor instead of its message.
        ValueError: a default that is no constant.
    """
    signature = protos.SignatureDef()
    for name, info in (inputs or {}).items():
        signature.inputs[name].CopyFrom(own(protos.TensorInfo, info, f"inputs[{name!r}]"))
    for name, info in (outputs or {}).items():
        signature.outputs[name].CopyFrom(own(protos.TensorInfo, info, f"outputs[{name!r}]"))
    if method_name is not None:
        signature.method_name = method_name
    for name, default in (defaults or {}).items():
        if default.op.type != "Const":
            raise ValueError(f"Unable to convert object {default} of type {type(default)} to TensorProto.")
        signature.defaults[name].CopyFrom(default.op.get_attr("value"))
    return signature


def regression_signature_def(examples: Tensor, predictions: Tensor) -> protos.SignatureDef:
    """The signature of a regression: serialized `tf.Example`s in, floats out (`tf.saved_model.signature_def_utils.regression_signature_def`).

    Raises:
        ValueError: something is None, no tensor, or of another dtype.
    """
    _check_examples(examples, "Regression")
    if predictions is None:
        raise ValueError("Regression `predictions` cannot be None.")
    return build_signature_def(
        {constants.REGRESS_INPUTS: _info(examples, "DT_STRING", "Regression input tensors must be of type string")},
        {constants.REGRESS_OUTPUTS: _info(predictions, "DT_FLOAT", "Regression output tensors must be of type float")},
        constants.REGRESS_METHOD_NAME,
    )


def classification_signature_def(examples: Tensor, classes: Tensor | None, scores: Tensor | None) -> protos.SignatureDef:
    """The signature of a classification: serialized `tf.Example`s in, texts and floats out
    (`tf.saved_model.signature_def_utils.classification_signature_def`).

    Args:
        examples: the texts.
        classes: texts; None without any, but then there are scores.
        scores: floats; None without any.

    Raises:
        ValueError: something is None, no tensor, or of another dtype.
    """
    _check_examples(examples, "Classification")
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    inputs = {constants.CLASSIFY_INPUTS: _info(examples, "DT_STRING", "Classification input tensors must be of type string")}
    outputs = {}
    if classes is not None:
        outputs[constants.CLASSIFY_OUTPUT_CLASSES] = _info(classes, "DT_STRING", "Classification classes must be of type string Tensor")
    if scores is not None:
        outputs[constants.CLASSIFY_OUTPUT_SCORES] = _info(scores, "DT_FLOAT", "Classification scores must be a float Tensor")
    return build_signature_def(inputs, outputs, constants.CLASSIFY_METHOD_NAME)


def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> protos.SignatureDef:
    """The signature of any function (`tf.saved_model.signature_def_utils.predict_signature_def`).

    Args:
        inputs: tensors, by the names that clients use.
        outputs: likewise.

    Raises:
        ValueError: there are none.
    """
    if not inputs:
        raise ValueError("Prediction `inputs` cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction `outputs` cannot be None or empty.")
    return build_signature_def(_infos(inputs), _infos(outputs), constants.PREDICT_METHOD_NAME)


def is_valid_signature(signature_def: protos.SignatureDef | None) -> bool:
    """Whether TensorFlow Serving can offer it: as a classification, a regression or a prediction
    (`tf.saved_model.signature_def_utils.is_valid_signature`).
    """
    if signature_def is None:
        return False
    dtypes = protos.DataType
    inputs = {name: info.dtype for name, info in signature_def.inputs.items()}
    outputs = {name: info.dtype for name, info in signature_def.outputs.items()}
    match signature_def.method_name:
        case constants.PREDICT_METHOD_NAME:
            return bool(inputs and outputs)
        case constants.REGRESS_METHOD_NAME:
            return inputs == {constants.REGRESS_INPUTS: dtypes.DT_STRING} and outputs == {constants.REGRESS_OUTPUTS: dtypes.DT_FLOAT}
        case constants.CLASSIFY_METHOD_NAME:
            wanted = {constants.CLASSIFY_OUTPUT_CLASSES: dtypes.DT_STRING, constants.CLASSIFY_OUTPUT_SCORES: dtypes.DT_FLOAT}
            return inputs == {constants.CLASSIFY_INPUTS: dtypes.DT_STRING} and bool(outputs) and outputs.items() <= wanted.items()
    return False


def load_op_from_signature_def(signature_def: protos.SignatureDef, key: str, import_scope: str | None = None) -> Operation | Tensor:
    """The operation that the output of a signature names.

    Raises:
        NotFoundError: the default graph has none of that name.
    """
    try:
        return get_element_from_tensor_info(signature_def.outputs[key], import_scope=import_scope)
    except KeyError:
        raise NotFoundError(
            f"the signature {key!r} names {signature_def.outputs[key].name!r}, which the graph lacks; signatures of this key are the builder's own"
        ) from None


def _check_examples(examples: Any, method: str) -> None:
    if examples is None:
        raise ValueError(f"{method} `examples` cannot be None.")
    if not isinstance(examples, Tensor):
        expected = (
            "Expected regression `examples` to be of type Tensor" if method == "Regression" else "Classification `examples` must be a string Tensor"
        )
        raise ValueError(f"{expected}. Found `examples` of type {type(examples)}.")


def _infos(tensors: Mapping[str, Any]) -> dict[str, protos.TensorInfo]:
    return {name: build_tensor_info(tensor) for name, tensor in tensors.items()}


def _info(tensor: Tensor, dtype: str, rule: str) -> protos.TensorInfo:
    info = build_tensor_info(tensor)
    if info.dtype != protos.DataType.Value(dtype):
        raise ValueError(f"{rule}. Found tensors with type {protos.DataType.Name(info.dtype)}.")
    return info
