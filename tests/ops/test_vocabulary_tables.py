"""Tables of lists and of files."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpersist.compat.v1 as tf
from gpersist.ops.vocabulary_tables import index_table_from_file, index_table_from_tensor, index_to_string_table_from_tensor


def _run(tensor: tf.Tensor) -> list[object]:
    with tf.Session(graph=tensor.graph) as session:
        session.run(tf.tables_initializer())
        return list(session.run(tensor).tolist())


@pytest.fixture(autouse=True)
def _graph() -> None:
    tf.reset_default_graph()


def test_words_of_a_list_have_their_places() -> None:
    assert _run(index_table_from_tensor(["a", "b"]).lookup(tf.constant(["b", "a", "z"]))) == [1, 0, -1]
    assert _run(index_table_from_tensor([7, 5], default_value=9, dtype=tf.int64).lookup(tf.constant([5, 1], tf.int64))) == [1, 9]


def test_others_get_numbers_after_the_list() -> None:
    found = _run(index_table_from_tensor(["a", "b"], num_oov_buckets=3).lookup(tf.constant(["b", "z"])))
    assert found[0] == 1 and found[1] in (2, 3, 4)


def test_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("a\nb\nc\n")
    assert _run(index_table_from_file(str(path), vocab_size=2).lookup(tf.constant(["a", "b", "c"]))) == [0, 1, -1]


def test_places_have_their_words() -> None:
    assert _run(index_to_string_table_from_tensor(["a", "b"]).lookup(tf.constant([1, 5], tf.int64))) == [b"b", b"UNK"]
