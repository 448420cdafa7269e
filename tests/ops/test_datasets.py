"""Datasets in graphs that are saved and loaded, and what a loaded one may not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.errors import PermissionDeniedError


def loaded(build: Callable[[], Any]) -> Any:
    """A graph as it comes from somebody else; its elements are `next:0`."""
    with tf.Graph().as_default() as theirs:
        build()
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(theirs.as_graph_def(), name="")
    assert graph.as_graph_def() == theirs.as_graph_def()
    return graph


def elements(session: Any) -> list[Any]:
    found = []
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        while True:
            found.append(session.run("next:0"))
    return found


def test_runs_where_it_is_loaded() -> None:
    factor = 3

    def build() -> None:
        rows = tf.data.Dataset.range(8).map(lambda x: x * factor).filter(lambda x: x > 2)
        rows.shuffle(3, seed=1).batch(3).make_initializable_iterator().get_next(name="next")

    with tf.Session(graph=loaded(build)) as session:
        for _ in range(2):
            session.run("MakeIterator")
            assert sorted(value for batch in elements(session) for value in batch.tolist()) == [3, 6, 9, 12, 15, 18, 21]


def test_a_one_shot_iterator_needs_no_initialisation() -> None:
    def build() -> None:
        scale = tf.constant(2, tf.int64)
        dataset = tf.data.Dataset.from_tensor_slices(tf.constant([1, 2, 3], tf.int64)).map(lambda x: x * scale)
        dataset.make_one_shot_iterator().get_next(name="next")

    graph = loaded(build)
    for _ in range(2):
        with tf.Session(graph=graph) as session:
            assert elements(session) == [2, 4, 6]


def test_a_one_shot_iterator_takes_files_by_pattern(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"a\nb\n")
    for shuffle in (False, True):  # list_files asserts, by a control input, that there are any: TensorFlow's copy of the dataset is without
        with tf.Graph().as_default():
            names = tf.data.Dataset.list_files(f"{tmp_path}/l*", shuffle=shuffle)
            names.flat_map(tf.data.TextLineDataset).make_one_shot_iterator().get_next(name="next")
            with tf.Session() as session:
                assert elements(session) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("dtype", "value", "wanted"),
    [
        ("int32", [], []),
        ("int32", 1.5, 1),
        ("uint8", -1, 255),
        ("int32", np.array([1.5, -2.7]), [1, -2]),
        ("float32", 1 + 2j, 1.0),
        ("bool", 2.0, True),
    ],
)
def test_a_generators_numbers_become_what_is_wanted(dtype: str, value: Any, wanted: Any) -> None:
    """What TensorFlow 2.21 makes of them."""
    with tf.Graph().as_default(), tf.Session() as session:
        dataset = tf.data.Dataset.from_generator(lambda: iter([(value,)]), (dtype,))
        (found,) = session.run(dataset.make_one_shot_iterator().get_next())
        assert (found.dtype, found.tolist()) == (dtype, wanted)


@pytest.mark.parametrize(("dtype", "value"), [("int32", 1.5), ("float32", 1 + 2j), ("bool", 2.0), ("int32", "5"), ("float32", None)])
def test_a_generators_number_of_unknown_shape_is_taken_as_it_is(dtype: str, value: Any) -> None:
    """TensorFlow 2.21 makes a tensor of it, which takes no wider one."""
    with tf.Graph().as_default(), tf.Session() as session:
        found = tf.data.Dataset.from_generator(lambda: iter([value]), dtype).make_one_shot_iterator().get_next()
        with pytest.raises(tf.errors.InvalidArgumentError, match="yielded an element that could not be converted"):
            session.run(found)


def test_a_program_reads_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("a\nb\n")
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.data.TextLineDataset(str(path)).make_one_shot_iterator().get_next(name="next")
        assert elements(session) == [b"a", b"b"]
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.data.Dataset.range(1).map(lambda _: tf.read_file(str(path))).make_one_shot_iterator().get_next(name="next")
        assert elements(session) == [b"a\nb\n"]


def _lines(path: str) -> Any:
    return tf.data.TextLineDataset(path)


def _direct(path: str) -> Any:
    return tf.data.Dataset.from_tensors(0).flat_map(lambda _: tf.data.TextLineDataset([path]))


def _read(path: str) -> Any:
    return tf.data.Dataset.from_tensors((0, path)).map(lambda _, name: tf.read_file(name))


def _captured(path: str) -> Any:
    name = tf.constant(path)
    return tf.data.Dataset.range(1).map(lambda _: tf.read_file(name))


def _inner(path: str) -> Any:
    return tf.data.Dataset.range(1).map(lambda _: tf.read_file(path))


def _nested(path: str) -> Any:
    return tf.data.Dataset.from_tensors(path).repeat(2).flat_map(lambda name: tf.data.Dataset.from_tensors(name).map(tf.read_file))


@pytest.mark.parametrize("is_once", [False, True])
@pytest.mark.parametrize("make", [_lines, _direct, _read, _captured, _inner, _nested])
def test_a_loaded_graph_reads_no_file_that_nobody_has_named(make: Callable[[str], Any], is_once: bool, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("secret\n")

    def build() -> None:
        dataset = make(str(path))
        iterator = dataset.make_one_shot_iterator() if is_once else dataset.make_initializable_iterator()
        iterator.get_next(name="next")

    graph = loaded(build)
    with tf.Session(graph=graph) as session, pytest.raises(PermissionDeniedError, match="allow_ops"):
        if not is_once:
            session.run("MakeIterator")
        session.run("next:0")
    graph.allow_ops("FlatMapDataset", "MapDataset", "ReadFile", "TextLineDataset")
    with tf.Session(graph=graph) as session:
        if not is_once:
            session.run("MakeIterator")
        assert session.run("next:0").startswith(b"secret")


def test_its_caller_may_name_one(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("a\nb\n")

    def build() -> None:
        names = tf.placeholder(tf.string, [None], name="names")
        tf.data.TextLineDataset(names).make_initializable_iterator().get_next(name="next")

    with tf.Session(graph=loaded(build)) as session:
        session.run("MakeIterator", {"names:0": [str(path)]})
        assert elements(session) == [b"a", b"b"]


def test_a_generator_goes_with_its_program() -> None:
    graph = loaded(lambda: tf.data.Dataset.from_generator(lambda: iter([1]), tf.int64).make_one_shot_iterator().get_next(name="next"))
    with tf.Session(graph=graph) as session, pytest.raises(PermissionDeniedError, match="calls a function of Python's"):
        session.run("next:0")


def test_transformations() -> None:
    experimental = tf.data.experimental
    made = [
        (experimental.map_and_batch(lambda x: x * 2, 2, drop_remainder=True), [[0, 2], [4, 6]]),
        (experimental.shuffle_and_repeat(3, 2, seed=1), None),
        (lambda dataset: dataset.batch(2).apply(experimental.unbatch()), [0, 1, 2, 3, 4]),
    ]
    for transformation, expected in made:
        with tf.Graph().as_default(), tf.Session() as session:
            source = tf.data.Dataset.range(5)
            source.apply(transformation).make_one_shot_iterator().get_next(name="next")
            found = [value.tolist() for value in elements(session)]
            assert found == expected if expected is not None else sorted(found) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_what_is_fetched_is_the_callers_own() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        following = tf.data.Dataset.from_tensors([1, 2]).cache().repeat().make_one_shot_iterator().get_next()
        for _ in range(3):
            found = session.run(following)
            assert found.tolist() == [1, 2]
            found[:] = 0
