"""TensorFlow 1's `tf.config.threading`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.config.threading",
    "",
    {
        "gpersist.compat.config_threading": (
            "get_inter_op_parallelism_threads get_intra_op_parallelism_threads set_inter_op_parallelism_threads set_intra_op_parallelism_threads"
        ),
    },
)
