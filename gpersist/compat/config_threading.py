"""`tf.config.threading`: kept and told again; NumPy's threads are told by the environment (`OPENBLAS_NUM_THREADS`)."""

from __future__ import annotations

__all__ = [
    "get_inter_op_parallelism_threads",
    "get_intra_op_parallelism_threads",
    "set_inter_op_parallelism_threads",
    "set_intra_op_parallelism_threads",
]

_COUNTS = {"inter": 0, "intra": 0}


def get_inter_op_parallelism_threads() -> int:
    """What has been set; 0 if nothing."""
    return _COUNTS["inter"]


def get_intra_op_parallelism_threads() -> int:
    """What has been set; 0 if nothing."""
    return _COUNTS["intra"]


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Keeps it; operations run one after the other."""
    _COUNTS["inter"] = num_threads


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Keeps it."""
    _COUNTS["intra"] = num_threads
