"""Resource variables: `tf.Variable(..., use_resource=True)`, what TensorFlow 2 makes.

A resource variable `w` is five nodes: `w/Initializer/initial_value`, `w` (VarHandleOp), `w/IsInitialized/VarIsInitializedOp`, `w/Assign`
(AssignVariableOp), `w/Read/ReadVariableOp`; reading it adds a ReadVariableOp each time.
"""

from __future__ import annotations

from typing import Any

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import variables
from gpersist.ops.array import identity
from gpersist.ops.initialized_value import safe_initial_value
from gpersist.ops.variable import Variable, register_kind, with_scope
from gpersist.shapes import TensorShape, as_shape


class ResourceVariable(Variable):
    """A resource variable."""

    _dtype: DType
    _shape: TensorShape
    _is_initialized: Tensor

    def _build(self, graph: Graph, initial_value: Any, dtype: Any, validate_shape: bool, caching_device: Any, name: str | None, shape: Any) -> None:
        with name_scope(name, "Variable", [] if callable(initial_value) else [initial_value]) as scope:
            handle_name = scope[:-1]
            group = b"loc:@" + handle_name.encode()
            with graph._attr_scope({"_class": [group]}), graph.name_scope("Initializer"), graph.device(None):
                value = initial_value() if callable(initial_value) else initial_value
                initial = convert_to_tensor(value, dtype, "initial_value")
            if validate_shape and not initial.shape.is_fully_defined() and shape is None:
                raise ValueError(f"initial_value must have a shape specified: {initial}")
            self._initial = initial
            self._dtype = initial.dtype.base_dtype
            self._shape = as_shape(shape) if shape is not None else initial.shape if validate_shape else TensorShape(None)
            with graph._attr_scope({"_class": [group]}):
                handle = variables.var_handle_op(self._dtype, self._shape, shared_name=handle_name, name=scope)
            self._variable = handle
            with graph.name_scope("IsInitialized"):
                self._is_initialized = apply("VarIsInitializedOp", handle)
            with graph.name_scope("Assign") as assign_scope, graph.colocate_with(None, ignore_existing=True), graph.device(handle.device):
                safe = safe_initial_value(graph, initial, handle_name)
                self._initializer_op = variables.assign_variable(handle, safe, name=assign_scope)
            with graph.name_scope("Read"), graph.device(handle.device):
                value = self._read()
            self._snapshot = value
            if caching_device is not None:
                with graph.device(caching_device):
                    self._cached = identity(value)

    def _init_from_proto(self, variable_def: protos.VariableDef, import_scope: str | None) -> None:
        super()._init_from_proto(variable_def, import_scope)
        self._dtype = self._variable.op.attr("dtype")
        self._shape = self._variable.op.attr("shape")
        graph = get_default_graph()
        checks = [op for op in self._variable.consumers() if op.type == "VarIsInitializedOp"]
        name = f"{with_scope(variable_def.variable_name, import_scope).partition(':')[0]}/IsInitialized/"
        with graph.name_scope(name):
            self._is_initialized = checks[0].outputs[0] if checks else apply("VarIsInitializedOp", self._variable)

    @property
    def handle(self) -> Tensor:
        """The resource."""
        return self._variable

    @property
    def dtype(self) -> DType:
        """Its element type."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of its shape."""
        return self._shape

    @property
    def create(self) -> Operation:
        """The operation that gives it its first value."""
        return self._initializer_op

    def value(self) -> Tensor:
        """Its value as a tensor, read anew."""
        if self._cached is not None:
            return self._cached
        with self.graph.colocate_with(None, ignore_existing=True), self.graph.device(self.device):
            return self._read()

    def read_value(self) -> Tensor:
        """Its value as a tensor, read anew."""
        with name_scope("Read"):
            value = self._read()
        return identity(value)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether it has a value, as a tensor."""
        return apply("VarIsInitializedOp", self._variable, name=name)

    def eval(self, session: Any = None) -> Any:
        """Its value, computed in a session: the given one, or the default one."""
        return self._snapshot.eval(session=session)

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of its shape."""
        self._shape = self._shape.merge_with(shape)

    def to_proto(self, export_scope: str | None = None) -> protos.VariableDef | None:
        """The message that names its nodes; None for a variable outside of the scope that is exported."""
        message = super().to_proto(export_scope)
        if message is not None:
            message.is_resource = True
        return message

    def assign(self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value; the result is the new value, or with `read_value=False` the operation.

        Raises:
            ValueError: the value has another shape.
        """
        tensor = convert_to_tensor(value, self._dtype)
        if not self._shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch.The variable shape {self._shape}, and the assigned value shape "
                f"{tensor.shape} are incompatible."
            )
        return self._updated(variables.assign_variable(self._variable, tensor, name=name), read_value)

    def assign_add(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it; see `assign`."""
        tensor = convert_to_tensor(delta, self._dtype)
        return self._updated(apply_op("AssignAddVariableOp", self._variable, tensor, name=name), read_value)

    def assign_sub(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it; see `assign`."""
        tensor = convert_to_tensor(delta, self._dtype)
        return self._updated(apply_op("AssignSubVariableOp", self._variable, tensor, name=name), read_value)

    def _as_graph_element(self) -> Tensor:
        return self._snapshot if self._cached is None else self._cached

    def _updated(self, op: Operation, read_value: bool) -> Any:
        if not read_value:
            return op
        with self.graph.control_dependencies([op]):
            return self._read()

    def _read(self) -> Tensor:
        value = apply("ReadVariableOp", self._variable, dtype=self._dtype)
        value.set_shape(self._shape)
        return value


register_kind("resource", ResourceVariable)
