"""A hook that traces some of the runs: ProfilerHook."""

from __future__ import annotations

import logging
import os
from typing import Any

from gpersist import protos
from gpersist.files.gfile import GFile
from gpersist.train.global_step import required_global_step_read
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.summary_writer import FileWriterCache
from gpersist.train.timeline import Timeline

__all__ = ["ProfilerHook"]

_LOG = logging.getLogger("gpersist")


class ProfilerHook(SessionRunHook):
    """Writes what a run took its time for, as `timeline-STEP.json` for chrome://tracing and to the event file (`tf.train.ProfilerHook`).

    The first trace is of a run so many steps or seconds after the first one.

    Args:
        save_steps: every so many steps.
        save_secs: every so many seconds.
        output_dir: folder of the files.
        show_dataflow: see `Timeline`.
        show_memory: see `Timeline`.

    Raises:
        ValueError: not exactly one of `save_steps` and `save_secs`.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str = "",
        show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:
        self._folder = output_dir
        self._writer = FileWriterCache.get(output_dir)
        self._show = {"show_dataflow": show_dataflow, "show_memory": show_memory}
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        """Finds the global step.

        Raises:
            RuntimeError: there is none.
        """
        self._next_step: int | None = None
        self._global_step = required_global_step_read("ProfilerHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step and, if it is time, for a trace."""
        self._is_due = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options: Any = protos.RunOptions(trace_level=protos.RunOptions.FULL_TRACE) if self._is_due else None
        return SessionRunArgs({"global_step": self._global_step}, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Writes the trace."""
        before = run_values.results["global_step"]
        if self._next_step is None:
            self._timer.update_last_triggered_step(before)
        step = before + 1
        if self._is_due:
            step = run_context.session.run(self._global_step)
            self._timer.update_last_triggered_step(step)
            path = os.path.join(self._folder, f"timeline-{step}.json")
            _LOG.info("Saving timeline for %d into '%s'.", step, path)
            with GFile(path, "w") as file:
                file.write(Timeline(run_values.run_metadata.step_stats).generate_chrome_trace_format(**self._show))
            self._writer.add_run_metadata(run_values.run_metadata, f"step_{step}")
        self._next_step = step + 1
