"""The methods of variables that change some of their rows or elements."""

from __future__ import annotations

from typing import Any

from gpersist.ops.state import batch_scatter_update


class ScatterMethods:
    """`v.scatter_add(...)` and its like, for both kinds of variables. Each gives the variable: its reference, or what reads it afterwards.

    `sparse_delta` is an `IndexedSlices`: indices, and the rows for them. `scatter_nd_*` take indices of several dimensions, and the elements.
    """

    def _scatter_rows(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        """Adds the operation for rows.

        Raises:
            TypeError: `sparse_delta` is no IndexedSlices.
        """
        raise NotImplementedError

    def _scatter_elements(self, kind: str, indices: Any, updates: Any, name: str | None) -> Any:
        """Adds the operation for elements."""
        raise NotImplementedError

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Gives rows new values."""
        return self._scatter_rows("Update", sparse_delta, use_locking, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Adds to rows."""
        return self._scatter_rows("Add", sparse_delta, use_locking, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtracts from rows."""
        return self._scatter_rows("Sub", sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Multiplies rows."""
        return self._scatter_rows("Mul", sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Divides rows."""
        return self._scatter_rows("Div", sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Keeps the lesser of rows and new values."""
        return self._scatter_rows("Min", sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Keeps the greater of rows and new values."""
        return self._scatter_rows("Max", sparse_delta, use_locking, name)

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Gives elements new values, batch by batch; see `tf.batch_scatter_update`."""
        return batch_scatter_update(self, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Gives elements new values."""
        return self._scatter_elements("Update", indices, updates, name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Adds to elements."""
        return self._scatter_elements("Add", indices, updates, name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Subtracts from elements."""
        return self._scatter_elements("Sub", indices, updates, name)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Keeps the lesser of elements and new values."""
        return self._scatter_elements("Min", indices, updates, name)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Keeps the greater of elements and new values."""
        return self._scatter_elements("Max", indices, updates, name)
