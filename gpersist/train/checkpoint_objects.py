"""Checkpoints of objects, in a graph: `tf.train.Checkpoint`, which finds values by the names of a program's attributes, not of a graph's nodes.

No nodes are added but the counter of saves. What is restored is found when it is asked for, so that objects made after `restore` are found, too.

Source: TensorFlow `checkpoint.py` (`CheckpointV1`, `CheckpointLoadStatus`, `InitializationOnlyStatus`, `NameBasedSaverStatus`).
"""

from __future__ import annotations

import collections
import os
from typing import Any

import numpy as np

from gpersist import checkpoint, protos
from gpersist.dtypes import int64
from gpersist.graph import get_default_graph, get_default_session
from gpersist.ops.variable import Variable
from gpersist.train import checkpoint_state
from gpersist.train.object_view import VARIABLE_VALUE, ObjectView
from gpersist.train.saver import Saver, path_text
from gpersist.train.saver_plan import Restored
from gpersist.train.session_values import read_variables
from gpersist.train.trackable import AutoTrackable, NoDependency, is_trackable

__all__ = ["Checkpoint"]

_MAX_TOLD = 10


class Checkpoint(AutoTrackable):
    """Objects to save and restore together (`tf.train.Checkpoint`): variables, optimizers, modules, other checkpoints, and lists and dicts of these.

    Args:
        **kwargs: the objects; they become attributes, and others may be assigned later.

    Raises:
        ValueError: one cannot be tracked.
    """

    def __init__(self, **kwargs: Any) -> None:
        for name, value in sorted(kwargs.items()):
            setattr(self, name, value)
            if not is_trackable(getattr(self, name)):
                raise ValueError(
                    f"`Checkpoint` was expecting a trackable object (an object derived from `Trackable`), got {value}. If you believe this object "
                    "should be trackable (i.e. it is part of the TensorFlow Python API and manages state), please open an issue."
                )
        self._save_counter: Any = None
        self._count: Any = None

    @property
    def save_counter(self) -> Any:
        """A variable that counts the calls of `save`; made when it is first asked for."""
        if self._save_counter is None:
            with get_default_graph().device("/cpu:0"):
                counter = Variable(0, dtype=int64, name="save_counter", trainable=False, use_resource=True)
            self._save_counter = NoDependency(counter)
            self._track("save_counter", counter)
        return self._save_counter

    def write(self, file_prefix: Any, session: Any = None, options: None = None) -> str:
        """Writes a checkpoint, and nothing else: `save` numbers it, and enters it in the state file.

        Args:
            file_prefix: of its files; missing folders are made.
            session: whose values are saved; by default the default session.
            options: for TensorFlow's sake.

        Returns:
            The prefix.

        Raises:
            FailedPreconditionError: a variable has no value.
            GPersistError: the file system said no; what stood under the prefix stands.
        """
        del options
        session, prefix = session_of(session), str(os.fspath(file_prefix))
        view = ObjectView(self)
        variables = view.variables()
        buffers = session.buffers_of([_checked(variable, session).op for variable in variables.values()])
        arrays = {key: buffer.read() for key, buffer in zip(variables, buffers, strict=True)}
        arrays[checkpoint.OBJECT_GRAPH_KEY] = np.array(view.message().SerializeToString(deterministic=True), dtype=object)
        checkpoint.save(prefix, arrays, alignment_bytes=1, durable=False, write_meta=False)
        return prefix

    def save(self, file_prefix: Any, session: Any = None, options: None = None) -> str:
        """Writes a checkpoint under the number of this save, `prefix-1`, and says in the folder's state file that it is the newest.

        Args:
            file_prefix: what is in front of the number.
            session: see `write`.
            options: for TensorFlow's sake.

        Returns:
            The prefix, as `restore` takes it.

        Raises:
            GPersistError: see `write`.
        """
        session, prefix = session_of(session), os.fspath(file_prefix)
        if self._save_counter is None:
            session.run(self.save_counter.initializer)
        if self._count is None:
            with get_default_graph().colocate_with(self.save_counter):
                self._count = NoDependency(self.save_counter.assign_add(1))
        path = self.write(f"{prefix}-{int(session.run(self._count))}", session, options)
        checkpoint_state.write_state(os.path.dirname(prefix), path, [path], relative=True)
        return path

    def restore(self, save_path: Any) -> Any:
        """Finds the values of a checkpoint for the objects; they are read by what is given back.

        Args:
            save_path: prefix of a checkpoint of objects, or of variables by name; None for none.

        Returns:
            A status, with `run_restore_ops(session)`, `initialize_or_restore(session)`, and assertions of what was found.

        Raises:
            NotFoundError: there is no checkpoint.
            DataLossError: it is damaged.
        """
        if save_path is None:
            self.save_counter  # noqa: B018  # is made, so that it is initialised with others
            return InitializationOnlyStatus(self)
        path = path_text(save_path)
        prefix = checkpoint_state.exact_prefix(path)
        with checkpoint.CheckpointReader(prefix) as reader:
            message = checkpoint.object_graph_message(reader) if checkpoint.OBJECT_GRAPH_KEY in reader else None
        self.save_counter  # noqa: B018  # likewise
        return NameBasedSaverStatus(self, path) if message is None else CheckpointLoadStatus(self, prefix, message)


class _Status:
    """What a `restore` has found."""

    def __init__(self, root: Checkpoint) -> None:
        self._root = root

    def expect_partial(self) -> Any:
        """Says that not all of the checkpoint is used; gives itself."""
        return self


class CheckpointLoadStatus(_Status):
    """What a `restore` has found of a checkpoint of objects."""

    def __init__(self, root: Checkpoint, prefix: str, message: protos.TrackableObjectGraph) -> None:
        super().__init__(root)
        self._prefix = prefix
        self._nodes = message.nodes

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Holds that all of the checkpoint has found its object, and each object its value; gives itself.

        Raises:
            AssertionError: one hasn't.
        """
        self.assert_existing_objects_matched()
        view = ObjectView(self._root)
        matched = self._matched(view)
        for number, node in enumerate(self._nodes):
            if node.attributes and number not in matched:
                raise AssertionError(f"Unresolved object in checkpoint {self._names()[number]}: {node}")
        unused = [
            f"{self._names()[number]} ({view.objects[mine]}): {[attribute.name for attribute in self._nodes[number].attributes]}"
            for number, mine in matched.items()
            if self._nodes[number].attributes and not isinstance(view.objects[mine], Variable)
        ]
        if unused:
            lines = "\n".join(unused)
            raise AssertionError(f"Unused attributes in these objects (the attributes exist in the checkpoint but were not restored):\n{lines}")
        return self

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Holds that each object has found its value; gives itself.

        Raises:
            AssertionError: one hasn't.
        """
        view = ObjectView(self._root)
        unmatched = self._unmatched(view)
        if unmatched:
            told = unmatched[:_MAX_TOLD]
            raise AssertionError(
                f"Found {len(unmatched)} Python objects that were not bound to checkpointed values, likely due to changes in the Python program. "
                f"Showing {len(told)} of {len(unmatched)} unmatched objects: {told}"
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Holds that anything but the root has been found; gives itself.

        Raises:
            AssertionError: nothing has.
        """
        view = ObjectView(self._root)
        if len(self._matched(view)) <= 1:
            unmatched = self._unmatched(view)
            if unmatched:
                raise AssertionError(
                    "Nothing except the root object matched a checkpointed value. Typically this means that the checkpoint does not match the Python "
                    f"program. The following objects have no matching checkpointed value: {unmatched}"
                )
            raise AssertionError(f"Nothing to load. No dependencies have been added to {self._root} yet.")
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Gives the variables their values, all of them or none.

        Args:
            session: by default the default session.

        Raises:
            InvalidArgumentError: the checkpoint has one in another shape or dtype.
            DataLossError: a file is damaged.
        """
        session = session_of(session)
        view = ObjectView(self._root)
        plan: dict[int, Restored] = {}
        for number, mine in self._matched(view).items():
            variable = view.objects[mine]
            for attribute in self._nodes[number].attributes:
                if attribute.name == VARIABLE_VALUE and isinstance(variable, Variable):
                    plan[mine] = _restored(attribute.checkpoint_key, _checked(variable, session))
        read_variables(session, list(plan.values()), self._prefix, partial=False)

    def initialize_or_restore(self, session: Any = None) -> None:
        """Gives the variables their values, and initialises those that the checkpoint has not; see `run_restore_ops`."""
        session = session_of(session)
        rest = self._unmatched(ObjectView(self._root))
        self.run_restore_ops(session)
        session.run([variable.initializer for variable in rest])

    def _matched(self, view: ObjectView) -> dict[int, int]:
        """The objects by the numbers of their nodes: each the first that is reached by the names which lead to the node."""
        matched = {0: 0}
        waiting = collections.deque([0])
        while waiting:
            number = waiting.popleft()
            children = view.children[matched[number]]
            for child in self._nodes[number].children:
                mine = children.get(child.local_name)
                if mine is None:
                    continue
                if child.node_id not in matched:
                    matched[child.node_id] = mine
                    waiting.append(child.node_id)
        slots = {(slot.optimizer, slot.name, slot.original): slot.variable for slot in view.slots}
        for number, node in enumerate(self._nodes):
            for slot in node.slot_variables:
                mine = slots.get((matched.get(number, -1), slot.slot_name, matched.get(slot.original_variable_node_id, -1)))
                if mine is not None:
                    matched[slot.slot_variable_node_id] = mine
        return matched

    def _unmatched(self, view: ObjectView) -> list[Any]:
        """The variables that no node was found for."""
        found = set(self._matched(view).values())
        return [each for number, each in enumerate(view.objects) if isinstance(each, Variable) and number not in found]

    def _names(self) -> dict[int, str]:
        """What the nodes are called in messages."""
        names = {0: "(root)"}
        waiting = collections.deque([0])
        while waiting:
            number = waiting.popleft()
            for child in self._nodes[number].children:
                if child.node_id not in names:
                    names[child.node_id] = f"{names[number]}.{child.local_name}"
                    waiting.append(child.node_id)
        for number, node in enumerate(self._nodes):
            for slot in node.slot_variables:
                names[slot.slot_variable_node_id] = f"{names[number]}'s state '{slot.slot_name}' for {names[slot.original_variable_node_id]}"
        return names


class InitializationOnlyStatus(_Status):
    """What a `restore` of no checkpoint gives."""

    def assert_consumed(self) -> None:
        """Fails.

        Raises:
            AssertionError: nothing is restored.
        """
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session: Any = None) -> None:
        """Fails.

        Raises:
            AssertionError: nothing is restored.
        """
        del session
        raise AssertionError("No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore).")

    def initialize_or_restore(self, session: Any = None) -> None:
        """Initialises the variables."""
        session_of(session).run([variable.initializer for variable in ObjectView(self._root).variables().values()])


class NameBasedSaverStatus(_Status):
    """What a `restore` of a checkpoint that a Saver wrote has found: variables are restored by their names in the graph."""

    def __init__(self, root: Checkpoint, save_path: str) -> None:
        super().__init__(root)
        self._save_path = save_path
        self._restored: set[int] = set()

    def assert_consumed(self) -> NameBasedSaverStatus:
        """Holds that all objects have been restored; gives itself.

        Raises:
            AssertionError: one has not.
        """
        for value in ObjectView(self._root).objects:
            if id(value) not in self._restored:
                raise AssertionError(f"Object not restored: {value}")
        return self

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session: Any = None) -> None:
        """Restores the variables that it has not restored before.

        Raises:
            ValueError: there are none.
            GPersistError: see `Saver.restore`.
        """
        fresh = [value for value in ObjectView(self._root).objects if id(value) not in self._restored]
        self._restored.update(map(id, fresh))
        Saver([value for value in fresh if isinstance(value, Variable)]).restore(session_of(session), self._save_path)

    def initialize_or_restore(self, session: Any = None) -> None:
        """The same as `run_restore_ops`."""
        self.run_restore_ops(session)


def session_of(session: Any) -> Any:
    """The session, or else the default one.

    Raises:
        AttributeError: there is none, as in TensorFlow.
    """
    found = session if session is not None else get_default_session()
    if found is None:
        raise AttributeError("there is no session: give one, as session=, or do this within `with session.as_default()`")
    return found


def _checked(variable: Any, session: Any) -> Any:
    if variable.graph is not session.graph:
        raise ValueError(f"{variable!r} is not an element of the session's graph; give the session of its graph")
    return variable


def _restored(key: str, variable: Any) -> Restored:
    shape = tuple(variable.shape.as_list()) if variable.dtype.is_ref and variable.shape.is_fully_defined() else None
    return Restored(key, "", variable.dtype.base_dtype, variable.op, shape, None, variable.op)
