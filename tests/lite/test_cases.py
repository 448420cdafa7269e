"""Small graphs become the operators that TensorFlow's converter makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("flatbuffers")

from gpersist.errors import UnimplementedError
from tests.golden.lite.cases import CASES, QUANTIZED
from tests.lite.converting import converted
from tests.lite.reader import described

THEIRS = json.loads((Path(__file__).parents[1] / "golden" / "lite" / "lite.json").read_text())

OTHERWISE = {
    "matmul_constant_first": "one product of matrices instead of three operators",
    "tensordot": "reshaped before and after",
    "dense_3d": "in another order",
    "prelu": "in another order",
    "prelu_abs": "in another order",
    "selu": "in another order",
    "logical_xor": "in another order",
    "moments": "in another order",
    "gelu_tanh": "as what it is made of",
    "reciprocal_of_sqrt": "as what it is made of",
    "atrous_batch": "as one convolution",
    "slice_dynamic": "of a shape that is known less",
    "strided_slice_dynamic": "of a shape that is known more",
    "einsum_merged": "as a product of two matrices",
    "einsum_heads": "as a product of two matrices",
    "einsum_outer": "as a product of two matrices",
    "einsum_batch": "without a last change of shape, to the same",
    "einsum_dense": "without a last change of shape, to the same",
}
"""Cases whose operators differ; their values are compared by tests/interop/test_lite.py."""


@pytest.mark.parametrize("name", CASES)
def test_as_tensorflow_makes_it(name: str) -> None:
    theirs = THEIRS["cases"][name]
    if "error" in theirs:
        with pytest.raises(UnimplementedError, match="no TFLite operators"):
            converted(CASES[name], name)
        return
    ours = described(converted(CASES[name], name)[0])
    if name in OTHERWISE:
        assert ours["operators"] != theirs["operators"]
        del ours["operators"], theirs["operators"]
    assert ours == theirs


@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized_as_tensorflow_makes_it(name: str) -> None:
    assert described(converted(QUANTIZED[name], name, quantized=True)[0]) == THEIRS["quantized"][name]
