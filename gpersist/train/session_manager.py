"""SessionManager: makes sessions whose variables have values, restored or first ones (`tf.train.SessionManager`)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpersist import checkpoint
from gpersist.errors import DeadlineExceededError, FailedPreconditionError
from gpersist.graph import Graph, Session, get_default_graph
from gpersist.train.checkpoint_state import checkpoint_exists, get_checkpoint_state

__all__ = ["SessionManager"]

_LOG = logging.getLogger("gpersist")


class SessionManager:
    """Makes sessions from checkpoints, or by initialisation (`tf.train.SessionManager`).

    Args:
        local_init_op: run in each new session.
        ready_op: gives the names of variables that have no value; None if nobody wants to know.
        ready_for_local_init_op: gives those that have no value before `local_init_op`.
        graph: the graph; the default one if None.
        recovery_wait_secs: how many seconds to wait before looking again.
        local_init_run_options: of the run of `local_init_op`.
        local_init_feed_dict: what it is fed with.

    Raises:
        ValueError: `ready_for_local_init_op` without `local_init_op`.
    """

    def __init__(
        self,
        local_init_op: Any = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        graph: Graph | None = None,
        recovery_wait_secs: float = 30,
        local_init_run_options: Any = None,
        local_init_feed_dict: Mapping[Any, Any] | None = None,
    ) -> None:
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                f"If you pass a ready_for_local_init_op you must also pass a local_init_op , ready_for_local_init_op [{ready_for_local_init_op}]"
            )
        self._local_init_op = local_init_op
        self._ready_op = ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = get_default_graph() if graph is None else graph
        self._recovery_wait_secs = recovery_wait_secs
        self._local_init_run_options = local_init_run_options
        self._local_init_feed_dict = local_init_feed_dict

    def prepare_session(
        self,
        master: str,
        init_op: Any = None,
        saver: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
        init_feed_dict: Mapping[Any, Any] | None = None,
        init_fn: Callable[[Session], Any] | None = None,
    ) -> Session:
        """A session that is ready: restored if there is a checkpoint, initialised if not.

        Args:
            master: empty.
            init_op: initialises the variables where there is no checkpoint.
            saver: restores; without one nothing is restored.
            checkpoint_dir: the folder whose newest checkpoint is restored.
            checkpoint_filename_with_path: the checkpoint to restore.
            wait_for_checkpoint: whether to wait for one to come.
            max_wait_secs: how long.
            config: of the session.
            init_feed_dict: what `init_op` is fed with.
            init_fn: called with the session after `init_op`.

        Raises:
            RuntimeError: variables have no values after all this, or there is nothing that would initialise them.
            ValueError: both `checkpoint_dir` and `checkpoint_filename_with_path` are given.
        """
        session, is_restored = self._restored(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        if not is_restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                session.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(session)
        missing = self._run_local_init(session)
        if missing is not None:
            raise RuntimeError(
                f"Init operations did not make model ready for local_init.  Init op: {_name(init_op)}, init fn: {init_fn}, error: {missing}"
            )
        missing = missing_variables(self._ready_op, session, "Model not ready")
        if missing is not None:
            raise RuntimeError(
                f"Init operations did not make model ready.  Init op: {_name(init_op)}, init fn: {init_fn}, local_init_op: {self._local_init_op}, "
                f"error: {missing}"
            )
        return session

    def recover_session(
        self,
        master: str,
        saver: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
    ) -> tuple[Session, bool]:
        """A session and whether it is ready, from a checkpoint alone; arguments as of `prepare_session`."""
        session, is_restored = self._restored(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        missing = self._run_local_init(session)
        if not is_restored:
            return session, False
        path = checkpoint_dir or checkpoint_filename_with_path
        if missing is not None:
            _LOG.info("Restoring model from %s did not make model ready for local init: %s", path, missing)
            return session, False
        missing = missing_variables(self._ready_op, session, "Model not ready")
        if missing is not None:
            _LOG.info("Restoring model from %s did not make model ready: %s", path, missing)
            return session, False
        _LOG.info("Restored model from %s", path)
        return session, True

    def wait_for_session(self, master: str, config: Any = None, max_wait_secs: float | None = None) -> Session:
        """A session whose variables somebody else has initialised: in this process, one without variables.

        Raises:
            DeadlineExceededError: it was not ready in time.
        """
        limit = float("inf") if max_wait_secs is None else max_wait_secs
        started = time.time()
        while True:
            session = Session(master, graph=self._graph, config=config)
            not_ready = None
            not_ready_locally = self._run_local_init(session)
            if not_ready_locally is None:
                not_ready = missing_variables(self._ready_op, session, "Model not ready")
                if not_ready is None:
                    return session
            session.close()
            if max(0.0, limit - (time.time() - started)) < self._recovery_wait_secs:
                raise DeadlineExceededError(f"Session was not ready after waiting {limit:.0f} secs.")
            _LOG.info("Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s", not_ready_locally, not_ready)
            time.sleep(self._recovery_wait_secs)

    def _restored(
        self, master: str, saver: Any, folder: str | None, path: str | None, waits: bool, max_wait_secs: float, config: Any
    ) -> tuple[Session, bool]:
        """A session, and whether it has been restored."""
        session = Session(master, graph=self._graph, config=config)
        if folder and path:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        if not saver or not (folder or path):
            return session, False
        if path:
            self._restore(session, saver, path)
            return session, True
        waited = 0.0
        while not (state := get_checkpoint_state(folder or "")) or not state.model_checkpoint_path:
            if not waits or waited >= max_wait_secs:
                return session, False
            _LOG.info("Waiting for checkpoint to be available.")
            time.sleep(self._recovery_wait_secs)
            waited += self._recovery_wait_secs
        try:
            self._restore(session, saver, state.model_checkpoint_path)
        except ValueError as error:
            if not checkpoint_exists(state.model_checkpoint_path) and (beside := checkpoint.follow(folder or "", state.model_checkpoint_path)):
                error.add_note(f"{beside!r} is there; after a move, tf.train.update_checkpoint_state({folder!r}, {beside!r}) puts the folder right")
            raise
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return session, True

    def _restore(self, session: Session, saver: Any, path: str) -> None:
        initializers = self._graph.get_collection("saved_model_initializers")
        if initializers:
            session.run(initializers)
        saver.restore(session, path)

    def _run_local_init(self, session: Session) -> str | None:
        """Initialises what is not saved; gives what it lacks for that, or None."""
        if self._local_init_op is None:
            return None
        missing = missing_variables(self._ready_for_local_init_op, session, "Model not ready for local init")
        if missing is None:
            _LOG.info("Running local_init_op.")
            session.run(self._local_init_op, feed_dict=self._local_init_feed_dict, options=self._local_init_run_options)
            _LOG.info("Done running local_init_op.")
        return missing


def missing_variables(ready_op: Any, session: Session, what: str) -> str | None:
    """What a session lacks, by an operation that names it; None if nothing."""
    if ready_op is None:
        return None
    try:
        found = session.run(ready_op)
    except FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            _LOG.warning("%s : error [%s]", what, error)
            raise
        return str(error)
    if found is None or found.dtype == np.int32 or not found.size:
        return None
    return f"Variables not initialized: {', '.join(name.decode() for name in found)}"


def _name(op: Any) -> str:
    if op is None:
        return "None"
    return getattr(op, "name", None) or f"<no name for {type(op)}>"
