"""`tf.Variable`: what both kinds of variables have in common; each kind has a module of its own."""

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
    Reference,
    Tensor,
    get_default_graph,
    get_default_session,
    graph_of,
    prepend_name_scope,
    register_tensor_conversion_function,
    strip_name_scope,
)
from gpersist.ops.indexing import getitem
from gpersist.ops.initialized_value import initialized_value
from gpersist.ops.save_slice_info import SaveSliceInfo
from gpersist.ops.scatter_methods import ScatterMethods
from gpersist.ops.synchronization import VariableAggregation, VariableSynchronization, settled
from gpersist.ops.variable_creation import creators_of, resource_variables_enabled
from gpersist.ops.variable_scope import get_variable_scope
from gpersist.shapes import ShapeLike, TensorShape

__all__ = ["Variable"]

_SliceInfo: TypeAlias = SaveSliceInfo


class _Kinds(type):
    """Makes `Variable(...)` a variable of the kind that the caller, the scope or the switch wants, with the say of variable creators."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Variable:
            return super().__call__(*args, **kwargs)
        arguments = _arguments(*args, **kwargs)
        make: Any = _made
        for creator in creators_of(get_default_graph()):
            make = _before(creator, make)
        return make(**arguments)


class Variable(Operand, ScatterMethods, metaclass=_Kinds):
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
        self._synchronization, self._aggregation, self._trainable = settled(synchronization, aggregation, trainable, name)
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
        self._variable = element(prepend_name_scope(variable_def.variable_name, import_scope))
        self._initializer_op = element(prepend_name_scope(variable_def.initializer_name, import_scope))
        self._snapshot = element(prepend_name_scope(variable_def.snapshot_name, import_scope))
        if variable_def.initial_value_name:
            self._initial = element(prepend_name_scope(variable_def.initial_value_name, import_scope))
        self._synchronization, self._aggregation, self._trainable = settled(
            variable_def.synchronization, variable_def.aggregation, variable_def.trainable, variable_def.variable_name
        )
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

    def count_up_to(self, limit: int) -> Tensor:
        """Its value, which is one more afterwards; raises OutOfRangeError when run at the limit."""
        raise NotImplementedError

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Rows of it; of resource variables only."""
        raise AttributeError(f"{type(self).__name__} has no sparse_read: use tf.gather")

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Elements of it; of resource variables only."""
        raise AttributeError(f"{type(self).__name__} has no gather_nd: use tf.gather_nd")

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
        value: Tensor = initialized_value(self)
        return value

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
        found: Any = self._as_graph_element().eval(session=session)
        return found

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
            variable_name=strip_name_scope(self._variable.name, export_scope),
            initializer_name=strip_name_scope(self._initializer_op.name, export_scope),
            snapshot_name=strip_name_scope(self._snapshot.name, export_scope),
            trainable=self._trainable,
            synchronization=self._synchronization.value,
            aggregation=self._aggregation.value,
        )
        if self._initial is not None:
            message.initial_value_name = strip_name_scope(self._initial.name, export_scope)
        if self._save_slice_info is not None:
            part = self._save_slice_info.to_proto(export_scope)
            if part is not None:
                message.save_slice_info_def.CopyFrom(part)
        return message

    @staticmethod
    def from_proto(variable_def: protos.VariableDef, import_scope: str | None = None) -> Variable:
        """The variable whose nodes a message names, in the default graph."""
        return _kind(is_resource=_checked(variable_def).is_resource)(variable_def=variable_def, import_scope=import_scope)

    def _set_save_slice_info(self, info: _SliceInfo | None) -> None:
        self._save_slice_info = info

    def _get_save_slice_info(self) -> _SliceInfo | None:
        return self._save_slice_info

    def _apply(self, operator: str, *others: Any) -> Tensor:
        return self.value()._apply(operator, *others)

    def __getitem__(self, item: Any) -> Tensor:
        return getitem(self.value(), item, self)

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

    def ref(self) -> Reference:
        """A key that stands for the variable in dictionaries and sets."""
        return Reference(self)

    experimental_ref = ref

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __iter__(self) -> Any:
        return iter(self.read_value())  # which refuses, as all tensors of a graph do

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __copy__(self) -> Variable:
        return self


_KINDS: dict[str, type[Variable]] = {}
"""The classes of both kinds; their modules add them."""


def register_kind(kind: str, made: type[Variable]) -> None:
    """Says which class `Variable(...)` makes for a kind of variable, `reference` or `resource`."""
    _KINDS[kind] = made


def _kind(*, is_resource: bool) -> type[Variable]:
    return _KINDS["resource" if is_resource else "reference"]


def _arguments(
    initial_value: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: Any = None,
    expected_shape: Any = None,
    import_scope: str | None = None,
    constraint: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
    shape: Any = None,
) -> dict[str, Any]:
    """The arguments of `Variable(...)` by name, as variable creators get them."""
    return locals()


def _checked(definition: Any) -> protos.VariableDef:
    if not isinstance(definition, protos.VariableDef):
        raise AssertionError(f"expected a VariableDef, found {definition!r}")
    return definition


def _before(creator: Any, make: Any) -> Any:
    return lambda **arguments: creator(make, **arguments)


def _made(**arguments: Any) -> Variable:
    """A variable of the kind that is wanted."""
    definition, is_resource = arguments.get("variable_def"), arguments.get("use_resource")
    if definition is not None:
        return _kind(is_resource=_checked(definition).is_resource)(**arguments)
    if is_resource is None:
        is_resource = get_variable_scope().use_resource
    if is_resource is None:
        is_resource = resource_variables_enabled()
    return _kind(is_resource=is_resource)(**arguments)


def _as_input(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    return cast(Variable, value)._as_tensor(dtype, name, as_ref)


register_tensor_conversion_function(Variable, _as_input)
