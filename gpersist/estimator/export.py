"""What a served model takes and offers (`tf.estimator.export`)."""

from gpersist.estimator.export_output import ClassificationOutput, ExportOutput, PredictOutput, RegressionOutput
from gpersist.estimator.input_receiver import (
    ServingInputReceiver,
    TensorServingInputReceiver,
    build_parsing_serving_input_receiver_fn,
    build_raw_serving_input_receiver_fn,
)

__all__ = [
    "ClassificationOutput",
    "ExportOutput",
    "PredictOutput",
    "RegressionOutput",
    "ServingInputReceiver",
    "TensorServingInputReceiver",
    "build_parsing_serving_input_receiver_fn",
    "build_raw_serving_input_receiver_fn",
]
