"""`Example` messages written as JSON (`tf.io.decode_json_example`)."""

from __future__ import annotations

import json
import struct
from typing import Any

from google.protobuf import json_format

from gpersist import protos
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Tensor, apply, sample
from gpersist.ops.texts import TextOpType, each, text_vector
from gpersist.table import encode_varint

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
                example = json_format.Parse(text, protos.Example())
            except (json_format.ParseError, UnicodeDecodeError) as error:
                raise InvalidArgumentError(f"Error while parsing JSON: {error}") from None
            given = json.loads(text)
            if not isinstance(given, dict):
                raise InvalidArgumentError("Error while parsing JSON: an Example is an object")
            return _written(example, list(given["features"].get("feature") or ())) if example.HasField("features") else b""

        return each(serialized, value)


def _written(example: protos.Example, order: list[str]) -> bytes:
    """An example as TensorFlow's JSON reader writes it: features in the order of the text, numbers not packed."""
    entries = b"".join(_field(1, _field(1, name.encode()) + _field(2, _feature(example.features.feature[name]))) for name in order)
    return _field(1, entries)


def _feature(feature: protos.Feature) -> bytes:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return b""
    values = getattr(feature, kind).value
    if kind == "bytes_list":
        return _field(1, b"".join(_field(1, value) for value in values))
    if kind == "float_list":
        return _field(2, b"".join(b"\r" + struct.pack("<f", value) for value in values))
    return _field(3, b"".join(b"\x08" + encode_varint(value & (1 << 64) - 1) for value in values))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + encode_varint(len(content)) + content


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Examples serialized, of their JSON (`tf.io.decode_json_example`)."""
    return apply("DecodeJSONExample", json_examples, name=name)
