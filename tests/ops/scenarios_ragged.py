"""Ragged tensors as values of variant tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.gradients import gradients
from tests.ops.scenarios import scenario

_OUTER, _INNER = np.array([0, 2, 2, 3], np.int64), np.array([0, 1, 3, 6], np.int64)


def _equal(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(found, wanted)


@scenario("RaggedTensorToVariant", "RaggedTensorFromVariant", "RaggedTensorToVariantGradient")
def whole_and_in_rows(session: Session) -> None:
    values = ops.constant(np.arange(12, dtype=np.float32).reshape(6, 2))
    whole = apply("RaggedTensorToVariant", [_OUTER, _INNER], values, batched_input=False)
    rows = apply("RaggedTensorToVariant", [_OUTER, _INNER], values, batched_input=True)
    assert whole.shape.as_list() == []
    assert rows.shape.as_list() == [3]
    for encoded, rank in ((whole, 2), (rows, 1), (rows, -1)):
        found = apply_op("RaggedTensorFromVariant", encoded, input_ragged_rank=rank, output_ragged_rank=2, Tvalues="float32").outputs
        outer, inner, back = session.run(list(found))
        _equal(outer, _OUTER)
        _equal(inner, _INNER)
        _equal(back, session.run(values))
        (grad,) = gradients(found[-1] * 3.0, [values])
        _equal(session.run(grad), np.full((6, 2), 3, np.float32))
    dense = apply("RaggedTensorToVariant", [], values, batched_input=True)
    outer, back = apply_op("RaggedTensorFromVariant", dense, input_ragged_rank=0, output_ragged_rank=1, Tvalues="float32").outputs
    _equal(session.run(outer), [0, 2, 4, 6, 8, 10, 12])
    _equal(session.run(back), np.arange(12))
    with pytest.raises(InvalidArgumentError, match="Expected values Tensor dtype"):
        session.run(apply_op("RaggedTensorFromVariant", whole, input_ragged_rank=2, output_ragged_rank=2, Tvalues="int32").outputs[2])
