"""TensorFlow 1's `tf.train.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.train.experimental",
    "",
    {
        "gpersist.train.loss_scaling": (
            "DynamicLossScale FixedLossScale LossScale MixedPrecisionLossScaleOptimizer "
            "disable_mixed_precision_graph_rewrite enable_mixed_precision_graph_rewrite"
        ),
    },
)
