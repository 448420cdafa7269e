"""Estimator: a model function that is trained, evaluated, asked and exported (`tf.estimator`), in one process; ready-made ones, too."""

from gpersist.estimator.baseline import BaselineClassifier, BaselineEstimator, BaselineRegressor
from gpersist.estimator.classifier_heads import BinaryClassHead, MultiClassHead
from gpersist.estimator.dnn import DNNClassifier, DNNEstimator, DNNRegressor
from gpersist.estimator.dnn_linear_combined import DNNLinearCombinedClassifier, DNNLinearCombinedEstimator, DNNLinearCombinedRegressor
from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.exporters import BestExporter, Exporter, FinalExporter, LatestExporter
from gpersist.estimator.extenders import add_metrics
from gpersist.estimator.head import Head
from gpersist.estimator.linear import LinearClassifier, LinearEstimator, LinearRegressor
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.multi_label_head import MultiLabelHead
from gpersist.estimator.parsing_specs import classifier_parse_example_spec, regressor_parse_example_spec
from gpersist.estimator.regression_head import LogisticRegressionHead, PoissonRegressionHead, RegressionHead
from gpersist.estimator.run_config import RunConfig
from gpersist.estimator.train_and_evaluate import EvalSpec, TrainSpec, train_and_evaluate
from gpersist.estimator.warm_start_settings import WarmStartSettings
from gpersist.train.checkpoint_saver_hook import CheckpointSaverHook, CheckpointSaverListener
from gpersist.train.logging_hooks import LoggingTensorHook, NanLossDuringTrainingError, NanTensorHook, StepCounterHook, SummarySaverHook
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.stopping_hooks import FeedFnHook, FinalOpsHook, GlobalStepWaiterHook, StopAtStepHook

__all__ = [
    "BaselineClassifier",
    "BaselineEstimator",
    "BaselineRegressor",
    "BestExporter",
    "BinaryClassHead",
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "Estimator",
    "EstimatorSpec",
    "EvalSpec",
    "Exporter",
    "FeedFnHook",
    "FinalExporter",
    "FinalOpsHook",
    "GlobalStepWaiterHook",
    "Head",
    "LatestExporter",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
    "LoggingTensorHook",
    "LogisticRegressionHead",
    "ModeKeys",
    "MultiClassHead",
    "MultiLabelHead",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "PoissonRegressionHead",
    "RegressionHead",
    "RunConfig",
    "SecondOrStepTimer",
    "SessionRunArgs",
    "SessionRunContext",
    "SessionRunHook",
    "SessionRunValues",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
    "TrainSpec",
    "WarmStartSettings",
    "add_metrics",
    "classifier_parse_example_spec",
    "regressor_parse_example_spec",
    "train_and_evaluate",
]
