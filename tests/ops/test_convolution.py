"""What the registry test and the golden programs don't reach: blocks, attributes newer than 1.15, and wrong inputs of convolutions and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpersist import protos
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Graph, Session, apply, apply_op, import_graph_def
from gpersist.ops import blas_threads, correlation, matrix_product, placeholder_with_default, window_reduction
from gpersist.ops.windows import windows


def _vague(*shape: int) -> Any:
    return placeholder_with_default(np.zeros(shape, np.float32), None)


@pytest.mark.parametrize(("stride", "channels", "depth"), [(1, 3, 2), (2, 3, 2), (1, 1, 9)])
@pytest.mark.parametrize("block_bytes", [1, 500, 4000])
def test_blocks_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch, stride: int, channels: int, depth: int, block_bytes: int) -> None:
    generator = np.random.default_rng(1)
    axes = [windows(9, 3, stride, 1, b"SAME"), windows(8, 2, stride, 1, b"VALID")]
    value = generator.normal(size=(3, 9, 8, channels))
    filters = generator.normal(size=(3, 2, channels, depth))
    grad = generator.normal(size=(3, axes[0].number, axes[1].number, depth))

    def run() -> list[Any]:
        return [
            correlation.correlate(np, value, filters, axes),
            correlation.filter_gradient(np, value, grad, axes, channels),
            correlation.input_gradient(np, grad, filters, axes, channels),
        ]

    whole = run()
    value = np.repeat(value, 2, axis=2)[:, :, ::2]  # not contiguous: no rows of windows are runs of memory
    monkeypatch.setattr(correlation, "_HOST_BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(correlation, "_HOST_NARROW_BLOCK_BYTES", block_bytes)
    for part, found in zip(whole, run(), strict=True):
        np.testing.assert_allclose(found, part, rtol=1e-12, atol=1e-13)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has all work be shared out over three threads, from now on."""

    def share() -> None:
        monkeypatch.setattr(blas_threads, "most", lambda: 3)
        monkeypatch.setattr(matrix_product, "_TINY", 0)
        for module, name in ((matrix_product, "WORTH_SHARING"), (correlation, "WORTH_SHARING"), (window_reduction, "_WORTH_SHARING")):
            monkeypatch.setattr(module, name, 1)

    return share


@pytest.mark.parametrize("batch", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding", "channels", "depth"),
    [(3, 1, 1, b"SAME", 4, 3), (3, 1, 1, b"SAME", 2, 9), (2, 2, 1, b"VALID", 9, 2), (2, 1, 2, b"SAME", 3, 40), (1, 1, 1, b"VALID", 3, 5)],
)
def test_threads_give_what_one_gives(
    shared: Callable[[], None], batch: int, kernel: int, stride: int, dilation: int, padding: bytes, channels: int, depth: int
) -> None:
    generator = np.random.default_rng(2)
    axes = [windows(size, kernel, stride, dilation, padding) for size in (7, 6)]
    numbers = [axis.number for axis in axes]
    value, filters = generator.normal(size=(batch, 7, 6, channels)), generator.normal(size=(kernel, kernel, channels, depth))
    grad = generator.normal(size=(batch, *numbers, depth))

    def run() -> list[Any]:
        return [
            correlation.correlate(np, value, filters, axes),
            correlation.filter_gradient(np, value, grad, axes, channels),
            correlation.input_gradient(np, grad, filters, axes, channels),
        ]

    alone = run()
    shared()
    found = run()
    for one, several in zip(alone, found, strict=True):
        np.testing.assert_allclose(several, one, rtol=1e-12, atol=1e-13)
    for _ in range(5):  # the same bits, whoever computes what
        for before, again in zip(found, run(), strict=True):
            np.testing.assert_array_equal(again, before)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("batch", [0, 1, 5])
def test_threads_pool_as_one_does(shared: Callable[[], None], batch: int, kernel: int, stride: int) -> None:
    value = np.random.default_rng(3).integers(0, 3, (batch, 7, 6, 2)).astype(np.float32)
    args = ([1, kernel, kernel, 1], [1, stride, stride, 1], b"SAME", b"NHWC")
    grad = np.random.default_rng(4).normal(size=window_reduction.max_pool(np, value, *args).shape).astype(np.float32)

    def run() -> list[Any]:
        return [
            window_reduction.max_pool(np, value, *args),
            window_reduction.max_pool_gradient(np, value, grad, *args),
            window_reduction.mean_pool(np, value, *args),
            window_reduction.mean_pool_gradient(np, value.shape, grad, *args),
        ]

    alone = run()
    shared()
    for one, several in zip(alone, run(), strict=True):
        np.testing.assert_array_equal(several, one)


def test_explicit_paddings_of_a_newer_graph() -> None:
    """Nodes of TensorFlow 2 may have an attribute that 1.15 has not: it counts where it is there."""
    graph_def = protos.GraphDef()
    node = graph_def.node.add(name="x", op="Placeholder")
    node.attr["dtype"].type = 1
    node = graph_def.node.add(name="pool", op="MaxPool", input=["x"])
    node.attr["T"].type = 1
    for name, values in {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "explicit_paddings": [0, 0, 1, 0, 0, 1, 0, 0]}.items():
        node.attr[name].list.i.extend(values)
    node.attr["padding"].s = b"EXPLICIT"
    node.attr["data_format"].s = b"NHWC"
    with Graph().as_default() as graph, Session() as session:
        import_graph_def(graph_def, name="")
        found = session.run("pool:0", {"x:0": np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)})
        assert found[0, :, :, 0].tolist() == [[1, 2], [7, 8]]
        assert graph.get_tensor_by_name("pool:0").shape.rank in (None, 4)


_ONES = {"strides": [1, 1, 1, 1], "padding": "VALID"}


@pytest.mark.parametrize(
    ("inputs", "attrs", "message"),
    [
        (((1, 3, 3), (3, 3, 2, 3)), _ONES, "input must be 4-dimensional"),
        (((1, 3, 3, 3), (3, 3, 2, 2)), _ONES, "input depth must be evenly divisible by filter depth: 3 vs 2"),
        (((1, 3, 3, 4), (3, 3, 2, 3)), _ONES, "output depth must be evenly divisible by number of groups: 3 vs 2"),
        (((1, 3, 3, 1), (3, 3, 1, 0)), _ONES, "filter must not have zero elements"),
        (((1, 1, 1, 1), (3, 3, 1, 1)), _ONES, "Computed output size would be negative: -1"),
    ],
)
def test_wrong_inputs(inputs: Any, attrs: Any, message: str) -> None:
    with Graph().as_default(), Session() as session:
        tensor = apply("Conv2D", *[_vague(*shape) for shape in inputs], **attrs)
        with pytest.raises(InvalidArgumentError, match=message):
            session.run(tensor)


@pytest.mark.parametrize(
    ("inputs", "attrs", "message"),
    [
        (((1, 2, 2, 1), (3, 3, 1, 1)), _ONES, "Negative dimension size caused by subtracting 3 from 2"),
        (((1, 3, 3, 0), (3, 3, 0, 2)), _ONES, "Depth of filter must not be 0"),
        (((1, 3, 3, 3), (3, 3, 2, 2)), _ONES, r"Depth of input \(3\) is not a multiple of input depth of filter \(2\)"),
        (((1, 3, 3), (3, 3, 2, 2)), _ONES, "Shape must be rank 4 but is rank 3"),
        (((1, 3, 3, 1), (3, 3, 1, 1)), {**_ONES, "strides": [1, 0, 1, 1]}, "Stride must be > 0, but got 0"),
        (((1, 3, 3, 1), (3, 3, 1, 1)), {**_ONES, "padding": "EXPLICIT"}, "explicit_paddings attribute must contain 8 values, but got: 0"),
        (((1, 3, 3, 1), (3, 3, 1, 1)), {**_ONES, "dilations": [1, 0, 1, 1]}, "Dilation rate must be >= 1, but got 0"),
    ],
)
def test_refused_in_the_graph(inputs: Any, attrs: Any, message: str) -> None:
    with Graph().as_default(), pytest.raises(ValueError, match=message):
        apply("Conv2D", *[np.zeros(shape, np.float32) for shape in inputs], **attrs)


def test_pooling_over_batch_and_mixed_axes() -> None:
    with Graph().as_default(), Session() as session:
        for op, ksize in (("MaxPool", [2, 1, 1, 1]), ("MaxPool", [1, 2, 1, 2]), ("AvgPool", [1, 1, 1, 2])):
            tensor = apply(op, np.zeros((2, 2, 2, 4), np.float32), ksize=ksize, strides=[1, 1, 1, 2], padding="VALID")
            with pytest.raises(UnimplementedError):
                session.run(tensor)


def test_nan_in_a_window() -> None:
    """As TensorFlow on a CPU: NaN loses against numbers, and a window of nothing else gives the least finite number."""
    value = np.array([1, np.nan, np.nan, np.nan], np.float32).reshape(1, 1, 4, 1)
    with Graph().as_default(), Session() as session:
        tensor = apply("MaxPool", value, ksize=[1, 1, 2, 1], strides=[1, 1, 2, 1], padding="VALID")
        assert session.run(tensor).reshape(-1).tolist() == [1, np.finfo(np.float32).min]


def test_labels_outside_the_classes() -> None:
    with Graph().as_default(), Session() as session:
        tensor = apply_op("SparseSoftmaxCrossEntropyWithLogits", np.zeros((2, 3), np.float32), np.array([0, 5])).outputs[0]
        with pytest.raises(
            InvalidArgumentError, match=r"Received a label value of 5 which is outside the valid range of \[0, 3\)\.  Label values: 0 5"
        ):
            session.run(tensor)
