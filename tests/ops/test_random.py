"""Random numbers, beyond what tests/golden/programs/random_cases.py holds against TensorFlow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gpersist import dtypes
from gpersist.devices import use_virtual
from gpersist.graph import Graph, Session, apply
from gpersist.ops import distributions, random
from gpersist.ops.philox import Philox


# From the reference implementation of the paper (Random123, kat_vectors): counter, key, words.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        (0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((1 << 128) - 1, (1 << 64) - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (0x03707344_13198A2E_85A308D3_243F6A88, 0x299F31D0_A4093822, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_is_the_papers(counter: int, key: int, words: str, xp: ModuleType) -> None:
    found = Philox(key, counter).blocks(xp, 1)
    assert [f"{int(word):08x}" for word in found[0]] == words.split()


@pytest.mark.parametrize("counter", [0, (1 << 64) - 3, (1 << 128) - 2])
def test_blocks_are_the_same_one_by_one(counter: int, xp: ModuleType) -> None:
    start = Philox(77, counter)
    single = [np.asarray(_host(start.skip(index).blocks(xp, 1)))[0].tolist() for index in range(5)]
    assert _host(start.blocks(xp, 5)).tolist() == single
    assert _host(start.blocks_at(xp, xp.asarray(np.array([4, 0, 3], np.uint64)))).tolist() == [single[4], single[0], single[3]]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("distribution", [distributions.uniform, distributions.normal, distributions.truncated_normal])
def test_how_many_are_made_at_once_does_not_matter(distribution: Any, dtype: str, xp: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    start, count, kind = Philox.of_seeds(3, 4), 1001, dtypes.as_dtype(dtype)
    wanted = np.asarray(distribution(np, start, count, kind)).astype(np.float64)
    monkeypatch.setattr(distributions, "_HOST_GROUPS", 16)
    monkeypatch.setattr(distributions, "_DEVICE_GROUPS", 16)
    found = _host(distribution(xp, start, count, kind))
    assert found.dtype == kind.numpy
    np.testing.assert_allclose(found.astype(np.float64), wanted, rtol=1e-6, atol=1e-6)


def test_numbers_are_of_their_distribution() -> None:
    kind, count, start = dtypes.float32, 200_000, Philox.of_seeds(5, 6)
    flat, bell, cut = (make(np, start, count, kind) for make in (distributions.uniform, distributions.normal, distributions.truncated_normal))
    assert 0 <= flat.min() < 1e-4 and 1 - 1e-4 < flat.max() < 1
    assert abs(flat.mean() - 0.5) < 0.003 and abs(bell.mean()) < 0.01 and abs(cut.mean()) < 0.01
    assert abs(bell.std() - 1) < 0.01 and abs(cut.std() - 0.8796) < 0.01
    assert abs(bell).max() > 3 and abs(cut).max() < 2


def test_without_seeds_each_session_differs() -> None:
    with Graph().as_default():
        x = random.random_uniform([4])
        assert (x.op.inputs[0].op.type, x.op.attr("seed"), x.op.attr("seed2")) == ("Const", 0, 0)
        values = []
        for _ in range(2):
            with Session() as session:
                values.append(session.run(x).tolist())
    assert values[0] != values[1]


def test_a_device_does_not_matter() -> None:
    found = []
    for device in ("/cpu:0", "/gpu:1"):
        with use_virtual(2), Graph().as_default() as graph, Session() as session, graph.device(device):
            found.append(
                session.run([random.random_uniform([5], seed=1), random.truncated_normal([5], seed=1), random.random_shuffle([1, 2, 3], seed=1)])
            )
    for first, second in zip(*found, strict=True):
        assert first.tolist() == second.tolist()


@pytest.mark.parametrize("op_type", ["RandomUniform", "TruncatedNormal"])
def test_runs_of_several_threads_share_no_number(op_type: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Graph().as_default(), Session() as session, ThreadPoolExecutor(4) as pool:
        x = apply(op_type, [100], dtype="float64", seed=1, seed2=2)
        found = np.concatenate(list(pool.map(lambda _: session.run(x), range(20))))
    assert len(np.unique(found)) == 2000


def _host(array: Any) -> Any:
    return array.get() if hasattr(array, "get") else array
