"""`tf.test.TestCase`: tests of graphs and sessions, on the test case of absl."""

from __future__ import annotations

import contextlib
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from absl.testing import absltest

from gpersist import protos
from gpersist.compat.default_graph import is_tensor
from gpersist.compat.testing import get_temp_dir, gpu_device_name
from gpersist.devices import DeviceSpec
from gpersist.errors import GPersistError
from gpersist.graph import Graph, Session, get_default_session, reset_default_graph
from gpersist.ops.random_seed import set_random_seed
from gpersist.shapes import TensorShape

__all__ = ["TestCase"]

_SEED = 87654321
"""The seed of each test's graph, as TensorFlow has it."""


class TestCase(absltest.TestCase):
    """A test of graphs (`tf.test.TestCase`): each begins with an empty default graph, whose seed is fixed."""

    def setUp(self) -> None:  # unittest's name
        """Begins with an empty graph and fixed seeds."""
        super().setUp()
        self._cached: Any = None
        random.seed(_SEED)
        np.random.seed(_SEED)
        reset_default_graph()
        set_random_seed(_SEED)

    def tearDown(self) -> None:  # unittest's name
        """Closes the session that `cached_session` has made."""
        if self._cached is not None:
            self._cached.close()
            self._cached = None
        super().tearDown()

    def get_temp_dir(self) -> str:
        """A folder of this test's own."""
        path = os.path.join(get_temp_dir(), re.sub(r"\W", "_", self.id()))
        os.makedirs(path, exist_ok=True)
        return path

    @contextlib.contextmanager
    def session(self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Session]:
        """A session of its own, the default one within.

        Args:
            graph: of the session; by default the default one.
            config: a ConfigProto.
            use_gpu: whether operations may go to GPUs.
            force_gpu: whether what names a GPU must have one.
        """
        with Session(graph=graph, config=_config(config, force_gpu)) as session, _placed(session.graph, use_gpu, force_gpu):
            yield session

    @contextlib.contextmanager
    def cached_session(self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Session]:
        """The test's session, the default one within; see `session`."""
        if self._cached is None:
            self._cached = Session(graph=graph, config=_config(config, force_gpu))
        with self._cached.graph.as_default(), self._cached.as_default(), _placed(self._cached.graph, use_gpu, force_gpu):
            yield self._cached

    def test_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> AbstractContextManager[Session]:
        """`session` with a graph, `cached_session` without one."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")  # whose name has those who gather tests take it for one
        return (self.cached_session if graph is None else self.session)(graph, config, use_gpu, force_gpu)

    def evaluate(self, tensors: Any) -> Any:
        """The values of a nest of tensors, in the default session or the test's own."""
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.cached_session() as own:
            return own.run(tensors)

    def evaluate_if_both_tensors(self, a: Any, b: Any) -> tuple[Any, Any]:
        """The values of two tensors; as they are, if one is none."""
        return self.evaluate([a, b]) if is_tensor(a) and is_tensor(b) else (a, b)

    def _array(self, value: Any) -> Any:
        value = self.evaluate(value) if is_tensor(value) else value
        if isinstance(value, (list, tuple)) and any(is_tensor(each) for each in value):
            value = self.evaluate(list(value))
        return value if isinstance(value, np.ndarray) else np.asarray(value)

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Holds that two arrays are equal; NaN is equal to NaN."""
        one, other = self._array(a), self._array(b)
        self.assertEqual(one.shape, other.shape, f"Shape mismatch: expected {one.shape}, got {other.shape}. {msg or ''}")
        if one.dtype.kind in "OSU" or other.dtype.kind in "OSU":
            one, other = (np.vectorize(_as_bytes, otypes=[object])(each) if each.size else each for each in (one, other))
        np.testing.assert_array_equal(one, other, err_msg=msg or "")

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Holds that two arrays differ."""
        self._not(self.assertAllEqual, a, b, msg=msg)

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Holds that arrays, or nests of them, are nearly equal."""
        if isinstance(a, dict) or isinstance(b, dict):
            self.assertEqual(set(a), set(b), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, msg)
            return
        try:
            one, other = self._array(a), self._array(b)
        except ValueError:
            self.assertEqual(len(a), len(b), msg)
            for mine, others in zip(a, b, strict=True):
                self.assertAllClose(mine, others, rtol, atol, msg)
            return
        self.assertEqual(one.shape, other.shape, f"Shape mismatch: expected {one.shape}, got {other.shape}. {msg or ''}")
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=msg or "")

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Holds that arrays are not nearly equal."""
        self._not(self.assertAllClose, a, b, rtol=rtol, atol=atol, msg=msg)

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: Any = None,
    ) -> None:
        """`assertAllClose`, as near as the narrower of the two types is."""
        one, other = self._array(a), self._array(b)
        for name, least in (("float32", (float_rtol, float_atol)), ("float16", (half_rtol, half_atol)), ("bfloat16", (bfloat16_rtol, bfloat16_atol))):
            if name in (one.dtype.name, other.dtype.name):
                rtol, atol = max(rtol, least[0]), max(atol, least[1])
        wide = [each.astype(np.float32) if each.dtype.name == "bfloat16" else each for each in (one, other)]
        self.assertAllClose(wide[0], wide[1], rtol, atol, msg)

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Holds that all elements are greater than a number."""
        self.assertGreater(self._array(a).min(), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Holds that all elements are less than a number."""
        self.assertLess(self._array(a).max(), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Holds that no element is less than a number."""
        self.assertGreaterEqual(self._array(a).min(), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Holds that no element is greater than a number."""
        self.assertLessEqual(self._array(a).max(), comparison_target)

    def assertAllInRange(
        self, target: Any, lower_bound: Any, upper_bound: Any, open_lower_bound: bool = False, open_upper_bound: bool = False
    ) -> None:
        """Holds that all elements are within bounds, which belong to them unless they are open."""
        found = self._array(target)
        low = found > lower_bound if open_lower_bound else found >= lower_bound
        high = found < upper_bound if open_upper_bound else found <= upper_bound
        self.assertTrue((low & high).all(), f"elements outside of {lower_bound} to {upper_bound}: {found[~(low & high)][:10]}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Holds that all elements are some of a set's."""
        self.assertLessEqual(set(np.unique(self._array(target)).tolist()), set(expected_set))

    def assertNear(self, f1: Any, f2: Any, err: float, msg: Any = None) -> None:
        """Holds that two numbers differ by no more than `err`."""
        self.assertTrue(
            f1 == f2 or abs(f1 - f2) <= err, f"{f1:f} != {f2:f} +/- {err:f} (difference: {abs(f1 - f2):g}){f' ({msg})' if msg is not None else ''}"
        )

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: Any = None) -> None:
        """Holds that the numbers of two lists differ by no more than `err`."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for one, other in zip(farray1, farray2, strict=True):
            self.assertNear(float(one), float(other), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: Any = None) -> None:
        """Holds that the distance of two arrays is less than `err`."""
        self.assertLess(np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2)), err, msg)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: Any = None) -> None:
        """Holds that arrays, or tensors, have one shape."""
        self.assertEqual(TensorShape(input_a.shape).as_list(), TensorShape(input_b.shape).as_list(), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Holds that a tensor or an array has a type."""
        self.assertEqual(target.dtype if is_tensor(target) else self._array(target).dtype, expected_dtype)

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: Any = None) -> None:
        """Holds that two names name one device."""
        one, other = (DeviceSpec.from_string(each or "").to_string() for each in (device1, device2))
        self.assertEqual(one, other, msg)

    def assertStartsWith(self, actual: Any, expected_start: Any, msg: Any = None) -> None:
        """Holds how a text begins."""
        self.assertTrue(actual.startswith(expected_start), msg or f"{actual!r} does not start with {expected_start!r}")

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, validate_message: Any, msg: Any = None, relative_tolerance: Any = None) -> None:
        """Holds that a message is another one, which may be given as text."""
        wanted = expected_message_maybe_ascii
        if isinstance(wanted, (str, bytes)):
            wanted = protos.parse_text(type(validate_message), wanted.encode() if isinstance(wanted, str) else wanted, "the expected message")
        self.assertEqual(wanted, validate_message, msg)

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(  # type: ignore[override]  # TensorFlow's is another than absl's
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """Holds that an error of a class is raised whose message matches an expression, or which a function takes."""
        try:
            yield
        except exception_type as error:
            wanted: Callable[[Any], Any]
            if callable(expected_err_re_or_predicate):
                wanted = expected_err_re_or_predicate
            else:
                expression = expected_err_re_or_predicate

                def wanted(error: Any) -> Any:
                    op = getattr(error, "op", None)
                    return re.search(expression, f"{getattr(error, 'message', error)} {op.name if op is not None else ''}")

            self.assertTrue(wanted(error), f"Exception of type {type(error).__name__}: {error}")
        else:
            self.fail(f"{getattr(exception_type, '__name__', exception_type)} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Holds that an operation fails with such a message."""
        return self.assertRaisesWithPredicateMatch(GPersistError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(self) -> Any:
        """Holds that shapes do not go together."""
        return self.assertRaisesWithPredicateMatch((GPersistError, ValueError), r"Incompatible shapes|Dimensions must be equal|\[\d+\] vs")

    def _not(self, assertion: Callable[..., None], *args: Any, msg: Any, **keywords: Any) -> None:
        try:
            assertion(*args, **keywords)
        except AssertionError:
            return
        self.fail(msg or "The two values are equal at all elements.")


def _config(config: Any, force_gpu: bool) -> Any:
    made = protos.ConfigProto()
    if config is not None:
        made.CopyFrom(config)
    else:
        made.allow_soft_placement = not force_gpu
    return made


@contextlib.contextmanager
def _placed(graph: Graph, use_gpu: bool, force_gpu: bool) -> Iterator[None]:
    if not use_gpu:
        with graph.device("/device:CPU:0"):
            yield
    elif force_gpu:
        with graph.device(gpu_device_name() or "/device:GPU:0"):
            yield
    else:
        yield


def _as_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
