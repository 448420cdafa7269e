"""What a Saver saves: objects with a list of tensors and names each, made of variables, of slices of them, or written by a user.

Source: TensorFlow `saveable_object.py`, `saveable_object_util.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gpersist.devices import DeviceSpec
from gpersist.graph import Operation, Tensor, convert_to_tensor
from gpersist.ops.array import identity, reshape
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.variable import Variable
from gpersist.ops.variables import assign, assign_variable

_REFERENCES = frozenset({"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"})
_VARIABLES = _REFERENCES | {"ReadVariableOp"}


class SaveSpec:
    """A tensor to save, and under what name.

    Args:
        tensor: the tensor, or a function that makes it.
        slice_spec: which slice of what it is, `"10 2 0,5:0,2"`; empty for a whole tensor.
        name: in the checkpoint.
        dtype: element type, where `tensor` is a function.
        device: where it comes from and goes to; by default the tensor's.

    Raises:
        AssertionError: a function without dtype and device.
    """

    def __init__(self, tensor: Any, slice_spec: str, name: str, dtype: Any = None, device: str | None = None) -> None:
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name
        if callable(tensor):
            if dtype is None or device is None:
                raise AssertionError("When passing a callable `tensor` to a SaveSpec, an explicit dtype and device must be provided.")
            self.dtype, self.device = dtype, device
        else:
            self.dtype = tensor.dtype
            self.device = tensor.device if device is None else device

    @property
    def tensor(self) -> Any:
        """The tensor, made now if it was given as a function."""
        return self._tensor() if callable(self._tensor) else self._tensor


class SaveableObject:
    """What is saved, and restored, as one.

    Args:
        op: what it stands for: no two objects of a Saver may have the same.
        specs: its tensors, all on one device.
        name: its name.
    """

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = specs
        self.name = name

    @property
    def device(self) -> str:
        """The device of its tensors."""
        return self.specs[0].device

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        """Makes the operation that takes back what was read.

        Args:
            restored_tensors: one a spec.
            restored_shapes: the shapes to bring them into, or None.
        """
        raise ValueError("Calling an abstract method.")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable, or a slice of one."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        super().__init__(var, [SaveSpec(var, slice_spec, name, dtype=var.dtype)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        """Makes the assignment; see `SaveableObject.restore`."""
        (tensor,) = restored_tensors
        if restored_shapes is not None:
            tensor = reshape(tensor, restored_shapes[0])
        is_checked = restored_shapes is None and self.op.get_shape().is_fully_defined()
        return assign(self.op, tensor, validate_shape=is_checked)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable, given as itself or by a tensor that reads it."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        self._device = var.device
        self._shape = var.shape
        if isinstance(var, Tensor):
            self.handle_op = var.op.inputs[0]
            tensor: Any = var
        elif isinstance(var, ResourceVariable):
            self.handle_op = var.handle
            tensor = _reader(var)
        else:
            raise ValueError(f"Saveable is neither a resource variable nor a read operation. Got: {var!r}")
        super().__init__(var, [SaveSpec(tensor, slice_spec, name, dtype=var.dtype, device=var.device)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Operation:
        """Makes the assignment; see `SaveableObject.restore`."""
        (tensor,) = restored_tensors
        if restored_shapes is not None:
            tensor = reshape(tensor, restored_shapes[0])
        with tensor.graph.device(self._device):
            tensor = identity(tensor)
            if not self._shape.is_compatible_with(tensor.shape):
                raise ValueError(
                    f"Received incompatible tensor with shape {tensor.shape} when attempting to restore variable with shape {self._shape} and name "
                    f"{self.name}."
                )
            return assign_variable(self.handle_op, tensor)


def op_list_to_dict(op_list: Any, convert_variable_to_tensor: bool = True) -> dict[str, Any]:
    """Variables of a list by the names that they are saved under; slices of one tensor together.

    Raises:
        TypeError: it is no list, tuple or set, or something in it no variable.
        ValueError: two have one name.
    """
    if not isinstance(op_list, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list. Got {op_list}")
    found: dict[str, Any] = {}
    for var in sorted(_flat(op_list), key=lambda item: item.name):
        if isinstance(var, SaveableObject):
            found[var.name] = var
        elif isinstance(var, PartitionedVariable):
            if var.name in found:
                raise ValueError(f"At least two variables have the same name: {var.name}")
            found[var.name] = var
        elif isinstance(var, Variable) and var._get_save_slice_info():
            name = _slice_info(var).full_name
            if not isinstance(found.setdefault(name, []), list):
                raise ValueError(f"Mixing slices and non-slices with the same name: {name}")
            found[name].append(var)
        else:
            kept = var
            if convert_variable_to_tensor:
                kept = _tensor_of(var)
                if not _is_of_variable(kept):
                    raise TypeError(f"Variable to save is not a Variable: {kept}")
            op = kept.op
            name = op.inputs[0].op.name if op.type == "ReadVariableOp" else op.name
            if name in found:
                raise ValueError(f"At least two variables have the same name: {name}")
            found[name] = kept
    return found


def saveable_objects_for_op(op: Any, name: Any) -> Iterator[SaveableObject]:
    """The objects that save a variable, a list of slices, or an object.

    Raises:
        TypeError: the name is no text, or there is no variable.
        ValueError: the slices are not those of one tensor.
    """
    if not isinstance(name, str):
        raise TypeError(f"names_to_saveables must be a dict mapping string names to trackable operations. Name is not a string: {name}")
    if isinstance(op, SaveableObject):
        yield op
    elif isinstance(op, (list, tuple, PartitionedVariable)):
        yield from _slices(op, name)
    else:
        variable = _tensor_of(op)
        if not _is_of_variable(variable):
            raise TypeError(f"names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable: {variable}")
        if variable.dtype.is_ref:
            yield ReferenceVariableSaveable(variable, "", name)
        else:
            yield ResourceVariableSaveable(variable, "", name)


def validate_and_slice_inputs(names_to_saveables: Mapping[Any, Any]) -> list[SaveableObject]:
    """The objects of a dict, in the order of its names.

    Raises:
        TypeError, ValueError: see `saveable_objects_for_op`.
        ValueError: one is there under two names.
    """
    saveables: list[SaveableObject] = []
    seen: set[int] = set()
    for name in sorted(names_to_saveables):
        for saveable in saveable_objects_for_op(names_to_saveables[name], name):
            if saveable.op is not None and id(saveable.op) in seen:
                raise ValueError(f"The same saveable will be restored with two names: {saveable.name}")
            saveables.append(saveable)
            seen.add(id(saveable.op))
    return saveables


def set_cpu0(device: str) -> str:
    """A device string with the first CPU in the place of its device."""
    return DeviceSpec.from_string(device).replace(device_type="CPU", device_index=0).to_string()


def _slices(parts: Any, name: str) -> Iterator[SaveableObject]:
    whole: str | None = None
    for variable in parts:
        if isinstance(variable, SaveableObject):
            yield variable
            continue
        if not isinstance(variable, Variable):
            raise ValueError(f"Slices must all be Variables: {variable}")
        if not variable._get_save_slice_info():
            raise ValueError(f"Slices must all be slices: {variable}")
        info = _slice_info(variable)
        if whole is None:
            whole = info.full_name
        elif whole != info.full_name:
            raise ValueError(f"Slices must all be from the same tensor: {whole} != {info.full_name}")
        kind: Callable[..., SaveableObject] = ResourceVariableSaveable if isinstance(variable, ResourceVariable) else ReferenceVariableSaveable
        yield kind(variable, info.spec, name)


def _reader(var: ResourceVariable) -> Callable[[], Tensor]:
    def read() -> Tensor:
        with var.graph.device(var.device):
            value = var.read_value()
            with var.graph.device("/device:CPU:0"):
                return identity(value)

    return read


def _slice_info(var: Any) -> Any:
    return var._get_save_slice_info()


def _tensor_of(var: Any) -> Tensor:
    """What is saved for a variable: its reference, or the tensor that reads it."""
    if isinstance(var, ResourceVariable):
        return var._as_graph_element()
    return convert_to_tensor(var, as_ref=True)


def _is_of_variable(tensor: Tensor) -> bool:
    return tensor.op.type in _VARIABLES


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple, set)):
            yield from _flat(value)
        elif isinstance(value, Mapping):
            yield from _flat([value[key] for key in sorted(value)])
        else:
            yield value
