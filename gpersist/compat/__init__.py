"""Names of other libraries for what is here: `gpersist.compat.v1` is TensorFlow 1's `tf`.

The modules beside `v1` own what only that face has: its logging, its flags and its switches.
"""

from gpersist.compat import logging as _logging  # noqa: F401  # what is logged is to be seen, whether `tf.logging` is used or not

__all__: list[str] = []
