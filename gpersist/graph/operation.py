"""Operation: a node of a graph. Attributes are kept as Python values; messages are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import attr_value, defaults
from gpersist.graph.graph_def import encode_node
from gpersist.graph.op_type import OpType
from gpersist.graph.scopes import device_string
from gpersist.graph.signature import Signature, to_op_def
from gpersist.graph.tensor import Tensor
from gpersist.shapes import TensorShape

if TYPE_CHECKING:
    from gpersist.graph.graph import Graph


class Operation:
    """A node of a graph (`tf.Operation`). Made by `Graph.create_op` and the builders of `gpersist.ops`; compared by identity.

    Attributes:
        op_type: the class that runs it; None for an operation that gpersist has not.
        signature: what is known of its inputs, outputs and attributes; None for an operation of which nobody gave an OpDef.
        output_types: the type of each output.
        is_imported: whether it came with a graph that was loaded, rather than from a program; see `gpersist.graph.permissions`.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_attrs",
        "_control_flow_context",
        "_control_inputs",
        "_control_outputs",
        "_device",
        "_graph",
        "_id",
        "_inputs",
        "_name",
        "_outputs",
        "_type",
        "is_imported",
        "op_type",
        "output_types",
        "signature",
    )

    def __init__(
        self,
        graph: Graph,
        number: int,
        name: str,
        type_name: str,
        op_type: type[OpType] | None,
        signature: Signature | None,
        attrs: dict[str, Any],
        output_types: Sequence[DType],
    ) -> None:
        """A node without inputs and outputs yet; `Graph` connects it."""
        self._graph = graph
        self._id = number
        self._name = name
        self._type = type_name
        self.op_type = op_type
        self.signature = signature
        self._attrs = attrs
        self.output_types = output_types
        self.is_imported = False
        self._device = ""
        self._control_flow_context: Any = None
        self._inputs: list[Tensor] = []
        self._control_inputs: list[Operation] = []
        self._control_outputs: list[Operation] | None = None
        self._outputs: list[Tensor] = []

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self._graph

    @property
    def name(self) -> str:
        """Its name, unique in its graph."""
        return self._name

    @property
    def type(self) -> str:
        """What it does: `MatMul`."""
        return self._type

    @property
    def device(self) -> str:
        """Its device string, as scopes and callers gave it; empty for none."""
        return self._device

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that it takes."""
        return tuple(self._inputs)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that it gives."""
        return self._outputs

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that run before it, besides those of its inputs."""
        return list(self._control_inputs)

    @property
    def _control_outputs_list(self) -> list[Operation]:
        return list(self._control_outputs or ())

    def values(self) -> tuple[Tensor, ...]:
        """The tensors that it gives."""
        return tuple(self._outputs)

    @property
    def traceback(self) -> list[Any]:
        """Where it was made: nothing, since keeping that would slow building down."""
        return []

    @property
    def node_def(self) -> protos.NodeDef:
        """Its message."""
        return protos.NodeDef.FromString(encode_node(self, self._control_inputs))

    @property
    def op_def(self) -> protos.OpDef:
        """The message that describes its kind; no more than the name for one of which nothing is known."""
        return to_op_def(self.signature) if self.signature else protos.OpDef(name=self._type)

    def attr(self, name: str) -> Any:
        """An attribute as `gpersist.graph.attr_value` has it: a shape is a `TensorShape`, text is bytes.

        Raises:
            ValueError: there is none of this name.
        """
        try:
            value = self._attrs[name]
        except KeyError:
            raise ValueError(f"Operation '{self._name}' has no attr named '{name}'.") from None
        return attr_value.decode(value) if isinstance(value, protos.AttrValue) else value

    def has_attr(self, name: str) -> bool:
        """Whether it has an attribute of this name."""
        return name in self._attrs

    def get_attr(self, name: str) -> Any:
        """An attribute as TensorFlow gives it: shapes, tensors and functions are messages, types DTypes, text is bytes.

        Raises:
            ValueError: there is none of this name.
        """
        value = self.attr(name)
        if isinstance(value, (TensorShape, list)) or hasattr(value, "__array__"):
            return _as_tensorflow(attr_value.encode(value, self._kind(name)))
        return value

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs it in a session: the given one, or the default one.

        Raises:
            ValueError: there is no session, or it is one of another graph.
        """
        session = session or defaults.get_default_session()
        if session is None:
            raise ValueError(
                "Cannot execute operation using `run()`: No default session is registered. Use `with sess.as_default():` or pass an explicit "
                "session to `run(session=sess)`"
            )
        if session.graph is not self._graph:
            raise ValueError(
                "Cannot use the default session to execute operation: the operation's graph is different from the session's graph. Pass an "
                "explicit session to run(session=sess)."
            )
        session.run(self, feed_dict)

    def colocation_groups(self) -> list[bytes]:
        """The groups that it shares a device with, such as `loc:@v`; its own alone if there is none."""
        groups = [group for group in self.attr("_class") if group.startswith(b"loc:@")] if "_class" in self._attrs else []
        return groups or [b"loc:@" + self._name.encode()]

    def grouped(self, values: Sequence[Any]) -> list[Any]:
        """Values, one for each input tensor, as the arguments of the signature: those of an input that is a list in one list."""
        if self.signature is None or not self.signature.has_lists:
            return list(values)
        found: list[Any] = []
        start = 0
        for arg in self.signature.inputs:
            count = len(self.attr(arg.type_list_attr)) if arg.type_list_attr else self.attr(arg.number_attr) if arg.number_attr else 1
            found.append(list(values[start : start + count]) if arg.is_list else values[start])
            start += count
        return found

    def _kind(self, name: str) -> str | None:
        attr = self.signature.by_name.get(name) if self.signature else None
        return attr.kind if attr else None

    def _set_device(self, device: Any) -> None:
        """Gives it a device: text, a DeviceSpec, or None."""
        self._device = device_string(device)
        self._graph._mutations += 1

    def _set_attr(self, name: str, value: Any) -> None:
        """Sets an attribute: a message, or a value as `gpersist.graph.attr_value` has it."""
        if isinstance(value, protos.AttrValue):
            kept = protos.AttrValue()
            kept.CopyFrom(value)
            value = kept
        self._attrs[name] = value
        self._graph._mutations += 1

    def _clear_attr(self, name: str) -> None:
        self._attrs.pop(name, None)
        self._graph._mutations += 1

    def _get_control_flow_context(self) -> Any:
        """The branch or loop that it is in; None for neither."""
        return self._control_flow_context

    def _set_control_flow_context(self, context: Any) -> None:
        """Makes it part of a branch or a loop."""
        self._control_flow_context = context

    def _set_inputs(self, inputs: Iterable[Tensor], control_inputs: Iterable[Operation]) -> None:
        """Connects it. REQUIRES: called once."""
        self._inputs = list(inputs)
        for tensor in self._inputs:
            if tensor._consumers is None:
                tensor._consumers = [self]
            else:
                tensor._consumers.append(self)
        for op in control_inputs:
            self._add_control_input(op)

    def _set_outputs(self, shapes: Sequence[TensorShape]) -> None:
        self._outputs = [Tensor(self, index, dtype, shape) for index, (dtype, shape) in enumerate(zip(self.output_types, shapes, strict=True))]

    def _update_input(self, index: int, tensor: Tensor) -> None:
        """Puts another tensor in the place of an input."""
        consumers = self._inputs[index]._consumers
        if consumers:
            consumers.remove(self)
        self._inputs[index] = tensor
        if tensor._consumers is None:
            tensor._consumers = []
        tensor._consumers.append(self)
        self._graph._mutations += 1

    def _add_control_input(self, op: Operation) -> None:
        if op not in self._control_inputs:
            self._control_inputs.append(op)
            if op._control_outputs is None:
                op._control_outputs = []
            op._control_outputs.append(self)
            self._graph._mutations += 1

    def _remove_all_control_inputs(self) -> None:
        for op in self._control_inputs:
            if op._control_outputs is not None:
                op._control_outputs.remove(self)
        self._control_inputs = []
        self._graph._mutations += 1

    def _add_control_inputs(self, ops: Iterable[Operation]) -> None:
        for op in ops:
            self._add_control_input(op)

    def __str__(self) -> str:
        return str(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self._name}' type={self._type}>"

    def __copy__(self) -> Operation:
        return self


def _as_tensorflow(proto: protos.AttrValue) -> Any:
    """The content of a message, messages within left as they are."""
    field = proto.WhichOneof("value")
    if field == "list":
        for name, values in proto.list.ListFields():
            return attr_value.decode(proto) if name.name == "type" else list(values)
        return []
    return getattr(proto, field) if field else None
