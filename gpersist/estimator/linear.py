"""Estimators of weighted sums of feature columns (`tf.estimator.LinearClassifier` and its like)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_optimizers import optimizer_of
from gpersist.estimator.classifier_heads import classifier_head
from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.head import Head
from gpersist.estimator.logit_functions import check_features, linear_logits
from gpersist.estimator.regression_head import RegressionHead
from gpersist.estimator.run_config import RunConfig
from gpersist.ops.losses import Reduction
from gpersist.ops.partitioners import min_max_variable_partitioner
from gpersist.ops.variable_scope import variable_scope
from gpersist.train.optimizers import FtrlOptimizer

_LEARNING_RATE = 0.2
_LARGE_SLICE = 64 << 20


class LinearEstimator(Estimator):
    """Weighted sums of feature columns, with any head (`tf.estimator.LinearEstimator`).

    Args:
        head: makes predictions and a loss of logits.
        feature_columns: columns of categories and dense ones.
        model_dir: see `Estimator`.
        optimizer: one, its name (Adagrad, Adam, Ftrl, RMSProp, SGD), or a function that makes one.
        config: see `Estimator`.
        partitioner: cuts the variables.
        sparse_combiner: of the weights of an example's categories: "sum", "mean" or "sqrtn".
        warm_start_from: see `Estimator`.
    """

    def __init__(
        self,
        head: Head,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        partitioner: Any = None,
        sparse_combiner: str = "sum",
        warm_start_from: Any = None,
    ) -> None:
        columns = tuple(feature_columns or ())

        def model_fn(features: Mapping[str, Any], labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            check_features(features)
            replicas = config.num_ps_replicas
            cut = partitioner or min_max_variable_partitioner(max_partitions=replicas, min_slice_size=_LARGE_SLICE)
            with variable_scope("linear", values=tuple(features.values()), partitioner=cut, use_resource=True):
                logits = linear_logits(features, head.logits_dimension, columns, sparse_combiner)
                default = FtrlOptimizer(learning_rate=min(_LEARNING_RATE, 1 / math.sqrt(len(columns))))
                chosen = optimizer_of(optimizer or default, _LEARNING_RATE)
                return head.create_estimator_spec(features, mode, logits, labels, optimizer=chosen)

        super().__init__(model_fn, model_dir, config, warm_start_from=warm_start_from)


class LinearClassifier(LinearEstimator):
    """Weighted sums of feature columns that tell classes (`tf.estimator.LinearClassifier`).

    Args:
        feature_columns: see `LinearEstimator`, as others.
        model_dir: see `Estimator`.
        n_classes: how many classes there are.
        weight_column: the key of a feature, or a column, with the weights of examples.
        label_vocabulary: the classes' names, where labels are text.
        optimizer: one, its name, or a function that makes one.
        config: see `Estimator`.
        partitioner: cuts the variables.
        warm_start_from: see `Estimator`.
        loss_reduction: how the losses of a batch become one.
        sparse_combiner: of the weights of an example's categories.
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(head, feature_columns, model_dir, optimizer, config, partitioner, sparse_combiner, warm_start_from)


class LinearRegressor(LinearEstimator):
    """Weighted sums of columns that tell numbers (`tf.estimator.LinearRegressor`); arguments as of `LinearClassifier`, and `label_dimension`."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(head, feature_columns, model_dir, optimizer, config, partitioner, sparse_combiner, warm_start_from)
