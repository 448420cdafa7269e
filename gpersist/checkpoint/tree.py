"""Nested dicts, lists and tuples of arrays, and the flat names that a checkpoint has for them.

    {"net": {"w": x, "b": [y, z]}}  <->  {"net/w": x, "net/b/0": y, "net/b/1": z}

Inner nodes are mappings, lists and tuples (named ones by position, like all); everything else is a leaf and is not looked into. A flat dict of
names keeps its names, which may have slashes of their own.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from gpersist.bundle import nearest
from gpersist.errors import InvalidArgumentError, MismatchError

_NODES = (dict, list, tuple, Mapping)
_MAX_DEPTH = 100
_MAX_TOLD = 10


def flatten(tree: Any) -> dict[str, Any]:
    """Names a tree's leaves.

    Args:
        tree: a mapping, list or tuple. Keys are strings or ints.

    Returns:
        A new dict, in the tree's order. Empty nodes leave nothing in it.

    Raises:
        InvalidArgumentError: the tree is itself a leaf, a key is of another type, two leaves come to one name, or nodes are nested deeper than 100
            (one holds itself, perhaps).
    """
    if not isinstance(tree, _NODES):
        raise InvalidArgumentError(
            f"expected a dict, list or tuple of arrays, found {type(tree).__name__}; give a single array a name: {{'x': array}}"
        )
    if isinstance(tree, Mapping) and set(map(type, tree)) == {str}:
        flat = dict(tree)
        if not any(issubclass(kind, _NODES) for kind in set(map(type, flat.values()))):
            return flat
    flat = {}
    _fill(flat, tree, tree, "", _MAX_DEPTH)
    return flat


def unflatten(like: Any, flat: Mapping[str, Any]) -> Any:
    """Builds a tree of `like`'s structure with other leaves.

    Args:
        like: a tree as `flatten` takes it; its own leaves are not used.
        flat: leaves by name; those that `like` has no place for are left out.

    Returns:
        A new tree: dicts, lists and tuples of `like`'s own types (other mappings become dicts), sharing no node with `like`.

    Raises:
        MismatchError: names that `flat` lacks, all of them counted and the first ten told with the nearest names there are.
        InvalidArgumentError: as `flatten` raises.
    """
    names = flatten(like)
    missing = [name for name in names if name not in flat]
    if missing:
        raise MismatchError(_tell_missing(missing, [name for name in flat if name not in names]))
    return _rebuild(like, iter([flat[name] for name in names]))


def replace_leaves(tree: Any, values: Mapping[str, Any]) -> None:
    """Puts other leaves, by name, into the dicts and lists of a tree."""
    for name, node, key in _places(tree, ""):
        if name in values:
            node[key] = values[name]


def fixed_leaves(tree: Any, names: Collection[str]) -> dict[str, str]:
    """Of some leaves, those that `replace_leaves` could not put elsewhere, and the type of node that each is in."""
    places = _places(tree, "") if names else ()
    return {name: type(node).__name__ for name, node, _ in places if name in names and not isinstance(node, (MutableMapping, list))}


def _places(node: Any, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    """Each leaf's name, the node that it is in, and its key there."""
    for key, child in _children(node):
        if isinstance(child, _NODES):
            yield from _places(child, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", node, key


def _fill(flat: dict[str, Any], tree: Any, node: Any, prefix: str, depth: int) -> None:
    if not depth:
        raise InvalidArgumentError(f"{prefix[:40]!r}... is nested deeper than {_MAX_DEPTH}; does it hold itself?")
    for key, child in _children(node):
        name = prefix + (key if type(key) is str else _check_key(key, prefix))
        if isinstance(child, _NODES):
            _fill(flat, tree, child, name + "/", depth - 1)
        elif name in flat:
            first, second = itertools.islice((path for path, other in _paths(tree, "", "") if other == name), 2)
            raise InvalidArgumentError(f"{first} and {second} both come to the name {name!r}; rename one of them")
        else:
            flat[name] = child


def _children(node: Any) -> Iterable[tuple[Any, Any]]:
    return node.items() if isinstance(node, Mapping) else enumerate(node)


def _check_key(key: Any, prefix: str) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, bool) or not hasattr(key, "__index__"):
        raise InvalidArgumentError(f"the key {key!r} under {prefix!r} is a {type(key).__name__}; expected a string or an int")
    return str(int(key))


def _paths(node: Any, path: str, name: str) -> Iterator[tuple[str, str]]:
    """Each leaf as Python reaches it, `['a'][0]`, and its name."""
    for key, child in _children(node):
        where = f"{path}[{key!r}]", f"{name}{key}"
        if isinstance(child, _NODES):
            yield from _paths(child, where[0], where[1] + "/")
        else:
            yield where


def _rebuild(node: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(node, Mapping):
        pairs = {key: _rebuild(child, leaves) for key, child in node.items()}
        if type(node) is dict or not isinstance(node, dict):
            return pairs
        result = copy.copy(node)  # an OrderedDict, or a defaultdict with its factory
        result.update(pairs)
        return result
    if isinstance(node, (list, tuple)):
        items = [_rebuild(child, leaves) for child in node]
        if type(node) is list:
            return items
        make = getattr(type(node), "_make", type(node))  # a namedtuple takes its items one by one
        return make(items)
    return next(leaves)


def _tell_missing(missing: list[str], others: list[str]) -> str:
    lines = [f"  {name!r}{nearest(name, others)}" for name in missing[:_MAX_TOLD]]
    if len(missing) > _MAX_TOLD:
        lines.append(f"  and {len(missing) - _MAX_TOLD} more")
    return "\n".join([f"{len(missing)} names that the structure asks for are not there ({len(others)} others are):", *lines])
