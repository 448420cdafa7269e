"""Variables that take their first values from an older model's checkpoint (`tf.train.warm_start`)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from gpersist.graph import GraphKeys, get_default_graph
from gpersist.ops.variable import Variable
from gpersist.train import checkpoint_state
from gpersist.train.checkpoint_reader import newest
from gpersist.train.checkpoint_utils import init_from_checkpoint
from gpersist.train.saveable import op_list_to_dict
from gpersist.train.session_values import object_names
from gpersist.train.vocabularies import init_by_words

__all__ = ["warm_start"]

_LOG = logging.getLogger("gpersist")


def warm_start(
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: Any = ".*",
    var_name_to_vocab_info: Mapping[str, Any] | None = None,
    var_name_to_prev_var_name: Mapping[str, str] | None = None,
) -> None:
    """Has variables' initializers read their values from a checkpoint.

    Args:
        ckpt_to_initialize_from: prefix of a checkpoint, or a folder, which means its newest.
        vars_to_warm_start: a regular expression for names of trainable variables, None for those in `var_name_to_vocab_info` only; a list of such
            for all global variables, or of variables.
        var_name_to_vocab_info: `VocabInfo`s of variables whose rows or columns belong to words.
        var_name_to_prev_var_name: the names that variables have in the checkpoint, where they are others.

    Raises:
        ValueError: a list of neither, a name of no variable that is meant, or the checkpoint lacks a tensor or has it in another shape.
    """
    _LOG.info("Warm-starting from: %s", ckpt_to_initialize_from)
    grouped = _grouped(vars_to_warm_start)
    renamed = dict(var_name_to_prev_var_name or _names_of_objects(ckpt_to_initialize_from, grouped))
    vocabularies = dict(var_name_to_vocab_info or {})
    pending: dict[str, Any] = {}
    count = 0
    for name, parts in grouped.items():
        old = renamed.get(name) or name
        if name in vocabularies:
            init_by_words(parts, vocabularies[name], str(newest(ckpt_to_initialize_from)), old)
            count += 1
            continue
        if not vars_to_warm_start:
            continue
        if len(parts) > 1:
            op_list_to_dict(parts)  # refuses what is no part, or one twice
        count += 1
        if old in pending:  # one tensor for two variables
            init_from_checkpoint(ckpt_to_initialize_from, pending)
            pending = {}
        pending[old] = parts[0] if len(parts) == 1 else parts
    if pending:
        init_from_checkpoint(ckpt_to_initialize_from, pending)
    _LOG.info("Warm-started %d variables.", count)
    unused = set(renamed) - set(grouped)
    if unused:
        raise ValueError(
            f"You provided the following variables in var_name_to_prev_var_name that were not used: {unused}.  Perhaps you misspelled them?  "
            f"Here is the list of viable variable names: {grouped.keys()}"
        )
    unused = set(vocabularies) - set(grouped)
    if unused:
        raise ValueError(
            f"You provided the following variables in var_name_to_vocab_info that were not used: {unused}.  Perhaps you misspelled them?  "
            f"Here is the list of viable variable names: {grouped.keys()}"
        )


def _names_of_objects(checkpoint: Any, names: Iterable[str]) -> dict[str, str]:
    """The names that a checkpoint of objects has for variables; empty for any other checkpoint.

    Raises:
        ValueError: it lacks some.
    """
    path = newest(checkpoint)
    keys = object_names(path) if path is not None and checkpoint_state.checkpoint_exists(path) else None
    if keys is None:
        return {}
    if missing := set(names) - keys.keys():
        raise ValueError(
            "Attempting to warm-start from an object-based checkpoint, but found that the checkpoint did not contain values for all variables. The "
            f"following variables were missing: {missing}"
        )
    return {name: keys[name] for name in names}


def _grouped(wanted: Any) -> dict[str, list[Any]]:
    """The variables that are meant, by name; the parts of one together."""
    graph = get_default_graph()
    if wanted is None or isinstance(wanted, str):
        _LOG.info("Warm-starting variables only in TRAINABLE_VARIABLES.")
        variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, wanted)
    elif not isinstance(wanted, list):
        raise ValueError(f"`vars_to_warm_start must be a `list` or `str`.  Given type is {type(wanted)}")
    elif all(isinstance(each, str) for each in wanted):
        variables = [variable for each in wanted for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, each)]
    elif all(isinstance(each, Variable) for each in wanted):
        variables = wanted
    else:
        types = [type(each) for each in wanted]
        raise ValueError(f"If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given types are {types}")
    found: dict[str, list[Any]] = {}
    for variable in variables:
        (name,) = op_list_to_dict([variable])
        found.setdefault(name, []).append(variable)
    return found
