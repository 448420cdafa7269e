"""gpersist.ops.ragged_dispatch; what the functions give is held against TensorFlow's in tests/golden/specs."""

from __future__ import annotations

import importlib
import inspect

import pytest

import gpersist.compat.v1 as tf
from gpersist.ops import ragged_dispatch
from gpersist.ops.activations import relu
from gpersist.ops.math import reduce_sum


def test_every_name_of_the_tables_is_there() -> None:
    for module, name in ragged_dispatch._handlers():
        assert callable(getattr(importlib.import_module(module), name)), (module, name)


def test_functions_for_ragged_tensors_take_the_same_arguments() -> None:
    for (module, room), names in ragged_dispatch._OWN.items():
        for name in names.split():
            theirs, ours = (inspect.signature(getattr(importlib.import_module(place), name)).parameters for place in (module, room))
            others = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in ours.values())
            assert others or list(theirs) == list(ours), name


def test_one_function_at_all_its_places_that_says_what_it_is() -> None:
    assert tf.reduce_sum is tf.math.reduce_sum
    assert inspect.signature(tf.reduce_sum) == inspect.signature(reduce_sum)
    assert tf.nn.relu.__doc__ == relu.__doc__


def test_functions_of_two_ragged_tensors_of_other_rows() -> None:
    one, other = tf.ragged.constant([[1, 2], [3]]), tf.ragged.constant([[[1], [2]], [[3]]])
    with pytest.raises(ValueError, match="1, 2 levels of rows"):
        tf.add(one, other)
    with pytest.raises(ValueError, match="expected no higher rank"):
        one.__add__([[[1]]])
