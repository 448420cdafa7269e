"""Estimator: a model function that is trained, evaluated, asked and exported (`tf.estimator`), in one process."""

from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.exporters import BestExporter, Exporter, FinalExporter, LatestExporter
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.run_config import RunConfig
from gpersist.estimator.train_and_evaluate import EvalSpec, TrainSpec, train_and_evaluate
from gpersist.estimator.warm_start_settings import WarmStartSettings
from gpersist.train.checkpoint_saver_hook import CheckpointSaverHook, CheckpointSaverListener
from gpersist.train.logging_hooks import LoggingTensorHook, NanLossDuringTrainingError, NanTensorHook, StepCounterHook, SummarySaverHook
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.stopping_hooks import FeedFnHook, FinalOpsHook, GlobalStepWaiterHook, StopAtStepHook

__all__ = [
    "BestExporter",
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "Estimator",
    "EstimatorSpec",
    "EvalSpec",
    "Exporter",
    "FeedFnHook",
    "FinalExporter",
    "FinalOpsHook",
    "GlobalStepWaiterHook",
    "LatestExporter",
    "LoggingTensorHook",
    "ModeKeys",
    "NanLossDuringTrainingError",
    "NanTensorHook",
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
    "train_and_evaluate",
]
