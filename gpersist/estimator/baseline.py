"""Estimators that tell the same whatever the features are: what others are to be compared with (`tf.estimator.BaselineClassifier` and its like)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_optimizers import optimizer_of
from gpersist.estimator.classifier_heads import classifier_head
from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.head import Head
from gpersist.estimator.regression_head import RegressionHead
from gpersist.estimator.run_config import RunConfig
from gpersist.graph import Tensor, get_default_graph
from gpersist.ops.checks import assert_equal
from gpersist.ops.filling import ones
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.losses import Reduction
from gpersist.ops.math import multiply
from gpersist.ops.shaping import shape_of
from gpersist.ops.variable_scope import variable_scope
from gpersist.train.global_step import get_global_step

_LEARNING_RATE = 0.3


class BaselineEstimator(Estimator):
    """A bias, with any head (`tf.estimator.BaselineEstimator`).

    Args:
        head: makes predictions and a loss of logits.
        model_dir: see `Estimator`.
        optimizer: one, its name (Adagrad, Adam, Ftrl, RMSProp, SGD), or a function that makes one.
        config: see `Estimator`.
    """

    def __init__(
        self, head: Head, model_dir: Any = None, optimizer: Any = "Ftrl", config: RunConfig | None = None, *, _weight_column: Any = None
    ) -> None:
        def model_fn(features: Mapping[str, Any], labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            def step(loss: Tensor) -> Any:
                return optimizer_of(optimizer, _LEARNING_RATE).minimize(loss, global_step=get_global_step())

            logits = _logits(features, head.logits_dimension, _weight_column)
            return head.create_estimator_spec(features, mode, logits, labels, train_op_fn=step)

        super().__init__(model_fn, model_dir, config)


class BaselineClassifier(BaselineEstimator):
    """How often each class occurs (`tf.estimator.BaselineClassifier`); arguments as of `DNNClassifier`."""

    def __init__(
        self,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str = Reduction.SUM,
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(head, model_dir, optimizer, config, _weight_column=weight_column)


class BaselineRegressor(BaselineEstimator):
    """The mean of the labels (`tf.estimator.BaselineRegressor`); arguments as of `DNNRegressor`."""

    def __init__(
        self,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str = Reduction.SUM,
    ) -> None:
        super().__init__(RegressionHead(label_dimension, weight_column, loss_reduction), model_dir, optimizer, config)


def _logits(features: Mapping[str, Any], count: int, weight_column: Any) -> Tensor:
    """The bias for each example."""
    key = getattr(weight_column, "key", weight_column)
    sizes = [shape_of(feature)[0] for name, feature in features.items() if name != key]
    checks = [assert_equal(sizes[0], other) for other in sizes[1:]]
    with get_default_graph().control_dependencies(checks), variable_scope("baseline"):
        bias = get_variable("bias", shape=[count], initializer=zeros_initializer())
        return multiply(bias, ones([sizes[0], count]))
