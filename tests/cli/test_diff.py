from __future__ import annotations

import pathlib

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpersist
from gpersist.cli import diff
from gpersist.cli.diff import compare

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "bundle"


@pytest.fixture
def save(tmp_path):
    def save(name, arrays, **options):
        gpersist.save(tmp_path / name, arrays, durable=False, **options)
        return tmp_path / name

    return save


def test_alike(run, prefix):
    done = run("diff", prefix, prefix + ".index")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"A is {prefix}, B is {prefix}\n4 tensors alike, 0 differ, 0 only in A, 0 only in B\n"


def test_all_that_may_differ(run, save):
    a = save(
        "a", {"gone": 1, "dtype": np.float32(1), "shape": np.zeros(2), "values": np.array([1.0, 2.0, 3.0]), "same": 1}, devices={"same": "/gpu:0"}
    )
    b = save(
        "b", {"new": 1, "dtype": np.float64(1), "shape": np.zeros(3), "values": np.array([1.0, 2.5, 1.0]), "same": 1}, devices={"same": "/gpu:1"}
    )
    done = run("diff", a, b)
    assert done.status == 1 and not done.err
    assert [line.split(maxsplit=1) for line in done.out.splitlines()[1:7]] == [
        ["gone", "only in A: int64[]"],
        ["new", "only in B: int64[]"],
        ["dtype", "dtype float32 -> float64"],
        ["same", "device /gpu:0 -> /gpu:1"],
        ["shape", "shape [2] -> [3]"],
        ["values", "values: 2 of 3 differ, by 2 at most"],
    ]
    assert "0 tensors alike, 4 differ, 1 only in A, 1 only in B" in done.out
    found = run("diff", a, b, "--json", "--ignore-devices")
    assert found.status == 1
    assert found.json == {
        "a": str(a), "b": str(b), "rtol": 0.0, "atol": 0.0, "equal": False, "only_in_a": ["gone"], "only_in_b": ["new"],
        "differing": [
            {"name": "dtype", "dtype": ["float32", "float64"], "shape": None, "device": None, "values": None},
            {"name": "shape", "dtype": None, "shape": [[2], [3]], "device": None, "values": None},
            {"name": "values", "dtype": None, "shape": None, "device": None, "values": {"elements": 3, "differing": 2, "max_abs_difference": 2.0}},
        ],
    }  # fmt: skip


def test_devices_may_be_ignored_and_need_not_be_recorded(run, save):
    a, b = (save(name, {"x": 1}, devices={"x": f"/gpu:{number}"}) for number, name in enumerate("ab"))
    c = save("c", {"x": 1}, write_meta=False)
    assert run("diff", a, b).status == 1
    assert run("diff", a, b, "--ignore-devices").status == 0
    assert run("diff", a, c).status == 0


def test_tolerances(run, save):
    a, b = save("a", {"x": np.array([1.0, 100.0])}), save("b", {"x": np.array([1.01, 101.0])})
    assert run("diff", a, b).status == 1
    assert run("diff", a, b, "--rtol", "0.02").status == 0
    assert run("diff", a, b, "--atol", "0.5").status == 1
    assert run("diff", a, b, "--atol", "1").status == 0


def test_infinities_in_json(run, save):
    a, b = save("a", {"x": np.array([1.0]), "y": np.array([1.0])}), save("b", {"x": np.array([np.inf]), "y": np.array([np.nan])})
    found = run("diff", a, b, "--json").json["differing"]
    assert [difference["values"]["max_abs_difference"] for difference in found] == ["inf", "nan"]


def test_v1_against_v2(run):
    assert run("diff", GOLDEN / "partitioned_v1", GOLDEN / "partitioned_v2").status == 0
    assert run("diff", GOLDEN / "dtypes_v1", GOLDEN / "dtypes_v1").status == 0
    assert run("diff", GOLDEN / "strings_v2", GOLDEN / "strings_v2").status == 0


def test_damage(run, save):
    a = save("a", {"x": np.arange(9)})
    b = save("b", {"x": np.arange(9)})
    pathlib.Path(f"{b}.data-00000-of-00001").write_bytes(b"\1" * 72)
    done = run("diff", a, b)
    assert done.status == 1 and done.err.startswith("gpersist: error: tensor 'x'") and not done.out


def test_large_tensors_come_one_at_a_time(run, save, monkeypatch):
    a = save("a", {name: np.arange(100) for name in "xyz"})
    loads = []

    def load(prefix, names, **options):
        loads.append(list(names))
        return gpersist.load(prefix, names, **options)

    monkeypatch.setattr(diff, "load", load)
    monkeypatch.setattr(diff, "_BATCH_BYTES", 1700)
    assert run("diff", a, a).status == 0
    assert loads == [["x", "y"], ["x", "y"], ["z"], ["z"]]
    monkeypatch.setattr(diff, "_BATCH_BYTES", 10)
    assert run("diff", a, a).status == 0
    assert loads[4:] == [[name] for name in "xxyyzz"]


@pytest.mark.parametrize(
    ("a", "b", "differing", "most"),
    [
        (np.array([2**63 - 1, 0]), np.array([-(2**63), 0]), 1, 2**64 - 1),
        (np.array([2**64 - 1], np.uint64), np.array([0], np.uint64), 1, 2**64 - 1),
        (np.array([True, False]), np.array([True, True]), 1, 1),
        (np.array([1 + 1j]), np.array([1 + 4j]), 1, 3.0),
        (np.array([np.nan, np.inf, -np.inf, 0.0]), np.array([np.nan, np.inf, -np.inf, -0.0]), 0, None),
        (np.array([1.0, np.nan]), np.array([5.0, 1.0]), 2, np.nan),
        (np.array([b"a", b"b"], object), np.array([b"a", b"c"], object), 1, None),
        (np.array([1, 2], ml_dtypes.bfloat16), np.array([1, 4], ml_dtypes.bfloat16), 1, 2.0),
        (np.array([1, 2], ml_dtypes.int4), np.array([1, -4], ml_dtypes.int4), 1, 6),
        (np.array([(1,), (2,)], [("qint8", np.int8)]), np.array([(1,), (-100,)], [("qint8", np.int8)]), 1, 102),
        (np.zeros((0, 3)), np.zeros((0, 3)), 0, None),
        (np.float32(1), np.float32(1), 0, None),
    ],
)
def test_compare(a, b, differing, most):
    found = compare(np.asarray(a), np.asarray(b), 0, 0)
    assert (found.elements, found.differing) == (np.size(a), differing)
    np.testing.assert_equal(found.max_abs_difference, most)


def test_compare_over_blocks(monkeypatch):
    monkeypatch.setattr(diff, "_BLOCK_ELEMENTS", 7)
    a = np.arange(100.0).reshape(10, 10)
    b = a.copy()
    b[0, 3], b[5, 5], b[9, 9] = 4, np.nan, 1000
    found = compare(a, b, 0, 0)
    assert found.differing == 3 and np.isnan(found.max_abs_difference)


_NUMBERS = st.floats(-10, 10, width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), max_size=8), st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from([0.0, 0.5]))
def test_compare_means_what_numpy_means(pairs, rtol, atol):
    a, b = np.array(pairs, np.float32).reshape(-1, 2).T
    alike = np.isclose(a.astype(np.float64), b.astype(np.float64), rtol, atol, equal_nan=True)
    assert compare(a, b, rtol, atol).differing == np.count_nonzero(~alike)
