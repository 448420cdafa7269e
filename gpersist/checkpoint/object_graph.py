"""The objects of a checkpoint that TensorFlow 2 wrote (`tf.train.Checkpoint`, `model.save_weights`), by the paths that a program reaches them by.

Such a checkpoint holds its tensors under keys, and one string more, `_CHECKPOINTABLE_OBJECT_GRAPH`, a `TrackableObjectGraph`: nodes, the first being
root; the names under which each has others, itself possibly among them; the keys of its values; and the slots that optimizers have for variables.

    key: <path>/.ATTRIBUTES/<attribute>, of a slot <path of variable>/.OPTIMIZER_SLOT/<path of optimizer>/<slot>/.ATTRIBUTES/<attribute>
    path: the names from the root on, with "/" between them; in a name "." is ".." and "/" is ".S"
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from gpersist import protos
from gpersist.bundle import nearest
from gpersist.errors import DataLossError, NotFoundError, TensorNotFoundError

if TYPE_CHECKING:
    from gpersist.checkpoint.reader import CheckpointReader, StoredTensor

OBJECT_GRAPH_KEY: Final = "_CHECKPOINTABLE_OBJECT_GRAPH"

_SLOT = "/.OPTIMIZER_SLOT/"
_VALUE = "VARIABLE_VALUE"
_TABLE = ("-keys", "-values")
"""What is behind the key of a lookup table's attribute: two tensors."""
_LISTS = frozenset(["_variables", "keras_api", "non_trainable_variables", "trainable_variables", "variables"])
"""Names under which Keras has, once more, what its layers have under names of their own."""
_MAX_TOLD = 10


class ObjectNode:
    """An object.

    Attributes:
        node_id: its number in the file.
        path: the names by which it is reached from the root, in the shortest way; empty for the root. A slot has the path of its variable,
            `/.OPTIMIZER_SLOT/`, and that of the optimizer with the slot's name.
        children: other objects by their names in this one, perhaps itself among them.
        tensors: its values, by their attributes' names; a variable's is "VARIABLE_VALUE".
        full_names: the names that its values had in a graph, by attribute; empty where there was none.
        slots: of an optimizer: by a slot's name ("momentum") the slots' objects by the paths of their variables.
    """

    __slots__ = ("children", "full_names", "node_id", "path", "slots", "tensors")

    def __init__(self, node_id: int) -> None:
        self.node_id = node_id
        self.path = ""
        self.children: dict[str, ObjectNode] = {}
        self.tensors: dict[str, StoredTensor] = {}
        self.full_names: dict[str, str] = {}
        self.slots: dict[str, dict[str, ObjectNode]] = {}

    @property
    def tensor(self) -> StoredTensor:
        """Its only value, as of a variable.

        Raises:
            NotFoundError: it has none, or several.
        """
        if len(self.tensors) != 1:
            raise NotFoundError(f"object {self.path!r} has {len(self.tensors)} values{_listed(self.tensors)}, not one; it has {self._inside()}")
        return next(iter(self.tensors.values()))

    def _inside(self) -> str:
        return f"the objects {', '.join(map(repr, list(self.children)[:_MAX_TOLD]))}" if self.children else "no objects in it"

    def __repr__(self) -> str:
        values = ", ".join(f"{name}: {tensor.dtype.name}{list(tensor.shape)}" for name, tensor in self.tensors.items())
        return f"<ObjectNode {self.path!r}{f' {values}' if values else ''}; {self._inside()}>"


class ObjectGraph(Mapping[str, ObjectNode]):
    """The objects by their paths, each once. Looking one up takes any way to it, through cycles too.

    Attributes:
        nodes: all of them, the root first, in the file's order.
    """

    def __init__(self, nodes: list[ObjectNode], prefix: str) -> None:
        self.nodes = tuple(nodes)
        self._prefix = prefix
        self._by_path = {node.path: node for node in nodes}

    @property
    def root(self) -> ObjectNode:
        """The object that was saved."""
        return self.nodes[0]

    @property
    def tensors(self) -> dict[str, StoredTensor]:
        """All values by names that a person would use: the paths of their objects, with `/<attribute>` where that is no variable's."""
        found: dict[str, StoredTensor] = {}
        for node in self.nodes:
            for name, tensor in node.tensors.items():
                found["/".join(part for part in (node.path, "" if name == _VALUE else name) if part)] = tensor
        return found

    def __getitem__(self, path: str) -> ObjectNode:
        found = self._by_path.get(path) or self._walked(path)
        if found is None:
            raise TensorNotFoundError(f"no object {path!r} in {self._prefix!r}{nearest(path, self._by_path)}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self._by_path)

    def _walked(self, path: str) -> ObjectNode | None:
        node: ObjectNode | None = self.root
        for name in path.split("/") if path else ():
            node = node.children.get(name.replace(".S", "/").replace("..", ".")) if node is not None else None
        return node

    def __repr__(self) -> str:
        return f"<ObjectGraph of {self._prefix!r}: {len(self.nodes)} objects, {sum(len(node.tensors) for node in self.nodes)} values>"


def read_object_graph(reader: CheckpointReader) -> ObjectGraph:
    """The objects of an open checkpoint; see `CheckpointReader.object_graph`."""
    message = object_graph_message(reader)
    where = f"the objects of {reader.prefix!r}"
    if not message.nodes:
        raise DataLossError(f"{where}: there are none, not even the root; the file is damaged: use another copy")
    nodes = [ObjectNode(number) for number in range(len(message.nodes))]

    def known(number: int, what: str) -> ObjectNode:
        if not 0 <= number < len(nodes):
            raise DataLossError(f"{where}: {what} is number {number} of {len(nodes)}; the file is damaged: use another copy")
        return nodes[number]

    missing: list[str] = []
    for node, source in zip(nodes, message.nodes, strict=True):
        for child in source.children:
            node.children.setdefault(child.local_name, known(child.node_id, f"{child.local_name!r} of object {node.node_id}"))
        for attribute in source.attributes:
            _add_tensor(node, attribute, reader, missing)
    if missing:
        told = ", ".join(map(repr, missing[:_MAX_TOLD])) + (", ..." if len(missing) > _MAX_TOLD else "")
        raise DataLossError(f"{where}: {len(missing)} of their keys are not in the checkpoint: {told}; it is damaged: use another copy")
    _name(nodes)
    for optimizer, source in zip(nodes, message.nodes, strict=True):
        for slot in source.slot_variables:
            variable = known(slot.original_variable_node_id, f"the variable of slot {slot.slot_name!r}")
            made = known(slot.slot_variable_node_id, f"slot {slot.slot_name!r} of {variable.path!r}")
            made.path = made.path or f"{variable.path}{_SLOT}{'/'.join(part for part in (optimizer.path, _escaped(slot.slot_name)) if part)}"
            optimizer.slots.setdefault(slot.slot_name, {})[variable.path] = made
    for node in nodes[1:]:
        node.path = node.path or f"#{node.node_id}"  # nothing leads to it
    return ObjectGraph(nodes, reader.prefix)


def object_graph_message(reader: CheckpointReader) -> protos.TrackableObjectGraph:
    """The message of a checkpoint's objects.

    Raises:
        NotFoundError: it has none.
        DataLossError: it is damaged.
    """
    if OBJECT_GRAPH_KEY not in reader:
        raise NotFoundError(f"{reader.prefix!r} has no objects: its {len(reader)} tensors were saved by name, as TensorFlow 1 does")
    stored = reader[OBJECT_GRAPH_KEY]
    if not stored.dtype.is_string or stored.shape:
        raise DataLossError(f"{OBJECT_GRAPH_KEY!r} in {reader.prefix!r} is {stored.dtype.name}{list(stored.shape)}, not one string; it is damaged")
    content: Any = stored.read()[()]
    return protos.parse(protos.TrackableObjectGraph, content, f"the objects of {reader.prefix!r}")


def _add_tensor(node: ObjectNode, attribute: Any, reader: CheckpointReader, missing: list[str]) -> None:
    key = attribute.checkpoint_key
    ends = [""] if key in reader else [end for end in _TABLE if key + end in reader]
    if not ends:
        missing.append(key)
    for end in ends:
        node.tensors[attribute.name + end] = reader[key + end]
        node.full_names[attribute.name + end] = attribute.full_name


def _name(nodes: list[ObjectNode]) -> None:
    """Gives each object that can be reached its path: the shortest one by names that its program gave it, or else through a layer's lists."""
    reached = {0}
    levels = (deque(nodes[:1]), deque[tuple[str, ObjectNode]]())
    while levels[0] or levels[1]:
        if levels[0]:
            node = levels[0].popleft()
        else:
            path, node = levels[1].popleft()
            if node.node_id in reached:
                continue
            reached.add(node.node_id)
            node.path = path
        for name, child in node.children.items():
            path = "/".join(part for part in (node.path, _escaped(name)) if part)
            if name in _LISTS:
                levels[1].append((path, child))
            elif child.node_id not in reached:
                reached.add(child.node_id)
                child.path = path
                levels[0].append(child)


def _escaped(name: str) -> str:
    return name.replace(".", "..").replace("/", ".S")


def _listed(tensors: Mapping[str, Any]) -> str:
    return f" ({', '.join(tensors)})" if tensors else ""
