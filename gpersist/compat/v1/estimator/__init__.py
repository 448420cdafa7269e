"""TensorFlow 1's `tf.estimator`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator",
    "export inputs",
    {
        "gpersist.estimator": (
            "BestExporter CheckpointSaverHook CheckpointSaverListener Estimator EstimatorSpec EvalSpec Exporter "
            "FeedFnHook FinalExporter FinalOpsHook GlobalStepWaiterHook LatestExporter LoggingTensorHook ModeKeys "
            "NanLossDuringTrainingError NanTensorHook RunConfig SecondOrStepTimer SessionRunArgs "
            "SessionRunContext SessionRunHook SessionRunValues StepCounterHook StopAtStepHook SummarySaverHook "
            "TrainSpec WarmStartSettings train_and_evaluate"
        ),
    },
)
