from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import InternalError
from gpersist.table import build_table, patch

NAMES = st.binary(min_size=1, max_size=5)


@given(
    st.dictionaries(NAMES, st.tuples(st.binary(max_size=6), st.integers(0, 2**32 - 1), st.binary(max_size=140)), max_size=40),
    st.sets(NAMES),
    st.integers(0, 2**32 - 1),
    st.sampled_from([30, 100, 262144]),
)
def test_equals_building_anew(model: dict[bytes, tuple[bytes, int, bytes]], others: set[bytes], new: int, block_size_bytes: int) -> None:
    def table_of(numbers: dict[bytes, int]) -> tuple[bytes, np.ndarray, object]:
        entries = [(key, before + struct.pack("<I", numbers[key]) + after) for key, (before, _, after) in sorted(model.items())]
        table, layout = build_table(entries, block_size_bytes=block_size_bytes)
        return table, layout.value_offsets + [len(model[key][0]) for key in sorted(model)], layout

    old_numbers = {key: number for key, (_, number, _) in model.items()}
    new_numbers = {key: (number + new * i) % 2**32 if key not in others else number for i, (key, number) in enumerate(old_numbers.items())}
    table, positions, layout = table_of(old_numbers)
    changed = [i for i, key in enumerate(sorted(model)) if key not in others][::-1]
    values = np.array([new_numbers[sorted(model)[i]] for i in changed], np.uint32)
    assert patch(table, layout, positions[changed].astype(np.int64), values) == table_of(new_numbers)[0]


@pytest.mark.parametrize("position", [-1, 60, 10**12])
def test_outside_of_the_data_blocks(position: int) -> None:
    table, layout = build_table([(b"a", bytes(50))])
    with pytest.raises(InternalError, match="outside of the data blocks"):
        patch(table, layout, np.array([position]), np.zeros(1, np.uint32))
    with pytest.raises(InternalError, match="outside of the data blocks"):
        patch(*build_table([]), np.array([position]), np.zeros(1, np.uint32))


def test_another_table() -> None:
    table, layout = build_table([(b"a", bytes(50))])
    with pytest.raises(InternalError, match="patch: "):
        patch(table + b".", layout, np.array([10]), np.zeros(1, np.uint32))
    with pytest.raises(InternalError, match="patch: "):
        patch(table, layout, np.array([10]), np.zeros(2, np.uint32))
