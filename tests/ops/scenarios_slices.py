"""Scenarios of assignments to parts of variables."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Session
from tests.ops.scenarios import scenario


@scenario("StridedSliceAssign", "ResourceStridedSliceAssign")
def parts_of_variables(session: Session) -> None:
    for is_resource in (False, True):
        v = ops.Variable(np.arange(12.0).reshape(3, 4), name="v", use_resource=is_resource)
        session.run(v.initializer)
        before = session.run(v)
        row = session.run(v[1:2, ::2].assign([[7.0, 8.0]]))
        np.testing.assert_array_equal(row, [[0, 1, 2, 3], [7, 5, 8, 7], [8, 9, 10, 11]])
        np.testing.assert_array_equal(before, np.arange(12.0).reshape(3, 4))
        np.testing.assert_array_equal(session.run(v[0].assign([1.0, 1.0, 1.0, 1.0]))[0], [1, 1, 1, 1])
        np.testing.assert_array_equal(session.run(v[..., -1]), [1, 7, 11])
        with pytest.raises(InvalidArgumentError, match=r"a value of shape \[3\] cannot be given to a part of shape \[4\] of v"):
            session.run(v[0].assign(ops.placeholder_with_default(np.zeros(3), [None])))
