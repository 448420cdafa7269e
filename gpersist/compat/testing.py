"""`tf.test`: what of the machine is there, and gradients held against differences; `test_case` has its `TestCase`."""

from __future__ import annotations

import functools
import os
import tempfile
from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest

from gpersist import protos
from gpersist.devices import Device, devices
from gpersist.graph import get_default_session
from gpersist.ops.gradients import gradients

__all__ = [
    "assert_equal_graph_def",
    "compute_gradient",
    "compute_gradient_error",
    "get_temp_dir",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_gpu_available",
    "main",
    "mock",
    "test_src_dir_path",
]


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None) -> bool:
    """Whether there is a GPU (`tf.test.is_gpu_available`); virtual ones count, too.

    Args:
        cuda_only: all GPUs are CUDA's.
        min_cuda_compute_capability: (major, minor) that it has at least; virtual ones have any.
    """
    return any(_has(device, min_cuda_compute_capability) for device in _gpus())


def gpu_device_name() -> str:
    """The name of the first GPU, `/device:GPU:0`; empty if there is none (`tf.test.gpu_device_name`)."""
    return next((device.name for device in _gpus()), "")


def is_built_with_cuda() -> bool:
    """Whether CuPy is there with a GPU (`tf.test.is_built_with_cuda`)."""
    return any(device.backend == "cuda" for device in _gpus())


def is_built_with_gpu_support() -> bool:
    """As `is_built_with_cuda`."""
    return is_built_with_cuda()


def is_built_with_rocm() -> bool:
    """False."""
    return False


def is_built_with_xla() -> bool:
    """False."""
    return False


def _gpus() -> list[Device]:
    return [device for device in devices() if not device.is_host]


def _has(device: Device, wanted: tuple[int, int] | None) -> bool:
    found = device.info().compute_capability
    return wanted is None or found is None or found >= tuple(wanted)


def get_temp_dir() -> str:
    """A folder for the files of tests (`tf.test.get_temp_dir`)."""
    return str(absltest.get_default_test_tmpdir()) if "TEST_TMPDIR" in os.environ else _temporary()


@functools.cache
def _temporary() -> str:
    return tempfile.mkdtemp(prefix="gpersist-test-")  # one for the process


def test_src_dir_path(relative_path: str) -> str:
    """A path beside the program's working folder (`tf.test.test_src_dir_path`)."""
    return os.path.join(os.environ.get("TEST_SRCDIR", os.getcwd()), relative_path)


test_src_dir_path.__test__ = False  # type: ignore[attr-defined]  # for pytest: it is none


def main(argv: Any = None) -> None:
    """Runs the program's tests, and ends it (`tf.test.main`)."""
    absltest.main(argv=argv)


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False, hash_table_shared_name: bool = False) -> None:
    """Holds that two graphs have the same nodes (`tf.test.assert_equal_graph_def`).

    Raises:
        AssertionError: one has a node that the other lacks, or has it otherwise.
        TypeError: they are no GraphDefs.
    """
    del checkpoint_v2, hash_table_shared_name
    for graph, name in ((actual, "actual"), (expected, "expected")):
        if not isinstance(graph, protos.GraphDef):
            raise TypeError(f"Expected tf.GraphDef for {name}, got {type(graph).__name__}")
    found, wanted = ({node.name: node for node in graph.node} for graph in (actual, expected))
    if found.keys() != wanted.keys():
        more, fewer = sorted(found.keys() - wanted.keys()), sorted(wanted.keys() - found.keys())
        raise AssertionError(f"nodes differ: only in actual {more}, only in expected {fewer}")
    for name, node in found.items():
        if node != wanted[name]:
            raise AssertionError(f"node {name!r} differs:\n{node}\nexpected:\n{wanted[name]}")


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """The Jacobian as the graph's gradients give it, and by differences (`tf.test.compute_gradient`), in the default session.

    Args:
        x: a tensor, or a list of them.
        x_shape: its shape.
        y: a tensor that depends on it.
        y_shape: its shape.
        x_init_value: where; by default random.
        delta: the step of the differences.
        init_targets: operations to run before.
        extra_feed_dict: what else is fed.

    Returns:
        Two arrays [elements of x, elements of y]; for a list, a list of such pairs.
    """
    session = get_default_session()
    if session is None:
        raise ValueError("compute_gradient needs a default session: `with tf.Session():`")
    for target in [init_targets] if init_targets is not None and not isinstance(init_targets, (list, tuple)) else init_targets or []:
        session.run(target)
    if isinstance(x, (list, tuple)):
        starts = x_init_value or [None] * len(x)
        return [
            _jacobians(session, each, shape, y, y_shape, start, delta, extra_feed_dict) for each, shape, start in zip(x, x_shape, starts, strict=True)
        ]
    return _jacobians(session, x, x_shape, y, y_shape, x_init_value, delta, extra_feed_dict)


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """The largest difference between the two of `compute_gradient` (`tf.test.compute_gradient_error`)."""
    found = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = found if isinstance(found, list) else [found]
    return float(max((np.abs(one - other).max(initial=0) for one, other in pairs), default=0.0))


def _jacobians(session: Any, x: Any, x_shape: Any, y: Any, y_shape: Any, start: Any, delta: float, extra: Any) -> tuple[Any, Any]:
    sizes, made = (tuple(int(size) for size in np.atleast_1d(shape)) if np.size(shape) else () for shape in (x_shape, y_shape))
    dtype = x.dtype.real_dtype.as_numpy_dtype
    at = np.asarray(np.random.random_sample(sizes) if start is None else start, x.dtype.as_numpy_dtype).reshape(sizes)
    feeds = dict(extra or {})
    count, results = at.size, int(np.prod(made, dtype=np.int64))
    exact, differences = np.zeros((count, results), dtype), np.zeros((count, results), dtype)
    for number in range(results):
        weight = np.zeros(made, y.dtype.as_numpy_dtype)
        weight.reshape(-1)[number] = 1
        grad = gradients(y, x, grad_ys=weight)[0]
        if grad is not None:
            exact[:, number] = session.run(grad, {**feeds, x: at}).reshape(-1)
    for number in range(count):
        values = []
        for step in (delta, -delta):
            moved = at.copy()
            moved.reshape(-1)[number] += step
            values.append(session.run(y, {**feeds, x: moved}))
        differences[number] = ((values[0] - values[1]) / (2 * delta)).reshape(-1)
    return exact, differences
