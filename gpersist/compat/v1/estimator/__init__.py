"""TensorFlow 1's `tf.estimator`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator",
    "experimental export inputs",
    {
        "gpersist.estimator": (
            "BaselineClassifier BaselineEstimator BaselineRegressor BestExporter BinaryClassHead "
            "CheckpointSaverHook CheckpointSaverListener DNNClassifier DNNEstimator DNNLinearCombinedClassifier "
            "DNNLinearCombinedEstimator DNNLinearCombinedRegressor DNNRegressor Estimator EstimatorSpec EvalSpec "
            "Exporter FeedFnHook FinalExporter FinalOpsHook GlobalStepWaiterHook Head LatestExporter "
            "LinearClassifier LinearEstimator LinearRegressor LoggingTensorHook LogisticRegressionHead ModeKeys "
            "MultiClassHead MultiLabelHead NanLossDuringTrainingError NanTensorHook PoissonRegressionHead "
            "RegressionHead RunConfig SecondOrStepTimer SessionRunArgs SessionRunContext SessionRunHook "
            "SessionRunValues StepCounterHook StopAtStepHook SummarySaverHook TrainSpec WarmStartSettings "
            "add_metrics classifier_parse_example_spec regressor_parse_example_spec train_and_evaluate"
        ),
    },
)
