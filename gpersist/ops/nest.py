"""Nests: lists, tuples, named tuples, dicts and attrs objects of anything (`tf.nest`). Dicts are taken in the order of their sorted keys.

With `expand_composites`, IndexedSlices, SparseTensors and RaggedTensors are taken apart into the tensors that they are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.sparse_tensor import SparseTensor

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(seq: Any) -> bool:
    """Whether something is a nest, and no leaf."""
    if isinstance(seq, (str, bytes)):
        return False
    return isinstance(seq, (Sequence, Mapping)) or _is_attrs(seq)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of a nest, in order; of a leaf, itself alone."""
    parts = _parts(structure, expand_composites)
    return [structure] if parts is None else [leaf for part in parts for leaf in flatten(part, expand_composites)]


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """A nest like another one, with these leaves.

    Raises:
        TypeError: what is to be packed is no sequence.
        ValueError: there are too few of them, or too many.
    """
    if not is_nested(flat_sequence):
        raise TypeError(
            f"Attempted to pack value:\n  {_cut(flat_sequence)}\ninto a structure, but found incompatible type `{type(flat_sequence)}` instead."
        )
    count = len(flatten(structure, expand_composites))
    if _parts(structure, expand_composites) is None and len(flat_sequence) != 1:
        raise ValueError(
            f"The target structure is of type `{type(structure)}`\n  {_cut(structure)}\nHowever the input is a sequence ({type(flat_sequence)}) of "
            f"length {len(flat_sequence)}.\n  {_cut(flat_sequence)}\nnest cannot guarantee that it is safe to map one to the other."
        )
    if len(flat_sequence) != count:
        raise ValueError(
            f"Could not pack sequence. Structure had {count} atoms, but flat_sequence had {len(flat_sequence)} items.  Structure: {structure}, "
            f"flat_sequence: {flat_sequence}."
        )
    return _packed(structure, iter(flat_sequence), expand_composites)


def map_structure(func: Callable[..., Any], *structure: Any, check_types: bool = True, expand_composites: bool = False) -> Any:
    """A nest of what a function makes of the leaves of one nest, or of several that are alike.

    Raises:
        TypeError: `func` is no function, or a nest is of another kind than the first.
        ValueError: there is no nest, or one has other keys or another length than the first.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=check_types, expand_composites=expand_composites)
    leaves = zip(*(flatten(nest, expand_composites) for nest in structure), strict=True)
    return pack_sequence_as(structure[0], [func(*row) for row in leaves], expand_composites)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Holds that two nests are alike.

    Raises:
        TypeError: they are of different kinds.
        ValueError: they have other keys or other lengths, or one has a nest where the other has a leaf.
    """
    found = _difference(nest1, nest2, check_types, expand_composites)
    if found is not None:
        kind, text = found
        dots = [str(map_structure(lambda _: _DOT, nest)) for nest in (nest1, nest2)]
        raise kind(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {_shown(nest1)}\n\nSecond structure: {_shown(nest2)}\n\n"
            f"More specifically: {text}\nEntire first structure:\n{dots[0]}\nEntire second structure:\n{dots[1]}"
        )


def _difference(first: Any, second: Any, checks_types: bool, expands: bool) -> tuple[type[Exception], str] | None:
    """What is different: the class of error, and words; None for nothing."""
    parts, others = _parts(first, expands), _parts(second, expands)
    if parts is None and others is None:
        return None
    if expands and _components(first) is not None and _components(second) is not None:
        if type(first) is type(second) and [part.dtype.base_dtype for part in parts or ()] == [part.dtype.base_dtype for part in others or ()]:
            return None
        return ValueError, f"Incompatible CompositeTensor TypeSpecs: {_shown(first)} vs. {_shown(second)}"
    if parts is None or others is None:
        nest, leaf = (second, first) if parts is None else (first, second)
        return ValueError, f'Substructure "{_shown(nest)}" is a sequence, while substructure "{_shown(leaf)}" is not'
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if set(first) != set(second):
            told = [f"{which} structure has keys {_shown(list(nest))}" for which, nest in (("First", first), ("second", second))]
            return ValueError, f"The two dictionaries don't have the same set of keys. {told[0]}, while {told[1]}"
    elif checks_types and type(first) is not type(second):
        told = [f"structure {_shown(nest)} has type {type(nest).__name__}" for nest in (first, second)]
        return TypeError, f"The two namedtuples don't have the same sequence type. First {told[0]}, while second {told[1]}"
    if len(parts) != len(others):
        return (
            ValueError,
            f"The two structures don't have the same number of elements. First structure: {_shown(first)}. Second structure: {_shown(second)}",
        )
    differences = (_difference(part, other, checks_types, expands) for part, other in zip(parts, others, strict=True))
    return next((found for found in differences if found is not None), None)


def _parts(structure: Any, expands: bool) -> Sequence[Any] | None:
    """What is directly in a nest; None for a leaf."""
    if isinstance(structure, Mapping):
        return [structure[key] for key in _sorted(structure)]
    if isinstance(structure, Sequence) and not isinstance(structure, (str, bytes)):
        return structure
    if _is_attrs(structure):
        return [getattr(structure, field.name) for field in structure.__attrs_attrs__]
    return _components(structure) if expands else None


def _components(structure: Any) -> list[Any] | None:
    """The tensors that a composite one is made of."""
    if isinstance(structure, IndexedSlices):
        return [part for part in (structure.values, structure.indices, structure.dense_shape) if part is not None]
    if isinstance(structure, SparseTensor):
        return [structure.indices, structure.values, structure.dense_shape]
    return structure._components() if hasattr(type(structure), "_components") else None  # RaggedTensors, which are made of nests


def _packed(structure: Any, leaves: Iterator[Any], expands: bool) -> Any:
    parts = _parts(structure, expands)
    if parts is None:
        return next(leaves)
    made = [_packed(part, leaves, expands) for part in parts]
    kind: Any = type(structure)
    if isinstance(structure, Mapping):
        by_key = dict(zip(_sorted(structure), made, strict=True))
        items = [(key, by_key[key]) for key in structure]
        return kind(structure.default_factory, items) if hasattr(structure, "default_factory") else kind(items)
    if hasattr(structure, "_fields") or isinstance(structure, (IndexedSlices, SparseTensor)):
        return kind(*made)
    if hasattr(kind, "_of_components"):
        return kind._of_components(made)
    if _is_attrs(structure):
        return kind(**{field.name: part for field, part in zip(structure.__attrs_attrs__, made, strict=True)})
    return made if kind is range else kind(made)


def _sorted(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def _is_attrs(structure: Any) -> bool:
    return hasattr(type(structure), "__attrs_attrs__")


class _Dot:
    def __repr__(self) -> str:
        return "."


_DOT = _Dot()


def _shown(structure: Any) -> str:
    return f"type={type(structure).__name__} str={structure}"


def _cut(value: Any) -> str:
    text = str(value)
    return text[:100] + (text[100:] and "...")
