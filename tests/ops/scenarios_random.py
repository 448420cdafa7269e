"""Scenarios of random operations; what numbers they give is in tests/ops/test_random.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.get_variable import get_variable
from tests.ops.scenarios import scenario


@scenario("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
def numbers(session: Session) -> None:
    size = ops.placeholder("int32", None)
    for op_type in ("RandomUniform", "RandomStandardNormal", "TruncatedNormal"):
        for dtype in ("float16", "bfloat16", "float32", "float64"):
            x = apply(op_type, size, dtype=dtype, seed=1, seed2=2)
            first, second = (session.run(x, {size: [3, 5]}) for _ in range(2))
            assert first.shape == (3, 5)
            assert first.dtype.name == dtype
            assert (first != second).any()
            assert session.run(x, {size: np.zeros(0, np.int32)}).shape == ()
            assert session.run(x, {size: [2, 0]}).shape == (2, 0)
        with pytest.raises(InvalidArgumentError, match="must be >= 0"):
            session.run(x, {size: [2, -1]})
        with pytest.raises(InvalidArgumentError, match="must be a vector"):
            session.run(x, {size: 2})


@scenario("RandomUniformInt")
def integers(session: Session) -> None:
    low = ops.placeholder("int64", None)
    x = apply("RandomUniformInt", [1000], low, np.int64(3), seed=1, seed2=2)
    found = session.run(x, {low: -2})
    assert (found.min(), found.max()) == (-2, 2)
    with pytest.raises(InvalidArgumentError, match="Need minval < maxval, got 3 >= 3"):
        session.run(x, {low: 3})
    with pytest.raises(InvalidArgumentError, match="minval must be 0-D"):
        session.run(x, {low: [1]})


@scenario("RandomShuffle")
def order(session: Session) -> None:
    x = apply("RandomShuffle", np.arange(20.0).reshape(10, 2), seed=1, seed2=2)
    found = session.run(x)
    assert sorted(found[:, 0]) == list(range(0, 20, 2))
    assert (found[:, 1] == found[:, 0] + 1).all()
    assert session.run(apply("RandomShuffle", ["a"], seed=1)).tolist() == [b"a"]


@scenario("Multinomial")
def classes(session: Session) -> None:
    logits, count = ops.placeholder("float32", None), ops.placeholder("int32", None)
    x = apply("Multinomial", logits, count, seed=1, seed2=2, output_dtype="int32")
    found = session.run(x, {logits: [[0.0, -np.inf, 0.0], [-np.inf, 0.0, np.nan]], count: 50})
    assert (found.dtype, found.shape, sorted(set(found[0])), set(found[1])) == (np.int32, (2, 50), [0, 2], {1})
    for wrong in ({logits: [1.0], count: 1}, {logits: [[1.0]], count: -1}, {logits: [[1.0]], count: [1]}, {logits: [[]], count: 1}):
        with pytest.raises(InvalidArgumentError):
            session.run(x, wrong)


@scenario("RandomGamma")
def gamma(session: Session) -> None:
    """Both runs as TensorFlow 2.21 gives them."""
    x = apply("RandomGamma", [3], np.array([0.5, 1.0, 2.5, 30.0]), seed=1, seed2=2)
    np.testing.assert_allclose(session.run(x)[0], [0.0144395579, 0.334041845, 2.10901150, 22.8440923], rtol=1e-8)
    np.testing.assert_allclose(session.run(x)[0], [1.25292933, 0.79544142, 2.14053867, 27.8089661], rtol=1e-8)
    assert np.isnan(session.run(apply("RandomGamma", [1], [-1.0, np.nan], seed=1))).all()
    with pytest.raises(InvalidArgumentError, match="non-zero element count"):
        session.run(apply("RandomGamma", [1], np.zeros(0)))


@scenario("RandomPoisson", "RandomPoissonV2")
def poisson(session: Session) -> None:
    """Both runs as TensorFlow 2.21 gives them."""
    rates = np.array([0.5, 3.0, 12, 300])
    x = apply("RandomPoissonV2", [3], rates, seed=1, seed2=2, dtype="int64")
    assert session.run(x).tolist() == [[0, 3, 15, 307], [1, 1, 7, 288], [0, 2, 13, 302]]
    assert session.run(x).tolist() == [[0, 5, 9, 309], [0, 2, 8, 268], [1, 3, 12, 286]]
    assert session.run(apply("RandomPoisson", [3], rates, seed=1, seed2=2))[2].tolist() == [0, 2, 13, 302]
    assert session.run(apply("RandomPoissonV2", [0], rates)).shape == (0, 4)


@scenario("ParameterizedTruncatedNormal")
def cut_normal(session: Session) -> None:
    """The first numbers as TensorFlow 2.21 gives them."""
    bounds = [np.array(values) for values in ([0, 1, 0.0, 0], [1, 2, 1.0, 1], [-2, 0, 0.5, 3], [2, 1.5, 1, np.inf])]
    found = session.run(apply("ParameterizedTruncatedNormal", [4, 5], *bounds, seed=1, seed2=2))
    np.testing.assert_allclose(found[:2, 0], [0.58105877, 0.82006416], rtol=1e-6)
    assert all((low <= row).all() and (row <= high).all() for row, low, high in zip(found, bounds[2], bounds[3], strict=True))
    with pytest.raises(InvalidArgumentError, match="Invalid parameters"):
        session.run(apply("ParameterizedTruncatedNormal", [2], 0.0, -1.0, 0.0, 1.0))


def _sampled(session: Session, name: str, **attrs: Any) -> list[Any]:
    found = apply_op(f"{name}CandidateSampler", np.array([[1, 2], [3, 4]]), num_true=2, num_sampled=5, seed=1, seed2=2, **attrs).outputs
    return [value.tolist() for value in session.run(list(found))]


@scenario(*(f"{name}CandidateSampler" for name in ("Uniform", "LogUniform", "LearnedUnigram", "ThreadUnsafeUnigram", "FixedUnigram", "All")))
def candidates(session: Session) -> None:
    """As TensorFlow 2.21 draws them."""
    assert _sampled(session, "Uniform", unique=True, range_max=10) == [[9, 6, 7, 1, 3], [[0.5, 0.5]] * 2, [0.5] * 5]
    drawn, counts, _ = _sampled(session, "LogUniform", unique=True, range_max=10)
    assert drawn == [0, 1, 8, 6, 2]
    np.testing.assert_allclose(counts, [[0.7265548, 0.5912358], [0.49527326, 0.4251005]], rtol=1e-6)
    assert _sampled(session, "LogUniform", unique=False, range_max=10)[0] == [0, 1, 1, 0, 8]
    for name in ("LearnedUnigram", "ThreadUnsafeUnigram"):
        drawn, counts, _ = _sampled(session, name, unique=True, range_max=10)
        assert drawn == [9, 5, 2, 1, 6]
        np.testing.assert_allclose(counts, [[0.468559, 0.468559]] * 2, rtol=1e-6)
    fixed = {"range_max": 8, "unigrams": [1, 2, 3.5, 4, 5, 6, 7], "num_reserved_ids": 1, "distortion": 0.75}
    drawn, counts, _ = _sampled(session, "FixedUnigram", unique=False, **fixed)
    assert drawn == [3, 5, 2, 3, 3]
    np.testing.assert_allclose(counts, [[0.2557547, 0.43012646], [0.6544473, 0.72338355]], rtol=1e-6)
    assert _sampled(session, "All", unique=True)[0] == [0, 1, 2, 3, 4]
    with pytest.raises(InvalidArgumentError, match="range is too small"):
        _sampled(session, "Uniform", unique=True, range_max=4)


@scenario(
    "StatefulUniform",
    "StatefulUniformFullInt",
    "StatefulUniformInt",
    "StatefulStandardNormalV2",
    "StatefulTruncatedNormal",
    "StatefulRandomBinomial",
    "RngReadAndSkip",
    "RngSkip",
)
def generators(session: Session) -> None:
    """The numbers, and the states after them, are TensorFlow 2.21's."""
    state = get_variable("state", initializer=np.array([5, 0, 7]), use_resource=True)

    def drawn(op_type: str, *inputs: Any, **attrs: Any) -> tuple[Any, list[int]]:
        session.run(state.initializer)
        outputs = apply_op(op_type, state.handle, *inputs, **attrs)
        return session.run(outputs.outputs[0] if outputs.outputs else outputs), session.run(state).tolist()

    for op_type, attrs, wanted in (
        ("StatefulUniform", {}, [0.36983442306518555, 0.1545926332473755, 0.5622867345809937]),
        ("StatefulUniform", {"dtype": "float16"}, [0.68359375, 0.4228515625, 0.2529296875]),
        ("StatefulUniformFullInt", {}, [6202522875320030908, 13269244410484750595, 8633183481599236476]),
        ("StatefulUniformFullInt", {"dtype": "int32"}, [1454331580, 1444137393, -456656637]),
        ("StatefulStandardNormalV2", {}, [1.1645317077636719, 0.7957798838615417, 1.0294888019561768]),
        ("StatefulTruncatedNormal", {"dtype": "float64"}, [0.00311308519048046, -0.2905084335666235, 0.473268032785223]),
    ):
        for algorithm in (1, 3):
            found, after = drawn(op_type, np.int64(algorithm), [3], **attrs)
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
            assert after == [773, 0, 7]
    found, after = drawn("StatefulUniformInt", np.int64(1), [5], np.int64(-3), np.int64(9))
    assert (found.tolist(), after) == ([1, 8, -3, 1, 5], [1285, 0, 7])
    found, after = drawn("StatefulRandomBinomial", np.int64(1), [2, 3], [5.0, 20.0, 100.0], np.float32([0.2, 0.5, 0.3]))
    assert (found.tolist(), after) == ([[2, 11, 31], [1, 9, 24]], [5, 0, 7])
    assert drawn("StatefulUniform", np.int64(1), [0])[1] == [5, 0, 7]
    assert drawn("RngSkip", np.int64(1), np.int64(-3)) == (None, [-763, 0, 7])
    found, after = drawn("RngReadAndSkip", 1, np.uint64(3))
    assert (found.tolist(), after) == ([5, 0, 7], [773, 0, 7])
    session.run(state.assign([-1, -1, 7]))
    assert session.run(apply("RngReadAndSkip", state.handle, 1, np.uint64(3))).tolist() == [-1, -1, 7]
    assert session.run(state).tolist() == [767, 0, 7]
    for algorithm, kind in ((2, UnimplementedError), (9, InvalidArgumentError)):
        with pytest.raises(kind):
            drawn("StatefulUniform", np.int64(algorithm), [3])
    with pytest.raises(InvalidArgumentError, match="Need minval < maxval"):
        drawn("StatefulUniformInt", np.int64(1), [5], np.int64(3), np.int64(3))
    with pytest.raises(InvalidArgumentError, match="must end with"):
        drawn("StatefulRandomBinomial", np.int64(1), [2, 4], [5.0, 20.0, 100.0], np.float32(0.2))
    with pytest.raises(InvalidArgumentError, match="No OpKernel"):
        drawn("StatefulUniform", np.int64(1), [3], dtype="int32")
    for kept, told in (([1, 2], "at least 3 numbers"), ([1.0, 2.0, 3.0], "wrong dtype")):
        other = get_variable(f"of_{len(kept)}", initializer=np.array(kept), use_resource=True)
        session.run(other.initializer)
        with pytest.raises(InvalidArgumentError, match=told):
            session.run(apply("StatefulUniform", other.handle, np.int64(1), [3]))


@scenario("NonDeterministicInts")
def unforeseeable(session: Session) -> None:
    x = apply("NonDeterministicInts", [2, 3], dtype="uint32")
    assert x.shape == (2, 3)
    assert (session.run(x) != session.run(x)).any()
    with pytest.raises(InvalidArgumentError, match="Unsupported dtype"):
        session.run(apply("NonDeterministicInts", [2], dtype="float32"))


@scenario("StatefulStandardNormal")
def numbers_of_a_state_with_its_algorithm(session: Session) -> None:
    states = {"old": [1, 0, 0, 7], "new": [0, 0, 7]}
    old, new = (get_variable(name, initializer=np.array(state, np.int64), use_resource=True) for name, state in states.items())
    session.run([old.initializer, new.initializer])
    for _ in range(2):
        found = session.run(apply("StatefulStandardNormal", old.handle, [5], dtype="float32"))
        np.testing.assert_array_equal(found, session.run(apply("StatefulStandardNormalV2", new.handle, 1, [5], dtype="float32")))
    np.testing.assert_array_equal(session.run(old)[1:], session.run(new))
    with pytest.raises(InvalidArgumentError, match="at least 4 numbers"):
        session.run(apply("StatefulStandardNormal", new.handle, [5], dtype="float32"))
