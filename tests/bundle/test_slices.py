import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.bundle.slices import FULL_EXTENT, TensorSlice, byte_runs, cover, format_shape_and_slice, parse_shape_and_slice
from gpersist.errors import DataLossError, InvalidArgumentError, ResourceExhaustedError
from gpersist.protos import TensorSliceProto

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
VERDICTS = json.loads((GOLDEN / "texts.json").read_text())


@st.composite
def shapes_and_slices(draw, min_side=1, count=1):
    shape = tuple(draw(st.lists(st.integers(min_side, 6), max_size=4)))
    slices = []
    for _ in range(count):
        extents = []
        for size in shape:
            start = draw(st.integers(0, size - 1)) if size else 0
            extents.append(draw(st.sampled_from([FULL_EXTENT, (start, draw(st.integers(1, size - start)))])) if size else FULL_EXTENT)
        slices.append(TensorSlice(tuple(extents)))
    return shape, *slices


def grid(shape, cuts):
    """The slices that come of cutting each axis at the given places."""
    sides = [[(a, b - a) for a, b in itertools.pairwise([0, *places, size])] for size, places in zip(shape, cuts, strict=True)]
    return [TensorSlice(extents) for extents in itertools.product(*sides)]


@pytest.mark.parametrize("text", sorted(set(VERDICTS) - {"", "6 4 -:-", "1 -"}))  # these differ from the asked tensor's shape only
def test_shape_and_slice_is_read_as_tensorflow_reads_it(text):
    verdict = VERDICTS[text]
    if "error" in verdict:
        with pytest.raises(InvalidArgumentError):
            parse_shape_and_slice(text)
    else:
        shape, part = parse_shape_and_slice(text)
        whole = np.arange(math.prod(shape)).reshape(shape)
        assert part.shape_in(shape) == tuple(verdict["shape"])
        assert whole[part.region(shape)].ravel().tolist() == verdict["values"]


def test_empty_shape_and_slice_is_refused():
    with pytest.raises(InvalidArgumentError, match="expected a shape and a slice"):
        parse_shape_and_slice("")


def test_extent_whose_end_overflows_is_refused():
    with pytest.raises(InvalidArgumentError, match="an end below"):  # TensorFlow 2.21 takes it, and returns memory that was never written
        parse_shape_and_slice("4 6 9223372036854775807,1:-")


@given(shapes_and_slices())
def test_text_and_message_round_trip(case):
    shape, part = case
    assert TensorSlice.parse(str(part)) == part
    assert TensorSlice.from_proto(part.to_proto(), "x") == part
    if shape:
        assert parse_shape_and_slice(format_shape_and_slice(shape, part)) == (shape, part)


@pytest.mark.parametrize(
    "extent", [{"start": 1}, {"start": -1, "length": 2}, {"length": 0}, {"length": -5}, {"start": 1, "length": -1}, {"start": 2**63 - 1, "length": 1}]
)
def test_hostile_extent_is_refused(extent):
    proto = TensorSliceProto()
    proto.extent.add(**extent)
    with pytest.raises(InvalidArgumentError, match="x: slice extent"):
        TensorSlice.from_proto(proto, "x")


@given(shapes_and_slices(min_side=0))
def test_region_is_numpys(case):
    shape, part = case
    whole = np.arange(math.prod(shape)).reshape(shape)
    expected = whole[tuple(slice(None) if length < 0 else slice(start, start + length) for start, length in part.extents)]
    assert part.shape_in(shape) == expected.shape
    assert np.array_equal(whole[part.region(shape)], expected)


@pytest.mark.parametrize(("text", "shape"), [("0,3", (2,)), ("2,1", (2,)), ("-", ()), ("-", (2, 2)), ("0,1", (0,))])
def test_slice_outside_of_its_shape_is_refused(text, shape):
    with pytest.raises(InvalidArgumentError):
        TensorSlice.parse(text).bounds(shape)


@given(shapes_and_slices(count=2))
def test_intersection_is_that_of_the_elements(case):
    shape, a, b = case
    whole = np.arange(math.prod(shape)).reshape(shape)
    both = np.intersect1d(whole[a.region(shape)], whole[b.region(shape)])
    found = a.intersect(b)
    assert found == b.intersect(a)
    assert (whole[found.region(shape)].ravel().tolist() if found else []) == both.tolist()


def test_slices_of_differing_rank_have_nothing_in_common():
    assert TensorSlice.full(1).intersect(TensorSlice.full(2)) is None


@given(st.data())
def test_cover_puts_a_wanted_slice_together(data):
    shape, wanted = data.draw(shapes_and_slices())
    cuts = [sorted(data.draw(st.sets(st.integers(1, size - 1)))) if size > 1 else [] for size in shape]
    stored = data.draw(st.permutations(grid(shape, cuts)))
    whole = np.arange(math.prod(shape)).reshape(shape)
    result = np.full(wanted.shape_in(shape), -1)
    by_bytes = result.copy()
    for part in cover(wanted, stored, shape, "x"):
        source = np.array(whole[stored[part.index].region(shape)], order="C")
        result[part.target] = source[part.source]
        copy_by_runs(source, part.source, by_bytes, part.target)
    assert np.array_equal(result, whole[wanted.region(shape)])
    assert np.array_equal(by_bytes, result)


def copy_by_runs(source, source_region, target, target_region):
    source_bytes, target_bytes = source.reshape(-1).view(np.uint8), target.reshape(-1).view(np.uint8)
    for source_offset, target_offset, size in byte_runs(source.shape, source_region, target.shape, target_region, source.itemsize):
        target_bytes[target_offset : target_offset + size] = source_bytes[source_offset : source_offset + size]


@given(st.data())
def test_cover_refuses_gaps_and_overlaps(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    stored = data.draw(st.lists(shapes_like(shape), max_size=4))
    times = np.zeros(shape, int)
    for part in stored:
        times[part.region(shape)] += 1
    wanted = data.draw(shapes_like(shape))
    if (times[wanted.region(shape)] == 1).all():
        cover(wanted, stored, shape, "x")
    else:
        with pytest.raises(DataLossError, match=r"x: .*(are in no slice|slices overlap)"):
            cover(wanted, stored, shape, "x")


def shapes_like(shape):
    def extent(size):
        return st.integers(0, size - 1).flatmap(lambda start: st.integers(1, size - start).map(lambda length: (start, length))) | st.just(FULL_EXTENT)

    return st.tuples(*map(extent, shape)).map(TensorSlice)


def test_gap_and_overlap_of_equal_size_are_both_seen():
    stored = [TensorSlice.parse(text) for text in ("0,2", "1,2")]
    with pytest.raises(DataLossError, match="slices overlap"):
        cover(TensorSlice.full(1), stored, (4,), "x")


def test_cover_of_nothing_needs_nothing():
    assert cover(TensorSlice.full(2), [], (0, 3), "x") == []


def test_cover_of_many_slices_is_quick():
    stored = [TensorSlice(((row, 1), (0, 4))) for row in range(20_000)]
    assert len(cover(TensorSlice.full(2), stored[::-1], (20_000, 4), "x")) == 20_000


def test_slices_cut_along_too_many_axes_are_refused():
    stored = [TensorSlice(((0, 1),) * 30), TensorSlice(((1, 1),) * 30)]
    with pytest.raises(ResourceExhaustedError, match="2 slices cut along 30 axes"):
        cover(TensorSlice.full(30), stored, (2,) * 30, "x")


def test_byte_runs_merge_what_is_contiguous():
    whole = (slice(0, 4), slice(0, 8), slice(0, 2))
    assert list(byte_runs((4, 8, 2), whole, (4, 8, 2), whole, 4)) == [(0, 0, 256)]
    rows = (slice(1, 3), slice(0, 8), slice(0, 2))
    assert list(byte_runs((4, 8, 2), rows, (2, 8, 2), (slice(0, 2), *whole[1:]), 4)) == [(64, 0, 128)]
    middle = (slice(0, 4), slice(2, 5), slice(0, 2))
    assert list(byte_runs((4, 8, 2), middle, (4, 3, 2), (slice(0, 4), slice(0, 3), slice(0, 2)), 1)) == [(4 + 16 * i, 6 * i, 6) for i in range(4)]
    assert list(byte_runs((), (), (), (), 8)) == [(0, 0, 8)]
    assert list(byte_runs((0, 2), (slice(0, 0), slice(0, 2)), (0, 2), (slice(0, 0), slice(0, 2)), 8)) == []


def test_byte_runs_come_one_at_a_time():
    column = (slice(0, 2**40), slice(3, 4))
    runs = byte_runs((2**40, 8), column, (2**40, 1), (slice(0, 2**40), slice(0, 1)), 1)
    assert [next(runs) for _ in range(3)] == [(3, 0, 1), (11, 1, 1), (19, 2, 1)]


@settings(max_examples=50)
@given(st.text("0123456789,:- +\t", max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        shape, part = parse_shape_and_slice(text)
    except InvalidArgumentError:
        return
    assert parse_shape_and_slice(format_shape_and_slice(shape, part)) == (shape, part)


@pytest.mark.parametrize("slices", [1, 4])
def test_a_hole_in_a_tensor_of_many_axes_costs_nothing(slices):
    """A few hundred bytes of a hostile file: it has 2**20 corners."""
    started = time.process_time()
    with pytest.raises((DataLossError, ResourceExhaustedError)):
        cover(TensorSlice.full(20), [TensorSlice(((number % 2, 1),) * 20) for number in range(slices)], (2,) * 20, "x")
    assert time.process_time() - started < 1
