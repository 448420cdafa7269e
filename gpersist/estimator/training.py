"""How an Estimator trains: the hooks around a monitored session, and the loop in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.run_config import RunConfig
from gpersist.graph import Graph, GraphKeys
from gpersist.ops import summary
from gpersist.train.checkpoint_saver_hook import CheckpointSaverHook, CheckpointSaverListener
from gpersist.train.global_step import get_global_step
from gpersist.train.logging_hooks import LoggingTensorHook, NanTensorHook
from gpersist.train.monitored_session import MonitoredTrainingSession
from gpersist.train.saver import Saver
from gpersist.train.session_run_hook import SessionRunHook

_LOG = logging.getLogger("gpersist")


def train(graph: Graph, spec: EstimatorSpec, config: RunConfig, hooks: Sequence[SessionRunHook], listeners: Sequence[CheckpointSaverListener]) -> Any:
    """Runs the steps of a model until a hook, or the end of the input, says stop; the graph, by then the default one, is complete.

    Returns:
        The last loss; None where no step was done.

    Raises:
        ValueError: there are listeners, and nothing that saves.
    """
    if not any(getattr(found, "op", found).name == "loss" for found in graph.get_collection(GraphKeys.SUMMARIES)):
        summary.scalar("loss", spec.loss)
    graph.add_to_collection(GraphKeys.LOSSES, spec.loss)
    found: list[SessionRunHook] = [*hooks, NanTensorHook(spec.loss)]
    if config.log_step_count_steps is not None:
        logged = {"loss": spec.loss, "step": get_global_step(graph)}
        found.append(LoggingTensorHook(logged, every_n_iter=config.log_step_count_steps))
    found += spec.training_hooks
    if not spec.scaffold.saver and not graph.get_collection(GraphKeys.SAVERS):
        graph.add_to_collection(GraphKeys.SAVERS, _new_saver(config))
    chief_only = [*_saving_hooks(spec, config, [*found, *spec.training_chief_hooks], listeners), *spec.training_chief_hooks]
    with MonitoredTrainingSession(
        checkpoint_dir=str(config.model_dir),
        scaffold=spec.scaffold,
        hooks=found,
        chief_only_hooks=chief_only,
        save_checkpoint_secs=0,  # a hook of ours does
        save_summaries_steps=config.save_summary_steps,
        config=config.session_config,
        max_wait_secs=config.session_creation_timeout_secs,
        log_step_count_steps=config.log_step_count_steps,
        save_graph_def=config.checkpoint_save_graph_def,
    ) as session:
        loss = None
        any_step_done = False
        while not session.should_stop():
            _, loss = session.run([spec.train_op, spec.loss])
            any_step_done = True
    if not any_step_done:
        _LOG.warning("Training with estimator made no steps. Perhaps input is empty or misspecified.")
    return loss


def _new_saver(config: RunConfig) -> Saver:
    return Saver(
        sharded=True,
        max_to_keep=config.keep_checkpoint_max,
        keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
        defer_build=True,
        save_relative_paths=True,
    )


def _saving_hooks(
    spec: EstimatorSpec, config: RunConfig, hooks: Sequence[SessionRunHook], listeners: Sequence[CheckpointSaverListener]
) -> list[SessionRunHook]:
    """A hook that saves checkpoints, if one is wanted and none of the user's does; listeners are told by the first that does."""
    saving = [hook for hook in hooks if isinstance(hook, CheckpointSaverHook)]
    made: list[SessionRunHook] = []
    if not saving and (config.save_checkpoints_secs or config.save_checkpoints_steps):
        hook = CheckpointSaverHook(
            str(config.model_dir),
            save_secs=config.save_checkpoints_secs,
            save_steps=config.save_checkpoints_steps,
            scaffold=spec.scaffold,
            save_graph_def=config.checkpoint_save_graph_def,
        )
        saving = [hook]
        made = [hook]
    if listeners and not saving:
        raise ValueError(
            "There should be a CheckpointSaverHook to use saving_listeners. Please set one of the RunConfig.save_checkpoints_steps or "
            "RunConfig.save_checkpoints_secs."
        )
    if listeners:
        saving[0].add_listeners(listeners)
    return made
