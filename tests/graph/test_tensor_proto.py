from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from gpersist import protos
from gpersist.dtypes import all_dtypes
from gpersist.errors import InvalidArgumentError
from gpersist.graph import make_ndarray, make_tensor_proto

_HELD = [dtype for dtype in all_dtypes() if dtype.numpy is not None and not dtype.is_string]


@pytest.mark.parametrize("dtype", _HELD, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 2)])
def test_numbers_of_every_type_come_back(dtype, shape) -> None:
    count = int(np.prod(shape))
    array = np.frombuffer(bytes(np.arange(count * dtype.size_bytes, dtype=np.uint8) % 2), dtype.numpy).reshape(shape)
    proto = make_tensor_proto(array)
    found = make_ndarray(protos.TensorProto.FromString(proto.SerializeToString()))
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_one_value_fills_a_shape_of_any_size() -> None:
    """However large the shape is that a file names: no memory is taken before somebody writes there."""
    proto = make_tensor_proto(2.5, shape=[1 << 20, 1 << 20])
    assert len(proto.float_val) == 1
    found = make_ndarray(proto)
    assert (found.shape, found[0, 0], found.strides) == ((1 << 20, 1 << 20), 2.5, (0, 0))
    assert make_tensor_proto(found) == proto


def test_bfloat16() -> None:
    assert make_tensor_proto(ml_dtypes.bfloat16(1.5)).half_val == [16320]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: 'abc'", "expected tensor_content of 8 bytes, found 3"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: [1, 2]", "2 values for 1 elements"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: -2 } }", "dimension -2 is negative"),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 4611686018427387904 } dim { size: 4 } }", "overflows 63 bits"),
        ("dtype: 77", "77 is no DataType"),
    ],
)
def test_hostile(text: str, message: str) -> None:
    proto = protos.parse_text(protos.TensorProto, text.replace("dtype: 77", ""), "test")
    if "77" in text:
        proto = protos.TensorProto.FromString(b"\x08\x4d")
    with pytest.raises(InvalidArgumentError, match=message):
        make_ndarray(proto)


def test_handles_are_no_arrays() -> None:
    with pytest.raises(TypeError, match="Unsupported tensor type"):
        make_ndarray(protos.TensorProto(dtype=20))
