"""What NumPy combines at places that are named several times, CuPy combines too, of every type."""

from __future__ import annotations

from types import ModuleType

import ml_dtypes
import numpy as np
import pytest

from gpersist.ops.accumulating import combine_at

_TYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", [*map(np.dtype, _TYPES), np.dtype(ml_dtypes.bfloat16)], ids=str)
@pytest.mark.parametrize("how", ["add", "subtract", "multiply", "maximum", "minimum"])
def test_as_numpy(how: str, dtype: np.dtype, xp: ModuleType) -> None:
    if (dtype.kind == "c" and how in ("maximum", "minimum")) or (dtype.kind == "b" and how == "subtract"):
        pytest.skip("no such function of this type")
    values = np.array([[3, 100], [2, 1], [1, 90], [0, 7]]).astype(dtype)
    target, places = np.ones((3, 2), dtype), np.array([2, 0, 2, 2])
    expected = target.copy()
    getattr(np, how).at(expected, places, values)
    found = xp.asarray(target)
    combine_at(xp, how, found, xp.asarray(places), xp.asarray(values))
    plain = found.get() if hasattr(found, "get") else found
    assert plain.dtype == dtype
    np.testing.assert_array_equal(plain, expected)
