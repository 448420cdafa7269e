"""`name_scope` as builders use it: a name, a default, and the values whose graph it is in."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from gpersist.graph.resolve import graph_of


class name_scope:  # noqa: N801  # TensorFlow's name
    """A context manager that puts a prefix before the names of what is made within (`tf.name_scope`); gives the prefix.

    Args:
        name: the scope's; None for `default_name`. One that ends in a slash is taken as it is; an empty one leaves all scopes.
        default_name: for callers that were given no name.
        values: tensors, whose graph becomes the default one.

    Raises:
        ValueError: neither name is given though `values` are, or it is not valid.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None) -> None:
        if default_name is not None and not isinstance(default_name, str):
            raise TypeError(f"`default_name` type ({type(default_name).__name__}) is not a string type. You likely meant to pass this into `values`.")
        self._name = default_name if name is None else name
        self._has_values = values is not None
        self._values = values or ()
        self._entered = ExitStack()

    @property
    def name(self) -> str | None:
        """The name that it was given, or the default."""
        return self._name

    def __enter__(self) -> str:
        if self._name is None and self._has_values:
            raise ValueError(f"At least one of name ({self._name}) and default_name ({None}) must be provided.")
        graph = graph_of(tuple(self._values))
        with ExitStack() as stack:
            stack.enter_context(graph.as_default())
            scope = stack.enter_context(graph.name_scope(self._name))
            self._entered = stack.pop_all()
        return scope

    def __exit__(self, *error: Any) -> None:
        self._entered.__exit__(*error)
