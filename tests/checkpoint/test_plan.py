"""gpersist.checkpoint.plan: order, shards, offsets, and the index, before anything is touched."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.bundle import encode_index
from gpersist.checkpoint import plan as plan_module
from gpersist.checkpoint.plan import SavePlan, plan_save
from gpersist.checkpoint.source import PartitionedArray, collect
from gpersist.errors import InvalidArgumentError

ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=4).filter(lambda name: name[0] != "\0"),
    st.one_of(st.integers(0, 40).map(lambda size: np.zeros(size, np.uint8)), st.text(max_size=5)),
    min_size=1,
    max_size=8,
)


def plan_of(arrays: dict[str, Any], alignment_bytes: int = 64, shards: Any = 1) -> SavePlan:
    return plan_save(collect(arrays), alignment_bytes=alignment_bytes, shards=shards)


@settings(max_examples=60)
@given(ARRAYS, st.sampled_from([1, 2, 64, 4096]), st.integers(1, 5))
def test_every_tensor_has_a_place_of_its_own(arrays: dict[str, Any], alignment: int, shards: int) -> None:
    source = collect(arrays)
    plan = plan_save(source, alignment_bytes=alignment, shards=shards)
    assert plan.names == sorted(arrays, key=str.encode)
    assert [plan.sizes[position] for position in range(len(plan.names))] == [source.sizes[row] for row in plan.order]
    assert not np.any(plan.offsets % alignment)
    assert len(plan.shard_sizes) <= shards
    assert all(plan.shard_sizes) or len(plan.shard_sizes) == 1
    assert plan.shards.tolist() == sorted(plan.shards.tolist())
    for shard, size in enumerate(plan.shard_sizes):
        mine = np.flatnonzero((plan.shards == shard) & (plan.sizes > 0))
        ends = plan.offsets[mine] + plan.sizes[mine]
        assert np.all(plan.offsets[mine][1:] >= ends[:-1])
        assert np.all(plan.offsets[mine][1:] - ends[:-1] < alignment)
        assert 0 <= size - (ends[-1] if len(mine) else 0) < alignment  # a tensor without bytes has a place, too
    assert plan.layout.total_bytes == sum(source.sizes)
    assert plan.layout.files.tolist() == plan.shards[plan.stored].tolist()


def test_shards_are_of_about_equal_sizes() -> None:
    plan = plan_of({f"t{n:03}": np.zeros(100, np.uint8) for n in range(90)}, 1, 3)
    assert plan.shard_sizes == [3000, 3000, 3000]


def test_shards_by_name() -> None:
    arrays = {"a": np.zeros(3), "b": np.zeros(5), "c": np.zeros(0)}
    plan = plan_of(arrays, 1, {"a": 2, "b": 0, "c": 0, "of no array": 9})
    assert dict(zip(plan.names, plan.shards.tolist(), strict=True)) == {"a": 2, "b": 0, "c": 0}
    assert plan.shard_sizes == [40, 0, 24]


@pytest.mark.parametrize("alignment", [0, -1, 3, 96, 2.0, "64", None, 1 << 31])
def test_alignments_that_are_none(alignment: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="alignment_bytes"):
        plan_of({"a": 1}, alignment)


@pytest.mark.parametrize("shards", [0, -1, 1.5, "2", None, 100_000, {}, {"a": -1}, {"a": "x"}, {"a": 1.5}, {"a": None}, {"a": [1]}, {"a": 99_998}])
def test_shards_that_are_none(shards: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="shards"):
        plan_of({"a": np.zeros(3)}, 64, shards)


def test_names_of_the_same_bytes() -> None:
    with pytest.raises(InvalidArgumentError, match="are the same bytes"):
        plan_of({"é": 1, "a": 1, "é".encode().decode("ascii", "surrogateescape"): 2})


def test_equal_saves_share_a_plan() -> None:
    one = {"a": np.zeros(3), "s": "text", "p": PartitionedArray((4,), [("0,2", np.zeros(2)), ("2,2", np.zeros(2))])}
    other = {"a": np.ones(3), "s": "TEXT", "p": PartitionedArray((4,), [("0,2", np.ones(2)), ("2,2", np.ones(2))])}
    assert plan_of(one) is plan_of(other)


@pytest.mark.parametrize(
    "change",
    [
        {"a": np.zeros(4)},
        {"a": np.zeros(3, np.float32)},
        {"a": np.zeros((3, 1))},
        {"s": "longer text"},
        {"more": 1},
        {"p": PartitionedArray((4,), [("0,2", np.zeros(2)), ("3,1", np.zeros(1))])},
        {"p": PartitionedArray((5,), [("0,2", np.zeros(2)), ("2,2", np.zeros(2))])},
    ],
    ids=range(7),
)
def test_other_saves_do_not(change: dict[str, Any]) -> None:
    arrays = {"a": np.zeros(3), "s": "text", "p": PartitionedArray((4,), [("0,2", np.zeros(2)), ("2,2", np.zeros(2))])}
    assert plan_of(arrays) is not plan_of(arrays | change)


def test_few_plans_are_kept() -> None:
    for size in range(30):
        plan_of({"a": np.zeros(size)})
    assert len(plan_module._plans) <= plan_module._PLANS_KEPT


def test_threads_may_plan_at_once() -> None:
    found: list[SavePlan] = []

    def work() -> None:
        found.extend(plan_of({f"t{n % 6}": np.zeros(n % 6)}) for n in range(60))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 240
    assert all(plan.sizes.tolist() == [8 * int(plan.names[0][1:])] for plan in found)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(1, 3))
def test_an_index_with_other_checksums_equals_one_built_anew(crcs: list[list[int]], num_shards: int) -> None:
    """The quick way, a patched image, is the general one, entry by entry; zeros, which entries leave out, among them."""
    plan = plan_of({"a": np.zeros(3), "b": 1, "c": "text"})
    for some in crcs:
        masked = np.array(some, np.uint32)
        assert plan.index(num_shards, masked) == encode_index(plan._entries(masked), num_shards)


def test_a_meta_has_a_node_a_tensor() -> None:
    parts = [("0,2", np.zeros(2, np.float32)), ("2,2", np.zeros(2, np.float32))]
    plan = plan_of({"x": np.zeros(3), "p": PartitionedArray((4,), parts), "a": 1})
    meta = plan.meta(["/device:GPU:0", "/device:GPU:1", "/device:GPU:2", "/device:CPU:0"])
    plain = plan_of({"x": np.zeros(3), "p": np.zeros(4, np.float32), "a": 1})
    assert meta == plain.meta(["/device:GPU:0", "/device:GPU:1", "/device:CPU:0"])
    assert plan.meta(["/device:GPU:0", "/device:GPU:1", "/device:GPU:2", "/device:CPU:0"]) is meta


def test_a_plan_has_no_array() -> None:
    """It is kept, and must not keep the arrays."""
    plan = plan_of({"a": np.zeros(1000)})
    kept = [value for field in dataclasses.fields(plan) if isinstance(value := getattr(plan, field.name), list)]
    assert not any(isinstance(item, np.ndarray) for items in kept for item in items)
