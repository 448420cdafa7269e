"""Options of datasets (`tf.data.Options`), which are for TensorFlow's sake: nothing is made ahead of time, or by several threads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

__all__ = ["Options"]


class Options:
    """What a program says about how a dataset should be run (`tf.data.Options`); kept, and without an effect."""

    def __init__(self) -> None:
        self.autotune = SimpleNamespace()
        self.dataset_name: str | None = None
        self.deterministic: bool | None = None
        self.experimental_deterministic: bool | None = None
        self.experimental_distribute = SimpleNamespace()
        self.experimental_external_state_policy: Any = None
        self.experimental_optimization = SimpleNamespace()
        self.experimental_slack: bool | None = None
        self.experimental_threading = SimpleNamespace()
        self.threading = SimpleNamespace()

    def merge(self, options: Options) -> Options:
        """These options, and those that another one's say."""
        found = Options()
        for each in (self, options):
            for name, value in vars(each).items():
                if isinstance(value, SimpleNamespace):
                    vars(getattr(found, name)).update(vars(value))
                elif value is not None:
                    setattr(found, name, value)
        return found
