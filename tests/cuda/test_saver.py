"""A session's variables on CUDA devices, saved and restored."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.checkpoint import CheckpointReader
from gpersist.graph import Graph, Session
from gpersist.train.saver import Saver

pytestmark = pytest.mark.cuda


@pytest.fixture(autouse=True)
def graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Graph().as_default() as graph:
        yield graph


def made(graph: Graph) -> list[ops.Variable]:
    with graph.device("/gpu:0"):
        a = ops.Variable(np.arange(1 << 16, dtype=np.float32), name="a")
        b = ops.Variable(np.float32(2.5), name="b", use_resource=True)
    with graph.device("/cpu:0"):
        return [a, b, ops.Variable([1, 2, 3], name="c")]


@pytest.mark.parametrize("options", [{}, {"sharded": True}, {"write_version": 1}])
def test_there_and_back(graph: Graph, options) -> None:
    variables = made(graph)
    saver = Saver(**options)
    with Session() as sess:
        sess.run(ops.global_variables_initializer())
        path = saver.save(sess, "./m")
        wanted = sess.run(variables)
    with CheckpointReader(path) as reader:
        for name, value in zip("abc", wanted, strict=True):
            np.testing.assert_array_equal(reader[name].read(), value)
    with Session() as sess:
        saver.restore(sess, path)
        for value, restored in zip(wanted, sess.run(variables), strict=True):
            np.testing.assert_array_equal(restored, value)
        assert sess.device_of(variables[0]).name == "/device:GPU:0"
        buffer = sess.variables.find("a")
        assert buffer is not None
        assert buffer.device.owns(buffer.read())


def test_a_save_in_the_background_has_the_values_of_the_call(graph: Graph) -> None:
    a, b, c = made(graph)
    saver = Saver()
    grow = a.assign_add(np.ones(1 << 16, np.float32)).op
    with Session() as sess:
        sess.run(ops.global_variables_initializer())
        for step in range(5):
            handle = saver.save(sess, "./m", step, blocking=False)
            sess.run([grow, b.assign(9.0), c.assign([4, 5, 6])])
            handle.result(60)
        assert sess.run(a)[0] == 5.0
        for step in range(5):
            saver.restore(sess, f"./m-{step}")
            np.testing.assert_array_equal(sess.run(a), np.arange(1 << 16, dtype=np.float32) + step)


def test_device_map(graph: Graph) -> None:
    variables = made(graph)
    doubled = variables[0] * 2.0
    saver = Saver()
    with Session() as sess:
        sess.run(ops.global_variables_initializer())
        path = saver.save(sess, "./m")
        saver.restore(sess, path, device_map={"a": "/cpu:0", "c": "/gpu:0"})
        assert [sess.device_of(v).name for v in variables] == ["/device:CPU:0", "/device:GPU:0", "/device:GPU:0"]
        np.testing.assert_array_equal(sess.run(doubled), np.arange(1 << 16, dtype=np.float32) * 2)
        assert sess.run(variables[2]).tolist() == [1, 2, 3]


def test_slices_put_together(graph: Graph) -> None:
    """A part that is stored otherwise passes through the host."""
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    with graph.device("/gpu:0"):
        whole = ops.Variable(values, name="v")
    with Session() as sess:
        sess.run(whole.initializer)
        Saver().save(sess, "./m")
    with Graph().as_default() as other, Session() as sess:
        with other.device("/gpu:0"):
            part = ops.Variable(np.zeros((2, 3), np.float32), name="p")
        part._set_save_slice_info(ops.SaveSliceInfo("v", [4, 3], [1, 0], [2, 3]))
        Saver([part]).restore(sess, "./m")
        np.testing.assert_array_equal(sess.run(part), values[1:3])
