"""The interpreter of TFLite models, which is another package's: ai-edge-litert."""

from __future__ import annotations

from typing import Any

from gpersist.errors import UnimplementedError

__all__ = ["Interpreter"]


class Interpreter:
    """Runs a TFLite model (`tf.lite.Interpreter`): makes one of `ai_edge_litert.interpreter.Interpreter`, with the same arguments.

    Raises:
        UnimplementedError: the package is not installed.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Makes the other package's."""
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise UnimplementedError("to run TFLite models takes the package ai-edge-litert: pip install ai-edge-litert") from error
        return interpreter.Interpreter(*args, **kwargs)
