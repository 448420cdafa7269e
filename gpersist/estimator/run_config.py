"""How an Estimator runs (`tf.estimator.RunConfig`)."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable
from typing import Any

from gpersist import protos
from gpersist.errors import UnimplementedError

_DEFAULT: Any = object()
"""Stands for what was not given."""
_CHECKPOINT_SECS = 600
_ONE_SAVING = "`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set."


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The settings of an Estimator that runs in one process.

    Attributes:
        model_dir: the folder of its checkpoints.
        tf_random_seed: the graph's seed.
        save_summary_steps: summaries every so many steps; None or 0 for none.
        save_checkpoints_steps: a checkpoint every so many steps.
        save_checkpoints_secs: a checkpoint every so many seconds; 600 where neither is given. Both None or 0: no checkpoints at all.
        session_config: of its sessions.
        keep_checkpoint_max: how many checkpoints are kept.
        keep_checkpoint_every_n_hours: one is kept for good besides every so many hours.
        log_step_count_steps: every so many steps the loss and the rate are logged; None for never.
        train_distribute: None; so are `eval_distribute` and `experimental_distribute`.
        device_fn: where operations of the training graph are placed.
        protocol: without effect; so is `experimental_max_worker_delay_secs`.
        session_creation_timeout_secs: how long a session may take to be ready.
        checkpoint_save_graph_def: whether the graph is written besides the variables.

    Raises:
        ValueError: both ways to save checkpoints, or a value out of its range.
        UnimplementedError: a way to train on several machines.
    """

    model_dir: str | os.PathLike[str] | None = None
    tf_random_seed: int | None = None
    save_summary_steps: int | None = 100
    save_checkpoints_steps: int | None = _DEFAULT
    save_checkpoints_secs: float | None = _DEFAULT
    session_config: Any = None
    keep_checkpoint_max: int | None = 5
    keep_checkpoint_every_n_hours: float = 10000
    log_step_count_steps: int | None = 100
    train_distribute: Any = None
    device_fn: Callable[..., Any] | None = None
    protocol: str | None = None
    eval_distribute: Any = None
    experimental_distribute: Any = None
    experimental_max_worker_delay_secs: int | None = None
    session_creation_timeout_secs: float = 7200
    checkpoint_save_graph_def: bool = True

    def __post_init__(self) -> None:
        steps, secs = self.save_checkpoints_steps, self.save_checkpoints_secs
        if steps is _DEFAULT:
            object.__setattr__(self, "save_checkpoints_steps", None)
        if secs is _DEFAULT:
            object.__setattr__(self, "save_checkpoints_secs", _CHECKPOINT_SECS if steps is _DEFAULT else None)
        if None not in (steps, secs) and _DEFAULT not in (steps, secs):
            raise ValueError(_ONE_SAVING)
        if self.model_dir is not None:
            object.__setattr__(self, "model_dir", os.fspath(self.model_dir))
        self._check()

    def replace(self, **changes: Any) -> RunConfig:
        """A copy with other settings.

        Raises:
            ValueError: there is no such setting, or its value is out of its range.
        """
        for name in changes:
            if name not in self.__dataclass_fields__:
                raise ValueError(f"Replacing {name} is not supported. Allowed properties are {list(self.__dataclass_fields__)}.")
        if changes.get("save_checkpoints_steps") is not None:
            changes.setdefault("save_checkpoints_secs", None)
        elif changes.get("save_checkpoints_secs") is not None:
            changes.setdefault("save_checkpoints_steps", None)
        return dataclasses.replace(self, **changes)

    @property
    def cluster_spec(self) -> dict[str, Any]:
        """Empty: there is one process."""
        return {}

    @property
    def evaluation_master(self) -> str:
        """Empty."""
        return ""

    @property
    def global_id_in_cluster(self) -> int:
        """0."""
        return 0

    @property
    def is_chief(self) -> bool:
        """True."""
        return True

    @property
    def master(self) -> str:
        """Empty."""
        return ""

    @property
    def num_ps_replicas(self) -> int:
        """0: variables are with the worker."""
        return 0

    @property
    def num_worker_replicas(self) -> int:
        """1."""
        return 1

    @property
    def service(self) -> None:
        """None."""
        return

    @property
    def task_id(self) -> int:
        """0."""
        return 0

    @property
    def task_type(self) -> str:
        """`worker`."""
        return "worker"

    def _check(self) -> None:
        for name in ("train_distribute", "eval_distribute", "experimental_distribute"):
            if getattr(self, name) is not None:
                raise UnimplementedError(
                    f"RunConfig({name}=...): an Estimator runs in one process; place towers with tf.device in the model function"
                )

        def check(name: str, is_right: Callable[[Any], bool], message: str) -> None:
            value = getattr(self, name)
            if value is not None and not is_right(value):
                raise ValueError(f"{name} {message}")

        check("model_dir", bool, "should be non-empty.")
        for name in ("save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs", "keep_checkpoint_max"):
            check(name, lambda number: number >= 0, "should be >= 0")
        for name in ("keep_checkpoint_every_n_hours", "log_step_count_steps", "session_creation_timeout_secs"):
            check(name, lambda number: number > 0, "should be > 0")
        check("session_config", lambda config: isinstance(config, protos.ConfigProto), "must be instance of ConfigProto")
        check("tf_random_seed", lambda seed: isinstance(seed, int), "must be integer.")
        check("experimental_max_worker_delay_secs", lambda delay: isinstance(delay, int), "must be an integer if set.")
        check(
            "device_fn", lambda place: callable(place) and set(inspect.signature(place).parameters) == {"op"}, 'must take exactly one argument "op".'
        )
        check("protocol", lambda protocol: protocol in ("grpc", "grpc+verbs"), "should be grpc or grpc+verbs")
