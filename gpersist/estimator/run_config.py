"""How an Estimator runs (`tf.estimator.RunConfig`)."""

from __future__ import annotations

import dataclasses
import os
from typing import Any


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The settings that an Estimator heeds.

    Attributes:
        model_dir: the folder of its checkpoints.
        tf_random_seed: the graph's seed.
        save_checkpoints_steps: a checkpoint every so many steps.
        save_checkpoints_secs: a checkpoint every so many seconds; 600 where neither is given. One is saved at the end in any case.
        session_config: of its sessions.
        keep_checkpoint_max: how many checkpoints are kept.
        keep_checkpoint_every_n_hours: one is kept for good besides every so many hours.
        log_step_count_steps: how often the loss is logged; None for never.

    Raises:
        ValueError: both ways to save checkpoints.
    """

    model_dir: str | os.PathLike[str] | None = None
    tf_random_seed: int | None = None
    save_checkpoints_steps: int | None = None
    save_checkpoints_secs: float | None = None
    session_config: Any = None
    keep_checkpoint_max: int | None = 5
    keep_checkpoint_every_n_hours: float = 10000
    log_step_count_steps: int | None = 100

    def __post_init__(self) -> None:
        if self.save_checkpoints_steps is not None and self.save_checkpoints_secs is not None:
            raise ValueError("`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set.")
        if self.save_checkpoints_steps is None and self.save_checkpoints_secs is None:
            object.__setattr__(self, "save_checkpoints_secs", 600)

    def replace(self, **changes: Any) -> RunConfig:
        """A copy with other settings."""
        if "save_checkpoints_steps" in changes:
            changes.setdefault("save_checkpoints_secs", None)
        elif "save_checkpoints_secs" in changes:
            changes["save_checkpoints_steps"] = None
        return dataclasses.replace(self, **changes)
