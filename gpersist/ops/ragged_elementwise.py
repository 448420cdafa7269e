"""Functions of single elements, of ragged tensors: their innermost values go through, their rows stay."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from gpersist.ops.ragged_places import aligned
from gpersist.ops.ragged_tensor import RaggedTensor

__all__: list[str] = []


def applied(function: Callable[..., Any], places: Sequence[int], args: Sequence[Any], keywords: dict[str, Any]) -> RaggedTensor:
    """What a function makes of its arguments, of which those at some places may be ragged, or be a list that holds ragged ones.

    Raises:
        ValueError: two ragged tensors have other levels of rows.
    """
    bound = inspect.signature(function).bind(*args, **keywords)
    parameters = list(bound.signature.parameters)
    names = [parameters[place] for place in places]
    given = [bound.arguments[name] for name in names if name in bound.arguments]
    is_list = len(given) == 1 and isinstance(given[0], (list, tuple))
    rows, flat = aligned(given[0] if is_list else given)
    if is_list:
        bound.arguments[names[0]] = flat
    else:
        bound.arguments.update(zip((name for name in names if name in bound.arguments), flat, strict=True))
    return rows.with_flat_values(function(*bound.args, **bound.kwargs))
