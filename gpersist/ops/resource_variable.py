"""Resource variables: `tf.Variable(..., use_resource=True)`, what TensorFlow 2 makes.

A resource variable `w` is five nodes: `w/Initializer/initial_value`, `w` (VarHandleOp), `w/IsInitialized/VarIsInitializedOp`, `w/Assign`
(AssignVariableOp), `w/Read/ReadVariableOp`; reading it adds a ReadVariableOp each time. What assigning to one gives is an `UnreadVariable`: the same
variable, read after the assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, convert_to_tensor, name_scope, strip_name_scope
from gpersist.ops import variables
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.initialized_value import safe_initial_value
from gpersist.ops.synchronization import settled
from gpersist.ops.variable import Variable, register_kind
from gpersist.shapes import TensorShape, as_shape

__all__ = ["ResourceVariable"]


class ResourceVariable(Variable):
    """A resource variable."""

    _dtype: DType
    _shape: TensorShape
    _caching_device: Any = None

    def _build(self, graph: Graph, initial_value: Any, dtype: Any, validate_shape: bool, caching_device: Any, name: str | None, shape: Any) -> None:
        with name_scope(name, "Variable", [] if callable(initial_value) else [initial_value]) as scope:
            handle_name = scope[:-1]
            group = b"loc:@" + handle_name.encode()
            with graph._attr_scope({"_class": [group]}):
                with graph.name_scope("Initializer"), graph.device(None):
                    value = initial_value() if callable(initial_value) else initial_value
                    initial = convert_to_tensor(value, dtype, "initial_value")
                if shape is not None and not initial.shape.is_compatible_with(shape):
                    raise ValueError(
                        f"In this `tf.Variable` creation, the initial value's shape ({initial.shape}) is not compatible with the explicitly supplied "
                        f"`shape` argument ({shape})."
                    )
                self._initial = initial
                self._dtype = initial.dtype.base_dtype
                self._shape = initial.shape if shape is None else as_shape(shape)
                handle = variables.var_handle_op(self._dtype, self._shape, shared_name=handle_name, name=scope)
            self._variable = handle
            with graph.name_scope("IsInitialized"):
                apply("VarIsInitializedOp", handle)
            with graph.name_scope("Assign") as assign_scope, graph.colocate_with(None, ignore_existing=True), graph.device(handle.device):
                safe = safe_initial_value(graph, initial, handle_name)
                self._initializer_op = variables.assign_variable(handle, safe, name=assign_scope)
            with graph.name_scope("Read"):
                with graph.device(handle.device):
                    self._snapshot = self._read()
                if caching_device is not None:
                    with graph.colocate_with(None, ignore_existing=True), graph.device(caching_device):
                        self._cached = apply("Identity", self._snapshot)
            self._caching_device = caching_device

    def _init_from_proto(self, variable_def: protos.VariableDef, import_scope: str | None) -> None:
        super()._init_from_proto(variable_def, import_scope)
        self._dtype = self._variable.op.attr("dtype")
        self._shape = self._variable.op.attr("shape")
        snapshot = self._snapshot
        if snapshot.op.type != "ReadVariableOp":
            self._cached = snapshot
            while snapshot.op.type != "ReadVariableOp":
                snapshot = snapshot.op.inputs[0]
            self._snapshot = snapshot

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
        """Its value as a tensor, read anew, or where it is cached the cached one."""
        if self._cached is not None:
            return self._cached
        with self.graph.colocate_with(None, ignore_existing=True):
            return self._read()

    def read_value(self) -> Tensor:
        """Its value as a tensor, read anew."""
        with name_scope("Read"):
            value = self._read()
        return apply("Identity", value)

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether it has a value, as a tensor."""
        return apply("VarIsInitializedOp", self._variable, name=name)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Rows of it, without reading the rest."""
        with name_scope(name or "Gather") as scope:
            return apply("ResourceGather", self._variable, indices, dtype=self._dtype, name=scope)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Elements, or slices, of it by several indices each, without reading the rest."""
        with name_scope(name or "GatherNd") as scope:
            value = apply("ResourceGatherNd", self._variable, indices, dtype=self._dtype, name=scope)
        return apply("Identity", value)

    def count_up_to(self, limit: int) -> Tensor:
        """Its value, which is one more afterwards; raises OutOfRangeError when run at the limit."""
        return apply("ResourceCountUpTo", self._variable, limit=limit, T=self._dtype)

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of its shape."""
        self._shape = self._shape.merge_with(shape)

    def to_proto(self, export_scope: str | None = None) -> protos.VariableDef | None:
        """The message that names its nodes; None for a variable outside of the scope that is exported."""
        message = super().to_proto(export_scope)
        if message is not None:
            message.is_resource = True
            if self._cached is not None:
                message.snapshot_name = strip_name_scope(self._cached.name, export_scope)
        return message

    def assign(self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value; the result is the variable, read afterwards, or with `read_value=False` the operation.

        Raises:
            ValueError: the value has another shape.
        """
        tensor = convert_to_tensor(value, self._dtype)
        if not self._shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"Cannot assign value to variable ' {self.name}': Shape mismatch.The variable shape {self._shape}, and the assigned value shape "
                f"{tensor.shape} are incompatible."
            )
        return self._updated(variables.assign_variable(self._variable, tensor, name=name), read_value)

    def assign_add(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it; see `assign`."""
        return self._updated(self._arithmetic("AssignAddVariableOp", delta, name), read_value)

    def assign_sub(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it; see `assign`."""
        return self._updated(self._arithmetic("AssignSubVariableOp", delta, name), read_value)

    def numpy(self) -> NoReturn:
        """Of TensorFlow 2's eager mode only.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("numpy() is only available when eager execution is enabled.")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self.numpy()

    def _arithmetic(self, op_type: str, delta: Any, name: str | None) -> Operation:
        with self._after_cached():
            return apply_op(op_type, self._variable, convert_to_tensor(delta, self._dtype), name=name)

    @contextmanager
    def _after_cached(self) -> Iterator[None]:
        """What changes a cached variable waits until its value was cached."""
        with self.graph.control_dependencies([] if self._cached is None else [self._cached]):
            yield

    def _scatter_rows(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> UnreadVariable:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta}")
        values = convert_to_tensor(sparse_delta.values, self._dtype)
        return self._lazy_read(apply_op(f"ResourceScatter{kind}", self._variable, sparse_delta.indices, values, name=name))

    def _scatter_elements(self, kind: str, indices: Any, updates: Any, name: str | None) -> UnreadVariable:
        return self._lazy_read(apply_op(f"ResourceScatterNd{kind}", self._variable, indices, convert_to_tensor(updates, self._dtype), name=name))

    def _as_graph_element(self) -> Tensor:
        return self._snapshot

    def _as_tensor(self, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Tensor:
        if dtype is not None and not dtype.is_compatible_with(self._dtype):
            raise ValueError(
                f"Incompatible type conversion requested to type {dtype.name} for `tf.Variable of type {self._dtype.name}. (Variable: {self})"
            )
        return self._variable if as_ref else self.value()

    def _updated(self, op: Operation, read_value: bool) -> Any:
        return self._lazy_read(op) if read_value else op

    def _lazy_read(self, op: Operation) -> UnreadVariable:
        """The variable as it is after an operation."""
        return UnreadVariable(self, op)

    def _read(self) -> Tensor:
        graph = self._variable.graph
        if self._caching_device is None:
            return self._read_here()
        with graph.colocate_with(None, ignore_existing=True), graph.device(self._caching_device):
            return self._read_here()

    def _read_here(self) -> Tensor:
        return apply("ReadVariableOp", self._variable, dtype=self._dtype)

    def __bool__(self) -> bool:
        return bool(self.read_value())

    def __iadd__(self, other: Any) -> NoReturn:
        _refuse("variable += value", "variable.assign_add(value)", "variable + value")

    def __isub__(self, other: Any) -> NoReturn:
        _refuse("variable -= value", "variable.assign_sub(value)", "variable - value")

    def __imul__(self, other: Any) -> NoReturn:
        _refuse("var *= value", "var.assign(var * value)", "var * value")

    def __itruediv__(self, other: Any) -> NoReturn:
        _refuse("var /= value", "var.assign(var / value)", "var / value")

    def __ipow__(self, other: Any) -> NoReturn:
        _refuse("var **= value", "var.assign(var ** value)", "var ** value")


class UnreadVariable(ResourceVariable):
    """A resource variable as it is after an operation that changes it: whatever reads it, or changes it again, waits for that.

    Its name and its `op` are the operation's.
    """

    def __init__(self, variable: ResourceVariable, parent_op: Operation) -> None:
        self._synchronization, self._aggregation, self._trainable = settled(None, None, None, None)
        self._constraint = self._save_slice_info = self._initial = self._cached = None
        self._variable, self._dtype, self._shape = variable._variable, variable._dtype, variable._shape
        self._parent_op = parent_op
        self._snapshot = self._read_here()

    @property
    def name(self) -> str:
        """The operation's name."""
        return self._parent_op.name

    @property
    def op(self) -> Operation:
        """The operation."""
        return self._parent_op

    @property
    def initializer(self) -> None:  # type: ignore[override]  # it is the variable after an operation, not a variable of its own
        """None."""
        return None

    def value(self) -> Tensor:
        """The value afterwards, read anew."""
        return self._read_here()

    def read_value(self) -> Tensor:
        """The value afterwards, read anew."""
        return self._read_here()

    def assign(self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value afterwards; see `ResourceVariable.assign`."""
        with self.graph.control_dependencies([self._parent_op]):
            return super().assign(value, use_locking, name, read_value)

    def to_proto(self, export_scope: str | None = None) -> protos.VariableDef | None:
        """There is none.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{self!r} is a variable after an operation and has no VariableDef; the variable itself has one")

    def assign_add(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it afterwards; see `assign`."""
        with self.graph.control_dependencies([self._parent_op]):
            return super().assign_add(delta, use_locking, name, read_value)

    def assign_sub(self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it afterwards; see `assign`."""
        with self.graph.control_dependencies([self._parent_op]):
            return super().assign_sub(delta, use_locking, name, read_value)

    def _as_operation(self) -> Operation:
        return self._parent_op

    def _scatter_rows(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> UnreadVariable:
        with self.graph.control_dependencies([self._parent_op]):
            return super()._scatter_rows(kind, sparse_delta, use_locking, name)

    def _scatter_elements(self, kind: str, indices: Any, updates: Any, name: str | None) -> UnreadVariable:
        with self.graph.control_dependencies([self._parent_op]):
            return super()._scatter_elements(kind, indices, updates, name)

    def _read_here(self) -> Tensor:
        with self.graph.control_dependencies([self._parent_op]):
            return super()._read_here()


def _refuse(statement: str, change: str, result: str) -> NoReturn:
    raise RuntimeError(
        f"`{statement}` with `tf.Variable`s is not supported. Use `{change}` to modify the variable, or `out = {result}` if you need to get a new "
        "output Tensor."
    )


register_kind("resource", ResourceVariable)
