"""What a model function gives (`tf.estimator.EstimatorSpec`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.signatures import get_export_outputs
from gpersist.graph import Operation, Tensor, get_default_graph
from gpersist.ops.shaping import reshape
from gpersist.ops.variable import Variable
from gpersist.shapes import TensorShape
from gpersist.train.scaffold import Scaffold
from gpersist.train.session_run_hook import SessionRunHook


class _Spec(NamedTuple):
    mode: str
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: Any
    export_outputs: Any
    training_chief_hooks: Any
    training_hooks: Any
    scaffold: Any
    evaluation_hooks: Any
    prediction_hooks: Any


class EstimatorSpec(_Spec):
    """Tensors and operations of a model, for one mode (`tf.estimator.EstimatorSpec`).

    Args:
        mode: one of `ModeKeys`.
        predictions: a tensor, or tensors by name; needed for prediction.
        loss: a scalar; needed for training and evaluation.
        train_op: a step; needed for training.
        eval_metric_ops: by name pairs of a value and the operation that updates it with a batch.
        export_outputs: by the names of their signatures `ExportOutput`s; the predictions alone by default.
        training_chief_hooks: take part in training, before others.
        training_hooks: take part in training.
        scaffold: says how to initialise and to save.
        evaluation_hooks: take part in evaluation.
        prediction_hooks: take part in prediction.

    Raises:
        ValueError: something that the mode needs is missing, or in another graph.
        TypeError: something of another type.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Tensor | None = None,
        train_op: Any = None,
        eval_metric_ops: dict[str, tuple[Any, Any]] | None = None,
        export_outputs: Any = None,
        training_chief_hooks: Any = None,
        training_hooks: Any = None,
        scaffold: Any = None,
        evaluation_hooks: Any = None,
        prediction_hooks: Any = None,
    ) -> EstimatorSpec:
        """Checks what it is given."""
        train_op = _checked_train_op(train_op, mode)
        loss = _checked_loss(loss, mode)
        predictions = _checked_predictions(predictions, mode)
        if mode == ModeKeys.PREDICT:
            export_outputs = get_export_outputs(export_outputs, predictions)
        metrics = _checked_metrics(eval_metric_ops)
        training, chief = _checked_hooks(training_hooks), _checked_hooks(training_chief_hooks)
        evaluation, prediction = _checked_hooks(evaluation_hooks), _checked_hooks(prediction_hooks)
        if not isinstance(scaffold := scaffold or Scaffold(), Scaffold):
            raise TypeError(f"scaffold must be tf.train.Scaffold. Given: {scaffold}")
        return super().__new__(cls, mode, predictions, loss, train_op, metrics, export_outputs, chief, training, scaffold, evaluation, prediction)


def _checked_train_op(train_op: Any, mode: str) -> Any:
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        return None
    if not isinstance(train_op, (Operation, Tensor, Variable)):
        raise TypeError(f"train_op must be Operation or Tensor, given: {train_op}")
    found = train_op.op if isinstance(train_op, Variable) else train_op
    _check_graph(found, "train_op", found.name)
    return found


def _checked_loss(loss: Any, mode: str) -> Tensor | None:
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        return None
    _check_tensor(loss, "loss")
    shape = loss.get_shape()
    if shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss}")
    if not shape.is_compatible_with(TensorShape([])):
        loss = reshape(loss, [])
    _check_graph(loss, "loss", loss.name)
    found: Tensor = loss
    return found


def _checked_predictions(predictions: Any, mode: str) -> Any:
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        return {}
    if not isinstance(predictions, dict):
        _check_tensor(predictions, "predictions")
        _check_graph(predictions, "prediction values", predictions.name)
        return predictions
    for key, value in predictions.items():
        _check_tensor(value, f"predictions[{key}]")
        _check_graph(value, "prediction values", f"{key}: {value.name}")
    return dict(predictions)


def _checked_metrics(eval_metric_ops: Any) -> dict[str, tuple[Any, Any]]:
    if eval_metric_ops is None:
        return {}
    if not isinstance(eval_metric_ops, dict):
        raise TypeError(f"eval_metric_ops must be a dict, given: {eval_metric_ops}")
    for key, pair in eval_metric_ops.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Values of eval_metric_ops must be (metric_value, update_op) tuples, given: {pair} for key: {key}")
        for value in pair:
            _check_graph(value, "eval_metric_ops", f"{key}: {value.name}")
    return eval_metric_ops


def _checked_hooks(hooks: Any) -> tuple[SessionRunHook, ...]:
    found = tuple(hooks or ())
    for hook in found:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"All hooks must be SessionRunHook instances, given: {hook}")
    return found


def _check_tensor(value: Any, what: str) -> None:
    if not isinstance(value, (Tensor, Variable)):
        raise TypeError(f"{what} must be Tensor, given: {value}")


def _check_graph(value: Any, what: str, name: str) -> None:
    if value.graph is not get_default_graph():
        raise ValueError(
            f'{what} with "{name}" must be from the default graph: it was made outside of it, or not in the most recent call to "model_fn"'
        )
