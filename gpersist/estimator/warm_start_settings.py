"""Where a model's variables take their first values from (`tf.estimator.WarmStartSettings`)."""

from __future__ import annotations

import logging
import os
from typing import Any, NamedTuple

from gpersist.files import gfile

_LOG = logging.getLogger("gpersist")


class _Settings(NamedTuple):
    ckpt_to_initialize_from: Any
    vars_to_warm_start: Any
    var_name_to_vocab_info: Any
    var_name_to_prev_var_name: Any


class WarmStartSettings(_Settings):
    """A checkpoint, and which variables take their values from it (`tf.estimator.WarmStartSettings`); arguments as of `tf.train.warm_start`.

    Raises:
        ValueError: no checkpoint.
    """

    __slots__ = ()

    def __new__(
        cls, ckpt_to_initialize_from: Any, vars_to_warm_start: Any = ".*", var_name_to_vocab_info: Any = None, var_name_to_prev_var_name: Any = None
    ) -> WarmStartSettings:
        """Checks what it is given."""
        if not ckpt_to_initialize_from:
            raise ValueError("`ckpt_to_initialize_from` MUST be set in WarmStartSettings")
        return super().__new__(cls, ckpt_to_initialize_from, vars_to_warm_start, var_name_to_vocab_info or {}, var_name_to_prev_var_name or {})


def as_settings(warm_start_from: Any) -> WarmStartSettings | None:
    """The settings for what an Estimator is given: settings, a checkpoint, a folder of checkpoints, or a SavedModel.

    Raises:
        ValueError: something else.
    """
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if not isinstance(warm_start_from, (str, bytes)):
        raise ValueError(f"warm_start_from must be a string or a WarmStartSettings, instead got {type(warm_start_from)}")
    variables = os.path.join(os.fsdecode(warm_start_from), "variables", "variables")
    if gfile.exists(f"{variables}.index"):
        _LOG.info("Warm-starting from a SavedModel")
        return WarmStartSettings(variables)
    return WarmStartSettings(warm_start_from)
