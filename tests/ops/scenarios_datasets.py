"""Datasets and their iterators: what each operation gives. What is expected is what TensorFlow 2.21 gave of the same programs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.dtypes import int64, string
from gpersist.errors import FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from gpersist.graph import Session, Tensor, apply, apply_op
from gpersist.ops.comparison import equal
from gpersist.ops.dataset_iterators import Iterator
from gpersist.ops.dataset_structure import TensorSpec
from gpersist.ops.datasets import Dataset, _wrapped
from gpersist.ops.file_datasets import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from gpersist.ops.random_seed import set_random_seed
from gpersist.ops.records import TFRecordWriter
from gpersist.shapes import TensorShape
from tests.ops.scenarios import scenario

_INT64 = TensorSpec(TensorShape(()), int64)
_TYPED = {"output_types": ["int64"], "output_shapes": [[]]}


def _all(session: Session, dataset: Dataset) -> list[Any]:
    """Every element of a dataset, as lists."""
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    session.run(iterator.initializer)
    found = []
    with pytest.raises(OutOfRangeError, match="End of sequence"):
        while True:
            found.append(_plain(session.run(following)))
    return found


def _plain(value: Any) -> Any:
    return tuple(_plain(each) for each in value) if isinstance(value, tuple) else np.asarray(value).tolist()


def _by(op_type: str, *inputs: Any, **attrs: Any) -> Dataset:
    """A dataset of int64 scalars by an operation that no function of Python's makes."""
    return _wrapped(apply(op_type, *inputs, **_TYPED, **attrs), _INT64)


def _given(session: Session, expected: list[Any], *datasets: Dataset) -> None:
    for dataset in datasets:
        assert _all(session, dataset) == expected


@scenario("TensorDataset", "TensorSliceDataset", "RangeDataset", "IteratorV2", "Iterator", "MakeIterator", "IteratorGetNext", "IteratorGetNextSync")
def of_tensors(session: Session) -> None:
    _given(session, [([1, 2], b"a")], Dataset.from_tensors(([1, 2], "a")))
    _given(session, [([1, 2], b"a"), ([3, 4], b"b")], Dataset.from_tensor_slices(([[1, 2], [3, 4]], ["a", "b"])))
    _given(session, [5, 3, 1], Dataset.range(5, 0, -2))
    iterator = Dataset.range(2).make_initializable_iterator()
    following = iterator.get_next()
    with pytest.raises(FailedPreconditionError, match="has not been initialized"):
        session.run(following)
    old = apply("Iterator", shared_name="old", container="", **_TYPED)
    session.run([iterator.initializer, apply_op("MakeIterator", Dataset.range(7, 9)._variant_tensor, old)])
    assert session.run([following, following]) == [0, 0]
    assert [session.run(apply("IteratorGetNextSync", old, **_TYPED)) for _ in range(2)] == [7, 8]


@scenario("OneShotIterator", "IteratorToStringHandle", "IteratorFromStringHandle", "IteratorFromStringHandleV2", "IteratorGetNextAsOptional")
def handles(session: Session) -> None:
    handle = ops.placeholder("string", [])
    iterator = Iterator.from_string_handle(handle, "int64", [])
    following, once = iterator.get_next(), Dataset.range(2).make_one_shot_iterator()
    name = session.run(once.string_handle())
    assert [session.run(following, {handle: name}) for _ in range(2)] == [0, 1]
    old = apply("IteratorFromStringHandle", handle)
    optional = apply("IteratorGetNextAsOptional", old, **_TYPED)
    assert not session.run(apply("OptionalHasValue", optional), {handle: name})
    with pytest.raises(OutOfRangeError):
        session.run(once.get_next())
    with pytest.raises(InvalidArgumentError):
        session.run(following, {handle: b"none"})


@scenario("RepeatDataset", "TakeDataset", "SkipDataset", "ShardDataset", "ConcatenateDataset", "ZipDataset", "CacheDataset", "CacheDatasetV2")
def parts(session: Session) -> None:
    _given(session, [0, 1, 0, 1], Dataset.range(2).repeat(2), Dataset.range(2).repeat().take(4), Dataset.range(2).cache().repeat(2))
    _given(session, [], Dataset.range(0).repeat(), Dataset.range(2).repeat(0), Dataset.range(3).skip(-1))
    _given(session, [1, 4], Dataset.range(7).shard(3, 1))
    _given(session, [0, 5], Dataset.range(1).concatenate(Dataset.range(5, 6)))
    _given(session, [(0, 5), (1, 6)], Dataset.zip((Dataset.range(2), Dataset.range(5, 9))))
    _given(session, [0, 1], _by("CacheDatasetV2", Dataset.range(2)._variant_tensor, "", apply("DummyMemoryCache")))


@scenario("PrefetchDataset", "OptionsDataset", "ModelDataset", "OptimizeDataset", "RewriteDataset", "DummyMemoryCache", "DummySeedGenerator")
def the_same(session: Session) -> None:
    source = Dataset.range(2)
    same = [_by("ModelDataset", source._variant_tensor), _by("OptimizeDataset", source._variant_tensor, ["x"])]
    _given(session, [0, 1], source.prefetch(1), source.with_options(None), *same)
    _given(session, [(5, 0), (6, 1)], source.enumerate(5))
    seeds = apply("DummySeedGenerator")
    assert sorted(_all(session, _by("ShuffleDatasetV3", source._variant_tensor, 2, 0, 0, seeds))) == [0, 1]


@scenario("BatchDataset", "BatchDatasetV2", "ParallelBatchDataset", "PaddedBatchDataset", "PaddedBatchDatasetV2", "UnbatchDataset", "WindowDataset")
def batches(session: Session) -> None:
    source = Dataset.range(5)
    _given(session, [[0, 1], [2, 3], [4]], source.batch(2), source.batch(2, num_parallel_calls=2))
    _given(session, [[0, 1], [2, 3]], source.batch(2, drop_remainder=True))
    _given(session, [0, 1, 2, 3, 4], source.batch(2).unbatch())
    filled = Dataset.range(3).map(lambda x: ops.fill([x], x))
    _given(session, [[[0], [1]], [[2, 2]]], filled.padded_batch(2))
    _given(session, [[[-1, -1], [1, -1], [2, 2]]], filled.padded_batch(3, [2], np.int64(-1)))
    _given(session, [[0, 1, 2], [2, 3, 4], [4]], source.window(3, shift=2).flat_map(lambda rows: rows.batch(3)))
    many = TensorSpec(TensorShape([None]), _INT64.dtype)
    shapes = {"output_shapes": [[None]]}
    _given(session, [[0, 1, 2]], _wrapped(apply("BatchDataset", Dataset.range(3)._variant_tensor, 3, **_TYPED | shapes), many))
    old = apply("PaddedBatchDataset", Dataset.range(3)._variant_tensor, 3, [np.zeros(0, np.int64)], [np.int64(0)], **shapes)
    _given(session, [[0, 1, 2]], _wrapped(old, many))
    with pytest.raises(InvalidArgumentError, match="Cannot batch tensors with different shapes in component 0"):
        _all(session, filled.batch(2))


@scenario("ShuffleDataset", "ShuffleDatasetV2", "ShuffleDatasetV3", "ShuffleAndRepeatDataset", "RandomDataset")
def shuffled(session: Session) -> None:
    _given(session, [0, 4, 5, 1, 2, 7, 9, 8, 6, 3], Dataset.range(10).shuffle(4, seed=1))
    twice = [0, 4, 5, 2, 3, 1, 2, 1, 3, 5, 4, 0]
    source = Dataset.range(6)
    _given(session, twice, source.shuffle(4, seed=1).repeat(2), _by("ShuffleAndRepeatDataset", source._variant_tensor, 4, 87654321, 1, 2))
    _given(session, [3, 4, 0, 1, 5, 2] * 2, source.shuffle(4, seed=1, reshuffle_each_iteration=False).repeat(2))
    assert sorted(_all(session, _by("ShuffleDatasetV2", source._variant_tensor, 4, apply("DummySeedGenerator")))) == [0, 1, 2, 3, 4, 5]
    set_random_seed(1)
    _given(session, [2313400127, 3706097062, 3973888079], Dataset.random(seed=3).take(3))


@scenario("MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2", "MapAndBatchDataset")
@scenario("FilterDataset", "TakeWhileDataset", "ScanDataset", "ReduceDataset")
def by_functions(session: Session) -> None:
    source = Dataset.range(4)
    factor = ops.constant(3, "int64")
    mapped = source.map(lambda x: x * factor)
    _given(session, [0, 3, 6, 9], mapped, source.map(lambda x: x * factor, num_parallel_calls=2))
    function = mapped._variant_tensor.op.attr("f")
    _given(session, [0, 3, 6, 9], _by("ParallelMapDataset", source._variant_tensor, [factor], 2, f=function))
    many = TensorSpec(TensorShape([None]), _INT64.dtype)
    both = apply("MapAndBatchDataset", source._variant_tensor, [factor], 3, 1, False, f=function, output_types=["int64"], output_shapes=[[None]])
    _given(session, [[0, 3, 6], [9]], _wrapped(both, many))
    _given(session, [0, 3], source.filter(lambda x: equal(x % 3, 0)))
    _given(session, [0, 1], source.take_while(lambda x: x < 2))
    _given(session, [0, 0, 10, 30], source.scan(np.int64(0), lambda state, x: (state + x, state * 10)))
    assert session.run(source.reduce(np.int64(0), lambda state, x: state + x)) == 6


@scenario("FlatMapDataset", "InterleaveDataset", "ParallelInterleaveDatasetV2", "ParallelInterleaveDatasetV4", "LegacyParallelInterleaveDatasetV2")
def interleaved(session: Session) -> None:
    def several(x: Tensor) -> Dataset:
        return Dataset.from_tensors(x).repeat(x)

    source = Dataset.range(1, 6)
    _given(session, [1, 2, 2, 3, 3, 3], Dataset.range(4).flat_map(several))
    expected = [1, 2, 2, 3, 3, 4, 4, 3, 4, 4, 5, 5, 5, 5, 5]
    made = source.interleave(several, 3, 2)
    _given(session, expected, made, source.interleave(several, 3, 2, num_parallel_calls=2))
    function = made._variant_tensor.op.attr("f")
    _given(session, expected, _by("ParallelInterleaveDatasetV2", source._variant_tensor, [], 3, 2, 2, f=function))
    without_gaps = _by("LegacyParallelInterleaveDatasetV2", source._variant_tensor, [], 3, 2, 1, 1, f=function)
    _given(session, [1, 2, 2, 3, 3, 4, 4, 3, 4, 5, 5, 4, 5, 5, 5], without_gaps)


@scenario("GeneratorDataset")
def generated(session: Session) -> None:
    def generator(count: Any) -> Any:
        for number in range(count):
            yield number, [number] * number

    dataset = Dataset.from_generator(generator, ("int32", "float32"), ([], [None]), args=(3,))
    _given(session, [(0, []), (1, [1]), (2, [2, 2])], dataset, dataset)


@scenario("DatasetCardinality", "DatasetToSingleElement")
def told(session: Session) -> None:
    source = Dataset.range(7)
    found = [source.batch(2), source.repeat(), source.filter(lambda x: x > 0), source.take(2), source.skip(9)]
    assert session.run([each.cardinality() for each in found]) == [4, -1, -2, 2, 0]
    assert session.run(Dataset.range(5, 6).get_single_element()) == 5
    with pytest.raises(InvalidArgumentError, match="more than one"):
        session.run(source.get_single_element())


@scenario("TextLineDataset", "TFRecordDataset", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2")
def of_files(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text, records, fixed = (str(Path(folder) / name) for name in ("text", "records", "fixed"))
        Path(text).write_bytes(b"a\nbb\r\n\nc")
        Path(fixed).write_bytes(b"HHaabbF")
        with TFRecordWriter(records) as writer:
            writer.write(b"one")
        _given(session, [b"a", b"bb", b"", b"c"], TextLineDataset([text]))
        _given(session, [b"one"], TFRecordDataset(records))
        _given(session, [b"aa", b"bb"], FixedLengthRecordDataset(fixed, 2, 2, 1))
        old = apply("FixedLengthRecordDataset", [fixed], 2, 2, 1, 0)
        _given(session, [b"aa", b"bb"], _wrapped(old, TensorSpec(TensorShape(()), string)))
        with pytest.raises(InvalidArgumentError, match="Excess bytes"):
            _all(session, FixedLengthRecordDataset(fixed, 2))
