"""Functions that print tensors, and put them into templates (`tf.print`)."""

from __future__ import annotations

import logging
import pprint
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.graph import Operation, Tensor, apply, apply_op
from gpersist.ops import printers as _printers  # noqa: F401  # the operations
from gpersist.ops.sparse_tensor import SparseTensor

__all__ = ["Print", "print", "string_format"]

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def Print(  # noqa: N802  # TensorFlow's name
    input_: Any, data: Sequence[Any], message: str | None = None, first_n: int | None = None, summarize: int | None = None, name: str | None = None
) -> Tensor:
    """A tensor that prints others to stderr when it is computed (`tf.Print`).

    Args:
        input_: what it is.
        data: what it prints.
        message: printed before.
        first_n: how many times it prints; always by default.
        summarize: how many elements of each are shown; 3 by default, all for -1.
        name: of the node.
    """
    return apply("Print", input_, data, message=message, first_n=first_n, summarize=summarize, name=name)


def print(*inputs: Any, **options: Any) -> Operation:
    """An operation that prints tensors, and whatever else is in a nest with them (`tf.print`).

    Args:
        inputs: tensors, sparse tensors, text, lists and dicts of these.
        options: `output_stream` (`sys.stdout`, `sys.stderr`, a function or a level of `logging`, or "file://..."), `summarize` (how many elements are
            shown at each end; 3 by default, all for -1), `sep` (a space), `end` (a line feed) and `name`.

    Raises:
        ValueError: another option, or a stream that is none of these.
    """
    stream = _stream_of(options.pop("output_stream", sys.stderr))
    name, summarize = options.pop("name", None), options.pop("summarize", 3)
    sep, end = options.pop("sep", " "), options.pop("end", "\n")
    if options:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {options}")
    if len(inputs) == 1 and isinstance(inputs[0], Tensor) and inputs[0].shape.rank == 0 and inputs[0].dtype.is_string:
        text = inputs[0]
    else:
        placeholder = _unused_placeholder(" ".join(pprint.pformat(_filled(value, "", [])) for value in inputs))
        tensors: list[Tensor] = []
        filled = [_filled(value, placeholder, tensors) for value in inputs]
        shown = [value if isinstance(before, str) else pprint.pformat(value) for before, value in zip(inputs, filled, strict=True)]
        template = sep.join(shown).replace(f"'{placeholder}'", placeholder)
        text = string_format(template, tensors, placeholder, summarize, f"{name}_format" if name else None)
    return apply_op("PrintV2", text, output_stream=stream, end=end, name=name)


def string_format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Tensor:
    """A template whose placeholders have become the texts of tensors (`tf.strings.format`).

    Raises:
        ValueError: as many tensors as placeholders are wanted.
    """
    values = [inputs] if isinstance(inputs, Tensor) else inputs
    if template.count(placeholder) != len(values):
        raise ValueError(
            f"The template expects {template.count(placeholder)} tensors, but the inputs only has {len(values)}. Please ensure the number of "
            "placeholders in template matches inputs length."
        )
    return apply("StringFormat", values, template=template, placeholder=placeholder, summarize=summarize, name=name)


def _stream_of(stream: Any) -> str:
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    for known, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        if stream is known:
            return name
    for name, level in _LEVELS.items():
        if stream == level or (callable(stream) and getattr(stream, "__name__", None) in (name, name[:4])):
            return f"log({name})"
    raise ValueError(
        f"Unsupported output stream, logging level, or file.{stream}. Supported streams are sys.stdout, sys.stderr, tf.logging.info, "
        "tf.logging.warning, tf.logging.error. File needs to be in the form of 'file://<filepath>'."
    )


def _filled(value: Any, placeholder: str, tensors: list[Tensor]) -> Any:
    """A nest with placeholders for its tensors, which are put into a list."""
    if isinstance(value, SparseTensor):
        tensors += [value.indices, value.values, value.dense_shape]
        return f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})"
    if isinstance(value, Tensor):
        tensors.append(value)
        return placeholder
    if hasattr(value, "_as_graph_element"):
        return _filled(value._as_graph_element(), placeholder, tensors)
    if isinstance(value, Mapping):
        made: Any = type(value)
        return made((key, _filled(value[key], placeholder, tensors)) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        parts = [_filled(item, placeholder, tensors) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _unused_placeholder(text: str) -> str:
    placeholder, digits = "{}", random.Random(5)
    while placeholder in text:
        placeholder += str(digits.randint(0, 9))
    return placeholder
