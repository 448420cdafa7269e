"""What a model offers to those who use it, each as the signature that it becomes (`tf.estimator.export`'s outputs)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from gpersist import protos
from gpersist.dtypes import string
from gpersist.graph import Tensor
from gpersist.saved_model.signature_def_utils import classification_signature_def, predict_signature_def, regression_signature_def


class ExportOutput(ABC):
    """An output of a model (`tf.estimator.export.ExportOutput`)."""

    @abstractmethod
    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> protos.SignatureDef:
        """Its signature, with these inputs.

        Raises:
            ValueError: such inputs cannot be its.
        """


class ClassificationOutput(ExportOutput):
    """Classes and how likely they are (`tf.estimator.export.ClassificationOutput`).

    Args:
        scores: floats; None without any.
        classes: texts; None without any.

    Raises:
        ValueError: neither, or not of that type.
    """

    def __init__(self, scores: Tensor | None = None, classes: Tensor | None = None) -> None:
        if scores is not None and not (isinstance(scores, Tensor) and scores.dtype.is_floating):
            raise ValueError(f"Classification scores must be a float32 Tensor; got {scores}")
        if classes is not None and not (isinstance(classes, Tensor) and classes.dtype.base_dtype == string):
            raise ValueError(f"Classification classes must be a string Tensor; got {classes}")
        if scores is None and classes is None:
            raise ValueError("Cannot create a ClassificationOutput with empty arguments. At least one of `scores` and `classes` must be defined.")
        self._scores = scores
        self._classes = classes

    @property
    def scores(self) -> Tensor | None:
        """How likely the classes are."""
        return self._scores

    @property
    def classes(self) -> Tensor | None:
        """The classes."""
        return self._classes

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> protos.SignatureDef:
        """The signature of a classification."""
        return classification_signature_def(_only_text(receiver_tensors, "Classification"), self._classes, self._scores)


class RegressionOutput(ExportOutput):
    """A number for each example (`tf.estimator.export.RegressionOutput`).

    Raises:
        ValueError: no floats.
    """

    def __init__(self, value: Tensor) -> None:
        if not (isinstance(value, Tensor) and value.dtype.is_floating):
            raise ValueError(f"Regression output value must be a float32 Tensor; got {value}")
        self._value = value

    @property
    def value(self) -> Tensor:
        """The numbers."""
        return self._value

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> protos.SignatureDef:
        """The signature of a regression."""
        return regression_signature_def(_only_text(receiver_tensors, "Regression"), self._value)


class PredictOutput(ExportOutput):
    """Any tensors, by name; one alone is called `output` (`tf.estimator.export.PredictOutput`).

    Raises:
        ValueError: a name that is no text, or a value that is no tensor.
    """

    def __init__(self, outputs: Tensor | Mapping[Any, Tensor]) -> None:
        self._outputs: dict[str, Tensor] = {}
        for key, value in (outputs if isinstance(outputs, dict) else {"output": outputs}).items():
            name = "/".join(key) if isinstance(key, tuple) else key
            if not isinstance(name, str):
                raise ValueError(f"Prediction output key must be a string; got {name}.")
            if not isinstance(value, Tensor):
                raise ValueError(f"Prediction output value must be a Tensor; got {value}.")
            self._outputs[name] = value

    @property
    def outputs(self) -> dict[str, Tensor]:
        """The tensors, by name."""
        return self._outputs

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> protos.SignatureDef:
        """The signature of a prediction."""
        return predict_signature_def(receiver_tensors, self._outputs)


def _only_text(receiver_tensors: Mapping[str, Any], method: str) -> Any:
    """The only input, which has to be text: serialized examples."""
    values = list(receiver_tensors.values())
    if len(values) != 1 or values[0].dtype.base_dtype != string:
        raise ValueError(
            f"{method} signatures can only accept a single tensor input of type tf.string. Please check to make sure that you have structured the "
            "serving_input_receiver_fn so that it creates a single string placeholder. If your model function expects multiple inputs, then use "
            f"`tf.io.parse_example()` to parse the string into multiple tensors.\n Received: {receiver_tensors}"
        )
    return values[0]
