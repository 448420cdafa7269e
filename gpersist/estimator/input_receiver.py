"""What a served model takes, and how that becomes the features of its model function (`tf.estimator.export`'s receivers)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gpersist.dtypes import string
from gpersist.graph import Tensor
from gpersist.ops.constants import placeholder
from gpersist.ops.parsing import parse_example
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape


class _Receiver(NamedTuple):
    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Any


class ServingInputReceiver(_Receiver):
    """Features, and the tensors that are fed for them (`tf.estimator.export.ServingInputReceiver`).

    Args:
        features: tensors by name, or by number; one alone is called `feature`.
        receiver_tensors: tensors by name; one alone is called `input`.
        receiver_tensors_alternatives: others that may be fed instead, by name; each becomes more signatures.

    Raises:
        ValueError: something is missing, a name is no text, or a value no tensor.
    """

    __slots__ = ()

    def __new__(cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None) -> ServingInputReceiver:
        """Checks what it is given."""
        features = _checked(features, "feature", "feature", allows_numbers=True)
        receiver_tensors = _checked(receiver_tensors, "receiver_tensor", "input")
        if receiver_tensors_alternatives is not None:
            if not isinstance(receiver_tensors_alternatives, dict):
                raise ValueError(f"receiver_tensors_alternatives must be a dict: {receiver_tensors_alternatives}.")
            for name, tensors in receiver_tensors_alternatives.items():
                receiver_tensors_alternatives[name] = _checked(tensors, "receiver_tensors_alternative", "input")
        return super().__new__(cls, features, receiver_tensors, receiver_tensors_alternatives)


class TensorServingInputReceiver(_Receiver):
    """`ServingInputReceiver` for a model function that takes one tensor as it is (`tf.estimator.export.TensorServingInputReceiver`)."""

    __slots__ = ()

    def __new__(cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None) -> TensorServingInputReceiver:
        """Checks what it is given."""
        if features is None:
            raise ValueError("features must be defined.")
        _check_tensor(features, "feature", "")
        receiver = ServingInputReceiver(features, receiver_tensors, receiver_tensors_alternatives)
        return super().__new__(cls, receiver.features["feature"], receiver.receiver_tensors, receiver.receiver_tensors_alternatives)


def build_raw_serving_input_receiver_fn(features: Mapping[str, Tensor], default_batch_size: int | None = None) -> Callable[[], ServingInputReceiver]:
    """A function that makes a placeholder for each feature (`tf.estimator.export.build_raw_serving_input_receiver_fn`).

    Args:
        features: tensors by name, of any graph: their types, and their shapes but for the first dimension, are taken.
        default_batch_size: the size of the first dimension; any by default.
    """

    def serving_input_receiver_fn() -> ServingInputReceiver:
        tensors = {name: _placeholder_like(tensor, default_batch_size) for name, tensor in features.items()}
        return ServingInputReceiver(tensors, tensors)

    return serving_input_receiver_fn


def build_parsing_serving_input_receiver_fn(
    feature_spec: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A function that makes a placeholder for serialized `tf.Example`s, and takes the features from these
    (`tf.estimator.export.build_parsing_serving_input_receiver_fn`).

    Args:
        feature_spec: for `tf.parse_example`.
        default_batch_size: how many examples there are; any number by default.
    """

    def serving_input_receiver_fn() -> ServingInputReceiver:
        serialized = placeholder(string, [default_batch_size], "input_example_tensor")
        return ServingInputReceiver(parse_example(serialized, feature_spec), {"examples": serialized})

    return serving_input_receiver_fn


def _placeholder_like(tensor: Any, batch_size: int | None) -> Tensor:
    shape = TensorShape([batch_size]).concatenate(tensor.get_shape()[1:])
    return placeholder(tensor.dtype, shape, tensor.op.name if hasattr(tensor, "op") else None)


def _checked(tensors: Any, what: str, name_alone: str, *, allows_numbers: bool = False) -> dict[Any, Any]:
    if tensors is None:
        raise ValueError(f"{what}s must be defined.")
    found = tensors if isinstance(tensors, dict) else {name_alone: tensors}
    for name, tensor in found.items():
        if not isinstance(name, str) and not (allows_numbers and isinstance(name, int)):
            raise ValueError(f"{what} keys must be strings{' or ints' if allows_numbers else ''}: {name}.")
        _check_tensor(tensor, what, f" {name}")
    return found


def _check_tensor(tensor: Any, what: str, name: str) -> None:
    if not isinstance(tensor, (Tensor, SparseTensor)):
        raise ValueError(f"{what}{name} must be a Tensor, SparseTensor, or RaggedTensor.")
