"""Operations on datasets that TensorFlow has had among its experiments, by their old names too. What is expected is what TensorFlow 2.21 gave."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.dtypes import int64, string
from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Session, apply, get_op_type
from gpersist.ops.dataset_experiments import group_by_reducer, map_and_batch, parse_example_dataset
from gpersist.ops.dataset_grouping import Reducer
from gpersist.ops.dataset_structure import TensorSpec
from gpersist.ops.datasets import Dataset, _wrapped
from gpersist.ops.parsing import FixedLenFeature, VarLenFeature
from gpersist.shapes import TensorShape
from tests.ops.scenarios import scenario
from tests.ops.scenarios_datasets import _all, _by, _given

_MANY = {"output_types": ["int64"], "output_shapes": [[None]]}
_HINTS = [
    "AssertNextDataset",
    "BytesProducedStatsDataset",
    "ChooseFastestDataset",
    "LatencyStatsDataset",
    "MaxIntraOpParallelismDataset",
    "NonSerializableDataset",
    "PrivateThreadPoolDataset",
    "SetStatsAggregatorDataset",
    "StatsAggregatorHandle",
    "ThreadPoolDataset",
    "ThreadPoolHandle",
]
_ROWS = TensorSpec(TensorShape([None]), int64)


def _twins(op_type: str, *inputs: Any, **attrs: Any) -> list[Dataset]:
    return [_by(op_type, *inputs, **attrs), _by(f"Experimental{op_type}", *inputs, **attrs)]


def _like(op_type: str, dataset: Dataset, **changes: Any) -> Dataset:
    """A dataset by another operation with the inputs of one that there is."""
    op = dataset._variant_tensor.op
    attrs = {name: op.attr(name) for name in op.node_def.attr if name not in ("metadata", "_output_shapes", "Targuments", "N")}
    counts = iter(op.inputs)
    inputs: list[Any] = []
    for arg in get_op_type(op.type).op_def().input_arg:
        size = len(op.attr(arg.type_list_attr)) if arg.type_list_attr else op.attr(arg.number_attr) if arg.number_attr else None
        inputs.append(next(counts) if size is None else [next(counts) for _ in range(size)])
    attrs = {name: value for name, value in attrs.items() if not name.startswith("T") and name not in changes.get("without", ())}
    return _wrapped(apply(op_type, *inputs, **attrs), dataset.element_spec)


@scenario(*_HINTS)
@scenario(*(f"Experimental{name}" for name in _HINTS))
@scenario("OptimizeDatasetV2", "FinalizeDataset", "WrapDatasetVariant", "UnwrapDatasetVariant", "ExperimentalDatasetCardinality")
def the_same(session: Session) -> None:
    source = Dataset.range(2)._variant_tensor
    for prefix in ("", "Experimental"):
        threads = apply(f"{prefix}ThreadPoolHandle", num_threads=1, display_name="x")
        statistics = apply(f"{prefix}StatsAggregatorHandle")
        same = [
            _by(f"{prefix}NonSerializableDataset", source),
            _by(f"{prefix}MaxIntraOpParallelismDataset", source, 1),
            _by(f"{prefix}PrivateThreadPoolDataset", source, 1),
            _by(f"{prefix}AssertNextDataset", source, ["Map"]),
            _by(f"{prefix}BytesProducedStatsDataset", source, "tag"),
            _by(f"{prefix}LatencyStatsDataset", source, "tag"),
            _by(f"{prefix}ThreadPoolDataset", source, threads),
            _by(f"{prefix}SetStatsAggregatorDataset", source, statistics, "tag", "prefix"),
            _by(f"{prefix}ChooseFastestDataset", [source, source], num_experiments=1),
        ]
        _given(session, [0, 1], *same)
    _given(session, [0, 1], _by("OptimizeDatasetV2", source, ["a"], ["b"], ["c"]), _by("FinalizeDataset", source))
    wrapped = apply("UnwrapDatasetVariant", apply("WrapDatasetVariant", source))
    _given(session, [0, 1], _wrapped(wrapped, Dataset.range(2).element_spec))
    assert session.run(apply("ExperimentalDatasetCardinality", source)) == 2


@scenario("UniqueDataset", "ExperimentalUniqueDataset", "IgnoreErrorsDataset", "ExperimentalIgnoreErrorsDataset", "AssertCardinalityDataset")
@scenario("DirectedInterleaveDataset", "ExperimentalDirectedInterleaveDataset", "ParallelFilterDataset", "ExperimentalRandomDataset")
@scenario("ExperimentalTakeWhileDataset", "ShuffleAndRepeatDatasetV2", "ExperimentalUnbatchDataset", "ExperimentalScanDataset")
def chosen(session: Session) -> None:
    source = Dataset.range(4)
    _given(session, [0, 1], *_twins("UniqueDataset", source.map(lambda x: x % 2)._variant_tensor))
    failing = source.map(lambda x: 6 // x)
    _given(session, [6, 3, 2], *_twins("IgnoreErrorsDataset", failing._variant_tensor))
    _given(session, [0, 1, 2, 3], _by("AssertCardinalityDataset", source._variant_tensor, 4))
    with pytest.raises(FailedPreconditionError, match="expected to contain 5 elements but contained only 4 elements"):
        _all_or_error(session, _by("AssertCardinalityDataset", source._variant_tensor, 5))
    choice = Dataset.from_tensor_slices(np.array([1, 0, 1, 1], np.int64))._variant_tensor
    several = [source._variant_tensor, Dataset.range(7, 9)._variant_tensor]
    _given(session, [7, 0, 8], *_twins("DirectedInterleaveDataset", choice, several))
    small = source.take_while(lambda x: x < 2)
    predicate = small._variant_tensor.op.attr("predicate")
    _given(session, [0, 1], _by("ParallelFilterDataset", source._variant_tensor, [], 2, predicate=predicate))
    _given(session, [0, 1], _like("ExperimentalTakeWhileDataset", small))
    assert len(_all(session, _by("ExperimentalRandomDataset", 1, 2).take(3))) == 3
    seeds = apply("DummySeedGenerator")
    assert sorted(_all(session, _by("ShuffleAndRepeatDatasetV2", source._variant_tensor, 4, 1, 2, 2, seeds))) == [0, 0, 1, 1, 2, 2, 3, 3]
    _given(session, [0, 1, 2, 3], _by("ExperimentalUnbatchDataset", source.batch(3)._variant_tensor))
    scanned = source.scan(np.int64(0), lambda state, x: (state + x, state))
    _given(session, [0, 0, 1, 3], _like("ExperimentalScanDataset", scanned, without=("use_default_device",)))


def _all_or_error(session: Session, dataset: Dataset) -> None:
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    session.run(iterator.initializer)
    for _ in range(9):
        session.run(following)


@scenario("RebatchDataset", "ExperimentalRebatchDataset", "RebatchDatasetV2", "SlidingWindowDataset", "ExperimentalSlidingWindowDataset")
@scenario("DenseToSparseBatchDataset", "ExperimentalDenseToSparseBatchDataset", "ExperimentalMapAndBatchDataset")
def batches(session: Session) -> None:
    source = Dataset.range(5)
    _given(session, [[0, 1, 2], [3, 4]], source.batch(2).rebatch(3))
    for prefix in ("", "Experimental"):
        halves = apply(f"{prefix}RebatchDataset", source.batch(4)._variant_tensor, 2, **_MANY)
        _given(session, [[0, 1], [2, 3], [4], []], _wrapped(halves, _ROWS))
        sliding = apply(f"{prefix}SlidingWindowDataset", source._variant_tensor, 2, 2, 2, **_MANY)
        _given(session, [[0, 2], [2, 4]], _wrapped(sliding, _ROWS))
    whole = apply("SlidingWindowDataset", source._variant_tensor, 3, 2, 1, drop_remainder=False, **_MANY)
    _given(session, [[0, 1, 2], [2, 3, 4], [4]], _wrapped(whole, _ROWS))
    triangle = Dataset.range(1, 4).map(lambda x: ops.fill([x], x)).sparse_batch(2, [3])
    old = _like("ExperimentalDenseToSparseBatchDataset", triangle)
    expected = [([[0, 0], [1, 0], [1, 1]], [1, 2, 2], [2, 3]), ([[0, 0], [0, 1], [0, 2]], [3, 3, 3], [1, 3])]
    _given(session, expected, triangle, old)
    _given(session, [[0, 2], [4, 6], [8]], _like("ExperimentalMapAndBatchDataset", source.apply(map_and_batch(lambda x: x * 2, 2))))


@scenario("GroupByWindowDataset", "ExperimentalGroupByWindowDataset", "GroupByReducerDataset", "ExperimentalGroupByReducerDataset")
def groups(session: Session) -> None:
    source = Dataset.range(7)
    windows = source.group_by_window(lambda x: x % 2, lambda key, group: group.batch(9), 3)
    _given(session, [[0, 2, 4], [1, 3, 5], [6]], windows, _like("ExperimentalGroupByWindowDataset", windows))
    count = Reducer(lambda key: np.int64(0), lambda state, x: state + x, lambda state: state)
    reduced = source.apply(group_by_reducer(lambda x: x % 2, count))
    _given(session, [12, 9], reduced, _like("GroupByReducerDataset", reduced))
    with pytest.raises(InvalidArgumentError, match="Window size must be greater than zero, but got 0"):
        _all_or_error(session, source.group_by_window(lambda x: x, lambda key, group: group, 0))


@scenario("ParallelInterleaveDataset", "ExperimentalParallelInterleaveDataset", "ParallelInterleaveDatasetV3")
def interleaved(session: Session) -> None:
    source = Dataset.range(1, 4)
    function = source.flat_map(lambda x: Dataset.from_tensors(x).repeat(x))._variant_tensor.op.attr("f")
    old = _twins("ParallelInterleaveDataset", source._variant_tensor, [], 2, 1, False, 1, 1, f=function)
    _given(session, [1, 2, 2, 3, 3, 3], *old)
    _given(session, [1, 2, 2, 3, 3, 3], _by("ParallelInterleaveDatasetV3", source._variant_tensor, [], 2, 2, 2, f=function))


_EXAMPLE = b"\x0a\x0f\x0a\x0d\x0a\x01x\x12\x08\x12\x06\x0a\x04\x00\x00\x80?"


@scenario("ParseExampleDataset", "ParseExampleDatasetV2", "ExperimentalParseExampleDataset")
def parsed(session: Session) -> None:
    source = Dataset.from_tensor_slices([_EXAMPLE, b""]).batch(2)
    dataset = source.apply(parse_example_dataset({"x": FixedLenFeature([], "float32", 5.0), "y": VarLenFeature("int64")}))
    old = [_like(name, dataset, without=("deterministic",)) for name in ("ParseExampleDataset", "ExperimentalParseExampleDataset")]
    for each in (dataset, *old):
        iterator = each.make_initializable_iterator()
        following = iterator.get_next()
        session.run(iterator.initializer)
        found = session.run(following)
        assert found["x"].tolist() == [1.0, 5.0] and found["y"].dense_shape.tolist() == [2, 0]


@scenario("CSVDataset", "CSVDatasetV2", "ExperimentalCSVDataset")
def csv_files(session: Session) -> None:
    spec = (TensorSpec(TensorShape(()), int64), TensorSpec(TensorShape(()), string))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "file.csv")
        Path(path).write_bytes(b'a,b\n1,"x\ny"\n,z\n')
        inputs: list[Any] = [[path], "", 0, True, ",", True, "", np.zeros(0, np.int64), [np.array([7]), np.array([b""], object)]]
        for name in ("CSVDataset", "ExperimentalCSVDataset", "CSVDatasetV2"):
            more = [np.zeros(0, np.int64)] if name == "CSVDatasetV2" else []
            made = apply(name, *inputs, *more, output_shapes=[[], []])
            _given(session, [(1, b"x\ny"), (7, b"z")], _wrapped(made, spec))
