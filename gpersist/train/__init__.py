"""Training: Saver and the files around checkpoints, optimizers, moving averages, the global step.

Owns the graph nodes that TensorFlow 1's `tf.train` adds, and the state file `checkpoint` as `tf.train` writes it.
"""

from gpersist import ops as _ops  # noqa: F401  # registers the operations, without which an imported graph would have nothing but unknown ones
from gpersist.train import queue_runner as _queue_runner  # noqa: F401  # what is in collections
from gpersist.train import saver as _saver  # noqa: F401  # likewise

__all__: list[str] = []
