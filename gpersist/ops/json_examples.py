"""`Example` messages written as JSON (`tf.io.decode_json_example`)."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from gpersist import protos
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Tensor, apply, sample
from gpersist.ops.texts import TextOpType, each, text_vector

__all__ = ["decode_json_example"]


class DecodeJSONExample(TextOpType):
    """Examples serialized, of their JSON."""

    inputs = "json_examples: string"
    outputs = "binary_examples: string"
    samples = (sample(text_vector(b'{"features": {"feature": {"x": {"int64List": {"value": ["7"]}}}}}', b"{}")),)

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        def serialized(text: bytes) -> bytes:
            try:
                return json_format.Parse(text, protos.Example()).SerializeToString(deterministic=True)
            except (json_format.ParseError, UnicodeDecodeError) as error:
                raise InvalidArgumentError(f"Error while parsing JSON: {error}") from None

        return each(serialized, value)


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Examples serialized, of their JSON (`tf.io.decode_json_example`)."""
    return apply("DecodeJSONExample", json_examples, name=name)
