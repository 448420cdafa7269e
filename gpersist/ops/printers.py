"""Operations that show tensors to people; `printing` has the functions that add them."""

from __future__ import annotations

import logging
import sys
from typing import Any

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, OpType, SessionOpType, Tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import check_scalars
from gpersist.ops.summarize import summarize as summarized
from gpersist.ops.summarize import summarize_ends
from gpersist.ops.texts import TextOpType, scalar
from gpersist.shapes import TensorShape

_LEVELS = {"log(info)": logging.INFO, "log(warning)": logging.WARNING, "log(error)": logging.ERROR}
_logger = logging.getLogger("gpersist")


class Print(SessionOpType):
    """Its first input; prints the others to stderr, the first so many times."""

    inputs = "input: T, data: U"
    outputs = "output: T"
    attrs = "T: type, U: list(type) >= 0, message: string = '', first_n: int = -1, summarize: int = 3"
    is_stateful = True
    host_inputs = ("data",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(ctx: Context, value: Any, data: list[Any], *, message: bytes, first_n: int, summarize: int) -> Any:
        printed = ctx.state.get("printed", 0)
        if first_n < 0 or printed < first_n:
            ctx.state["printed"] = printed + 1
            _write(sys.stderr, message + b"".join(b"[" + summarized(item, summarize) + b"]" for item in data) + b"\n")
        return value

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, *[None] * (len(op.inputs) - 1)]


class PrintV2(OpType):
    """Writes a text to a stream, a log or a file."""

    inputs = "input: string"
    path_attrs = ("output_stream",)
    attrs = "output_stream: string = 'stderr', end: string = '\\n'"
    is_stateful = True
    is_host_only = True
    samples = (sample(b"a text"), sample(b"a text", output_stream="log(info)"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if op._inputs[0].shape.rank not in (None, 0):
            raise ValueError(f"Shape must be rank 0 but is rank {op._inputs[0].shape.rank}")
        return []

    @staticmethod
    def run(xp: Any, value: Any, *, output_stream: bytes, end: bytes) -> None:
        check_scalars(input=value)
        text, stream = scalar(value)[()], output_stream.decode()
        if stream in ("stdout", "stderr"):
            _write(getattr(sys, stream), text + end)
        elif stream.startswith("file://"):
            with open(stream.removeprefix("file://"), "ab") as file:
                file.write(text + end)
        elif stream in _LEVELS:
            _logger.log(_LEVELS[stream], "%s", (text + end).decode("utf-8", "replace"))
        else:
            raise InvalidArgumentError(f"Unknown output stream: {stream}, should be file://, stderr, stdout, log(info), log(warning) or log(error)")


class StringFormat(TextOpType):
    """A template whose placeholders have become the texts of tensors."""

    inputs = "inputs: T"
    attrs = "T: list(type) >= 0, template: string = '%s', placeholder: string = '%s', summarize: int = 3"
    samples = (sample(["int32[9]", "string[]"], template="a %s b %s"), sample([], template="plain"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found, given = op.attr("template").count(op.attr("placeholder")), len(op._inputs)
        if found != given:
            raise ValueError(f"num placeholders in template and num inputs must match: {found} vs. {given}")
        return [shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, values: list[Any], *, template: bytes, placeholder: bytes, summarize: int) -> Any:
        parts = template.split(placeholder)
        if len(parts) != len(values) + 1:
            raise InvalidArgumentError(f"num placeholders in template and num inputs must match: {len(parts) - 1} vs. {len(values)}")
        texts = [summarize_ends(value, summarize) for value in values]
        return scalar(parts[0] + b"".join(text + part for text, part in zip(texts, parts[1:], strict=True)))


def _write(stream: Any, text: bytes) -> None:
    stream.write(text.decode("utf-8", "replace"))
    stream.flush()
