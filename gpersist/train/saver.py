"""Saver: TensorFlow 1's way to save a session's variables and to restore them (`tf.train.Saver`).

A Saver is a message, SaverDef, over nodes of a graph that its builder has made, or somebody else's. They are not run: what they would do is read from
the graph (`saver_plan`) and handed to `gpersist.checkpoint`, which streams from the variables' own buffers, and into new ones.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import numbers
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpersist import files, protos
from gpersist.bundle import index_path
from gpersist.checkpoint import FollowedSave, locate
from gpersist.errors import CancelledError, CheckpointNotFoundError, FailedPreconditionError, GPersistError, InvalidArgumentError, NotFoundError
from gpersist.graph import BaseSession, Graph, GraphKeys, get_default_graph, prepend_name_scope, register_proto_function, strip_name_scope
from gpersist.train import checkpoint_state
from gpersist.train.exported_graph import ExportedGraph
from gpersist.train.kept_checkpoints import KeptCheckpoints
from gpersist.train.meta_graph import export_meta_graph
from gpersist.train.saver_builder import V2, BulkSaverBuilder
from gpersist.train.saver_plan import Plans
from gpersist.train.session_values import Saving, check_object_names, object_names, placed, restore

__all__ = ["Saver"]

_LOG = logging.getLogger("gpersist")


class Saver:
    """Saves and restores variables (`tf.train.Saver`).

    Args:
        var_list: variables, in a dict by the names that they have in the checkpoint, or in a list; by default all that can be saved.
        reshape: whether a variable may be restored from a value of another shape with as many elements.
        sharded: whether each device gets a data file of its own.
        max_to_keep: how many of the newest checkpoints are kept; None or 0 keeps all.
        keep_checkpoint_every_n_hours: one is kept for good besides every so many hours.
        name: of the nodes' scope; with `saver_def`, the scope that its nodes were imported into.
        restore_sequentially: for TensorFlow's sake.
        saver_def: the message of nodes that are there already.
        builder: makes the nodes; a `BulkSaverBuilder` by default.
        defer_build: whether the nodes are made by `build()` only.
        allow_empty: whether there may be no variables.
        write_version: `SaverDef.V2` or `SaverDef.V1`; either is read.
        pad_step_number: whether the step in a checkpoint's name has eight digits.
        save_relative_paths: whether the state file has relative paths, so that the folder can be moved.
        filename: the prefix where the nodes are run without one.

    Raises:
        TypeError: something in `var_list` can't be saved.
        ValueError: no variables, or two of one name.
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: protos.SaverDef | None = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = V2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if defer_build and var_list:
            raise ValueError("If `var_list` is provided then build cannot be deferred. Either set defer_build=False or var_list=None.")
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = max_to_keep
        self._keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self._name = name
        self._restore_sequentially = restore_sequentially
        self._filename = filename
        self.saver_def: Any = saver_def
        self._builder = builder
        self._is_built = False
        self._allow_empty = allow_empty
        self._is_empty = False
        self._write_version = write_version
        self._pad_step_number = pad_step_number
        self._save_relative_paths = save_relative_paths
        self._kept = KeptCheckpoints()
        self._pending: FollowedSave | None = None
        self._exported: weakref.WeakKeyDictionary[Graph, ExportedGraph] = weakref.WeakKeyDictionary()
        self._plans: weakref.WeakKeyDictionary[Graph, Plans] = weakref.WeakKeyDictionary()
        if not defer_build:
            self.build()
        if self.saver_def:
            self._check_saver_def()
            self._write_version = self.saver_def.version

    def build(self) -> None:
        """Makes the nodes, if that has been deferred."""
        if self._is_built:
            return
        self._is_built = True
        if not self.saver_def:
            if self._builder is None:
                self._builder = BulkSaverBuilder(self._write_version)
            if self._var_list is None:
                graph = get_default_graph()
                self._var_list = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.SAVEABLE_OBJECTS)
            if not self._var_list:
                if not self._allow_empty:
                    raise ValueError("No variables to save")
                self._is_empty = True
                return
            self.saver_def = self._builder.build(
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep,
                keep_checkpoint_every_n_hours=self._keep_checkpoint_every_n_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename,
            )
        elif self._name:
            scoped = protos.SaverDef()
            scoped.CopyFrom(self.saver_def)
            for field in _NAMES:
                setattr(scoped, field, prepend_name_scope(getattr(scoped, field), self._name))
            self.saver_def = scoped
        self._check_saver_def()
        self._kept.begin(self.saver_def.keep_checkpoint_every_n_hours)

    def _check_saver_def(self) -> None:
        if not isinstance(self.saver_def, protos.SaverDef):
            raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {self.saver_def}")
        for field in ("save_tensor_name", "restore_op_name"):
            if not getattr(self.saver_def, field):
                raise ValueError(f"saver_def must specify the {field}: {self.saver_def}")

    # ---- saving

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
        *,
        blocking: bool = True,
        durable: bool = False,
    ) -> Any:
        """Saves the variables of a session.

        Args:
            sess: the session.
            save_path: prefix of the checkpoint; its folder has to be there, or the one above it.
            global_step: a number, or a variable, a tensor or the name of one that gives it: `save_path` becomes `save_path-100`.
            latest_filename: the state file's name, `checkpoint` by default.
            meta_graph_suffix: of the file with the graph.
            write_meta_graph: whether it is written.
            write_state: whether the state file is written, and old checkpoints are deleted.
            strip_default_attrs: whether the graph is written without attributes that have their default values.
            save_debug_info: whether a file `.debug` is written beside; it is empty.
            blocking: whether to wait; if not, values are those of now, whatever is assigned to the variables afterwards.
            durable: whether to wait for the disk (fsync) before and after the commit.

        Returns:
            The prefix, as `restore` takes it; None if there are no variables; with `blocking=False` a `SaveHandle`, whose `result` comes when all
            files are there. What failed in the background is raised by it, or by the next `save`.

        Raises:
            TypeError: `sess` is no session.
            ValueError: a folder that isn't there, or file names that collide; or the graph is too large for a file (2 GB), which is told, with its
                largest constants, when the variables have been saved without it.
            RuntimeError: the nodes have not been built, or the session is closed.
            FailedPreconditionError: a variable has no value.
            GPersistError: the file system failed; what stood under the prefix stands.
        """
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        state_name = "checkpoint" if latest_filename is None else latest_filename
        if self._write_version != V2:
            _warn_of_v1()
        if os.path.split(state_name)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        save_path = path_text(save_path)
        prefix = self._prefix(sess, save_path, global_step, state_name)
        if not isinstance(sess, BaseSession):
            raise TypeError(f"'sess' must be a Session; {sess}")
        self._wait()
        meta_path = checkpoint_state.meta_graph_filename(prefix, meta_graph_suffix) if write_meta_graph else ""
        if self._is_empty:
            if write_meta_graph:
                checkpoint_state.write_file(meta_path, self._encoder(sess.graph, strip_default_attrs)(), durable=durable)
            return None
        if not os.path.basename(prefix):
            raise ValueError(f"no path specified: save_path is {save_path!r}; expected folder and base name, such as 'dir/model'")
        files.check_local(prefix)
        try:
            saving = Saving(sess, self._plans_of(sess), self.saver_def, prefix)
            meta = _Attempt(self._encoder(sess.graph, strip_default_attrs)) if write_meta_graph else None
            is_beside = self._write_version == V2 and meta_path == prefix + ".meta"

            def finish() -> None:
                content = meta() if meta is not None and not is_beside else None
                if content is not None:
                    checkpoint_state.write_file(meta_path, content, durable=durable)
                if meta is not None and save_debug_info:
                    checkpoint_state.write_file(os.path.splitext(meta_path)[0] + ".debug", b"", durable=durable)
                if write_state:
                    self._enter(saving.path, os.path.dirname(save_path), latest_filename, meta_graph_suffix, durable)
                if meta is not None and meta.error is not None:
                    raise ValueError(
                        f"{meta.error} The variables have been saved, as {saving.path!r}, but not the graph: there is no {meta_path!r} of it"
                    ) from meta.error

            if blocking:
                saving.run(meta if is_beside else None, durable=durable)
                finish()
                return saving.path
            self._pending = FollowedSave(saving.start(meta if is_beside else None, durable=durable))
            self._pending.finish(finish)
            return self._pending
        except (FailedPreconditionError, NotFoundError):
            if not os.path.isdir(os.path.dirname(save_path)):
                raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.") from None
            raise

    def _prefix(self, sess: Any, save_path: str, global_step: Any, state_name: str) -> str:
        if global_step is None:
            if os.path.basename(save_path) == state_name and not self._sharded:
                raise ValueError(f"'latest_filename' collides with 'save_path': '{state_name}' and '{save_path}'")
            return save_path
        step = global_step if isinstance(global_step, numbers.Integral) else int(sess.run(global_step))
        return f"{save_path}-{int(step):08d}" if self._pad_step_number else f"{save_path}-{int(step)}"

    def _wait(self) -> None:
        """Waits for a save in the background, and raises what it met, unless its handle has."""
        handle, self._pending = self._pending, None
        if handle is not None:
            error = handle.exception()
            if error is not None and not handle.raised and not isinstance(error, CancelledError):
                raise error

    def _enter(self, path: str, folder: str, latest_filename: str | None, suffix: str, durable: bool) -> None:
        """Takes up a checkpoint that has been written: state file, and deletion of an old one."""
        self._kept.add(path, self.saver_def.max_to_keep)
        checkpoint_state.write_state(folder, path, self.last_checkpoints, latest_filename, relative=self._save_relative_paths, durable=durable)
        old = self._kept.take_old()
        if old is not None:
            try:
                checkpoint_state.remove_checkpoint(old, self.saver_def.version, suffix)
            except GPersistError as error:
                _LOG.warning("Ignoring: %s", error)

    # ---- restoring

    def restore(self, sess: Any, save_path: str, *, device_map: Any = None, partial: bool = False) -> None:
        """Restores the variables of a session, which need not have been initialised.

        Args:
            sess: the session, or what runs nodes as one does (a `MonitoredSession`, whose hooks are called).
            save_path: prefix of a checkpoint of either format, such as `save` returns.
            device_map: puts variables on other devices than their nodes name: a dict from patterns of their names, or of their tensors', to devices,
                a device, or a policy (`"balanced"`, `"sequential"`, `"single"`); see `gpersist.load`. A key that is a device moves all nodes that
                name it: `{"/gpu:2": "/gpu:0"}`; those of a later call take its place.
            partial: pass over what the checkpoint lacks or has in another shape or dtype, with one warning.

        Raises:
            ValueError: `save_path` is None, or there is no checkpoint.
            NotFoundError, InvalidArgumentError: it lacks variables, or has them in other shapes or dtypes: all of them, in one error.
            DataLossError: a file is damaged. No variable has changed after any of these.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = path_text(save_path)
        if not checkpoint_state.checkpoint_exists(prefix):
            invalid = ValueError(f"The passed save_path is not a valid checkpoint: {prefix}")
            try:
                invalid.add_note(f"{locate(prefix)!r} is one")
            except GPersistError as error:
                invalid.add_note(error.message)  # what is near
            raise invalid
        _LOG.info("Restoring parameters from %s", prefix)
        if self._pending is not None:
            concurrent.futures.wait([self._pending])  # what it met, the next save raises
        if not isinstance(sess, BaseSession):
            if partial or device_map is not None:
                raise TypeError(f"'sess' must be a Session for partial= and device_map=; {sess}")
            with _restoring(None):
                sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: prefix})
            return
        plans = self._plans_of(sess)
        with placed(sess, plans, self.saver_def, device_map):  # not within `_restoring`: what is wrong with devices is no mismatch of graphs
            self._read(sess, plans, prefix, partial)

    def _read(self, sess: BaseSession, plans: Plans, prefix: str, partial: bool) -> None:
        """Gives the checkpoint's values to the variables, where these are placed."""
        with _restoring(plans):
            try:
                restore(sess, plans, self.saver_def, prefix, partial=partial)
                return
            except NotFoundError:
                names = _names_of_objects(prefix) if plans.restoring is not None else None
                if names is None:
                    raise
        if not partial:
            check_object_names(plans, names, prefix)
        _LOG.info("Restoring parameters from %s", prefix)
        with _restoring(plans):
            restore(sess, plans, self.saver_def, prefix, partial=partial, names=names)

    # ---- which checkpoints there are

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that have not been deleted yet, oldest first."""
        return [path for path, _ in self._kept.checkpoints]

    @property
    def _last_checkpoints(self) -> list[tuple[str, float]]:
        return self._kept.checkpoints

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Says which checkpoints there are; they are never deleted, since nobody knows their age.

        Raises:
            AssertionError: no list.
        """
        assert isinstance(last_checkpoints, list)
        self._kept.checkpoints = [(path, float("inf")) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """Says which checkpoints there are, and when each was saved, in seconds since 1970.

        Raises:
            AssertionError: no list.
        """
        assert isinstance(last_checkpoints_with_time, list)
        self._kept.checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Takes up checkpoints that another run has left: those that are there, by the time of their files."""
        found = [(path, checkpoint_state.get_checkpoint_mtimes([path])) for path in checkpoint_paths]
        self.set_last_checkpoints_with_time([(path, times[0]) for path, times in found if times])

    # ---- as a message, with its graph

    def as_saver_def(self) -> protos.SaverDef:
        """The message."""
        message: protos.SaverDef = self.saver_def
        return message

    def to_proto(self, export_scope: str | None = None) -> protos.SaverDef | None:
        """The message, names without a scope; None for a saver outside of that scope."""
        if export_scope is None:
            return self.as_saver_def()
        if not all(getattr(self.saver_def, field).startswith(export_scope) for field in _NAMES):
            return None
        message = protos.SaverDef()
        message.CopyFrom(self.saver_def)
        for field in _NAMES:
            setattr(message, field, strip_name_scope(getattr(message, field), export_scope))
        return message

    @staticmethod
    def from_proto(saver_def: protos.SaverDef, import_scope: str | None = None) -> Saver:
        """The saver of a message, whose nodes were imported into a scope."""
        return Saver(saver_def=saver_def, name=import_scope)

    def export_meta_graph(
        self,
        filename: str | os.PathLike[str] | None = None,
        collection_list: Sequence[Any] | None = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> protos.MetaGraphDef:
        """The message of the default graph with this saver, also written to a file; see `tf.train.export_meta_graph`."""
        return export_meta_graph(
            filename=filename,
            graph_def=get_default_graph().as_graph_def(add_shapes=True),
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            save_debug_info=save_debug_info,
        )

    def _encoder(self, graph: Graph, strip_default_attrs: bool) -> Callable[[], bytes]:
        """Gives the content of a `.meta`."""
        exported = self._exported.get(graph)
        if exported is None:
            exported = self._exported[graph] = ExportedGraph()
        return lambda: exported.encoded(graph, self.saver_def, strip_default_attrs)

    def _plans_of(self, sess: BaseSession) -> Plans:
        """What the nodes do in the session's graph.

        Raises:
            RuntimeError: the session is closed, or its graph empty.
            TypeError: its graph has no such nodes.
        """
        sess._check_open()
        graph = sess.graph
        found = self._plans.get(graph)
        if found is None or found.mutations != graph._mutations:
            for name in _NAMES:
                if getattr(self.saver_def, name).partition(":")[0] not in graph._nodes_by_name:
                    sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: ""})  # raises what TensorFlow does
            found = self._plans[graph] = Plans(graph, self.saver_def)
        return found


class _Attempt:
    """A graph's encoder that keeps its error: variables are saved even when their graph can't be.

    Attributes:
        error: what the encoder raised.
    """

    def __init__(self, encode: Callable[[], bytes]) -> None:
        self.error: ValueError | None = None
        self._encode = encode

    def __call__(self) -> bytes | None:
        try:
            return self._encode()
        except ValueError as error:
            self.error = error
            return None


_NAMES = ("filename_tensor_name", "save_tensor_name", "restore_op_name")


@contextlib.contextmanager
def _restoring(plans: Plans | None) -> Iterator[None]:
    """Has what a restore raises say that nothing was changed, and what the ways out are."""
    try:
        yield
    except (NotFoundError, InvalidArgumentError) as error:
        kind = NotFoundError if isinstance(error, NotFoundError) else InvalidArgumentError if type(error) is InvalidArgumentError else None
        if kind is None:
            raise
        why = "a Variable name or other graph key that is missing" if kind is NotFoundError else "a mismatch between this graph and the one"
        failed = "Restoring from checkpoint failed, and nothing was changed"
        if isinstance(error, CheckpointNotFoundError):  # a file of it
            wrapped: GPersistError = CheckpointNotFoundError(f"{failed}: {error.message}")
        else:
            wrapped = kind(
                f"{failed}; most likely it is {why} in the checkpoint: {error.message}\n"
                "ways out: Saver({name in the checkpoint: variable, ...}) with what is there, under its names; "
                "restore(..., partial=True) passes over the rest"
            )
        wrapped.__dict__.update({key: value for key, value in error.__dict__.items() if key in ("op", "node_def")})
        if kind is NotFoundError and wrapped.op is None and plans is not None and plans.restoring:
            wrapped.op = plans.restoring[0].op
            wrapped.node_def = wrapped.op.node_def
        raise wrapped from error


def _names_of_objects(prefix: str) -> dict[str, str] | None:
    """The names in a checkpoint of objects, by those of a Saver, with a warning; None for any other checkpoint."""
    names = object_names(prefix) if os.path.isfile(index_path(prefix)) else None
    if names is not None:
        _LOG.warning(
            "Restoring an object-based checkpoint using a name-based saver. This may be somewhat fragile, and will re-build the Saver. Instead, "
            "consider loading object-based checkpoints using tf.train.Checkpoint()."
        )
    return names


def path_text(path: Any) -> str:
    """A path as text, from text, bytes or a path object.

    Raises:
        TypeError: it is none of these.
    """
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"Expected binary or unicode string, got {path!r}") from None


def _warn_of_v1() -> None:
    for line in (
        "*******************************************************",
        "TensorFlow's V1 checkpoint format has been deprecated.",
        "Consider switching to the more efficient V2 format:",
        "   `tf.train.Saver(write_version=tf.train.SaverDef.V2)`",
        "now on by default.",
        "*******************************************************",
    ):
        _LOG.warning(line)


register_proto_function(GraphKeys.SAVERS, proto_type="SaverDef", to_proto=Saver.to_proto, from_proto=Saver.from_proto)
