"""Graph: operations in the order in which they were made, their names, scopes and collections. TensorFlow 1's `tf.Graph`.

Building is not for two threads at once; a graph that is not being changed may be read, and run by sessions, from any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType, as_dtype, variant
from gpersist.errors import GPersistError
from gpersist.graph import defaults, registry
from gpersist.graph.graph_def import export
from gpersist.graph.graph_keys import Collections
from gpersist.graph.names import NameScopes, check_op_name
from gpersist.graph.op_type import OpType
from gpersist.graph.operation import Operation
from gpersist.graph.scopes import Scopes
from gpersist.graph.signature import Signature
from gpersist.graph.tensor import Tensor
from gpersist.shapes import TensorShape, in_brackets

PRODUCER = 134
"""The version that graphs made here carry: that of TensorFlow 1.15."""


class Graph(NameScopes, Scopes, Collections):
    """A graph of operations (`tf.Graph`).

    Attributes:
        seed: the graph-level seed of random operations, or None.
        versions: the message of producer and consumer versions, as exported.
    """

    def __init__(self) -> None:
        NameScopes.__init__(self)
        Scopes.__init__(self)
        Collections.__init__(self)
        self._nodes: list[Operation] = []
        self._nodes_by_name: dict[str, Operation] = {}
        self._mutations = 0  # counts what changes nodes that are there already; plans made before are then out of date
        self._finalized = False
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._container = ""
        self._library = protos.FunctionDefLibrary()
        self._own_functions: set[str] = set()  # those that the program has made, rather than loaded
        self.allowed_ops: set[str] = set()
        self._imported_op_defs: dict[str, protos.OpDef] = {}  # of operations, or attributes, that gpersist has not
        self.seed: int | None = None
        self._has_imported = False
        self._shape_version = PRODUCER  # the oldest version imported; shapes of old graphs are inferred by their rules
        self.versions = protos.VersionDef(producer=PRODUCER)

    # ---- what is in it

    @property
    def version(self) -> int:
        """A number that grows with each operation."""
        return len(self._nodes)

    @property
    def _last_id(self) -> int:
        return len(self._nodes)

    @property
    def finalized(self) -> bool:
        """Whether nothing can be added any more."""
        return self._finalized

    def finalize(self) -> None:
        """From now on nothing can be added."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def allow_ops(self, *types: str) -> None:
        """Lets operations of these types (`"ReadFile"`, `"PyFunc"`) touch any file, or call Python, though they were loaded.

        For models that you trust; not in TensorFlow, which allows everything. See `gpersist.graph.permissions`.
        """
        self.allowed_ops.update(types)

    @property
    def building_function(self) -> bool:
        """Whether this is the body of a function in the making, which a `Graph` never is."""
        return False

    def source_of(self, placeholder: Tensor) -> Tensor:
        """What a placeholder stands for in the graph around: nothing but itself."""
        return placeholder

    def get_operations(self) -> list[Operation]:
        """All operations, in the order in which they were made."""
        return list(self._nodes)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of a name.

        Raises:
            TypeError: it is no text.
            KeyError: there is none.
            ValueError: it is the name of a tensor.
        """
        if not isinstance(name, (str, bytes)):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        found: Operation = self.as_graph_element(name, allow_tensor=False)
        return found

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor of a name, `add:0`.

        Raises:
            TypeError: it is no text.
            KeyError: there is none.
            ValueError: it is no tensor's name.
        """
        if not isinstance(name, (str, bytes)):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        found: Tensor = self.as_graph_element(name, allow_operation=False)
        return found

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The tensor or operation of this graph that something is: itself, its name, or a variable's.

        Raises:
            TypeError: it can be none.
            ValueError: it is in another graph, or not of the kind that is allowed.
            KeyError: it names nothing in this graph.
        """
        if not (allow_tensor or allow_operation):
            raise ValueError("allow_tensor and allow_operation can't both be False.")
        convert = getattr(obj, "_as_graph_element", None)
        if callable(convert):
            obj = convert()
        if isinstance(obj, bytes):
            obj = obj.decode("utf-8")
        if isinstance(obj, str):
            return self._named(obj, allow_tensor, allow_operation)
        if (isinstance(obj, Tensor) and allow_tensor) or (isinstance(obj, Operation) and allow_operation):
            if obj.graph is not self:
                raise ValueError(f"{'Tensor' if isinstance(obj, Tensor) else 'Operation'} {obj} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {_kinds(allow_tensor, allow_operation)}.")

    def _named(self, name: str, allow_tensor: bool, allow_operation: bool) -> Any:
        kinds = _kinds(allow_tensor, allow_operation)
        if ":" not in name:
            found = self._nodes_by_name.get(name)
            if not allow_operation:
                what = "refers to an Operation, not a" if found else "looks like an (invalid) Operation name, not a"
                raise ValueError(f'The name {name!r} {what} {kinds}. Tensor names must be of the form "<op_name>:<output_index>".')
            if found is None:
                raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
            return found
        if not allow_tensor:
            raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {kinds}.")
        op_name, _, index = name.partition(":")
        if not index.isdecimal():
            raise ValueError(
                f'The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor names must be of the form "<op_name>:<output_index>".'
            )
        op = self._nodes_by_name.get(op_name)
        if op is None:
            raise KeyError(f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, does not exist in the graph.")
        if int(index) >= len(op.outputs):
            raise KeyError(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, exists but only has "
                f"{len(op.outputs)} outputs." + _of_unknown(op.type)
            )
        return op.outputs[int(index)]

    # ---- making operations

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[Any] | None = None,
        input_types: Sequence[Any] | None = None,
        name: str | None = None,
        attrs: Mapping[str, Any] | None = None,
        op_def: protos.OpDef | None = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Adds an operation, everything of it given (`tf.Graph.create_op`); builders of `gpersist.ops` are easier.

        Args:
            op_type: the kind of operation; one that gpersist has not can be made and exported, but not run.
            inputs: what it takes.
            dtypes: the type of each output; None where the kind tells.
            input_types: for TensorFlow's sake; the inputs know their types.
            name: made unique; one that ends in a slash is taken as it is.
            attrs: attributes, as messages or as `gpersist.graph.attr_value` has them.
            op_def: for TensorFlow's sake.
            compute_shapes: for TensorFlow's sake; shapes are always inferred.
            compute_device: whether device scopes apply.

        Raises:
            TypeError: an input is no tensor.
            ValueError: a name that is not valid or taken, inputs of other graphs, or shapes that don't go together.
            RuntimeError: the graph is finalized.
        """
        del input_types, op_def, compute_shapes
        for index, tensor in enumerate(inputs):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"Input #{index} is not a tensor: {tensor}")
        wanted = op_type if name is None else name
        found = registry.find(op_type)
        attributes = dict(attrs or {})
        signature = found.signature() if found else None
        if signature is not None:
            attributes = {attr.name: attr.default for attr in signature.attrs if attr.name not in attributes} | attributes
        return self._add(
            op_type,
            found,
            signature,
            wanted[:-1] if wanted.endswith("/") else self.unique_name(wanted),
            inputs,
            attributes,
            output_types=None if dtypes is None else [as_dtype(dtype) for dtype in dtypes],
            is_placed=compute_device,
        )

    def _add(
        self,
        type_name: str,
        op_type: type[OpType] | None,
        signature: Signature | None,
        name: str,
        inputs: Sequence[Tensor],
        attrs: dict[str, Any],
        *,
        output_types: Sequence[DType] | None = None,
        is_placed: bool = True,
    ) -> Operation:
        """Adds an operation whose name, inputs and attributes are settled."""
        self._check_not_finalized()
        for tensor in inputs:
            if tensor._op._graph is not self:
                raise ValueError(f"{tensor} must be from the same graph as this operation, {name!r} (graphs are {tensor.graph} and {self}).")
        op = self._new_node(type_name, op_type, signature, name, attrs, output_types)
        control_inputs = self._scoped_control_inputs({tensor._op for tensor in inputs}) if self._control_stack else ()
        if self._container and signature is not None and signature.is_stateful and attrs.get("container") == b"":
            attrs["container"] = self._container.encode()
        mutations = self._mutations
        op._inputs = list(inputs)
        shapes = infer_shapes(op)  # before anything refers to it: it may raise
        op._set_inputs(inputs, control_inputs)
        op._set_outputs(shapes)
        self._enter(op)
        for tensor in inputs:
            if tensor._op._control_flow_context is not None:
                self._check_context(tensor, op)
        if self._control_flow_context is not None:
            self._add_to_context(op)
        if is_placed:
            self._place_in_scopes(op)
        self._mutations = mutations  # a new node changes none that is there
        return op

    def _new_node(
        self,
        type_name: str,
        op_type: type[OpType] | None,
        signature: Signature | None,
        name: str,
        attrs: dict[str, Any],
        output_types: Sequence[DType] | None = None,
    ) -> Operation:
        check_op_name(name)
        if name in self._nodes_by_name:
            raise ValueError(f"Duplicate node name in graph: '{name}'")
        types = output_types
        if types is None:
            types = signature.output_types(attrs) if signature else []
        return Operation(self, len(self._nodes), name, type_name, op_type, signature, attrs, types)

    def _enter(self, op: Operation) -> None:
        op._id = len(self._nodes)
        self._nodes.append(op)
        self._nodes_by_name[op._name] = op
        self._use_name(op._name)

    def _check_context(self, tensor: Tensor, op: Operation) -> None:
        """Holds that an operation does not take from within a loop that it is not in."""
        op._control_flow_context, inner = self._control_flow_context, tensor._op._control_flow_context
        inner.check_use(tensor._op, op)

    def _add_to_context(self, op: Operation) -> None:
        """Makes an operation part of the branch or loop that is being built: what it takes from outside then goes through nodes under its name."""
        op._control_flow_context = self._control_flow_context
        with self.as_default(), nullcontext() if op._type == "Const" else self.name_scope(f"{op._name}/"):
            self._control_flow_context.add_op(op)

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    # ---- scopes and marks

    def as_default(self) -> AbstractContextManager[Graph]:
        """Makes it this thread's default graph for the duration of a `with`."""
        return defaults.GRAPHS.pushed(self)

    @contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """Names the container that variables made within keep their values in."""
        outer, self._container = self._container, container_name
        try:
            yield container_name
        finally:
            self._container = outer

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Makes feeding a tensor an error."""
        self._unfeedable.add(tensor)

    def is_feedable(self, tensor: Tensor) -> bool:
        """Whether a tensor may be fed."""
        return tensor not in self._unfeedable

    def prevent_fetching(self, op: Operation) -> None:
        """Makes fetching an operation an error."""
        self._unfetchable.add(op)

    def is_fetchable(self, tensor_or_op: Tensor | Operation) -> bool:
        """Whether an operation, or a tensor, may be fetched."""
        return (tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op) not in self._unfetchable

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> protos.GraphDef:
        """The message of the graph.

        Args:
            from_version: leave out the operations that were there when `version` was this.
            add_shapes: give each node with outputs an attribute `_output_shapes`.
        """
        return export(self, from_version=from_version or 0, add_shapes=add_shapes)

    @property
    def graph_def_versions(self) -> protos.VersionDef:
        """The versions, as a message."""
        return self.versions

    def _operation_of(self, value: Any) -> Operation:
        """The operation that something is, or comes from: of a variable, the one that makes it."""
        convert = getattr(value, "_as_operation", None)
        found = self.as_graph_element(convert() if callable(convert) else value)
        return found.op if isinstance(found, Tensor) else found


def infer_shapes(op: Operation) -> list[TensorShape]:
    """The shape of each output, by the class of the operation.

    Raises:
        ValueError: the inputs' shapes don't go together; says which, and where.
    """
    if op.op_type is None:
        stale = op.attr("_output_shapes") if op.has_attr("_output_shapes") else []
        return [stale[index] if index < len(stale) else TensorShape(None) for index in range(len(op.output_types))]
    try:
        if op.op_type.scalars or op.op_type.vectors:
            _check_ranks(op, op.op_type)
        return op.op_type.shapes(op)
    except (ValueError, GPersistError, TypeError, LookupError, ArithmeticError) as error:  # attributes of a file may be anything
        shapes = ", ".join(in_brackets(tensor.shape) for tensor in op._inputs)
        raise ValueError(f"{getattr(error, 'in_graph', error)} for '{op.name}' (op: '{op.type}') with input shapes: {shapes}.") from None


def _check_ranks(op: Operation, op_type: type[OpType]) -> None:
    start = 0
    for arg in op_type.signature().inputs:
        count = 1 if not arg.is_list else op.attr(arg.number_attr) if arg.number_attr else len(op.attr(arg.type_list_attr))
        rank = 0 if arg.name in op_type.scalars else 1 if arg.name in op_type.vectors else None
        if rank is not None:
            for tensor in op._inputs[start : start + count]:
                tensor.shape.with_rank(rank)
        start += count


def _kinds(allow_tensor: bool, allow_operation: bool) -> str:
    return "Tensor or Operation" if allow_tensor and allow_operation else "Tensor" if allow_tensor else "Operation"


def _of_unknown(op_type: str) -> str:
    """Why an operation has no outputs that nothing in its graph reads."""
    if registry.find(op_type) is not None:
        return ""
    return f" Op type not registered {op_type!r}: gpersist has no such operation, and knows only the outputs that other nodes read."


UNKNOWN_TYPE = variant
"""The type of outputs of which nothing is known."""
