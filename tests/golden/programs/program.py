"""What the programs of this folder have in common.

A program (a case) is a function that gets the module `tf` (`tensorflow.compat.v1`) and a new graph, and gives something that JSON can hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    """Enters a program under its module's name and its own."""
    CASES[f"{function.__module__.removesuffix('_cases')}: {function.__name__}"] = function
    return function


def nodes(tf: Any) -> list[Any]:
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items()}
        attrs.pop("_has_manual_control_dependencies", None)
        found.append([node.name, node.op, list(node.input), attrs])
    return found


def plain(value: Any) -> Any:
    """A result of a session: the type, the shape and the elements of an array."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    array = np.asarray(value)
    flat = (array.astype(np.float64) if array.dtype.name == "bfloat16" else array).reshape(-1)
    return [str(array.dtype), list(array.shape), [_item(item) for item in flat.tolist()]]


def _item(item: Any) -> Any:
    if isinstance(item, bytes):
        return item.decode("utf-8", "backslashreplace")
    return item if isinstance(item, (int, float, bool)) else str(item)


def failure(do: Any) -> Any:
    try:
        do()
    except Exception as error:
        return {"error": [found.__name__ for found in type(error).__mro__]}
    return "nothing raised"


def runs(tf: Any, fetches: Any, count: int = 3) -> list[Any]:
    with tf.Session() as session:
        return [plain(session.run(fetches)) for _ in range(count)]


def told(tf: Any, do: Any) -> Any:
    """What an error says, without where TensorFlow says that it happened."""
    try:
        do()
    except Exception as error:
        text = getattr(error, "message", str(error)).split("\n\t [[{{node")[0]
        return [type(error).__name__, text.split("\nNode: ")[-1].partition("\n")[2] if "\nNode: " in text else text]
    return "nothing raised"
