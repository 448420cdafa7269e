"""`tf.Variable`: what both kinds of variables have in common, and reference variables, which TensorFlow 1 makes unless told otherwise.

A reference variable `v` is four nodes: `v` (VariableV2), `v/initial_value`, `v/Assign`, `v/read` (Identity).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias, cast

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import (
    Graph,
    GraphKeys,
    Operand,
    Operation,
    Tensor,
    convert_to_tensor,
    get_default_graph,
    get_default_session,
    graph_of,
    name_scope,
    register_tensor_conversion_function,
)
from gpersist.ops import variables
from gpersist.ops.array import identity
from gpersist.ops.initialized_value import initialized_value, safe_initial_value
from gpersist.shapes import ShapeLike, TensorShape, as_shape


class SaveSliceInfo:
    """Which part of a partitioned variable a variable is, as its `to_proto` tells it.

    Attributes:
        full_name: the name of the whole.
        full_shape: the shape of the whole.
        var_offset: where the part begins, in each dimension.
        var_shape: the part's shape.
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Sequence[int] | None = None,
        var_offset: Sequence[int] | None = None,
        var_shape: Sequence[int] | None = None,
        save_slice_info_def: protos.SaveSliceInfoDef | None = None,
        import_scope: str | None = None,
    ) -> None:
        if save_slice_info_def is not None:
            full_name = with_scope(save_slice_info_def.full_name, import_scope)
            full_shape, var_offset = list(save_slice_info_def.full_shape), list(save_slice_info_def.var_offset)
            var_shape = list(save_slice_info_def.var_shape)
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The part as Saver writes it: `"10 2 0,5:0,2"`, the whole's shape and for each dimension start and length."""
        shape = " ".join(str(size) for size in self.full_shape or ())
        parts = ":".join(f"{start},{size}" for start, size in zip(self.var_offset or (), self.var_shape or (), strict=True))
        return f"{shape} {parts}"

    def to_proto(self, export_scope: str | None = None) -> protos.SaveSliceInfoDef | None:
        """The message; None for a variable outside of the scope that is exported."""
        name = self.full_name or ""
        if export_scope is not None and not name.startswith(export_scope):
            return None
        return protos.SaveSliceInfoDef(
            full_name=without_scope(name, export_scope),
            full_shape=list(self.full_shape or ()),
            var_offset=list(self.var_offset or ()),
            var_shape=list(self.var_shape or ()),
        )


_SliceInfo: TypeAlias = SaveSliceInfo


class Variable(Operand):
    """A variable (`tf.Variable`): a value that lives in a session from run to run.

    `Variable(...)` makes a reference variable, or with `use_resource=True` a `ResourceVariable`; both are instances of it.

    Args:
        initial_value: its first value: what a tensor can be made of, or a function that gives it.
        trainable: whether it is among the trainable variables.
        collections: the collections that it is added to; `[GLOBAL_VARIABLES]` by default.
        validate_shape: whether its shape is that of the initial value, which then has to be known.
        caching_device: where its value is kept for those who read it.
        name: of the variable, made unique.
        variable_def: a message to make it from, of nodes that are there; all else is then left out.
        dtype: element type; by default the initial value's.
        expected_shape: for TensorFlow's sake.
        import_scope: the scope that `variable_def`'s nodes were imported into.
        constraint: a function that an optimizer applies after updates.
        use_resource: whether it is a resource variable.
        synchronization: for TensorFlow's sake.
        aggregation: for TensorFlow's sake.
        shape: its shape, where that is wider than the initial value's.

    Raises:
        ValueError: no initial value, or one whose shape is not known.
    """

    SaveSliceInfo: ClassVar[type] = SaveSliceInfo

    def __new__(cls, *args: Any, **kwargs: Any) -> Variable:
        """A variable of the kind that the caller wants."""
        if cls is not Variable:
            return super().__new__(cls)
        definition = kwargs.get("variable_def")
        is_resource = definition.is_resource if definition is not None else kwargs.get("use_resource")
        return super().__new__(_KINDS["resource" if is_resource else "reference"])

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Sequence[Any] | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: protos.VariableDef | None = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: ShapeLike = None,
    ) -> None:
        del expected_shape, use_resource
        self._constraint = constraint
        self._synchronization, self._aggregation = synchronization, aggregation
        self._save_slice_info: SaveSliceInfo | None = None
        self._initial: Tensor | None = None
        self._cached: Tensor | None = None
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._init_from_proto(variable_def, import_scope)
            return
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if collections is not None and not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                f"collections argument to Variable constructor must be a list, tuple, or set. Got {collections} of type {type(collections)}"
            )
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        self._trainable = trainable is not False
        keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
            keys.append(GraphKeys.TRAINABLE_VARIABLES)
        graph = get_default_graph() if callable(initial_value) else graph_of((initial_value,))
        with graph.as_default(), graph.control_dependencies(None):
            self._build(graph, initial_value, dtype, validate_shape, caching_device, name, shape)
            graph.add_to_collections(keys, self)

    # ---- what each kind does in its own way

    _variable: Tensor
    _initializer_op: Operation
    _snapshot: Tensor

    def _build(self, graph: Graph, initial_value: Any, dtype: Any, validate_shape: bool, caching_device: Any, name: str | None, shape: Any) -> None:
        """Makes the nodes."""
        raise NotImplementedError

    def _init_from_proto(self, variable_def: protos.VariableDef, import_scope: str | None) -> None:
        """Finds the nodes that a message names."""
        element = get_default_graph().as_graph_element
        self._variable = element(with_scope(variable_def.variable_name, import_scope))
        self._initializer_op = element(with_scope(variable_def.initializer_name, import_scope))
        self._snapshot = element(with_scope(variable_def.snapshot_name, import_scope))
        if variable_def.initial_value_name:
            self._initial = element(with_scope(variable_def.initial_value_name, import_scope))
        self._trainable = variable_def.trainable
        if variable_def.HasField("save_slice_info_def"):
            self._save_slice_info = SaveSliceInfo(save_slice_info_def=variable_def.save_slice_info_def, import_scope=import_scope)

    def value(self) -> Tensor:
        """Its value as a tensor: the one that is read once a run."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """Its value as a tensor, read when that tensor is computed."""
        raise NotImplementedError

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether it has a value, as a tensor."""
        raise NotImplementedError

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value; its result is the new value, or with `read_value=False` the operation."""
        raise NotImplementedError

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it; see `assign`."""
        raise NotImplementedError

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it; see `assign`."""
        raise NotImplementedError

    # ---- what both have

    @property
    def name(self) -> str:
        """The name of its tensor, `v:0`."""
        return self._variable.name

    @property
    def _shared_name(self) -> str:
        return self.name.partition(":")[0]

    @property
    def op(self) -> Operation:
        """Its node."""
        return self._variable.op

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self._variable.graph

    @property
    def device(self) -> str:
        """The device string of its node."""
        return self._variable.device

    @property
    def dtype(self) -> DType:
        """Its element type; a reference type for a reference variable."""
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of its shape."""
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        """What is known of its shape."""
        return self.shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Adds to what is known of its shape."""
        self._variable.set_shape(shape)
        self.value().set_shape(shape)

    @property
    def initializer(self) -> Operation:
        """The operation that gives it its first value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor | None:
        """Its first value, as a tensor; None where a message did not name it."""
        return self._initial

    def initialized_value(self) -> Tensor:
        """Its value if it has one, else its initial value: for another variable's initial value."""
        return initialized_value(self)

    @property
    def trainable(self) -> bool:
        """Whether it is among the trainable variables."""
        return self._trainable

    @property
    def constraint(self) -> Any:
        """The function that an optimizer applies after updates, or None."""
        return self._constraint

    @property
    def synchronization(self) -> Any:
        """What its maker said; for TensorFlow's sake."""
        return self._synchronization

    @property
    def aggregation(self) -> Any:
        """What its maker said; for TensorFlow's sake."""
        return self._aggregation

    def eval(self, session: Any = None) -> Any:
        """Its value, computed in a session: the given one, or the default one."""
        return self.value().eval(session=session)

    def load(self, value: Any, session: Any = None) -> None:
        """Gives it a value in a session, without adding operations to the graph.

        Raises:
            ValueError: there is no session.
        """
        session = session or get_default_session()
        if session is None:
            raise ValueError(
                "Either session argument should be provided or default session should be established: use `with sess.as_default()` or pass an "
                "explicit session to `load(value, session)`"
            )
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def to_proto(self, export_scope: str | None = None) -> protos.VariableDef | None:
        """The message that names its nodes; None for a variable outside of the scope that is exported."""
        if export_scope is not None and not self._variable.name.startswith(export_scope):
            return None
        message = protos.VariableDef(
            variable_name=without_scope(self._variable.name, export_scope),
            initializer_name=without_scope(self._initializer_op.name, export_scope),
            snapshot_name=without_scope(self._snapshot.name, export_scope),
            trainable=self._trainable,
        )
        if self._initial is not None:
            message.initial_value_name = without_scope(self._initial.name, export_scope)
        if self._save_slice_info is not None:
            part = self._save_slice_info.to_proto(export_scope)
            if part is not None:
                message.save_slice_info_def.CopyFrom(part)
        return message

    @staticmethod
    def from_proto(variable_def: protos.VariableDef, import_scope: str | None = None) -> Variable:
        """The variable whose nodes a message names, in the default graph."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    def _set_save_slice_info(self, info: _SliceInfo | None) -> None:
        self._save_slice_info = info

    def _get_save_slice_info(self) -> _SliceInfo | None:
        return self._save_slice_info

    def _apply(self, operator: str, *others: Any) -> Tensor:
        return self.value()._apply(operator, *others)

    def _as_graph_element(self) -> Tensor:
        """What is fetched for it."""
        return self._variable

    def _as_operation(self) -> Operation:
        """What it is among control inputs, and for colocation."""
        return self._variable.op

    def _as_tensor(self, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Tensor:
        """It as an operation's input."""
        if dtype is not None and not dtype.is_compatible_with(self.dtype):
            raise ValueError(f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{self.dtype.name}'")
        return self._variable if as_ref else self.value()

    def ref(self) -> Variable:
        """Itself: variables of a graph are hashable."""
        return self

    experimental_ref = ref

    def deref(self) -> Variable:
        """Itself; the way back from `ref`."""
        return self

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __copy__(self) -> Variable:
        return self


class RefVariable(Variable):
    """A reference variable."""

    def _build(self, graph: Graph, initial_value: Any, dtype: Any, validate_shape: bool, caching_device: Any, name: str | None, shape: Any) -> None:
        is_function = callable(initial_value)
        with name_scope(name, "Variable", [] if is_function else [initial_value]) as scope:
            if is_function:
                group = b"loc:@" + scope[:-1].encode()
                with graph._attr_scope({"_class": [group]}), graph.name_scope("Initializer"), graph.device(None):
                    initial = convert_to_tensor(initial_value(), dtype, "initial_value")
                own_group = [group]
            else:
                own_group = None
                initial = convert_to_tensor(initial_value, dtype, "initial_value")
            if validate_shape and not initial.shape.is_fully_defined():
                raise ValueError(f"initial_value must have a shape specified: {initial}")
            known = as_shape(shape) if shape is not None else initial.shape if validate_shape else TensorShape(None)
            self._initial = initial
            with graph._attr_scope({"_class": own_group}):
                self._variable = variables.variable_op_v2(known, initial.dtype, name=scope)
            safe = safe_initial_value(graph, initial, scope[:-1])
            with graph.colocate_with(self._variable.op):
                self._initializer_op = variables.assign(self._variable, safe, validate_shape=validate_shape).op
            with graph.device(caching_device) if caching_device is not None else graph.colocate_with(self._variable.op):
                self._snapshot = identity(self._variable, name="read")

    def read_value(self) -> Tensor:
        """Its value as a tensor, read when that tensor is computed."""
        return identity(self._variable, name="read")

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether it has a value, as a tensor."""
        return variables.is_variable_initialized(self._variable, name)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value; the result is the reference, or with `read_value=False` the operation."""
        return _result(variables.assign(self._variable, value, use_locking=use_locking, name=name), read_value)

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it; see `assign`."""
        return _result(variables.assign_add(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it; see `assign`."""
        return _result(variables.assign_sub(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def _ref(self) -> Tensor:
        return self._variable


_KINDS: dict[str, type[Variable]] = {"reference": RefVariable}
"""The classes that `Variable(...)` makes; `gpersist.ops.resource_variable` adds its own."""


def register_kind(kind: str, made: type[Variable]) -> None:
    """Says which class `Variable(...)` makes for a kind of variable."""
    _KINDS[kind] = made


def with_scope(name: str, scope: str | None) -> str:
    """A name within a scope that it was imported into; a `^` or `loc:@` before it stays there."""
    if not scope:
        return name
    for prefix in ("^", "loc:@"):
        if name.startswith(prefix):
            return f"{prefix}{scope.rstrip('/')}/{name[len(prefix) :]}"
    return f"{scope.rstrip('/')}/{name}"


def without_scope(name: str, scope: str | None) -> str:
    """A name outside of the scope that it is exported from; as it is, if it is not in it."""
    if not scope:
        return name
    for prefix in ("^", "loc:@", ""):
        head = f"{prefix}{scope.rstrip('/')}/"
        if name.startswith(head):
            return prefix + name[len(head) :]
    return name


def _result(tensor: Tensor, read_value: bool) -> Any:
    return tensor if read_value else tensor.op


def _as_input(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    return cast(Variable, value)._as_tensor(dtype, name, as_ref)


register_tensor_conversion_function(Variable, _as_input)
