"""Waiting for checkpoints, and variables whose first values come from one."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gpersist.graph import get_default_graph
from gpersist.ops.get_variable import default_store
from gpersist.ops.save import restore_v2
from gpersist.ops.variable import Variable
from gpersist.train import checkpoint_state
from gpersist.train.checkpoint_reader import load_checkpoint, newest
from gpersist.train.saveable import op_list_to_dict, saveable_objects_for_op

__all__ = ["checkpoints_iterator", "init_from_checkpoint"]

_LOG = logging.getLogger("gpersist")


def checkpoints_iterator(
    checkpoint_dir: str,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Gives a folder's newest checkpoint, again and again as new ones come (`tf.train.checkpoints_iterator`).

    Args:
        checkpoint_dir: the folder, which need not be there yet.
        min_interval_secs: at least so many seconds lie between two.
        timeout: how many seconds to wait for one; None for ever.
        timeout_fn: called when that time is over, and after each one; once it gives true, no more come. By default, the first timeout is the end.
    """
    path: str | None = None
    while True:
        found = _wait_for_new(checkpoint_dir, path, timeout)
        if found:
            started = time.time()
            path = found
            yield path
            time.sleep(max(0.0, started + min_interval_secs - time.time()))
        elif timeout_fn is None:
            _LOG.info("Timed-out waiting for a checkpoint (without timeout_fn).")
            return
        if timeout_fn is not None and timeout_fn():
            _LOG.info("Done. No new checkpoints will be generated.")
            return


def init_from_checkpoint(ckpt_dir_or_file: str | os.PathLike[str], assignment_map: Any) -> None:
    """Has variables' initializers read their values from a checkpoint (`tf.train.init_from_checkpoint`).

    Args:
        ckpt_dir_or_file: prefix of a checkpoint, or a folder, which means its newest.
        assignment_map: from names in the checkpoint to variables, lists of parts, or names of variables made by `get_variable`; from a scope in the
            checkpoint (`"old/"`, or `"/"` for the root) to a scope of these (`"new/"`). A dict, or pairs.

    Raises:
        ValueError: the checkpoint lacks a tensor or has it in another shape, or a scope is mapped to no scope.
    """
    path = newest(ckpt_dir_or_file)
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    assert path is not None  # else nothing would have been loaded
    pairs: Iterable[tuple[str, Any]] = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
    store: Mapping[str, Any] = default_store().variables
    for name, target in sorted(pairs, key=lambda pair: pair[0]):
        variable = _found(target, store)
        if variable is None:
            _init_scope(path, ckpt_dir_or_file, name, target, shapes, store)
            continue
        if name not in shapes:
            raise ValueError(f"Tensor {name} is not found in {ckpt_dir_or_file!s} checkpoint {shapes}")
        if isinstance(variable, Variable) and not variable.get_shape().is_compatible_with(shapes[name]):
            raise ValueError(
                f"Shape of variable {variable.name} ({variable.get_shape()}) doesn't match with shape of tensor {name} ({shapes[name]}) from "
                "checkpoint reader."
            )
        _init(variable, path, name)


def _init_scope(path: str, given: Any, name: str, target: str, shapes: Mapping[str, Any], store: Mapping[str, Any]) -> None:
    """Initialises all variables of a scope."""
    if not isinstance(target, str):
        raise TypeError(f"expected a variable, a list of a variable's parts, or a name, for {name!r}; found {target!r}")
    scope = target.rpartition("/")[0]
    if not name.endswith("/"):
        raise ValueError(f"Assignment map with scope only name {scope} should map to scope only {name}. Should be 'scope/': 'other_scope/'.")
    members = {found.partition("/part_")[0] for found in store if not scope or found.startswith(scope + "/")}
    for member in sorted(members):
        rest = member[len(scope) :] if target == "/" else member[len(scope) + 1 :] if scope else member[1:]
        full = (rest if name == "/" else name + rest).removesuffix("/")
        if full not in shapes:
            raise ValueError(f"Tensor {full} ({member[len(scope) + 1 :]} in {name}) is not found in {given!s} checkpoint")
        _init(_found(member, store), path, full)


def _found(target: Any, store: Mapping[str, Any]) -> Any:
    """The variable, or the list of parts, that is meant; None for a name that is none's."""
    if isinstance(target, Variable) or (isinstance(target, list) and all(isinstance(part, Variable) for part in target)):
        return target
    if target in store:
        return store[target]
    parts: list[Any] = []
    while f"{target}/part_{len(parts)}" in store:
        parts.append(store[f"{target}/part_{len(parts)}"])
    return parts or None


def _init(variable: Any, path: str, name: str) -> None:
    if isinstance(variable, Variable):
        _init_one(variable, path, name, "")
        return
    wholes = {part._get_save_slice_info().full_name for part in variable}
    if len(wholes) > 1:
        raise ValueError(f"Slices must all be from the same tensor: {' != '.join(sorted(wholes))}")
    for part in variable:
        _init_one(part, path, name, part._get_save_slice_info().spec)


def _init_one(variable: Variable, path: str, name: str, part: str) -> None:
    graph = get_default_graph()
    with graph.device(variable.device), graph.device("/cpu:0"):
        value = restore_v2(path, [name], [part], [variable.dtype.base_dtype], name="checkpoint_initializer")[0]
        give_initial_value(variable, value)


def give_initial_value(variable: Variable, value: Any) -> None:
    """Has a variable's initializer give it this value."""
    graph = get_default_graph()
    with graph.device(variable.device), graph.device("/cpu:0"):
        ((key, kept),) = op_list_to_dict([variable]).items()
        (saveable,) = saveable_objects_for_op(kept, key)
    made = saveable.restore([value], None)
    variable._initializer_op = getattr(made, "op", made)
    value.set_shape(variable.shape)
    variable._initial = value


def _wait_for_new(folder: str, last: str | None, timeout: float | None) -> str | None:
    _LOG.info("Waiting for new checkpoint at %s", folder)
    stop = None if timeout is None else time.time() + timeout
    while True:
        path = checkpoint_state.latest_checkpoint(folder)
        if path is not None and path != last:
            _LOG.info("Found new checkpoint at %s", path)
            return path
        if stop is not None and time.time() + 1 > stop:
            return None
        time.sleep(1)
