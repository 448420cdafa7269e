"""Estimators of dense layers over feature columns (`tf.estimator.DNNClassifier` and its like)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_optimizers import optimizer_of
from gpersist.estimator.classifier_heads import classifier_head
from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.head import Head
from gpersist.estimator.logit_functions import check_features, dnn_logits
from gpersist.estimator.regression_head import RegressionHead
from gpersist.estimator.run_config import RunConfig
from gpersist.ops.activations import relu
from gpersist.ops.losses import Reduction
from gpersist.ops.partitioners import min_max_variable_partitioner
from gpersist.ops.variable_scope import variable_scope

_LEARNING_RATE = 0.05
_LARGE_SLICE = 64 << 20


class DNNEstimator(Estimator):
    """Dense layers over feature columns, with any head (`tf.estimator.DNNEstimator`).

    Args:
        head: makes predictions and a loss of logits.
        hidden_units: how many units each hidden layer has.
        feature_columns: dense columns.
        model_dir: see `Estimator`.
        optimizer: one, its name (Adagrad, Adam, Ftrl, RMSProp, SGD), or a function that makes one.
        activation_fn: of hidden layers.
        dropout: the share of a hidden layer's units that is left out in training.
        input_layer_partitioner: cuts the input layer's variables.
        config: see `Estimator`.
        warm_start_from: see `Estimator`.
        batch_norm: whether hidden layers are followed by batch normalisation.
    """

    def __init__(
        self,
        head: Head,
        hidden_units: Sequence[int],
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Callable[[Any], Any] | None = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        batch_norm: bool = False,
    ) -> None:
        columns = tuple(feature_columns or ())

        def model_fn(features: Mapping[str, Any], labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            chosen = optimizer_of(optimizer, _LEARNING_RATE)
            check_features(features)
            replicas = config.num_ps_replicas
            partitioner = min_max_variable_partitioner(max_partitions=replicas)
            inner = input_layer_partitioner or min_max_variable_partitioner(max_partitions=replicas, min_slice_size=_LARGE_SLICE)
            with variable_scope("dnn", values=tuple(features.values()), partitioner=partitioner, use_resource=True):
                logits = dnn_logits(features, mode, head.logits_dimension, hidden_units, columns, activation_fn, dropout, inner, batch_norm)
                return head.create_estimator_spec(features, mode, logits, labels, optimizer=chosen)

        super().__init__(model_fn, model_dir, config, warm_start_from=warm_start_from)


class DNNClassifier(DNNEstimator):
    """Dense layers over feature columns that tell classes (`tf.estimator.DNNClassifier`).

    Args:
        hidden_units: see `DNNEstimator`, as others.
        feature_columns: dense columns.
        model_dir: see `Estimator`.
        n_classes: how many classes there are.
        weight_column: the key of a feature, or a column, with the weights of examples.
        label_vocabulary: the classes' names, where labels are text.
        optimizer: one, its name, or a function that makes one.
        activation_fn: of hidden layers.
        dropout: the share of a hidden layer's units that is left out in training.
        input_layer_partitioner: cuts the input layer's variables.
        config: see `Estimator`.
        warm_start_from: see `Estimator`.
        loss_reduction: how the losses of a batch become one.
        batch_norm: whether hidden layers are followed by batch normalisation.
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Adagrad",
        activation_fn: Callable[[Any], Any] | None = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        last = (activation_fn, dropout, input_layer_partitioner, config, warm_start_from, batch_norm)
        super().__init__(head, hidden_units, feature_columns, model_dir, optimizer, *last)


class DNNRegressor(DNNEstimator):
    """Dense layers over feature columns that tell numbers (`tf.estimator.DNNRegressor`); arguments as of `DNNClassifier`, and `label_dimension`."""

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Callable[[Any], Any] | None = relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        last = (activation_fn, dropout, input_layer_partitioner, config, warm_start_from, batch_norm)
        super().__init__(head, hidden_units, feature_columns, model_dir, optimizer, *last)
