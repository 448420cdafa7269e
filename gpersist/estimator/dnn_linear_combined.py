"""Estimators of dense layers and weighted sums together, each over feature columns of its own: wide and deep models."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_optimizers import optimizer_of
from gpersist.estimator.classifier_heads import classifier_head
from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.head import Head
from gpersist.estimator.logit_functions import add_layer_summary, check_features, dnn_logits, linear_logits
from gpersist.estimator.regression_head import RegressionHead
from gpersist.estimator.run_config import RunConfig
from gpersist.graph import GraphKeys, Tensor, get_default_graph
from gpersist.ops.activations import relu
from gpersist.ops.control import group
from gpersist.ops.losses import Reduction
from gpersist.ops.partitioners import min_max_variable_partitioner
from gpersist.ops.variable_scope import variable_scope
from gpersist.ops.variables import assign_add
from gpersist.train.global_step import get_global_step

_DNN_LEARNING_RATE = 0.001
_LINEAR_LEARNING_RATE = 0.005
_LARGE_SLICE = 64 << 20


class DNNLinearCombinedEstimator(Estimator):
    """Dense layers and weighted sums of feature columns, added up, with any head (`tf.estimator.DNNLinearCombinedEstimator`).

    Args:
        head: makes predictions and a loss of logits.
        model_dir: see `Estimator`.
        linear_feature_columns: of the weighted sums.
        linear_optimizer: trains these; one, its name, or a function that makes one.
        dnn_feature_columns: of the dense layers.
        dnn_optimizer: trains these.
        dnn_hidden_units: how many units each hidden layer has.
        dnn_activation_fn: of hidden layers.
        dnn_dropout: the share of a hidden layer's units that is left out in training.
        input_layer_partitioner: cuts the variables of the input layer and of the sums.
        config: see `Estimator`.
        batch_norm: whether hidden layers are followed by batch normalisation.
        linear_sparse_combiner: of the weights of an example's categories.

    Raises:
        ValueError: no columns at all.
    """

    def __init__(
        self,
        head: Head,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Callable[[Any], Any] | None = relu,
        dnn_dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
        *,
        _warm_start_from: Any = None,
    ) -> None:
        wide, deep = list(linear_feature_columns or ()), list(dnn_feature_columns or ())
        if not wide and not deep:
            raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")

        def model_fn(features: Mapping[str, Any], labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            check_features(features)
            replicas = config.num_ps_replicas
            cut = input_layer_partitioner or min_max_variable_partitioner(max_partitions=replicas, min_slice_size=_LARGE_SLICE)
            values = tuple(features.values())
            parts: list[Tensor] = []
            trained: list[tuple[Any, str]] = []  # by which optimizer the variables of which scope
            if deep:
                optimizer = optimizer_of(dnn_optimizer, _DNN_LEARNING_RATE)
                if not dnn_hidden_units:
                    raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
                partitioner = min_max_variable_partitioner(max_partitions=replicas)
                with variable_scope("dnn", values=values, partitioner=partitioner, use_resource=True) as scope:
                    layers = (dnn_hidden_units, deep, dnn_activation_fn, dnn_dropout, cut, batch_norm)
                    parts.append(dnn_logits(features, mode, head.logits_dimension, *layers))
                    trained.append((optimizer, scope.name))
            if wide:
                optimizer = optimizer_of(linear_optimizer, min(_LINEAR_LEARNING_RATE, 1 / math.sqrt(len(wide))))
                with variable_scope("linear", values=values, partitioner=cut, use_resource=True) as scope:
                    parts.append(linear_logits(features, head.logits_dimension, wide, linear_sparse_combiner))
                    add_layer_summary(parts[-1], scope.name)
                    trained.append((optimizer, scope.name))
            logits = parts[0] if len(parts) == 1 else parts[0] + parts[1]
            return head.create_estimator_spec(features, mode, logits, labels, train_op_fn=lambda loss: _trained(loss, trained))

        super().__init__(model_fn, model_dir, config, warm_start_from=_warm_start_from)


class DNNLinearCombinedClassifier(DNNLinearCombinedEstimator):
    """Dense layers and weighted sums of feature columns that tell classes (`tf.estimator.DNNLinearCombinedClassifier`).

    Arguments are as of `DNNLinearCombinedEstimator` and `DNNClassifier`.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Callable[[Any], Any] | None = relu,
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(
            head,
            model_dir,
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            input_layer_partitioner,
            config,
            batch_norm,
            linear_sparse_combiner,
            _warm_start_from=warm_start_from,
        )


class DNNLinearCombinedRegressor(DNNLinearCombinedEstimator):
    """Dense layers and weighted sums of feature columns that tell numbers (`tf.estimator.DNNLinearCombinedRegressor`).

    Arguments are as of `DNNLinearCombinedEstimator` and `DNNRegressor`.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Callable[[Any], Any] | None = relu,
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(
            head,
            model_dir,
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            input_layer_partitioner,
            config,
            batch_norm,
            linear_sparse_combiner,
            _warm_start_from=warm_start_from,
        )


def _trained(loss: Tensor, trained: list[tuple[Any, str]]) -> Any:
    """A step of all optimizers, each for the variables of a scope; then the global step."""
    graph = get_default_graph()
    steps = [optimizer.minimize(loss, var_list=graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)) for optimizer, scope in trained]
    with graph.control_dependencies([group(*steps)]):
        return assign_add(get_global_step(), 1).op
