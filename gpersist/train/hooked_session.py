"""The layers of a monitored session: the innermost calls hooks, then one that passes on the errors of threads, then one that begins anew."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from gpersist import protos
from gpersist.errors import AbortedError, FileError, UnavailableError
from gpersist.graph import BaseSession
from gpersist.train.coordinator import Coordinator
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

_LOG = logging.getLogger("gpersist")


class StepContext:
    """What the function of `run_step_fn` gets."""

    def __init__(self, session: BaseSession, run_with_hooks_fn: Callable[..., Any]) -> None:
        self._session = session
        self._run_with_hooks_fn = run_with_hooks_fn

    @property
    def session(self) -> BaseSession:
        """The session itself, whose `run` calls no hooks."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Runs with hooks, as the monitored session's `run`."""
        return self._run_with_hooks_fn(*args, **kwargs)

    def request_stop(self) -> NoReturn:
        """Ends the step, and training with it.

        Raises:
            StopIteration: always.
        """
        raise StopIteration("step_fn has requested the iterations to stop.")


class HookedSession:
    """Calls hooks before and after each run."""

    def __init__(self, session: BaseSession, hooks: Sequence[SessionRunHook]) -> None:
        self.session = session
        self._hooks = hooks
        self.stop_requested = False

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Runs what is asked for together with what hooks ask for."""
        if self.stop_requested:
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self.session)
        options = options or protos.RunOptions()
        run_metadata = run_metadata or protos.RunMetadata()
        all_fetches: dict[Any, Any] = {"caller": fetches}
        feeds: dict[Any, Any] = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                all_fetches[hook] = request.fetches
            if request.feed_dict:
                _check_apart(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options:
                _merge_options(options, request.options)
        if feeds and feed_dict:
            _check_apart(feed_dict, feeds, "Same tensor is fed by a SessionRunHook and user.")
        given = {**feeds, **(feed_dict or {})} if feeds else feed_dict
        outputs = self.session.run(all_fetches, feed_dict=given, options=options, run_metadata=run_metadata)
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(outputs.get(hook), options, run_metadata))
        self.stop_requested = self.stop_requested or context.stop_requested
        return outputs["caller"]


class CoordinatedSession:
    """Passes on what threads of its Coordinator raise, and stops them when it is closed."""

    def __init__(self, session: BaseSession, hooks: Sequence[SessionRunHook], coord: Coordinator, stop_grace_period_secs: float) -> None:
        self._inner: HookedSession | None = HookedSession(session, hooks)
        self._coord = coord
        self._stop_grace_period_secs = stop_grace_period_secs

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Runs; where that fails and a thread has reported an error that begins the session anew, raises this one."""
        assert self._inner is not None  # those who close it forget it
        try:
            return self._inner.run(*args, **kwargs)
        except Exception as error:
            if not is_preemption(error):
                try:
                    self._coord.raise_requested_exception()
                except Exception as reported:
                    if is_preemption(reported):
                        raise
            raise

    def run_step_fn(self, step_fn: Callable[[StepContext], Any], raw_session: BaseSession) -> Any:
        """Calls a function that runs what it likes."""
        return step_fn(StepContext(raw_session, self.run))

    def should_stop(self) -> bool:
        """Whether a hook, or a thread, has asked to stop; raises what a thread has reported."""
        self._coord.raise_requested_exception()
        return self._coord.should_stop() or self._inner is None or self._inner.stop_requested

    def close(self) -> None:
        """Stops the threads, and closes the session."""
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._stop_grace_period_secs, ignore_live_threads=True)
        finally:
            inner, self._inner = self._inner, None
            if inner is not None:
                with contextlib.suppress(Exception):  # what has gone wrong before is told instead
                    inner.session.close()


class RecoverableSession:
    """Makes a new session, restored from the newest checkpoint, when the old one is lost: AbortedError, UnavailableError."""

    def __init__(self, create: Callable[[], CoordinatedSession]) -> None:
        self._create = create
        self._inner: CoordinatedSession | None = self._created()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Runs, again where the session was lost."""
        return self._persistently(lambda inner: inner.run(*args, **kwargs))

    def run_step_fn(self, step_fn: Callable[[StepContext], Any], raw_session: BaseSession) -> Any:
        """Calls a function that runs what it likes, again where the session was lost."""
        return self._persistently(lambda inner: inner.run_step_fn(step_fn, raw_session))

    def should_stop(self) -> bool:
        """Whether a hook or a thread has asked to stop, or a thread has failed."""
        if self._inner is None:
            return True
        try:
            return self._inner.should_stop()
        except Exception as error:
            if not is_preemption(error):
                return True
            self._lose(error)
            self._inner = self._created()
            return False

    def close(self) -> None:
        """Closes the session."""
        inner, self._inner = self._inner, None
        if inner is not None:
            try:
                inner.close()
            except Exception as error:
                if not is_preemption(error):
                    raise
                _LOG.error("the session was lost before it was closed: %s", error)

    def _persistently(self, do: Callable[[CoordinatedSession], Any]) -> Any:
        while True:
            try:
                if self._inner is None:
                    self._inner = self._created()
                return do(self._inner)
            except Exception as error:
                if not is_preemption(error):
                    raise
                self._lose(error)

    def _lose(self, error: Exception) -> None:
        _LOG.info("the session is lost; a new one is made and restored from the newest checkpoint: %s", error)
        self.close()

    def _created(self) -> CoordinatedSession:
        while True:
            try:
                return self._create()
            except Exception as error:
                if not is_preemption(error):
                    raise
                _LOG.info("a session was lost while it was made; another one is made: %s", error)


def is_preemption(error: BaseException) -> bool:
    """Whether an error says that a session is lost, rather than that something is wrong. A file system that fails is no reason to begin anew."""
    return isinstance(error, (AbortedError, UnavailableError)) and not isinstance(error, FileError)


def _check_apart(feeds: Mapping[Any, Any], others: Iterable[Any], complaint: str) -> None:
    both = set(feeds) & set(others)
    if both:
        raise RuntimeError(f"{complaint} Conflict(s): {list(both)}")


def _merge_options(options: Any, others: Any) -> None:
    for field in ("trace_level", "timeout_in_ms", "inter_op_thread_pool"):
        setattr(options, field, max(getattr(options, field), getattr(others, field)))
    for field in ("output_partition_graphs", "report_tensor_allocations_upon_oom"):
        setattr(options, field, getattr(options, field) or getattr(others, field))
    if others.HasField("debug_options"):
        mine, theirs = options.debug_options, others.debug_options
        mine.debug_tensor_watch_opts.extend(theirs.debug_tensor_watch_opts)
        mine.reset_disk_byte_usage = mine.reset_disk_byte_usage or theirs.reset_disk_byte_usage
