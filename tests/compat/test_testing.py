"""gpersist.compat.testing and test_case: a test case of a user's, with what holds and what doesn't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.devices import use_virtual


def test_gpus() -> None:
    assert not tf.test.is_gpu_available()
    assert tf.test.gpu_device_name() == ""
    with use_virtual(2):
        assert tf.test.is_gpu_available(cuda_only=True, min_cuda_compute_capability=(3, 0))
        assert tf.test.gpu_device_name() == "/device:GPU:0"
        assert not tf.test.is_built_with_cuda()
    assert not tf.test.is_built_with_rocm()


class _Holds(tf.test.TestCase):
    __test__ = False  # for pytest

    def runTest(self) -> None:
        self.assertEqual(tf.get_default_graph().get_operations(), [])
        x = tf.constant([1.0, 2.0])
        self.assertAllEqual(x, [1.0, 2.0])
        self.assertAllEqual(self.evaluate(x + 1), np.array([2.0, 3.0]))
        self.assertAllClose({"a": x}, {"a": [1.0, 2.0 + 1e-7]})
        self.assertAllClose([[1.0], [2.0, 3.0]], [[1.0], [2.0, 3.0]])
        self.assertNotAllClose(x, [1.0, 2.1])
        self.assertAllCloseAccordingToType(tf.constant([1.0], tf.float16), [1.0005])
        self.assertAllGreater(x, 0.5)
        self.assertAllInRange(x, 1.0, 2.0)
        self.assertAllInSet(x, [1.0, 2.0, 3.0])
        self.assertAllEqual(tf.constant(["a", "b"]), ["a", b"b"])
        self.assertShapeEqual(np.zeros(2), x)
        self.assertDTypeEqual(x, tf.float32)
        self.assertDeviceEqual("/gpu:0", "/device:GPU:0")
        self.assertProtoEquals("dtype: DT_FLOAT tensor_shape { } float_val: 3", tf.make_tensor_proto(3.0))
        with self.cached_session() as session:
            self.assertIs(tf.get_default_session(), session)
            with self.assertRaisesOpError("must be fed|You must feed"):
                tf.placeholder(tf.float32, name="p").eval()
        with self.session(graph=tf.Graph()) as session:
            self.assertIsNot(session.graph, x.graph)
        with self.session(use_gpu=False):
            self.assertEqual(tf.constant(1).device, "/device:CPU:0")
            y = x * x
            self.assertLess(tf.test.compute_gradient_error(x, [2], y, [2], x_init_value=np.array([1.0, 2.0], np.float32)), 1e-2)
        Path(self.get_temp_dir(), "file").write_text("here")
        tf.test.assert_equal_graph_def(tf.get_default_graph().as_graph_def(), tf.get_default_graph().as_graph_def())


class _Fails(tf.test.TestCase):
    __test__ = False

    def test_shape(self) -> None:
        self.assertAllEqual([1, 2], [1])

    def test_values(self) -> None:
        self.assertAllClose([1.0], [1.1])

    def test_no_error(self) -> None:
        with self.assertRaisesOpError("x"):
            pass

    def test_other_error(self) -> None:
        with self.assertRaisesWithPredicateMatch(ValueError, "x"):
            raise ValueError("y")

    def test_same(self) -> None:
        self.assertNotAllEqual([1], [1])

    def test_graphs(self) -> None:
        tf.constant(1)
        tf.test.assert_equal_graph_def(tf.get_default_graph().as_graph_def(), tf.GraphDef())


def test_what_holds() -> None:
    found = _Holds().run()
    assert found is not None
    assert not found.errors + found.failures, found


@pytest.mark.parametrize("name", [name for name in vars(_Fails) if name.startswith("test_")])
def test_what_fails(name: str) -> None:
    found = _Fails(name).run()
    assert found is not None
    assert len(found.failures) == 1
    assert not found.errors, found.errors


def test_main(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import gpersist.compat.v1 as tf\n\nclass T(tf.test.TestCase):\n    def testOne(self):\n        with self.test_session():\n"
        "            self.assertEqual(tf.constant(2).eval(), 2)\n\nif __name__ == '__main__':\n    tf.test.main()\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "testOne" in done.stderr
