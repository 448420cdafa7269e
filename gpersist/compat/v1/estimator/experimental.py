"""TensorFlow 1's `tf.estimator.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator.experimental",
    "",
    {
        "gpersist.estimator.experimental": (
            "make_early_stopping_hook stop_if_higher_hook stop_if_lower_hook stop_if_no_decrease_hook stop_if_no_increase_hook"
        ),
    },
)
