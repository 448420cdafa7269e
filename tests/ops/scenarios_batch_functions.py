"""Functions whose rows a server puts together. What is expected is what TensorFlow 2.21 gave."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Session, Tensor
from gpersist.ops.batch_functions import nondifferentiable_batch_function
from gpersist.ops.casting import cast
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import shape
from tests.ops.scenarios import scenario


@scenario("BatchFunction")
def batch_function(session: Session) -> None:
    other = ops.constant(5.0)

    @nondifferentiable_batch_function(1, 4, 1)
    def doubled(x: Tensor) -> list[Tensor]:
        return [x * 2, x + other]

    twice, more = doubled(np.array([1, 2, 3], np.float32))
    assert twice.op.name == "batch/BatchFunction" and twice.shape.rank is None
    assert [value.tolist() for value in session.run([twice, more])] == [[2, 4, 6], [6, 7, 8]]

    @nondifferentiable_batch_function(1, 8, 1, allowed_batch_sizes=[4, 8], enable_large_batch_splitting=False)
    def filled_up(x: Tensor) -> Tensor:
        return x * 0 + cast(shape(x), "float32")

    rows = ops.placeholder("float32", [None])
    assert session.run(filled_up(rows), {rows: [0, 0, 0]}).tolist() == [4, 4, 4]

    @nondifferentiable_batch_function(1, 8, 1, allowed_batch_sizes=[2, 4])
    def in_parts(x: Tensor) -> Tensor:
        return x * 0 + cast(shape(x), "float32")

    assert session.run(in_parts(rows), {rows: [0] * 5}).tolist() == [4, 4, 4, 4, 2]
    assert session.run(in_parts(rows), {rows: [0] * 8}).tolist() == [4] * 8
    with pytest.raises(InvalidArgumentError, match="Task size 9 is larger than maximum input batch size 8"):
        session.run(in_parts(rows), {rows: [0] * 9})
    for sizes, told in (([4, 2], "monotonically increasing"), ([2, 4], "final entry in allowed_batch_sizes must equal max_batch_size")):
        badly = nondifferentiable_batch_function(1, 8, 1, allowed_batch_sizes=sizes, enable_large_batch_splitting=False)(lambda x: x)
        with pytest.raises(InvalidArgumentError, match=told):
            session.run(badly([1.0]))
    with pytest.raises(InvalidArgumentError, match="Task size 9 is larger than maximum input batch size 8"):
        session.run(filled_up(np.zeros(9, np.float32)))
    with pytest.raises(InvalidArgumentError, match="must have at least one dimension"):
        session.run(filled_up(1.0))

    @nondifferentiable_batch_function(1, 4, 1)
    def summed(x: Tensor, y: Tensor) -> Tensor:
        return reduce_sum(x) + reduce_sum(y)

    with pytest.raises(FailedPreconditionError, match="Batched output tensor has 0 dimensions"):
        session.run(summed([1.0], [2.0]))
    with pytest.raises(InvalidArgumentError, match="must have equal 0th-dimension size"):
        session.run(summed([1.0], [2.0, 3.0]))
