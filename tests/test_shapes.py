from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import InvalidArgumentError
from gpersist.shapes import MAX_ELEMENTS, MAX_RANK, element_count


@given(st.lists(st.integers(0, 2**40), max_size=8))
def test_is_the_product_or_an_error(shape: list[int]) -> None:
    extent = math.prod(size for size in shape if size)
    if extent <= MAX_ELEMENTS:
        assert element_count(shape) == math.prod(shape)
    else:
        with pytest.raises(InvalidArgumentError, match="overflows 63 bits"):
            element_count(shape)


def test_limits() -> None:
    assert element_count(()) == 1
    assert element_count((2**63 - 1,)) == MAX_ELEMENTS
    assert element_count((0, 2**63 - 1)) == 0
    assert element_count((1,) * MAX_RANK) == 1


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1,) * 255, r"tensor 'a': 255 dimensions; at most 254 are allowed"),
        ((2, -1), r"tensor 'a' \[2, -1\]: dimension -1 is negative"),
        ((2**63,), r"overflows 63 bits"),
        ((0, 2**62, 2), r"overflows 63 bits"),
        ((0, 2**62, -2), r"negative"),
    ],
)
def test_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        element_count(iter(shape), "tensor 'a'")


def test_a_hostile_shape_costs_nothing() -> None:
    """The product is given up where it passes the limit: it never becomes a number of thousands of digits."""
    with pytest.raises(InvalidArgumentError, match="overflows"):
        element_count((2**62,) * MAX_RANK)
