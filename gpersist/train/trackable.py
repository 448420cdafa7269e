"""Objects that know which others they have, and under which names: what `tf.train.Checkpoint` saves is reached along these.

An `AutoTrackable` tracks what is assigned to its attributes. Lists, dicts and tuples become kinds of these that track what they hold: under
`"0"`, `"1"`, ..., or under their keys.

Source: TensorFlow `autotrackable.py`, `data_structures.py`.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from gpersist.graph import get_default_graph
from gpersist.ops.layers import Layer
from gpersist.ops.variable import Variable
from gpersist.train.optimizer import Optimizer

_OF_ALL_LAYERS = frozenset(vars(Layer()))
"""Attributes for a layer's own use."""

_UNTRACKED = "wrap it in a non-trackable object; it will be subsequently ignored."


class NoDependency:
    """Says, of a value that is assigned to an attribute, that it is not tracked.

    Args:
        value: what the attribute becomes.
    """

    def __init__(self, value: Any) -> None:
        self.value = value


class _Tracking:
    """What has others under names, in `_tracked`."""

    @property
    def _tracked(self) -> dict[str, Any]:
        found: dict[str, Any] = self.__dict__.setdefault("_trackable_children", {})
        return found

    def _children(self) -> Mapping[str, Any]:
        return self._tracked

    def _track(self, name: str, value: Any) -> Any:
        """Takes up a value under a name, if it can be tracked; gives what is to be kept as the value."""
        if isinstance(value, NoDependency):
            return value.value
        value = _wrapped(value)
        if is_trackable(value):
            self._tracked[name] = value
        return value


class AutoTrackable(_Tracking):
    """An object that tracks what is assigned to its attributes."""

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, self._track(name, value))

    def __delattr__(self, name: str) -> None:
        self._tracked.pop(name, None)
        object.__delattr__(self, name)


class ListWrapper(_Tracking, list[Any]):
    """A list that tracks what it holds. It can be saved as long as nothing that it tracks has been moved, and it has been changed by itself only.

    Args:
        values: the list that it takes the place of.
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self._is_rearranged = False
        self._source, self._snapshot = values, list(values)
        self.extend(values)

    def append(self, value: Any) -> None:
        """Adds an element."""
        super().append(self._track(str(len(self)), value))

    def extend(self, values: Iterable[Any]) -> None:
        """Adds elements."""
        for value in values:
            self.append(value)

    def __iadd__(self, values: Iterable[Any]) -> ListWrapper:  # type: ignore[misc]  # a list's own gives itself, too
        self.extend(values)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._rearrange()
            super().__setitem__(key, [_wrapped(each) for each in value])
            return
        self._is_rearranged |= is_trackable(self[key])
        super().__setitem__(key, self._track(str(key), value))

    def __delitem__(self, key: Any) -> None:
        self._rearrange()
        super().__delitem__(key)

    def insert(self, index: Any, value: Any) -> None:
        """Puts an element before others."""
        self._is_rearranged = True
        super().insert(index, value)

    def pop(self, *index: Any) -> Any:
        """Takes an element away."""
        self._rearrange()
        return super().pop(*index)

    def remove(self, value: Any) -> None:
        """Takes the first element that equals a value away."""
        self._rearrange()
        super().remove(value)

    def clear(self) -> None:
        """Takes all elements away."""
        self._rearrange()
        super().clear()

    def reverse(self) -> None:
        """Turns the order round."""
        self._rearrange()
        super().reverse()

    def sort(self, **options: Any) -> None:
        """Sorts the elements."""
        self._rearrange()
        super().sort(**options)

    def copy(self) -> ListWrapper:
        """Another one of the same elements."""
        return ListWrapper(list(self))

    def __repr__(self) -> str:
        return f"ListWrapper({super().__repr__()})"

    def _rearrange(self) -> None:
        self._is_rearranged |= any(map(is_trackable, self))

    def _children(self) -> Mapping[str, Any]:
        if self._is_rearranged:
            raise ValueError(
                f"Unable to save the object {self} (a list wrapper constructed to track trackable TensorFlow objects). A list element was replaced "
                "(__setitem__, __setslice__), deleted (__delitem__, __delslice__), or moved (sort). In order to support restoration on object "
                f"creation, tracking is exclusively for append-only data structures.\n\nIf you don't need this list checkpointed, {_UNTRACKED}"
            )
        if not _are_same(self._source, self._snapshot):
            raise ValueError(
                f"Unable to save the object {self} (a list wrapper constructed to track trackable TensorFlow objects). The wrapped list was modified "
                f"outside the wrapper (its final value was {self._source}, its value when a checkpoint dependency was added was None), which breaks "
                f"restoration on object creation.\n\nIf you don't need this list checkpointed, {_UNTRACKED}"
            )
        return self._tracked


class _DictWrapper(_Tracking, dict[Any, Any]):
    """A dict that tracks what it holds under keys that are texts."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        super().__init__()
        self._has_other_keys = self._is_changed = False
        self._source, self._snapshot = values, dict(values)
        self.update(values)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, str):
            value = self._track(key, value)
        else:
            is_tracked = not isinstance(value, NoDependency)
            value = _wrapped(value) if is_tracked else value.value
            self._has_other_keys |= is_tracked and is_trackable(value)
        super().__setitem__(key, value)

    def update(self, *values: Any, **named: Any) -> None:
        """Takes over the keys and values of another dict, or of pairs."""
        for key, value in dict(*values, **named).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value of a key; one that is put there is not tracked."""
        self._is_changed |= key not in self
        return super().setdefault(key, default)

    def pop(self, *key: Any) -> Any:
        """Takes a key and its value away."""
        self._is_changed = True
        return super().pop(*key)

    def popitem(self) -> Any:
        """Takes the last key and its value away."""
        self._is_changed = True
        return super().popitem()

    def clear(self) -> None:
        """Takes all keys away."""
        self._is_changed = True
        super().clear()

    def copy(self) -> _DictWrapper:
        """Another one of the same keys and values."""
        return _DictWrapper(dict(self))

    def __repr__(self) -> str:
        return f"DictWrapper({super().__repr__()})"

    def __str__(self) -> str:
        return super().__repr__()

    def _children(self) -> Mapping[str, Any]:
        what = f"Unable to save the object {self} (a dictionary wrapper constructed automatically on attribute assignment). The wrapped dictionary "
        if self._has_other_keys:
            raise ValueError(
                f"{what}contains a non-string key which maps to a trackable object or mutable data structure.\n\n"
                f"If you don't need this dictionary checkpointed, {_UNTRACKED}"
            )
        is_foreign = list(self._source) != list(self._snapshot) or not _are_same(self._source.values(), self._snapshot.values())
        if self._is_changed or is_foreign:
            raise ValueError(
                f"{what}was modified outside the wrapper (its final value was {self._source if is_foreign else self}, its value when a checkpoint "
                "dependency was added was None), which breaks restoration on object creation.\n\n"
                f"If you don't need this dictionary checkpointed, {_UNTRACKED}"
            )
        return self._tracked


class _TupleWrapper(_Tracking):
    """A tuple, named or not, that tracks what it holds."""

    def __repr__(self) -> str:
        return f"_TupleWrapper({self})"

    def __str__(self) -> str:
        return tuple.__repr__(self)  # its classes are tuples, too


def is_trackable(value: Any) -> bool:
    """Whether an object can be part of a `tf.train.Checkpoint`."""
    return isinstance(value, (_Tracking, Variable, Optimizer, Layer))


def children_of(value: Any) -> Mapping[str, Any]:
    """What a trackable object has, by name; an optimizer its variables in the default graph that are no slots.

    Raises:
        ValueError: a list or dict cannot be saved any more.
    """
    if isinstance(value, _Tracking):
        return value._children()
    if isinstance(value, Optimizer):
        graph = get_default_graph()
        return {name: variable for (name, owner), variable in sorted(value._non_slots.items(), key=lambda item: item[0][0]) if owner is graph}
    if isinstance(value, Layer):
        return _children_of_layer(value)
    return {}


def _children_of_layer(layer: Layer) -> dict[str, Any]:
    """Its variables by the names that it made them with, and what its attributes hold; cells of a cell as `cell-0`, `cell-1`, ..."""
    found: dict[str, Any] = {}
    scope = getattr(layer._scope, "name", "")
    for name, child in vars(layer).items():
        if name in _OF_ALL_LAYERS:
            continue
        child = _wrapped(child)
        if isinstance(child, Variable):
            found[child.op.name.removeprefix(f"{scope}/")] = child
        if is_trackable(child):
            found[name] = child
    cells = vars(layer).get("_cells", ())
    return found | {f"cell-{number}": cell for number, cell in enumerate(cells)}


def _wrapped(value: Any) -> Any:
    """A list, dict or tuple as one that tracks what it holds; anything else itself."""
    if type(value) is list:
        return ListWrapper(value)
    if type(value) in (dict, collections.OrderedDict):
        return _DictWrapper(value)
    if isinstance(value, tuple) and not isinstance(value, _TupleWrapper) and _holds_trackables(value):
        items = [_wrapped(each.value if isinstance(each, NoDependency) else each) for each in value]
        found = tuple.__new__(_tuple_class(type(value)), items)
        tracked = ((index, each) for index, each in enumerate(items) if not isinstance(value[index], NoDependency))
        found._tracked.update({str(index): each for index, each in tracked if is_trackable(each)})
        return found
    return value


def _holds_trackables(values: tuple[Any, ...]) -> bool:
    return any(
        isinstance(each, NoDependency)
        or is_trackable(each)
        or type(each) in (list, dict, collections.OrderedDict)
        or (isinstance(each, tuple) and _holds_trackables(each))
        for each in values
    )


def _are_same(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether two have the same objects in the same order."""
    return list(map(id, values)) == list(map(id, others))


@functools.cache
def _tuple_class(kind: type[tuple[Any, ...]]) -> Any:
    return type("_TupleWrapper", (_TupleWrapper, kind), {})
