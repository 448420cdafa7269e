"""Functions of Python's that datasets call, as functions of the graph's library."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from gpersist import protos
from gpersist.graph import Tensor
from gpersist.ops import dataset_structure as structure
from gpersist.ops.function_graph import trace

__all__: list[str] = []


class Called(NamedTuple):
    """A function for the elements of a dataset.

    Attributes:
        function: what calls it.
        captured: tensors of the graph around that it takes besides.
        output_spec: a nest of specs of what it gives.
    """

    function: protos.NameAttrList
    captured: list[Tensor]
    output_spec: Any


def called(what: str, function: Callable[..., Any], spec: Any, wrap: Callable[[Tensor, Any], Any], *, spreads: bool = True) -> Called:
    """Makes a function of a function of Python's.

    Args:
        what: calls it: "Dataset_map".
        function: gets an element, a tuple as several arguments; gives a nest of tensors, or a dataset.
        spec: of the elements.
        wrap: makes a dataset of a variant and the spec of its elements.
        spreads: whether a tuple comes as several arguments.
    """

    def make(*tensors: Tensor) -> tuple[Any, list[Tensor]]:
        leaves = [
            wrap(tensor, leaf.element_spec) if isinstance(leaf, structure.DatasetSpec) else structure.value_of(leaf, tensor)
            for tensor, leaf in zip(tensors, structure.flatten(spec), strict=True)
        ]
        element = structure.pack(spec, leaves)
        value = function(*element) if spreads and type(element) is tuple else function(element)
        value = () if value is None else tuple(value) if isinstance(value, list) else value
        variants = [leaf._variant_tensor if hasattr(leaf, "_variant_tensor") else leaf for leaf in structure.flatten(value)]
        found = structure.normalized(tuple(variants), "component")
        specs = [
            structure.DatasetSpec(leaf.element_spec) if hasattr(leaf, "_variant_tensor") else structure.spec_of(made)
            for leaf, made in zip(structure.flatten(value), found, strict=True)
        ]
        return structure.pack(value, specs), structure.tensors_of(found)

    named = function.func if isinstance(function, functools.partial) else function
    name = getattr(named, "__name__", type(named).__name__)
    made = trace(f"{what}_{name}", make, structure.types(spec), structure.shapes(spec), marks=("_tf_data_function",))
    return Called(made.function, made.captured, made.value)
