"""Orders of axes."""

from __future__ import annotations

from families.values import Cases, ints, longs

CASES = Cases()
case = CASES.case

for s, d in (("NHWC", "NCHW"), ("NCHW", "NHWC"), ("NHWC", "HWNC"), ("NDHWC", "NCDHW"), ("NHWC", "NHWX"), ("NHW", "NWH")):
    for x in (ints([0, 1, 2, 3]), ints([-1, -4]), ints(2), longs([[1, 2], [3, 0]]), ints([4]), ints([-5]), ints([])):
        case("DataFormatDimMap", [x], src_format=s, dst_format=d)
    for x in (
        ints([7, 4, 9, 3]),
        ints([[1, 2], [3, 4], [5, 6], [7, 8]]),
        longs([4, 9]),
        ints([1, 2, 3]),
        ints([1, 2, 3, 4, 5]),
        ints(3),
        ints([[4, 5], [6, 7]]),
        ints([[1], [2], [3], [4]]),
        ints([]),
    ):
        case("DataFormatVecPermute", [x], src_format=s, dst_format=d)
