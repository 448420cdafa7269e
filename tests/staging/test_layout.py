from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.files import IOV_MAX
from gpersist.staging.layout import MAX_TENSORS, Extent, Layout, Piece, blocks, cut, cut_blocks, pieces, tensor_bytes

from .transfers import layout_of


@st.composite
def layouts(draw, max_size: int = 60) -> Layout:
    count = draw(st.integers(0, 30))
    sizes = [draw(st.integers(1, max_size)) for _ in range(count)]
    gaps = [draw(st.sampled_from([0, 0, 0, 1, 5, 40])) for _ in range(count)]
    files = np.cumsum([draw(st.sampled_from([0, 0, 0, 1, 2])) for _ in range(count)]).tolist()
    return layout_of(sizes, gaps, files)


def ones(layout: Layout) -> np.ndarray:
    return np.zeros(len(layout.sizes), np.int64)


def assert_covers_once(layout: Layout, extents: list[Extent]) -> None:
    """Every byte of every tensor is in one extent, in order, and the pieces say where."""
    seen: list[list[tuple[int, int]]] = [[] for _ in layout.sizes]
    for extent in extents:
        assert extent.begin < extent.end
        assert extent.first < extent.last
        end = 0
        for number, piece in enumerate(pieces(layout, extent)):
            offset, size = int(layout.offsets[piece.tensor]), int(layout.sizes[piece.tensor])
            assert piece.tensor == extent.first + number
            assert layout.files[piece.tensor] == extent.file
            assert piece.size_bytes > 0
            assert extent.begin + piece.extent_offset == offset + piece.tensor_offset
            assert end <= piece.extent_offset
            end = piece.extent_offset + piece.size_bytes
            assert end <= extent.end - extent.begin
            assert piece.tensor_offset + piece.size_bytes <= size
            seen[piece.tensor].append((piece.tensor_offset, piece.size_bytes))
        assert end == extent.end - extent.begin  # nothing behind the last byte of a tensor
        assert tensor_bytes(layout, extent) == sum(piece.size_bytes for piece in pieces(layout, extent))
    for ranges, size in zip(seen, layout.sizes.tolist(), strict=True):
        at = 0
        for offset, length in ranges:
            assert offset == at
            at += length
        assert at == size
    places = [(extent.file, extent.begin) for extent in extents]
    assert places == sorted(places)
    for left, right in itertools.pairwise(extents):
        assert left.file < right.file or left.end <= right.begin


@settings(max_examples=80)
@given(layouts(), st.data())
def test_cut(layout: Layout, data) -> None:
    limits = [data.draw(st.integers(1, 100)), data.draw(st.integers(1, 100))]
    kinds = np.array([data.draw(st.integers(0, 1)) for _ in layout.sizes], np.int64)
    max_gap = data.draw(st.sampled_from([0, 1, 4, 1000]))
    extents = list(cut(layout, kinds, limits, max_gap))
    assert_covers_once(layout, extents)
    for extent in extents:
        assert set(kinds[extent.first : extent.last]) == {kinds[extent.first]}
        assert extent.end - extent.begin <= limits[kinds[extent.first]]
        parts = pieces(layout, extent)
        # only the first tensor begins before it, and a tensor that ends after it is alone in it
        assert parts[0].extent_offset == 0
        for piece in parts[1:]:
            assert piece.tensor_offset == 0
        if parts[-1].tensor_offset + parts[-1].size_bytes < layout.sizes[extent.last - 1]:
            assert len(parts) == 1
            assert extent.end - extent.begin == limits[kinds[extent.first]]
        gaps = [b.extent_offset - a.extent_offset - a.size_bytes for a, b in itertools.pairwise(parts)]
        assert gaps == layout.gaps[extent.first : extent.last - 1]
        assert all(gap <= max_gap for gap in gaps)


@settings(max_examples=60)
@given(layouts(200), st.integers(1, 20), st.integers(1, 5))
def test_long_extents_are_of_one_tensor(layout: Layout, limit: int, times: int) -> None:
    extents = list(cut(layout, ones(layout), [limit], 4, [limit * times]))
    assert_covers_once(layout, extents)
    for extent in extents:
        length = extent.end - extent.begin
        if length > limit:
            assert extent.last == extent.first + 1
            assert length <= limit * times
            assert length % limit == 0
    shorter = [block for extent in extents for block in blocks(extent, limit)]
    assert_covers_once(layout, shorter)
    assert all(block.end - block.begin <= limit for block in shorter)


@settings(max_examples=20)
@given(layouts())
def test_equal_limits_do_not_mix_kinds(layout: Layout) -> None:
    kinds = np.arange(len(layout.sizes)) % 2
    assert all(extent.last - extent.first == 1 for extent in cut(layout, kinds, [100, 100], 1000))


@settings(max_examples=40)
@given(layouts(), st.integers(1, 100))
def test_neighbours_share_an_extent_where_they_can(layout: Layout, limit: int) -> None:
    extents = list(cut(layout, ones(layout), [limit], 0))
    for left, right in itertools.pairwise(extents):
        if left.file == right.file and left.end == right.begin and left.last <= right.first:
            assert left.end - left.begin + layout.sizes[right.first] > limit


def test_no_more_tensors_than_a_system_call_takes() -> None:
    layout = layout_of([1] * (MAX_TENSORS * 2 + 3), [1] * (MAX_TENSORS * 2 + 3))
    extents = list(cut(layout, ones(layout), [1 << 20], 16))
    assert [extent.last - extent.first for extent in extents] == [MAX_TENSORS, MAX_TENSORS, 3]
    assert 2 * MAX_TENSORS - 1 <= IOV_MAX
    assert_covers_once(layout, extents)


@settings(max_examples=80)
@given(layouts(max_size=90), st.sampled_from([1, 8, 32, 1000]))
def test_cut_blocks(layout: Layout, block: int) -> None:
    extents = list(cut_blocks(layout, block))
    assert_covers_once(layout, extents)
    for extent in extents:
        assert extent.begin % block == 0
        assert extent.end - extent.begin <= block
    for left, right in itertools.pairwise(extents):
        if left.file == right.file:  # rounded up to whole sectors, no block reaches into the next one
            assert right.begin >= -(-left.end // block) * block


def test_offsets_of_terabytes() -> None:
    """Numbers that no int32 holds, and no array that needs memory."""
    offset = (5 << 40) + 3
    layout = Layout(*(np.array(column, np.int64) for column in ([0, 0], [offset, offset + (3 << 30)], [3 << 30, 5])))
    extents = list(cut(layout, ones(layout), [1 << 30], 0))
    gib = 1 << 30
    places = [(extent.begin - offset, extent.end - offset) for extent in extents]
    assert places == [(0, gib), (gib, 2 * gib), (2 * gib, 3 * gib), (3 * gib, 3 * gib + 5)]
    assert pieces(layout, extents[2]) == [Piece(0, 2 << 30, 0, 1 << 30)]
    assert layout.total_bytes == (3 << 30) + 5
    assert_covers_once(layout, extents)
    small = Layout(*(np.array(column, np.int64) for column in ([0], [3 << 30], [3 << 30])))
    assert_covers_once(small, list(cut_blocks(small, 1 << 30)))


@pytest.mark.parametrize("cutter", [lambda layout: cut(layout, ones(layout), [10], 0), lambda layout: cut_blocks(layout, 10)])
def test_nothing_to_cut(cutter) -> None:
    assert list(cutter(layout_of([]))) == []
    assert layout_of([]).total_bytes == 0
