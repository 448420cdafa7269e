"""The objects that are reached from a root, numbered as TensorFlow numbers them in a checkpoint, and the keys of their values.

    key: <path>/.ATTRIBUTES/VARIABLE_VALUE, of a slot <path of variable>/.OPTIMIZER_SLOT/<path of optimizer>/<slot>/.ATTRIBUTES/VARIABLE_VALUE

Objects come in the order of their distance from the root, slots of optimizers last. Read back by `gpersist.checkpoint.object_graph`.

Source: TensorFlow `graph_view.py`, `util.py`.
"""

from __future__ import annotations

import collections
from typing import Any, NamedTuple

from gpersist import protos
from gpersist.ops.variable import Variable
from gpersist.train.optimizer import Optimizer
from gpersist.train.trackable import children_of

VARIABLE_VALUE = "VARIABLE_VALUE"


class Slot(NamedTuple):
    """A slot of an optimizer: whose it is, what it is called, which variable it belongs to, and itself; objects by their numbers."""

    optimizer: int
    name: str
    original: int
    variable: int


class ObjectView:
    """The objects of a root.

    Attributes:
        objects: all of them; the root is the first.
        children: the numbers of what each of them has, by name.
        slots: of the optimizers among them.
    """

    def __init__(self, root: Any) -> None:
        """Walks along what objects have.

        Raises:
            ValueError: a list or dict among them cannot be saved any more.
        """
        self.objects: list[Any] = [root]
        self.children: list[dict[str, int]] = []
        self.slots: list[Slot] = []
        self._numbers = {id(root): 0}
        self._paths = [""]
        waiting = collections.deque([0])
        while waiting:
            number = waiting.popleft()
            found: dict[str, int] = {}
            for name, child in children_of(self.objects[number]).items():
                if id(child) not in self._numbers:
                    path = "/".join(part for part in (self._paths[number], _escaped(name)) if part)
                    waiting.append(self._add(child, path))
                found[name] = self._numbers[id(child)]
            self.children.append(found)
        self._add_slots()

    def variables(self) -> dict[str, Any]:
        """The variables among the objects, by the keys of their values."""
        return {
            f"{path}/.ATTRIBUTES/{VARIABLE_VALUE}": each for path, each in zip(self._paths, self.objects, strict=True) if isinstance(each, Variable)
        }

    def message(self) -> protos.TrackableObjectGraph:
        """The objects as a checkpoint has them."""
        found = protos.TrackableObjectGraph()
        for number, value in enumerate(self.objects):
            node = found.nodes.add()
            for name, child in self.children[number].items():
                node.children.add(node_id=child, local_name=name)
            if isinstance(value, Variable):
                key = f"{self._paths[number]}/.ATTRIBUTES/{VARIABLE_VALUE}"
                node.attributes.add(name=VARIABLE_VALUE, full_name=full_name(value), checkpoint_key=key)
        for slot in self.slots:
            found.nodes[slot.optimizer].slot_variables.add(
                original_variable_node_id=slot.original, slot_name=slot.name, slot_variable_node_id=slot.variable
            )
        self._mark_values(found)
        return found

    def _add(self, value: Any, path: str) -> int:
        number = self._numbers[id(value)] = len(self.objects)
        self.objects.append(value)
        self._paths.append(path)
        return number

    def _add_slots(self) -> None:
        reached = list(enumerate(self.objects))
        for number, optimizer in reached:
            if not isinstance(optimizer, Optimizer):
                continue
            for name in optimizer.get_slot_names():
                for original, variable in reached:
                    slot = optimizer.get_slot(variable, name) if isinstance(variable, Variable) else None
                    if slot is None:
                        continue
                    if id(slot) not in self._numbers:
                        self._add(slot, f"{self._paths[original]}/.OPTIMIZER_SLOT/{self._paths[number]}/{_escaped(name)}")
                        self.children.append({})
                    self.slots.append(Slot(number, name, original, self._numbers[id(slot)]))

    def _mark_values(self, message: protos.TrackableObjectGraph) -> None:
        """Says of each object whether it, or something that it has, has a value."""
        parents: list[list[int]] = [[] for _ in self.objects]
        for number, children in enumerate(self.children):
            for child in children.values():
                parents[child].append(number)
        waiting = [number for number, node in enumerate(message.nodes) if node.attributes or node.slot_variables]
        marked = set(waiting)
        while waiting:
            fresh = set(parents[waiting.pop()]) - marked
            marked |= fresh
            waiting += fresh
        for number, node in enumerate(message.nodes):
            node.has_checkpoint_values.value = number in marked


def full_name(variable: Any) -> str:
    """The name that a Saver has for a variable."""
    info = variable._get_save_slice_info()
    return str(info.full_name if info is not None else variable._shared_name)


def _escaped(name: str) -> str:
    return name.replace(".", "..").replace("/", ".S")
