"""From a session's variables to a checkpoint, and back, by the plans that were read from a Saver's nodes."""

from __future__ import annotations

import functools
import logging
import math
import operator
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist import checkpoint, protos
from gpersist.checkpoint import SaveHandle, SaveResult, TensorSpec, Wanted
from gpersist.devices import Device
from gpersist.errors import NotFoundError, UnimplementedError
from gpersist.graph import BaseSession, Operation
from gpersist.ops.save import make_one_folder, named_arrays, save_v1
from gpersist.train import checkpoint_state
from gpersist.train.saver_plan import Plans, Restored, SavePlan

__all__ = ["check_object_names", "object_names", "placed", "read_variables", "restore"]

_LOG = logging.getLogger("gpersist")

_Meta = Callable[[], bytes | None] | None


class Saving:
    """A save of one moment's values, which it holds: nothing is copied, and an assignment to a variable goes to a new array meanwhile.

    Attributes:
        path: what `Saver.save` returns, and `restore` takes.
    """

    def __init__(self, session: BaseSession, plans: Plans, saver_def: protos.SaverDef, prefix: str) -> None:
        """Takes the values.

        Raises:
            FailedPreconditionError: a variable has none.
            NotFoundError: the folder isn't there.
        """
        self._started = time.perf_counter()
        self._prefix = prefix
        self._plan: SavePlan | None = plans.saving
        self._arrays: list[Any] = []
        if self._plan is None:
            self._run = functools.partial(session.run, saver_def.save_tensor_name, {saver_def.filename_tensor_name: prefix})
            self.path = prefix
            return
        entries = self._plan.entries
        computed = [entry.tensor for entry in entries if entry.variable is None]
        values = iter(session.run(computed) if computed else ())
        held = iter([buffer.read() for buffer in plans.saved_buffers(session)])
        self._arrays = [next(values if entry.variable is None else held) for entry in entries]
        self.path = f"{prefix}-?????-of-{self._plan.num_shards:05d}" if self._plan.is_v1 and self._plan.num_shards else prefix

    def run(self, meta: _Meta, *, durable: bool) -> None:
        """Writes the checkpoint."""
        plan = self._plan
        if plan is None:
            self.path = os.fsdecode(self._run())
            content = meta() if meta is not None else None
            if content is not None:
                checkpoint_state.write_file(self._prefix + ".meta", content, durable=durable)
        elif plan.is_v1:
            self._write_v1(plan, durable)
            self._arrays = []
        else:
            checkpoint.save(self._prefix, self._named(plan), **self._options(plan, meta, durable))

    def start(self, meta: _Meta, *, durable: bool) -> SaveHandle:
        """Writes the checkpoint in the background. What is no plan of ours is run at once."""
        plan = self._plan
        if plan is not None and not plan.is_v1:
            return checkpoint.save_frozen(self._prefix, self._named(plan), **self._options(plan, meta, durable))
        handle = SaveHandle(self.path)
        blocked = time.perf_counter() - self._started

        def work() -> None:
            try:
                sizes = [getattr(array, "nbytes", 0) for array in self._arrays]
                self.run(meta, durable=durable)
                took = time.perf_counter() - self._started
                handle.set_result(SaveResult(self.path, len(sizes), sum(sizes), plan.num_shards if plan and plan.num_shards else 1, took, blocked))
            except BaseException as error:
                handle.set_exception(error)

        if plan is None:
            work()
        else:
            threading.Thread(target=work, name="gpersist-save-0").start()
        return handle

    def _named(self, plan: SavePlan) -> dict[str, Any]:
        if plan.num_shards and not os.path.isdir(os.path.dirname(self._prefix) or os.curdir):
            raise NotFoundError(f"cannot save {self._prefix!r}: the folder {os.path.dirname(self._prefix)!r} does not exist; make it first")
        make_one_folder(self._prefix)
        arrays, self._arrays = self._arrays, []
        return named_arrays([entry.name for entry in plan.entries], [entry.part for entry in plan.entries], arrays)

    def _options(self, plan: SavePlan, meta: _Meta, durable: bool) -> dict[str, Any]:
        options: dict[str, Any] = {"alignment_bytes": 1, "durable": durable, "write_meta": False, "meta": meta}
        if plan.num_shards:
            shards: dict[str, Any] = {}
            for entry in plan.entries:
                if not entry.part:
                    shards[entry.name] = entry.shard
                else:
                    shards.setdefault(entry.name, []).append(entry.shard)
            options["shards"] = {name: found[0] if isinstance(found, list) and len(found) == 1 else found for name, found in shards.items()}
        return options

    def _write_v1(self, plan: SavePlan, durable: bool) -> None:
        for number in range(max(plan.num_shards, 1)):
            mine = [(entry, array) for entry, array in zip(plan.entries, self._arrays, strict=True) if entry.shard == number]
            arrays = named_arrays([entry.name for entry, _ in mine], [entry.part for entry, _ in mine], [array for _, array in mine])
            save_v1(f"{self._prefix}-{number:05d}-of-{plan.num_shards:05d}" if plan.num_shards else self._prefix, arrays, durable=durable)


def restore(
    session: BaseSession,
    plans: Plans,
    saver_def: protos.SaverDef,
    prefix: str,
    *,
    partial: bool,
    names: Mapping[str, str] | None = None,
) -> None:
    """Reads a checkpoint into new arrays, and gives these to the variables when all of them are whole.

    `names` says under which names the checkpoint has what the Saver calls otherwise.

    Raises:
        NotFoundError, InvalidArgumentError, DataLossError: see `gpersist.checkpoint.fetch`; no variable has changed.
        NotACheckpointError: the path is a folder.
        UnimplementedError: nodes that are not a Saver's cannot be restored in part.
    """
    path = checkpoint_state.exact_prefix(prefix)
    plan = plans.restoring
    if plan is None:
        if partial:
            raise _not_a_savers(saver_def)
        session.run(saver_def.restore_op_name, {saver_def.filename_tensor_name: prefix})
        return
    session._check_open()
    if names:
        plan = tuple(entry._replace(name=names.get(entry.name, entry.name)) for entry in plan)
    read_variables(session, plan, path, partial=partial)


@contextmanager
def placed(session: BaseSession, plans: Plans, saver_def: protos.SaverDef, device_map: Any) -> Iterator[None]:
    """Places the graph, its variables where `device_map` says: for good, unless the restore within raises.

    Keys of a dict that are devices move all nodes that name these.

    Raises:
        InvalidArgumentError: `device_map` is none, a device that it or a node names is not here, or nodes that belong together name different ones.
        UnimplementedError: nodes that are not a Saver's cannot be restored to other devices.
    """
    plan = plans.restoring
    if device_map is None:
        session.buffers_of([])
        yield
    elif plan is None:
        raise _not_a_savers(saver_def)
    else:
        moved = None
        if isinstance(device_map, Mapping):
            moved = checkpoint.recorded_rule(device_map, session.available_devices)
            places = _places_by_key(session, plan, device_map, moved)
        else:
            specs = {entry.variable: _spec(entry, entry.variable.name) for entry in plan}
            found = checkpoint.place(list(specs.values()), device_map, available=session.available_devices)
            places = dict(zip(specs, found.devices, strict=True))
        with session.variables_placed(places, moved):
            yield


def object_names(prefix: str) -> dict[str, str] | None:
    """The names in a checkpoint of objects (`tf.train.Checkpoint`) of variables, by the names that a Saver has for them; None for any other."""
    with checkpoint.CheckpointReader(prefix) as reader:
        if checkpoint.OBJECT_GRAPH_KEY not in reader:
            return None
        graph = checkpoint.object_graph_message(reader)
    return {attribute.full_name: attribute.checkpoint_key for node in graph.nodes for attribute in node.attributes}


def check_object_names(plans: Plans, names: Mapping[str, str], prefix: str) -> None:
    """Holds what a Saver restores against the names in a checkpoint of objects, before anything is read; `names` are `object_names`.

    Raises:
        NotFoundError: they lack some; lists all of these.
    """
    wanted = {entry.name for entry in plans.restoring or ()}
    if missing := wanted - names.keys():
        gone = ", ".join(sorted(names.keys() - wanted))
        raise NotFoundError(
            f"\n\nExisting variables not in the checkpoint: {', '.join(sorted(missing))}\n\n"
            f"Variables names when this checkpoint was written which don't exist now: {gone}\n\n"
            f"({len(wanted & names.keys())} variable name(s) did match)\n\n"
            f"{prefix!r} holds objects, as tf.train.Checkpoint and Keras save them. `gpersist show --objects` lists its values by their paths, and "
            f"gpersist.open({prefix!r}).object_graph() gives them; Saver({{name when it was written: variable, ...}}) restores variables that have "
            "other names now"
        )


def _not_a_savers(saver_def: protos.SaverDef) -> UnimplementedError:
    return UnimplementedError(
        f"{saver_def.restore_op_name!r} runs more than a Saver's own nodes, which partial= and device_map= do not reach; restore without them"
    )


def read_variables(session: BaseSession, plan: Sequence[Restored], path: str, *, partial: bool) -> None:
    """Reads a checkpoint into new arrays, and gives these to the variables; see `restore`."""
    buffers = session.buffers_of([entry.variable for entry in plan])
    wanted = [
        Wanted(entry.name, entry.dtype, buffer.device, entry.part, entry.shape, None if entry.reshaped is None else math.prod(entry.reshaped))
        for entry, buffer in zip(plan, buffers, strict=True)
    ]
    arrays = checkpoint.fetch(path, wanted, partial=partial)
    for entry, buffer, array in zip(plan, buffers, arrays, strict=True):
        if array is None:
            continue
        if entry.reshaped is not None:
            array = array.reshape(entry.reshaped)
        elif entry.shape is None and entry.variable.type == "VarHandleOp" and not entry.variable.attr("shape").is_compatible_with(array.shape):
            _LOG.warning(
                "resource variable %s of shape %s takes the shape %s that %r has it in, as in TensorFlow",
                *(buffer.name, entry.variable.attr("shape"), tuple(array.shape), path),
            )
        buffer.adopt(array)


def _places_by_key(
    session: BaseSession, plan: Sequence[Restored], places: Mapping[str, Any], moved: Callable[[str], Device | None] | None
) -> dict[Operation, Device]:
    """The devices that a dict's keys give variables, by the names of their nodes or of their tensors; what none is given for is left out."""
    first, keys = checkpoint.first_match(places), list(places)
    chosen: dict[Operation, TensorSpec] = {}
    used = set()
    for entry in plan:
        op = entry.variable
        found = [(position, name) for name in (op.name, entry.name) if (position := first(name, op.device)) is not None]
        if not found:
            continue
        position, name = min(found, key=operator.itemgetter(0))
        if places[keys[position]] is not None or (moved is not None and moved(op.device) is not None):
            chosen[op] = _spec(entry, name)
            used.add(keys[position])
    names = dict.fromkeys(name for entry in plan for name in (entry.name, entry.variable.name))
    recorded = {op.device for op in session.graph._nodes}
    recorded.update(node.device for function in session.graph._library.function for node in function.node_def)
    checkpoint.warn_of_idle_keys(places, names, recorded)
    placed = checkpoint.place(list(chosen.values()), {key: places[key] for key in keys if key in used}, available=session.available_devices)
    return dict(zip(chosen, placed.devices, strict=True))


def _spec(entry: Restored, name: str) -> TensorSpec:
    sizes = tuple(size or 0 for size in entry.variable.attr("shape").sizes or ())
    return TensorSpec(name, sizes, entry.dtype, math.prod(sizes) * entry.dtype.size_bytes, entry.variable.device)
