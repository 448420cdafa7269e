"""Runs in parts; the messages are TensorFlow's."""

from __future__ import annotations

import pytest

import gpersist.compat.v1 as tf
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph


@pytest.fixture(autouse=True)
def _graph():
    with Graph().as_default():
        yield


def _sums() -> tuple[tf.Tensor, ...]:
    a, b, c = (tf.placeholder(tf.float32, [], name=name) for name in "abc")
    total = a + b
    return a, b, c, total, total * c


def test_parts_make_up_one_run() -> None:
    a, b, c, total, product = _sums()
    with tf.Session() as session:
        handle = session.partial_run_setup([total, product], [a, "b:0", c])
        assert handle == "a:0,b:0,c:0->add:0,mul:0//1/;0"
        assert session.partial_run(handle, total, {a: 1.0, b: 2.0}) == 3.0
        assert session.partial_run(handle, {"p": product}, {"c:0": 3.0}) == {"p": 9.0}
        with pytest.raises(InvalidArgumentError, match=r"Must run .setup. before performing partial runs!"):
            session.partial_run(handle, product)


def test_nothing_runs_twice() -> None:
    a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    drawn = tf.random_uniform([])
    one, other = drawn + a, drawn + b
    with tf.Session() as session:
        handle = session.partial_run_setup([one, other], [a, b])
        first = session.partial_run(handle, one, {a: 0.0})
        assert session.partial_run(handle, other, {b: 0.0}) == first


def test_refused() -> None:
    a, b, c, total, product = _sums()
    with tf.Session() as session:
        for fetches, feeds, words in [([], [], "Must specify at least one target"), ([total], [a, a], '"a:0" fed more than once')]:
            with pytest.raises(InvalidArgumentError, match=words):
                session.partial_run_setup(fetches, feeds)
        with pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
            session.partial_run_setup([total], [5])
        handle = session.partial_run_setup([total, product, total.op], [a, b, c])
        assert session.partial_run(handle, [], {a: 1.0}) == []
        for fetches, fed, words in [
            (total, {}, "Fetch b:0 can't be computed from the feeds"),
            (total, {a: 1.0, b: 2.0}, "The feed a:0 has already been fed."),
            (total, {total: 1.0}, "The feed add:0 was not specified"),
            (a, {b: 1.0}, "The fetch a:0 was not specified"),
        ]:
            with pytest.raises(InvalidArgumentError, match=words):
                session.partial_run(handle, fetches, fed)
        with pytest.raises(RuntimeError, match=r"requires empty `target_list`"):
            session.partial_run(handle, total.op, {b: 1.0})
        assert session.partial_run(handle, total, {b: 4.0}) == 5.0
        with pytest.raises(InvalidArgumentError, match=r"The fetch add:0 has already been fetched\."):
            session.partial_run(handle, total)
