"""The global step's reading and counting within a graph; what TensorFlow gives for the rest is in tests/golden/variables."""

from __future__ import annotations

import pytest

from gpersist.graph import Graph, Session
from gpersist.train.global_step import get_or_create_global_step, get_or_create_global_step_read, increment_global_step


def test_it_is_read_before_it_is_initialised() -> None:
    with Graph().as_default() as graph:
        assert get_or_create_global_step_read() is None
        step = get_or_create_global_step()
        read = get_or_create_global_step_read()
        assert read is get_or_create_global_step_read(graph)
        assert (read.name, read.dtype.name) == ("global_step/add:0", "int64")
        with Session() as session:
            assert session.run(read) == 0
            session.run(step.initializer)
            assert session.run(increment_global_step(2)) == 2
            assert session.run(read) == 2


def test_there_is_nothing_to_increment() -> None:
    with Graph().as_default(), pytest.raises(ValueError, match="Global step tensor should be created by"):
        increment_global_step(1)


def test_one_read_only() -> None:
    with Graph().as_default() as graph:
        graph.get_collection_ref("global_step_read_op_cache").extend([1, 2])
        with pytest.raises(RuntimeError, match="There are multiple items in collection global_step_read_op_cache"):
            get_or_create_global_step_read()
