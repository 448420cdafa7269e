"""TensorFlow 1's `tf.gfile`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.gfile",
    "",
    {
        "gpersist.files.gfile": (
            "Copy DeleteRecursively Exists FastGFile GFile Glob IsDirectory ListDirectory MakeDirs MkDir Open=GFile Remove Rename Stat Walk"
        ),
    },
)
