"""A message as part of a graph: `import_graph_def`.

Nodes enter in an order in which each finds its inputs (the earliest that can comes first, as in TensorFlow); the back edges of loops, from
NextIteration to Merge, are put in at the end. Attributes are kept as the messages that they are, so that what is exported again is equal. Operations
that gpersist has not pass through: how many outputs they have, and of which types, follows from who takes them, or from the producer's OpDefs.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.errors import GPersistError
from gpersist.graph import attr_value, defaults, registry, signature
from gpersist.graph.conversion import convert_to_tensor
from gpersist.graph.graph import PRODUCER, UNKNOWN_TYPE, Graph, infer_shapes
from gpersist.graph.import_checks import check_functions, check_value, check_versions, checked_map, checked_names, copied
from gpersist.graph.name_scope import name_scope
from gpersist.graph.names import check_op_name
from gpersist.graph.operation import Operation
from gpersist.graph.scopes import merged
from gpersist.graph.signature import REQUIRED, Signature
from gpersist.graph.tensor import Tensor
from gpersist.shapes import TensorShape

_BACK_EDGES = {"Merge": ("NextIteration",), "RefMerge": ("RefNextIteration",)}


def import_graph_def(
    graph_def: protos.GraphDef,
    input_map: Mapping[str | bytes, Any] | None = None,
    return_elements: Sequence[str | bytes] | None = None,
    name: str | None = None,
    op_dict: None = None,
    producer_op_list: protos.OpList | None = None,
) -> list[Any] | None:
    """Adds the nodes of a message to the default graph (`tf.import_graph_def`).

    Args:
        graph_def: the message; it is not changed, nor kept.
        input_map: tensors (or values) that take the place of the message's, by name: `"c:0"`, or `"^c"` for a control input.
        return_elements: names of operations and tensors of the message.
        name: a prefix for all names, made unique; `"import"` by default, none if it is empty.
        op_dict: for TensorFlow's sake.
        producer_op_list: OpDefs of the producer, a MetaGraphDef's `stripped_op_list`: attributes of newer versions that have their default are left
            out, and the outputs of operations that gpersist has not are known.

    Returns:
        The operations and tensors of `return_elements`, or None if that is None.

    Raises:
        TypeError: an argument of another kind.
        ValueError: names that aren't there, or nodes that don't go together. Nothing is added then.
    """
    del op_dict
    return add_nodes(graph_def, input_map, return_elements, name, producer_op_list)


def add_nodes(
    graph_def: protos.GraphDef,
    input_map: Mapping[str | bytes, Any] | None = None,
    return_elements: Sequence[str | bytes] | None = None,
    name: str | None = None,
    producer_op_list: protos.OpList | None = None,
    keeps_new_attrs: bool = False,
) -> list[Any] | None:
    """`import_graph_def`; with `keeps_new_attrs`, attributes of newer versions stay, so that what is exported again is equal."""
    message = copied(graph_def)
    mapped = checked_map(input_map)
    wanted = checked_names(return_elements)
    graph = defaults.get_default_graph()
    graph._check_not_finalized()
    with name_scope(name, "import", list(mapped.values())) as scope:
        if not all(isinstance(value, Tensor) for value in mapped.values()):
            if name == "":
                raise ValueError(
                    "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. Try calling "
                    "tf.convert_to_tensor() on `input_map` values before calling tf.import_graph_def()."
                )
            with graph.name_scope("_inputs"):
                mapped = {key: convert_to_tensor(value) for key, value in mapped.items()}
        for key, value in mapped.items():
            if value.graph is not graph:
                raise ValueError(f"node {value.op.name!r} in input_map does not exist in graph (input_map entry: {key}->{value.name})")
    importer = _Importer(graph, message, scope or "", mapped, wanted or (), producer_op_list, keeps_new_attrs)
    with _whole_or_not_at_all(graph):
        importer.add_nodes()
        found = importer.returned()
    importer.finish()
    return None if wanted is None else found


class _Importer:
    """One import."""

    def __init__(
        self,
        graph: Graph,
        message: protos.GraphDef,
        scope: str,
        input_map: Mapping[str, Tensor],
        wanted: Sequence[str],
        producers: protos.OpList | None,
        keeps_new_attrs: bool,
    ) -> None:
        self._graph = graph
        self._message = message
        self._nodes: list[protos.NodeDef] = list(message.node)
        self._scope = scope
        self._map = {_edge(key): value for key, value in input_map.items()}
        self._unused = {_edge(key): key for key in input_map}
        self._wanted = wanted
        self._producers = {op.name: op for op in producers.op} if producers is not None else {}
        check_functions(graph, message)
        self._producers |= {each.signature.name: each.signature for each in (*graph._library.function, *message.library.function)}
        self._keeps_new_attrs = keeps_new_attrs
        check_versions(message.versions)
        self._positions = self._checked_positions()
        self._renamed: dict[str, str] = {}
        self._made: dict[str, Operation] = {}
        self._unknown_outputs = self._count_unknown_outputs()
        self._colocated: dict[str, list[str]] = {}

    def add_nodes(self) -> None:
        """Adds all nodes, connected, with their devices."""
        self._rename()
        self._graph._shape_version = min(self._graph._shape_version, self._message.versions.producer)
        back: list[tuple[Operation, protos.NodeDef]] = []
        for position in self._order():
            node = self._nodes[position]
            kinds = [text.startswith("^") for text in node.input]
            if kinds != sorted(kinds):
                raise ValueError(f"Node {node.name!r}: Control dependencies must come after regular dependencies")
            op = self._add(node)
            op.is_imported = True
            if any(self._is_back_edge(node, text) for text in node.input):
                back.append((op, node))
        for op, node in back:
            for tensor in op._inputs:
                if tensor._consumers is not None:
                    tensor._consumers.remove(op)
            op._set_inputs([self._tensor(node, text) for text in node.input if not text.startswith("^")], ())
        self._place()
        context = self._graph._control_flow_context
        if context is not None:
            for op in self._made.values():
                op._control_flow_context = context
                context.add_op(op)
        lost = [f"{name}:{index}" for name, index in self._unused if not (name in self._made and 0 <= index < len(self._made[name].outputs))]
        if lost:
            raise ValueError(f"Attempted to map inputs that were not found in graph_def: [{', '.join(lost)}]")

    def finish(self) -> None:
        """Adds what is not nodes: functions and versions."""
        library = self._graph._library
        there = {function.signature.name for function in library.function}
        library.function.extend([function for function in self._message.library.function if function.signature.name not in there])
        self._graph._imported_op_defs.update({name: op for name, op in self._producers.items() if _is_news(op)})
        library.gradient.extend([gradient for gradient in self._message.library.gradient if gradient not in library.gradient])
        if self._nodes or self._message.HasField("versions"):
            mine, found = self._graph.versions, self._message.versions
            mine.producer = min(mine.producer, found.producer) if self._graph._has_imported else found.producer
            self._graph._has_imported = True
            mine.min_consumer = max(mine.min_consumer, found.min_consumer)
            mine.bad_consumers.extend(sorted(set(found.bad_consumers) - set(mine.bad_consumers)))

    def returned(self) -> list[Any]:
        """The operations and tensors that the caller asked for."""
        found: list[Any] = []
        for name in self._wanted:
            op_name, is_tensor, index = name.partition(":")
            if ":" in index:
                raise ValueError(
                    f"Cannot convert {name!r} to a tensor name. Tensor names should not contain more than 1 `:`. Obtained {name.count(':')}"
                )
            if is_tensor and not index.isdecimal():
                raise ValueError(
                    f"Cannot convert {name!r} to a tensor name. Second component of the name following the `:` should be an int. Got {index}."
                )
            key = (op_name, int(index)) if is_tensor and index.isdecimal() else None
            if key is not None and key in self._map:
                found.append(self._map[key])
                continue
            op = self._made.get(op_name)
            if op is None:
                raise ValueError(f"Requested return {'tensor' if is_tensor else 'node'} {name!r} not found in graph def")
            if key is None:
                found.append(op)
                continue
            if key[1] >= len(op.outputs):
                raise ValueError(f"Invalid return output {key[1]} of node {op_name!r}, which has {len(op.outputs)} output(s)")
            found.append(op.outputs[key[1]])
        return found

    # ---- order

    def _checked_positions(self) -> dict[str, int]:
        positions: dict[str, int] = {}
        for position, node in enumerate(self._nodes):
            try:
                check_op_name(node.name)
            except ValueError:
                raise ValueError(f"Node {node.name!r}: Node name contains invalid characters") from None
            if not node.op:
                raise ValueError(f"Node {node.name!r} does not specify an operation")
            if node.name in positions:
                raise ValueError(f"Node {node.name!r} is not unique")
            positions[node.name] = position
        return positions

    def _order(self) -> Iterator[int]:
        """The positions of the nodes, each behind what it needs."""
        waiting: list[int] = []
        followers: list[list[int]] = [[] for _ in self._nodes]
        for position, node in enumerate(self._nodes):
            ahead = 0
            for text in node.input:
                name, index = _edge(text)
                if (name, index) in self._map or self._is_back_edge(node, text):
                    continue
                if name not in self._positions:
                    raise ValueError(f"Node {node.name!r}: Unknown input node {text!r}")
                followers[self._positions[name]].append(position)
                ahead += 1
            waiting.append(ahead)
        ready = [position for position, ahead in enumerate(waiting) if not ahead]
        count = 0
        while ready:
            position = heapq.heappop(ready)
            count += 1
            yield position
            for follower in followers[position]:
                waiting[follower] -= 1
                if not waiting[follower]:
                    heapq.heappush(ready, follower)
        if count < len(self._nodes):
            stuck = [node.name for node, ahead in zip(self._nodes, waiting, strict=True) if ahead]
            raise ValueError(f"{len(stuck)} nodes in a cycle; the first of them are {', '.join(map(repr, stuck[:4]))}")

    def _is_back_edge(self, node: protos.NodeDef, text: str) -> bool:
        sources = _BACK_EDGES.get(node.op)
        if sources is None or text.startswith("^"):
            return False
        position = self._positions.get(_edge(text)[0])
        return position is not None and self._nodes[position].op in sources

    # ---- nodes

    def _rename(self) -> None:
        """Finds each node's name in the graph."""
        taken = self._graph._nodes_by_name
        for node in self._nodes:
            name = self._scope + node.name
            number = 0
            unique = name
            while unique in taken or (number and unique[len(self._scope) :] in self._positions):
                number += 1
                unique = f"{name}_{number}"
            self._renamed[node.name] = unique

    def _add(self, node: protos.NodeDef) -> Operation:
        op_type = registry.find(node.op)
        known = op_type.signature() if op_type is not None else self._signature_of(node.op)
        attrs: dict[str, Any] = dict(node.attr.items())
        hints = attrs.pop("_output_shapes", None) if op_type is not None else None
        if op_type is not None:
            self._complete(node, op_type.signature(), attrs)
        self._prefix_colocations(node, attrs)
        taken = list(node.input)
        has_back_edges = node.op in _BACK_EDGES and any(self._is_back_edge(node, text) for text in taken)
        inputs = [self._tensor(node, text) for text in taken if text[0] != "^" and not (has_back_edges and self._is_back_edge(node, text))]
        controls = [self._control(text) for text in taken if text[0] == "^"]
        try:
            type_attrs = _types(known, attrs) if known is not None else {}
            types = known.output_types(type_attrs) if known is not None else self._guessed_types(node)
        except (KeyError, TypeError, GPersistError) as error:
            raise ValueError(f"node {node.name!r} ({node.op}): its attributes do not say what its outputs are: {error!r}") from None
        name = self._renamed[node.name]
        op = self._graph._new_node(node.op, op_type, known, name, attrs, types)
        op._inputs = inputs
        if op_type is not None and not has_back_edges:
            self._check_inputs(node, op, type_attrs)
        shapes = infer_shapes(op)
        if hints is not None:
            shapes = _merged_shapes(op, shapes, hints.list.shape)
        op._set_inputs(inputs, controls)
        for scope in self._graph._control_stack:
            op._add_control_inputs(found for found in scope.inputs if found not in {tensor.op for tensor in inputs})
            scope.seen.add(op)
        op._set_outputs(shapes)
        self._graph._enter(op)
        op._device = node.device
        self._made[node.name] = op
        return op

    def _signature_of(self, op_name: str) -> Signature | None:
        found = self._producers.get(op_name)
        return None if found is None else signature.from_op_def(found)

    def _complete(self, node: protos.NodeDef, known: Signature, attrs: dict[str, Any]) -> None:
        """Fills defaults in, and leaves out what only the producer knows and is at its default."""
        for attr in known.attrs:
            value = attrs.get(attr.name)
            field = None if value is None else value.WhichOneof("value")
            if field is not None:
                if field != attr_value.field_of(attr.kind) and field != "placeholder":
                    raise ValueError(f"node {node.name!r} ({node.op}): attribute '{attr.name}' is a {field!r} when {attr.kind!r} is expected")
                if (attr.allowed is not None or attr.minimum is not None) and field != "placeholder":
                    check_value(node, attr, attr_value.decode(attrs[attr.name]))
                continue
            if attr.default is REQUIRED:
                raise ValueError(f"NodeDef missing attr '{attr.name}' from operation {node.op}; node {self._renamed[node.name]!r}")
            attrs[attr.name] = attr.default
        producer = self._producers.get(node.op)
        if producer is not None and not self._keeps_new_attrs:
            defaults_of = {attr.name: attr.default_value for attr in producer.attr if attr.HasField("default_value")}
            for key in [key for key in attrs if key not in known.by_name and key in defaults_of and attrs[key] == defaults_of[key]]:
                del attrs[key]

    def _prefix_colocations(self, node: protos.NodeDef, attrs: dict[str, Any]) -> None:
        if "_class" not in attrs:
            return
        values: list[bytes] = []
        others: list[str] = []
        for value in attrs["_class"].list.s:
            group = value[5:].decode("utf-8", "surrogateescape") if value.startswith(b"loc:@") else None
            if group is None:
                values.append(value)
                continue
            if group not in self._renamed:
                raise ValueError(f"Node {node.name!r} expects to be colocated with unknown node {group!r}")
            values.append(b"loc:@" + self._renamed[group].encode("utf-8", "surrogateescape"))
            if group != node.name:
                others.append(self._renamed[group])
        attrs["_class"] = values
        if others:
            self._colocated[node.name] = others

    def _tensor(self, node: protos.NodeDef, text: str) -> Tensor:
        name, index = _edge(text)
        mapped = self._map.get((name, index))
        if mapped is not None:
            self._unused.pop((name, index), None)
            return mapped
        op = self._made[name]
        if index >= len(op.outputs):
            raise ValueError(f"Node {node.name!r}: Connecting to invalid output {index} of source node {name} which has {len(op.outputs)} outputs.")
        return op.outputs[index]

    def _control(self, text: str) -> Operation:
        mapped = self._map.get((text[1:], -1))
        if mapped is not None:
            self._unused.pop((text[1:], -1), None)
            return mapped.op
        return self._made[text[1:]]

    def _check_inputs(self, node: protos.NodeDef, op: Operation, type_attrs: Mapping[str, Any]) -> None:
        assert op.signature is not None
        expected = op.signature.input_types(type_attrs)
        if len(expected) != len(op._inputs):
            raise ValueError(f"NodeDef expected {len(expected)} inputs, {len(op._inputs)} are specified; node {op.name!r} ({node.op})")
        for index, (tensor, wanted) in enumerate(zip(op._inputs, expected, strict=True)):
            if tensor.dtype.base_dtype is not wanted.base_dtype or (wanted.is_ref and not tensor.dtype.is_ref):
                raise ValueError(
                    f"Input {index} of node {op.name} was passed {_type_name(tensor.dtype)} from {tensor.name} "
                    f"incompatible with expected {_type_name(wanted)}."
                )

    # ---- outputs of operations that gpersist has not

    def _count_unknown_outputs(self) -> dict[str, dict[int, DType | None]]:
        """For nodes of which no signature is known: the type of each output that somebody takes, as those who take it know."""
        strange = {node.name for node in self._nodes if registry.find(node.op) is None and node.op not in self._producers}
        found: dict[str, dict[int, DType | None]] = {name: {} for name in strange}
        if not strange:
            return found
        for node in self._nodes:
            edges = [_edge(text) for text in node.input if not text.startswith("^")]
            if not any(name in strange for name, _ in edges):
                continue
            types = self._input_types(node)
            for position, (name, index) in enumerate(edges):
                if name in strange:
                    known = types[position] if position < len(types) else None
                    found[name][index] = found[name].get(index) or known
        for name in self._wanted:
            op_name, _, index_text = name.partition(":")
            if op_name in strange and index_text.isdecimal():
                found[op_name].setdefault(int(index_text), None)
        return found

    def _input_types(self, node: protos.NodeDef) -> list[DType]:
        op_type = registry.find(node.op)
        known = op_type.signature() if op_type is not None else self._signature_of(node.op)
        if known is None:
            return []
        try:
            return [dtype.base_dtype for dtype in known.input_types(_types(known, dict(node.attr.items())))]
        except (KeyError, TypeError, GPersistError):
            return []

    def _guessed_types(self, node: protos.NodeDef) -> list[DType]:
        taken = self._unknown_outputs.get(node.name, {})
        stale = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else ()
        count = max([len(stale), *(index + 1 for index in taken)])
        guess = next((attr_value.decode(node.attr[key]) for key in ("dtype", "T", "out_type", "Tout", "DstT") if key in node.attr), None)
        default = guess if isinstance(guess, DType) else UNKNOWN_TYPE
        return [taken.get(index) or default for index in range(count)]

    # ---- devices

    def _place(self) -> None:
        """Merges devices with the scopes around the import; what is colocated takes the device of what it is colocated with.

        Within `colocate_with`, that is what all nodes are colocated with, and with nothing else.
        """
        around = sorted({group for other in self._graph._colocation_stack for group in other.colocation_groups()})
        if around:
            for name, op in self._made.items():
                op._set_attr("_class", around)
                self._colocated[name] = [group[5:].decode("utf-8", "surrogateescape") for group in around]
        for name, op in self._made.items():
            original, op._device = op._device, ""
            if name in self._colocated:
                continue
            if original:
                op._device = merged(original, "")
            self._graph._apply_devices(op)
        for name, others in self._colocated.items():
            found = (self._graph._nodes_by_name[other].device for other in others)
            self._made[name]._device = next((device for device in found if device), "")


@contextmanager
def _whole_or_not_at_all(graph: Graph) -> Iterator[None]:
    """Takes nodes that were added within out again, if an error ends it."""
    count = len(graph._nodes)
    mutations = graph._mutations
    try:
        yield
    except BaseException:
        for op in reversed(graph._nodes[count:]):
            for tensor in op._inputs:
                if tensor._consumers and op in tensor._consumers:
                    tensor._consumers.remove(op)
            for other in op._control_inputs:
                if other._control_outputs and op in other._control_outputs:
                    other._control_outputs.remove(op)
            del graph._nodes_by_name[op._name]
            graph._names_in_use.pop(op._name.lower(), None)
        del graph._nodes[count:]
        raise
    finally:
        graph._mutations = mutations  # nodes that were there have not changed


def _is_news(op_def: protos.OpDef) -> bool:
    """Whether an OpDef says what gpersist's own does not: of an operation, or of attributes, that it has not."""
    found = registry.find(op_def.name)
    return found is None or any(attr.name not in found.signature().by_name for attr in op_def.attr)


def _merged_shapes(op: Operation, shapes: Sequence[TensorShape], hints: Sequence[protos.TensorShapeProto]) -> list[TensorShape]:
    """The shapes of a node's outputs with what its exporter knew of them besides."""
    if len(hints) < len(shapes):
        raise ValueError(f"Node '{op.name}' has {len(shapes)} outputs but the _output_shapes attribute specifies shapes for {len(hints)} outputs")
    found = []
    for index, (shape, hint) in enumerate(zip(shapes, hints, strict=False)):
        if shape.sizes == tuple([dim.size for dim in hint.dim]) and not hint.unknown_rank:
            found.append(shape)  # nothing new; most often so
            continue
        try:
            found.append(shape.merge_with(TensorShape(hint)))
        except ValueError as error:
            if op.graph._shape_version < PRODUCER:  # an older TensorFlow's answer (of FusedBatchNormGrad, say): what follows from the inputs counts
                found.append(shape)
                continue
            raise ValueError(
                f"Node '{op.name}' has an _output_shapes attribute inconsistent with the GraphDef for output #{index}: {error}"
            ) from None
    return found


def _type_name(dtype: DType) -> str:
    """A type's name as TensorFlow's nodes have it: float, half, int32_ref."""
    return protos.DataType.Name(dtype.base_dtype.enum).removeprefix("DT_").lower() + ("_ref" if dtype.is_ref else "")


def _types(known: Signature, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that say what a node's inputs and outputs are, as Python values."""
    values = ((name, attrs.get(name, known.by_name[name].default)) for name in known.type_attrs)
    return {name: attr_value.decode(value) if isinstance(value, protos.AttrValue) else value for name, value in values}


def _edge(text: str) -> tuple[str, int]:
    """An input as it stands in a node: the name of its operation, and which output; -1 for a control input."""
    if text.startswith("^"):
        return text[1:], -1
    name, colon, index = text.rpartition(":")
    return (name, int(index)) if colon and index.isdecimal() else (text, 0)
