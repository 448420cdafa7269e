"""TensorFlow 1's `tf.sets`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.sets",
    "",
    {
        "gpersist.ops.set_operations": (
            "difference=set_difference intersection=set_intersection set_difference set_intersection set_size set_union size=set_size union=set_union"
        ),
    },
)
