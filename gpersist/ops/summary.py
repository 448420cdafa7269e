"""`tf.summary`: functions that add summaries of tensors to a graph. Each gives a serialized `Summary` when it is run, for a `FileWriter` to write."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist import protos
from gpersist.graph import GraphKeys, Tensor, apply, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import summary_ops as _summary_ops  # noqa: F401  # the operations

__all__ = ["audio", "get_summary_description", "histogram", "image", "merge", "merge_all", "scalar", "tensor_summary", "text"]

_NOT_IN_TAGS = re.compile(r"[^-/\w\.]")


def scalar(name: str, tensor: Any, collections: Sequence[str] | None = None, family: str | None = None) -> Tensor:
    """A number (`tf.summary.scalar`).

    Args:
        name: of the node, and its tag; other characters than letters, digits and `_-./` become underscores.
        tensor: a real scalar.
        collections: which the summary is added to; `GraphKeys.SUMMARIES` by default.
        family: a first part of the tag, under which several are shown together.
    """
    with _scope(name, family, [tensor]) as (tag, scope):
        return _collected(apply("ScalarSummary", tag, tensor, name=scope), collections)


def histogram(name: str | None, values: Any, collections: Sequence[str] | None = None, family: str | None = None) -> Tensor:
    """How the values of a real tensor are spread (`tf.summary.histogram`); arguments as of `scalar`.

    The operation raises InvalidArgumentError where one of them is infinite or NaN.
    """
    with _scope(name, family, [values], "HistogramSummary") as (tag, scope):
        return _collected(apply("HistogramSummary", tag, values, name=scope), collections)


def image(name: str, tensor: Any, max_outputs: int = 3, collections: Sequence[str] | None = None, family: str | None = None) -> Tensor:
    """Images (`tf.summary.image`).

    Args:
        name: as of `scalar`.
        tensor: uint8 or real [images, height, width, 1, 3 or 4 channels]. Real ones are scaled, each image for itself: the largest value to 255, or,
            where some are negative, that farthest from zero to 1 or 255, with zero at 128. What is not finite becomes red.
        max_outputs: how many of them are taken.
        collections: as of `scalar`.
        family: as of `scalar`.
    """
    with _scope(name, family, [tensor]) as (tag, scope):
        return _collected(apply("ImageSummary", tag, tensor, max_images=max_outputs, name=scope), collections)


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Sequence[str] | None = None, family: str | None = None
) -> Tensor:
    """Sounds (`tf.summary.audio`).

    Args:
        name: as of `scalar`.
        tensor: float32 [sounds, samples, channels] or [sounds, samples], cut to -1..1.
        sample_rate: in Hz.
        max_outputs: how many of them are taken.
        collections: as of `scalar`.
        family: as of `scalar`.
    """
    with _scope(name, family, [tensor]) as (tag, scope):
        rate = convert_to_tensor(sample_rate, "float32", name="sample_rate")
        return _collected(apply("AudioSummaryV2", tag, tensor, rate, max_outputs=max_outputs, name=scope), collections)


def text(name: str, tensor: Tensor, collections: Sequence[str] | None = None) -> Tensor:
    """Texts (`tf.summary.text`); other arguments as of `scalar`.

    Raises:
        ValueError: `tensor` holds no text.
    """
    if not tensor.dtype.is_string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    metadata = protos.SummaryMetadata(plugin_data=protos.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name, tensor, summary_metadata=metadata, collections=collections)


def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: Any = None,
    collections: Sequence[str] | None = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A tensor of any type (`tf.summary.tensor_summary`).

    Args:
        name: as of `scalar`.
        tensor: what is kept.
        summary_description: text about it.
        collections: as of `scalar`.
        summary_metadata: a `SummaryMetadata`, which says how it is to be shown.
        family: as of `scalar`.
        display_name: a name to show it under.
    """
    metadata = protos.SummaryMetadata() if summary_metadata is None else summary_metadata
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    with _scope(name, family, [tensor]) as (tag, scope):
        made = apply("TensorSummaryV2", tag, tensor, metadata.SerializeToString(), name=scope)
        return _collected(made, collections)


def merge(inputs: Sequence[Any], collections: Sequence[str] | None = None, name: str | None = None) -> Tensor:
    """Several summaries as one (`tf.summary.merge`).

    The operation raises InvalidArgumentError where two of them have a tag in common.

    Raises:
        ValueError: there are none.
    """
    cleaned = _clean(name)
    with name_scope(cleaned, "Merge", inputs):
        return _collected(apply("MergeSummary", inputs, name=cleaned), collections, ())


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Tensor | None:
    """All summaries of a collection as one (`tf.summary.merge_all`), None where it is empty.

    Args:
        key: the collection.
        scope: a regular expression that the names of those that are taken match at their beginning.
        name: of the node.
    """
    found = get_default_graph().get_collection(key, scope)
    return merge(found, name=name) if found else None


def get_summary_description(node_def: Any) -> Any:
    """The `SummaryDescription` that a node of the kind TensorSummary has in an attribute (`tf.summary.get_summary_description`).

    Raises:
        ValueError: it is of another kind.
    """
    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    from google.protobuf import json_format  # takes long to import, for what nobody calls

    return json_format.Parse(node_def.attr["description"].s.decode(), protos.SummaryDescription())


@contextmanager
def _scope(name: str | None, family: str | None, values: Sequence[Any], default_name: str | None = None) -> Iterator[tuple[str, str]]:
    """A scope that a summary is made in; gives its tag and its name."""
    name, family = _clean(name), _clean(family)
    with name_scope(name if family is None else f"{family}/{name}", default_name, values) as scope:
        tag = scope.rstrip("/")
        yield tag if family is None else f"{family}/{tag}", scope


def _clean(name: str | None) -> str | None:
    if name is None:
        return None
    cleaned = _NOT_IN_TAGS.sub("_", name).lstrip("/")
    if cleaned != name:
        logging.getLogger("gpersist").info("Summary name %s is illegal; using %s instead.", name, cleaned)
    return cleaned


def _collected(summary: Tensor, collections: Sequence[str] | None, default: Sequence[str] = (GraphKeys.SUMMARIES,)) -> Tensor:
    graph = get_default_graph()
    for key in default if collections is None else collections:
        graph.add_to_collection(key, summary)
    return summary
