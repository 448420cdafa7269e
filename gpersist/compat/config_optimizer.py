"""`tf.config.optimizer`: kept and told again; graphs are folded and pruned in any case."""

from __future__ import annotations

from typing import Any

__all__ = ["get_experimental_options", "get_jit", "set_experimental_options", "set_jit"]

_JIT = {"kind": ""}
_OPTIONS: dict[str, Any] = {"disable_meta_optimizer": False, "disable_model_pruning": False}


def get_jit() -> str:
    """What has been set: `""` or `"autoclustering"`."""
    return _JIT["kind"]


def set_jit(enabled: bool | str) -> None:
    """Keeps it; nothing is compiled."""
    _JIT["kind"] = "autoclustering" if enabled else ""


def get_experimental_options() -> dict[str, Any]:
    """What has been set."""
    return dict(_OPTIONS)


def set_experimental_options(options: dict[str, Any]) -> None:
    """Keeps them."""
    _OPTIONS.update(options)
