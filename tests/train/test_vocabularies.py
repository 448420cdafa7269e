"""Matrices whose rows belong to words, warm-started from a model with another list of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gpersist
import gpersist.compat.v1 as tf


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A checkpoint of a matrix for the words of old.txt; and new.txt, which shares two of them."""
    (tmp_path / "old.txt").write_text("ant\nbee\ncat\ndog\n")
    (tmp_path / "new.txt").write_text("cat\nfox\nant\n")
    gpersist.save(
        str(tmp_path / "model"), {"words": np.arange(8, dtype=np.float32).reshape(4, 2), "turned": np.arange(8, dtype=np.float32).reshape(2, 4)}
    )
    return tmp_path


def test_rows_go_with_their_words(older: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        words = tf.get_variable("words", [4, 2])
        info = tf.train.VocabInfo(str(older / "new.txt"), 3, 1, str(older / "old.txt"))
        tf.train.warm_start(str(older / "model"), var_name_to_vocab_info={"words": info})
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(words), [[4, 5], [0, 0], [0, 1], [0, 0]])


def test_columns_too_and_what_is_new_from_an_initializer(older: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        turned = tf.get_variable("renamed", [2, 3])
        info = tf.train.VocabInfo(str(older / "new.txt"), 3, 0, str(older / "old.txt"), backup_initializer=tf.ones_initializer(), axis=1)
        tf.train.warm_start(str(older / "model"), "renamed", {"renamed": info}, {"renamed": "turned"})
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(turned), [[2, 1, 0], [6, 1, 4]])


def test_parts_of_a_partitioned_variable(older: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        words = tf.get_variable("words", [4, 2], partitioner=tf.fixed_size_partitioner(2))
        info = tf.train.VocabInfo(str(older / "new.txt"), 3, 1, str(older / "old.txt"), old_vocab_size=2)
        tf.train.warm_start(str(older / "model"), ".*words.*", {"words": info})
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(tf.convert_to_tensor(words)), [[0, 0], [0, 0], [0, 1], [0, 0]])


def test_names_of_nothing() -> None:
    with pytest.raises(ValueError, match="only supported values for the axis"):
        tf.train.VocabInfo("a", 1, 0, "b", axis=2)
