"""Variables cut into parts, each a variable of its own: `v/part_0`, `v/part_1`, ..., which may live on several devices and are saved as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpersist.dtypes import DType
from gpersist.graph import Tensor, apply, get_default_graph, name_scope, register_tensor_conversion_function
from gpersist.ops.array import concat, split
from gpersist.shapes import TensorShape, as_shape

__all__ = ["PartitionedVariable"]


class PartitionedVariable:
    """The parts of a variable, in order (`tf.get_variable` with a partitioner). As a tensor, it is their concatenation.

    Attributes:
        name: of the whole, without a number behind it.
        dtype: element type.
        shape: of the whole.
    """

    def __init__(self, name: str, shape: Any, dtype: DType, variable_list: Sequence[Any], partitions: Sequence[int]) -> None:
        """Made by `get_variable`.

        Raises:
            TypeError: `variable_list` or `partitions` is no list.
            ValueError: they don't go together.
        """
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(count >= 1 for count in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        infos = [variable._get_save_slice_info() for variable in variable_list]
        if any(info is None for info in infos):
            raise ValueError(f"All variables must have a save_slice_info available: {[variable.name for variable in variable_list]}")
        self.shape: TensorShape = as_shape(shape)
        if len(self.shape) != len(partitions):
            raise ValueError(f"len(shape) != len(partitions): {shape} vs. {partitions}")
        if any(list(info.full_shape) != self.shape.as_list() for info in infos):
            raise ValueError(f"All variables' full shapes must match shape: {shape}; but full shapes were: {[info.full_shape for info in infos]}")
        self.name = name
        self.dtype = dtype
        self._variables = sorted(variable_list, key=lambda variable: variable._get_save_slice_info().var_offset)
        self._partitions = partitions

    def get_shape(self) -> TensorShape:
        """The shape of the whole."""
        return self.shape

    def as_tensor(self) -> Tensor:
        """The whole as a tensor, concatenated anew."""
        with get_default_graph().control_dependencies(None):
            if len(self._variables) == 1:
                whole: Any = self._variables[0]
            else:
                with name_scope(f"{self.name}/ConcatPartitions/"):
                    whole = concat(self._variables, self._axis())
            with name_scope(None):
                return apply("Identity", whole, name=self.name)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> list[Any]:
        """Makes an operation for each part that gives it its part of a value.

        Args:
            value: of the whole's shape; or a list of values for the parts, or another partitioned variable.
            use_locking: for TensorFlow's sake.
            name: of each node, made unique.
            read_value: whether the results are the parts' new values, rather than operations.
        """
        return self._each(value, lambda part, its: part.assign(its, use_locking=use_locking, name=name, read_value=read_value))

    def assign_add(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> list[Any]:
        """Makes an operation for each part that adds to it; see `assign`."""
        return self._each(value, lambda part, its: part.assign_add(its, use_locking=use_locking, name=name, read_value=read_value))

    def assign_sub(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> list[Any]:
        """Makes an operation for each part that subtracts from it; see `assign`."""
        return self._each(value, lambda part, its: part.assign_sub(its, use_locking=use_locking, name=name, read_value=read_value))

    def _each(self, value: Any, change: Callable[[Any, Any], Any]) -> list[Any]:
        values: Any = value
        if isinstance(value, PartitionedVariable):
            values = list(value)
        elif not isinstance(value, list):
            axis = self._axis()
            values = split(value, [part.shape.as_list()[axis] for part in self._variables], axis=axis)
        elif len(value) != len(self._variables):
            raise AssertionError(f"{self.name} has {len(self._variables)} parts, the list has {len(value)} values: give one for each, or a tensor")
        return [change(part, its) for part, its in zip(self._variables, values, strict=True)]

    def _axis(self) -> int:
        """The axis that is cut."""
        return next((axis for axis, count in enumerate(self._partitions) if count > 1), 0)

    def _get_variable_list(self) -> list[Any]:
        return self._variables

    def _get_partitions(self) -> Sequence[int]:
        return self._partitions

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def _as_input(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    whole: PartitionedVariable = value
    if dtype is not None and not dtype.is_compatible_with(whole.dtype):
        raise ValueError(f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{whole.dtype.name}'")
    if as_ref:
        raise NotImplementedError("PartitionedVariable doesn't support being used as a reference.")
    return whole.as_tensor()


register_tensor_conversion_function(PartitionedVariable, _as_input)
