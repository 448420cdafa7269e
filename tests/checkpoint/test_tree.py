"""gpersist.checkpoint.tree."""

import sys
from collections import OrderedDict, defaultdict
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.checkpoint.tree import flatten, unflatten
from gpersist.errors import InvalidArgumentError, MismatchError


class Point(NamedTuple):
    x: Any
    y: Any


def test_names() -> None:
    tree = {"net": {"w": 1, "b": [2, (3,)], 7: 4}, "step": 5, "p": Point(6, {"in": 7}), "none": {}, np.int64(8): 9}
    assert flatten(tree) == {"net/w": 1, "net/b/0": 2, "net/b/1/0": 3, "net/7": 4, "step": 5, "p/0": 6, "p/1/in": 7, "8": 9}
    assert flatten([1, [2]]) == {"0": 1, "1/0": 2}
    assert flatten({}) == {}


def test_flat_names_stay() -> None:
    flat = {"a/b": np.zeros(2), "": 1, "a": "text", "c": b"bytes", "d": np.array([1, 2])}
    named = flatten(flat)
    assert list(named) == list(flat)
    assert all(named[name] is flat[name] for name in flat)
    assert named is not flat
    assert flatten(MappingProxyType(flat)) == named


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a": {"b": 1}, "a/b": 2}, r"\['a'\]\['b'\] and \['a/b'\] both come to the name 'a/b'"),
        ({"a/b": 2, "a": {"b": 1}}, r"\['a/b'\] and \['a'\]\['b'\]"),
        ({1: 1, "1": 2}, r"\[1\] and \['1'\]"),
        ({"a": [1, {"x": 2}], "a/1": {"x": 3}}, r"\['a'\]\[1\]\['x'\] and \['a/1'\]\['x'\]"),
        ({True: 1}, "the key True under '' is a bool"),
        ({"a": {2.5: 1}}, "the key 2.5 under 'a/' is a float"),
        ({"a": {None: 1}}, "NoneType"),
        (np.zeros(3), "expected a dict, list or tuple of arrays, found ndarray"),
        ("text", "found str"),
    ],
)
def test_refused(tree: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        flatten(tree)


def test_tree_that_holds_itself() -> None:
    tree: dict[str, Any] = {"a": 1}
    tree["again"] = [tree]
    with pytest.raises(InvalidArgumentError, match="does it hold itself"):
        flatten(tree)


def test_structure_comes_back() -> None:
    like = OrderedDict(a=[0, (0, Point(0, 0))], b=defaultdict(list, c=0), d=MappingProxyType({"e": 0}), f=())
    names = flatten(like)
    tree = unflatten(like, {name: name for name in names} | {"unasked": 1})
    assert tree == OrderedDict(a=["a/0", ("a/1/0", Point("a/1/1/0", "a/1/1/1"))], b={"c": "b/c"}, d={"e": "d/e"}, f=())
    assert type(tree) is OrderedDict
    assert type(tree["a"][1][1]) is Point
    assert type(tree["b"]) is defaultdict
    assert tree["b"].default_factory is list
    assert like["b"]["c"] == 0


def test_all_missing_names_in_one_error() -> None:
    like = {"net": {"kernel": 0, "bias": 0, **{f"x{i}": 0 for i in range(20)}}, "step": 0}
    with pytest.raises(MismatchError) as caught:
        unflatten(like, {"step": 1, "net/kernels": 2})
    text = str(caught.value)
    assert "22 names" in text
    assert "'net/kernel'; did you mean 'net/kernels'?" in text
    assert "'net/bias'" in text
    assert text.endswith("and 12 more")


_TREES = st.recursive(
    st.integers(),
    lambda node: st.lists(node, max_size=3) | st.tuples(node, node) | st.dictionaries(st.text("abc", min_size=1, max_size=3), node, max_size=3),
    max_leaves=20,
).filter(lambda tree: not isinstance(tree, int))


@given(_TREES)
@settings(max_examples=100)
def test_round_trip(tree: Any) -> None:
    assert unflatten(tree, flatten(tree)) == tree


def test_flat_dict_is_quick() -> None:
    arrays = dict.fromkeys((f"layer_{i}/kernel" for i in range(20_000)), np.float32(1))
    calls: list[str] = []
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        flatten(arrays)
    finally:
        sys.setprofile(None)
    assert calls.count("call") < 200  # none of Python for each array: 1 ms where it was measured, of which a recursion made 20
