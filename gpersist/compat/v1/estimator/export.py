"""TensorFlow 1's `tf.estimator.export`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator.export",
    "",
    {
        "gpersist.estimator.export": (
            "ClassificationOutput ExportOutput PredictOutput RegressionOutput ServingInputReceiver "
            "TensorServingInputReceiver build_parsing_serving_input_receiver_fn "
            "build_raw_serving_input_receiver_fn"
        ),
    },
)
