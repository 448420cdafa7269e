"""Bytes that are compressed, or too short (`DecodeCompressed`, `DecodePaddedRaw`)."""

from __future__ import annotations

import sys
import zlib
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.graph import Operation, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.ops.texts import TextOpType, each, scalar, text_vector
from gpersist.shapes import TensorShape

__all__ = ["decode_compressed"]

_WINDOWS = {b"ZLIB": zlib.MAX_WBITS, b"GZIP": zlib.MAX_WBITS | 16}


def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Tensor:
    """What texts are when they are no longer compressed.

    Args:
        bytes: the texts.
        compression_type: "ZLIB", "GZIP", or "" for none.
        name: of the node.
    """
    return apply("DecodeCompressed", bytes, compression_type=compression_type, name=name)


class DecodeCompressed(TextOpType):
    """Texts that are no longer compressed."""

    inputs = "bytes: string"
    attrs = "compression_type: string = ''"
    samples = (sample(text_vector(b"abc", b"")), sample(zlib.compress(b"abc" * 9), compression_type="ZLIB"))

    @staticmethod
    def run(xp: Any, value: Any, *, compression_type: bytes) -> Any:
        if compression_type and compression_type not in _WINDOWS:
            raise InvalidArgumentError(f"Only ZLIB, GZIP or NONE are supported compressions, got {compression_type.decode()}")
        if not compression_type:
            return scalar(value)
        return each(lambda text: _expanded(text, _WINDOWS[compression_type]), value)


def _expanded(text: bytes, window: int) -> bytes:
    expander = zlib.decompressobj(window)
    try:
        found = expander.decompress(text) + expander.flush()
        while window > zlib.MAX_WBITS and (rest := expander.unused_data):  # GZIP's members follow each other
            expander = zlib.decompressobj(window)
            found += expander.decompress(rest) + expander.flush()
        return found
    except zlib.error as error:
        raise DataLossError(f"inflate() failed: {error}") from None


class DecodePaddedRaw(TextOpType):
    """The numbers that bytes are; zeros follow those of shorter texts, and what is more of longer ones is dropped."""

    inputs = "input_bytes: string, fixed_length: int32"
    outputs = "output: out_type"
    attrs = "out_type: {half, float, double, int32, uint16, uint8, int16, int8, int64, bfloat16}, little_endian: bool = true"
    scalars = ("fixed_length",)
    samples = (
        sample(text_vector(b"abcd", b"ef"), "int32: 4", out_type="int16"),
        sample(b"abcd", "int32: 2", out_type="int16", little_endian=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape, length = op._inputs[0].shape, constant_value(op._inputs[1])
        count = None
        if length is not None:
            size = np.dtype(op.attr("out_type").numpy).itemsize
            if length < -1:
                raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {length}")
            if length % size:
                raise ValueError(f"`fixed_length` ({length}) must be a multiple of the size of `out_type` ({size})")
            count = int(length) // size if length >= 0 else None
        return [TensorShape(None) if shape.rank is None else shape.concatenate([count])]

    @staticmethod
    def run(xp: Any, input_bytes: Any, fixed_length: Any, *, out_type: DType, little_endian: bool) -> Any:
        texts, kind = scalar(input_bytes), np.dtype(out_type.numpy)
        if np.ndim(fixed_length):
            raise InvalidArgumentError(f"k must be scalar, got shape {shown(fixed_length.shape)}")
        size = int(fixed_length)
        if size <= 0:
            raise InvalidArgumentError(f"`fixed_length` ({size}) must be greater than zero.")
        if size % kind.itemsize:
            raise InvalidArgumentError(f"`fixed_length` ({size}) must be a multiple of the size of `out_type` ({kind.itemsize})")
        padded = b"".join(text[:size].ljust(size, b"\0") for text in texts.reshape(-1).tolist())
        found = np.frombuffer(padded, kind).reshape(*texts.shape, size // kind.itemsize)
        return found if little_endian is (sys.byteorder == "little") else found.byteswap()
