"""What a Supervisor does at its side while a program trains: summaries, the rate of steps, and checkpoints, each in a thread with a timer."""

from __future__ import annotations

import logging
import time
from typing import Any

from gpersist import protos
from gpersist.graph import BaseSession
from gpersist.train.coordinator import LooperThread
from gpersist.train.global_step import global_step

_LOG = logging.getLogger("gpersist")


class SummaryThread(LooperThread):
    """Writes the supervisor's summaries, with the step that they are of."""

    def __init__(self, sv: Any, sess: BaseSession) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv, self._sess = sv, sess

    def run_loop(self) -> None:
        """Computes and writes them once."""
        sv, step = self._sv, None
        if sv.global_step is None:
            summaries = self._sess.run(sv.summary_op)
        else:
            summaries, step = self._sess.run([sv.summary_op, sv.global_step])
        if sv.summary_writer:
            _LOG.info("Recording summary at step %s.", step)
            sv.summary_writer.add_summary(summaries, step)


class StepCounterThread(LooperThread):
    """Writes how many steps there are a second, under the tag `<name of the step>/sec`.

    Args:
        sv: the supervisor.
        sess: the session.
        step_counter: counts the steps; the supervisor's global step by default.
    """

    def __init__(self, sv: Any, sess: BaseSession, step_counter: Any = None) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv, self._sess = sv, sess
        self._step_counter = sv.global_step if step_counter is None else step_counter
        self._tag = f"{self._step_counter.op.name}/sec"
        self._last_time, self._last_step = 0.0, 0

    def start_loop(self) -> None:
        """Notes where it begins."""
        self._last_time, self._last_step = time.time(), global_step(self._sess, self._step_counter)

    def run_loop(self) -> None:
        """Writes the rate since the last time."""
        step, now = global_step(self._sess, self._step_counter), time.time()
        steps, seconds = step - self._last_step, now - self._last_time
        self._last_step, self._last_time = step, now
        rate = steps / seconds if seconds > 0 else float("inf")
        if self._sv.summary_writer:
            self._sv.summary_writer.add_summary(protos.Summary(value=[protos.Summary.Value(tag=self._tag, simple_value=rate)]), step)
        _LOG.info("%s: %g", self._tag, rate)


class CheckpointThread(LooperThread):
    """Saves checkpoints."""

    def __init__(self, sv: Any, sess: BaseSession) -> None:
        super().__init__(sv.coord, sv.save_model_secs)
        self._sv, self._sess = sv, sess

    def run_loop(self) -> None:
        """Saves one."""
        sv = self._sv
        _LOG.info("Saving checkpoint to path %s", sv.save_path)
        sv.saver.save(self._sess, sv.save_path, global_step=sv.global_step)
        if sv.summary_writer and sv.global_step is not None:
            saved = protos.SessionLog(status=protos.SessionLog.CHECKPOINT, checkpoint_path=sv.save_path)
            sv.summary_writer.add_session_log(saved, global_step(self._sess, sv.global_step))
