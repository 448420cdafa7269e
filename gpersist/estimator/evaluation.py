"""How an Estimator evaluates: the metrics of a checkpoint over some batches, kept as summaries for TensorBoard."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.errors import GPersistError
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.run_config import RunConfig
from gpersist.graph import GraphKeys, Tensor, get_default_graph, make_tensor_proto
from gpersist.ops.array import identity
from gpersist.ops.control import group
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.metrics import mean
from gpersist.ops.variables import assign_add
from gpersist.train.monitored_session import ChiefSessionCreator, MonitoredSession
from gpersist.train.scaffold import Scaffold
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.stopping_hooks import FinalOpsHook
from gpersist.train.summary_writer import FileWriterCache

_LOG = logging.getLogger("gpersist")
_LOSS = "loss"
_EVAL_STEP = "eval_step"
_LOGS = 10
"""How often progress is logged where there are many steps."""


class StopAfterNEvalsHook(SessionRunHook):
    """Asks to stop after so many batches, and logs how far it is."""

    def __init__(self, num_evals: int) -> None:
        self._num_evals = num_evals
        self._log_every = 1 if num_evals < 2 * _LOGS else num_evals // _LOGS
        self.evals_completed: Tensor | None = None

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks how many batches there were."""
        return SessionRunArgs({"evals_completed": self.evals_completed})

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Logs it; asks to stop."""
        completed = run_values.results["evals_completed"]
        if completed % self._log_every == 0 or completed == self._num_evals:
            _LOG.info("Evaluation [%d/%d]", completed, self._num_evals)
        if completed >= self._num_evals:
            run_context.request_stop()


def metric_ops(spec: EstimatorSpec, global_step: Any) -> tuple[Any, dict[str, Any]]:
    """An operation that takes a batch into all metrics, and their values by name: the loss's mean and the global step among them.

    Raises:
        ValueError: a metric has a name of these two.
    """
    metrics = dict(spec.eval_metric_ops)
    _check_free(f'"{_LOSS}"', _LOSS in metrics)
    metrics[_LOSS] = mean(spec.loss)
    ordered = sorted(metrics.items())
    update = group(*(update for _, (_, update) in ordered))
    values: dict[str, Any] = {name: value for name, (value, _) in ordered}
    _check_free(f"`{GraphKeys.GLOBAL_STEP}`", GraphKeys.GLOBAL_STEP in values)
    values[GraphKeys.GLOBAL_STEP] = global_step
    return update, values


def run(
    scaffold: Scaffold, update: Any, values: Mapping[str, Any], hooks: Sequence[SessionRunHook], checkpoint_path: str | None, config: RunConfig
) -> dict[str, Any]:
    """Takes batches into the metrics until a hook, or the end of the input, says stop; gives their values."""
    if scaffold.local_init_op is not None:  # it was made before the metrics' variables
        _eval_step()
        both = group(scaffold.local_init_op, Scaffold.default_local_init_op())
        scaffold = Scaffold(local_init_op=both, copy_from_scaffold=scaffold)
    step = _eval_step()
    ops = [update, assign_add(step, 1, use_locking=True)]
    with get_default_graph().control_dependencies(ops):
        completed = identity(step.read_value())
    for hook in hooks:
        if isinstance(hook, StopAfterNEvalsHook):
            hook.evals_completed = completed
    _LOG.info("Starting evaluation at %s", time.strftime("%Y-%m-%dT%H:%M:%S"))
    started = time.time()
    final = FinalOpsHook(values)
    creator = ChiefSessionCreator(scaffold, config=config.session_config, checkpoint_filename_with_path=checkpoint_path)
    with MonitoredSession(creator, [*hooks, final]) as session:
        while not session.should_stop():
            session.run(ops)
    _LOG.info("Inference Time : %.5fs", time.time() - started)
    _LOG.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S"))
    found: dict[str, Any] = final.final_ops_values
    return found


def write_summaries(folder: str, found: Mapping[str, Any], checkpoint_path: str | None) -> None:
    """Logs the values, and writes them to an event file, with the checkpoint that they are of."""
    step = found[GraphKeys.GLOBAL_STEP]
    shown = ", ".join(f"{key} = {value!s}" for key, value in sorted(found.items()) if not isinstance(value, bytes))
    _LOG.info("Saving dict for global step %d: %s", step, shown)
    summary = protos.Summary()
    for key, value in found.items():
        if value is not None and key != GraphKeys.GLOBAL_STEP:
            _add(summary, key, value)
    writer = FileWriterCache.get(folder)
    writer.add_summary(summary, step)
    writer.flush()
    if checkpoint_path:
        _LOG.info("Saving 'checkpoint_path' summary for global step %d: %s", step, checkpoint_path)
        summary = protos.Summary()
        summary.value.add(tag="checkpoint_path", tensor=make_tensor_proto(checkpoint_path, dtype="string"))
        writer.add_summary(summary, step)
        writer.flush()


def _add(summary: Any, key: str, value: Any) -> None:
    if isinstance(value, (np.float32, float, np.int64, np.int32, int)):
        summary.value.add(tag=key, simple_value=float(value))
    elif isinstance(value, bytes):
        try:
            parts = protos.parse(protos.Summary, value, f"metric {key!r}").value
        except GPersistError:
            _LOG.warning("Skipping summary for %s, cannot parse string to Summary.", key)
            return
        for index, part in enumerate(parts):
            part.tag = f"{key}/{index}"
        summary.value.extend(parts)
    elif isinstance(value, np.ndarray):
        summary.value.add(tag=key, node_name=key, tensor=make_tensor_proto(value))
        _LOG.info("Summary for np.ndarray is not visible in Tensorboard by default. Consider using a Tensorboard plugin for visualization.")
    else:
        _LOG.warning("Skipping summary for %s, must be a float, np.float32, np.int64, np.int32 or int or np.ndarray or a serialized Summary.", key)


def _check_free(quoted: str, is_taken: bool) -> None:
    if is_taken:
        raise ValueError(f"Metric with name {quoted} is not allowed, because Estimator already defines a default metric with the same name.")


def _eval_step() -> Any:
    """The variable that counts batches."""
    found = get_default_graph().get_collection(GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    collections = [GraphKeys.LOCAL_VARIABLES, GraphKeys.EVAL_STEP]
    return get_variable(_EVAL_STEP, shape=[], dtype="int64", initializer=zeros_initializer(), trainable=False, collections=collections)
