"""Operations that make summaries: serialized `Summary` messages, for event files; `summary` has the functions that add them."""

from __future__ import annotations

import functools
import math
from typing import Any, ClassVar

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import protos
from gpersist.dtypes import from_numpy
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, make_ndarray, sample, shape_proto
from gpersist.ops import png, shape_functions
from gpersist.ops.audio import EncodeWav
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.texts import scalar, text_vector
from gpersist.shapes import TensorShape

_REAL = "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"
_NEAR_ZERO = 1e-6
_BAD_COLOR = (
    "dtype: DT_UINT8 tensor_shape { dim { size: 4 } } int_val: 255 int_val: 0 int_val: 0 int_val: 255"  # red; part of the OpDef, which is compared
)


class SummaryOpType(OpType, abstract=True):
    """A summary. Runs on the host; no gradient passes."""

    outputs = "summary: string"
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)
    host_inputs: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class ScalarSummary(SummaryOpType):
    """Numbers, each with a tag."""

    inputs = "tags: string, values: T"
    attrs = f"T: {_REAL}"
    samples = (sample(b"loss", "float[]"), sample(text_vector(b"a", b"b"), "int32[2]"), sample(np.empty((0, 2), object), "double[0,2]"))

    @staticmethod
    def run(xp: Any, tags: Any, values: Any) -> Any:
        names, numbers = scalar(tags), np.asarray(values)
        if names.shape != numbers.shape:
            only = f" (tag {_quoted(names.reshape(-1)[0])})" if names.size == 1 else ""
            raise InvalidArgumentError(f"tags and values are not the same shape: {shown(names.shape)} != {shown(numbers.shape)}{only}")
        summary = protos.Summary()
        with np.errstate(over="ignore"):  # what is too large for a float is infinite there
            singles = numbers.astype(np.float32).reshape(-1).tolist()
        for name, number in zip(names.reshape(-1).tolist(), singles, strict=True):
            summary.value.add(tag=_text(name), simple_value=number)
        return _serialized(summary)


class HistogramSummary(SummaryOpType):
    """How values are spread, in buckets that grow by a tenth each."""

    inputs = "tag: string, values: T"
    attrs = f"T: {_REAL} = float"
    samples = (sample(b"h", "float[5,3]"), sample(b"h", "int64[4] in -9..9"), sample(b"h", "double[0]"), sample(b"h", "half[]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, tag: Any, values: Any) -> Any:
        name = _scalar_text(tag, "tags must be scalar")
        numbers = np.asarray(values).astype(np.float64).reshape(-1)
        if not np.isfinite(numbers).all():
            first = numbers[~np.isfinite(numbers)][0]
            raise InvalidArgumentError(f"{'Nan in summary histogram' if np.isnan(first) else 'Infinity in Histogram'} for: {_text(name)}")
        summary = protos.Summary()
        value = summary.value.add(tag=_text(name))
        _fill_histogram(value.histo, numbers)
        return _serialized(summary)


class ImageSummary(SummaryOpType):
    """Images, as PNG files."""

    inputs = "tag: string, tensor: T"
    attrs = f"max_images: int >= 1 = 3, T: {{uint8, float, half, double}} = float, bad_color: tensor = {_BAD_COLOR}"
    samples = (
        sample(b"i", "float[2,4,3,1]"),
        sample(b"i", "uint8[4,3,2,3] in 0..255"),
        sample(b"i", "half[1,2,2,4]", max_images=1),
        sample(b"i", np.array([[[[0.5], [np.nan]], [[np.inf], [2.0]]]])),
    )

    @staticmethod
    def run(xp: Any, tag: Any, images: Any, *, max_images: int, bad_color: Any) -> Any:
        name = _scalar_text(tag, "Tags must be a scalar")
        if images.ndim != 4 or images.shape[3] not in (1, 3, 4):
            raise InvalidArgumentError(f"Tensor must be 4-D with last dim 1, 3, or 4, not {shown(images.shape)}")
        if not (images.size or not len(images)):
            raise InvalidArgumentError(f"input tensor must have non-zero dims. Found: [{', '.join(map(str, images.shape))}].")
        color = make_ndarray(bad_color) if isinstance(bad_color, protos.TensorProto) else bad_color
        if color.dtype != np.uint8:
            raise InvalidArgumentError(f"bad_color must be uint8, got {from_numpy(color.dtype).name.removesuffix('32')}")
        if color.ndim != 1:
            raise InvalidArgumentError(f"bad_color must be a vector, got shape {shown(color.shape)}")
        summary = protos.Summary()
        for index, image in enumerate(images[:max_images]):
            pixels = image if image.dtype == np.uint8 else _as_bytes(image, color)
            value = summary.value.add(tag=_numbered(name, "image", index, max_images))
            value.image.height, value.image.width, value.image.colorspace = image.shape
            value.image.encoded_image_string = png.encode(pixels)
        return _serialized(summary)


class AudioSummaryV2(SummaryOpType):
    """Sounds, as WAV files."""

    inputs = "tag: string, tensor: float, sample_rate: float"
    attrs = "max_outputs: int >= 1 = 3"
    samples = (
        sample(b"a", "float[2,5,2]", np.float32(8000)),
        sample(b"a", "float[4,3]", np.float32(8000), max_outputs=1),
        sample(b"a", "float[0,3]", np.float32(1)),
    )

    @staticmethod
    def run(xp: Any, tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int) -> Any:
        name, rate = _scalar_text(tag, "Tag must be a scalar"), np.asarray(sample_rate)
        if rate.size != 1:
            raise InvalidArgumentError("sample_rate must be rank-0 or contain a single value")
        return _sounds(name, tensor, float(rate.reshape(-1)[0]), max_outputs)


class AudioSummary(SummaryOpType):
    """The same with its sample rate as an attribute, in graphs older than version 15."""

    inputs = "tag: string, tensor: float"
    attrs = "sample_rate: float, max_outputs: int >= 1 = 3"
    samples = (sample(b"a", "float[2,5,2]", sample_rate=8000.0),)

    @staticmethod
    def run(xp: Any, tag: Any, tensor: Any, *, sample_rate: float, max_outputs: int) -> Any:
        return _sounds(_scalar_text(tag, "Tag must be a scalar"), tensor, sample_rate, max_outputs)


class TensorSummaryV2(SummaryOpType):
    """A tensor of any type, with what says how it is to be shown."""

    inputs = "tag: string, tensor: T, serialized_summary_metadata: string"
    attrs = "T: type"
    samples = (sample(b"t", "float[2,3]", b""), sample(b"t", "string[2]", b"\n\x06\n\x04text"), sample(b"t", "bool[]", b""))

    @staticmethod
    def run(xp: Any, tag: Any, tensor: Any, serialized_summary_metadata: Any) -> Any:
        name = _scalar_text(tag, "tag must be scalar")
        metadata = _scalar_text(serialized_summary_metadata, "serialized_summary_metadata must be scalar")
        summary = protos.Summary()
        value = summary.value.add(tag=_text(name))
        value.tensor.CopyFrom(_tensor_proto(tensor))
        try:
            value.metadata.MergeFromString(metadata)
        except DecodeError:
            raise InvalidArgumentError("serialized_summary_metadata is no serialized SummaryMetadata") from None
        return _serialized(summary)


class TensorSummary(SummaryOpType):
    """A tensor of any type, tagged with the name of its node by those who read it."""

    inputs = "tensor: T"
    attrs = "T: type, description: string = '', labels: list(string) = [], display_name: string = ''"
    samples = (sample("int32[2]"), sample("string[2,1]"))

    @staticmethod
    def run(xp: Any, tensor: Any) -> Any:
        summary = protos.Summary()
        value = summary.value.add(node_name="TensorSummary")
        value.tensor.CopyFrom(_tensor_proto(tensor))
        return _serialized(summary)


class MergeSummary(SummaryOpType):
    """Several summaries as one; their tags must differ."""

    inputs = "inputs: N * string"
    attrs = "N: int >= 1"
    samples = (sample([b"\n\n\n\x03a_b\x15\0\0\xc0?", b""]), sample([text_vector(b"", b"\n\n\n\x03a_c\x15\0\0\xc0?")]))

    @staticmethod
    def run(xp: Any, inputs: list[Any]) -> Any:
        merged = protos.Summary()
        for text in [text for texts in inputs for text in scalar(texts).reshape(-1).tolist()]:
            try:
                merged.MergeFromString(text)
            except DecodeError:
                raise InvalidArgumentError("Could not parse one of the summary inputs") from None
        seen = set()
        for value in merged.value:
            if value.tag and value.tag in seen:
                raise InvalidArgumentError(f"Duplicate tag {value.tag} found in summary inputs ")
            seen.add(value.tag)
        return _serialized(merged)


def _serialized(summary: Any) -> Any:
    return as_array(np, summary.SerializeToString())


def _scalar_text(value: Any, complaint: str) -> bytes:
    text = scalar(value)
    if text.ndim:
        raise InvalidArgumentError(complaint)
    found: bytes = text[()]
    return found


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _quoted(name: bytes) -> str:
    return f"'{_text(name)}'"


def _numbered(name: bytes, kind: str, index: int, limit: int) -> str:
    return f"{_text(name)}/{kind}/{index}" if limit > 1 else f"{_text(name)}/{kind}"


# ---- histograms


@functools.cache
def _bucket_limits() -> np.ndarray[Any, Any]:
    positive, limit = [], 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    half = np.array([*positive, np.finfo(np.float64).max])
    return np.concatenate([-half[::-1], [0.0], half])


def _fill_histogram(histogram: Any, numbers: np.ndarray[Any, Any]) -> None:
    limits = _bucket_limits()
    largest = float(limits[-1])
    places = np.minimum(np.searchsorted(limits, numbers, "right"), len(limits) - 1)
    counts = np.bincount(places, minlength=len(limits))
    histogram.min = float(numbers.min()) if numbers.size else largest
    histogram.max = float(numbers.max()) if numbers.size else -largest
    histogram.num = numbers.size
    with np.errstate(over="ignore", invalid="ignore"):
        if numbers.size:  # added up one after the other, as TensorFlow does: pairwise sums differ in their last bits
            histogram.sum, histogram.sum_squares = float(np.cumsum(numbers)[-1]), float(np.cumsum(numbers * numbers)[-1])
    ends_run = np.ones(len(limits), bool)  # of empty buckets next to each other only the last is kept
    ends_run[:-1] = (counts[:-1] > 0) | (counts[1:] > 0)
    histogram.bucket_limit.extend(limits[ends_run].tolist())
    histogram.bucket.extend(counts[ends_run].tolist())


# ---- images and sounds


def _as_bytes(image: np.ndarray[Any, Any], bad_color: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Real numbers as bytes: none negative: 0 to the largest become 0 to 255; else 128 is zero, and what is farthest from it 1 or 255."""
    channels = image.shape[2]
    if channels > bad_color.size:
        raise InvalidArgumentError(f"expected depth <= bad_color.size, got depth = {channels}, bad_color.size = {bad_color.size}")
    are_finite = np.isfinite(image)
    finite = image[are_finite].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (math.inf, -math.inf)
    reach, steps, offset = (max(abs(low), abs(high)), 127.0, 128.0) if low < 0 else (high, 255.0, 0.0)
    with np.errstate(all="ignore"):
        scale = image.dtype.type(0.0 if reach < _NEAR_ZERO else np.float32(steps) / np.float32(reach))
        scaled = np.where(are_finite, image, 0) * scale + image.dtype.type(offset)
    pixels: np.ndarray[Any, Any] = scaled.astype(np.uint8)
    pixels[~are_finite.all(2)] = bad_color[:channels]
    return pixels


def _sounds(name: bytes, tensor: Any, sample_rate: float, max_outputs: int) -> Any:
    if tensor.ndim not in (2, 3):
        raise InvalidArgumentError(f"Tensor must be 3-D or 2-D, got: {shown(tensor.shape)}")
    if not sample_rate > 0:
        raise InvalidArgumentError("sample_rate must be > 0")
    sounds = np.nan_to_num(tensor.reshape(*tensor.shape, *(1,) * (3 - tensor.ndim)), nan=0.0)
    summary = protos.Summary()
    for index, sound in enumerate(sounds[:max_outputs]):
        value = summary.value.add(tag=_numbered(name, "audio", index, max_outputs))
        value.audio.sample_rate, value.audio.content_type = sample_rate, "audio/wav"
        value.audio.length_frames, value.audio.num_channels = sound.shape
        value.audio.encoded_audio_string = EncodeWav.run(np, sound, np.int32(math.floor(sample_rate + 0.5)))[()]
    return _serialized(summary)


def _tensor_proto(tensor: Any) -> Any:
    """A tensor's message, all but text in its `tensor_content`."""
    array = scalar(tensor)
    dtype = from_numpy(array.dtype)
    proto = protos.TensorProto(dtype=dtype.enum, tensor_shape=shape_proto(TensorShape(array.shape)))
    if array.dtype == object:
        proto.string_val.extend(array.reshape(-1).tolist())
    else:
        proto.tensor_content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return proto
