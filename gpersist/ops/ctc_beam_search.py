"""Decoding by beam search: the likeliest sequences of labels, each with the logarithm of its probability."""

from __future__ import annotations

import bisect
import math
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, sample
from gpersist.ops.ctc import check_sequences
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["ctc_beam_search_decoder", "ctc_beam_search_decoder_v2"]


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> tuple[list[SparseTensor], Tensor]:
    """The likeliest sequences of labels (`tf.nn.ctc_beam_search_decoder`).

    Args:
        inputs: float [moments, sequences, classes], logits; the last class is the blank.
        sequence_length: int32 [sequences].
        beam_width: how many candidates are followed.
        top_paths: how many are given.
        merge_repeated: whether a label that repeats in a result is one.

    Returns:
        For each path a sparse tensor, int64 [sequences, labels]; and float [sequences, top_paths], logarithms of probabilities.
    """
    found = apply_op(
        "CTCBeamSearchDecoder",
        inputs,
        sequence_length,
        beam_width=beam_width,
        top_paths=top_paths,
        merge_repeated=merge_repeated,
    ).outputs
    parts = (found[start * top_paths : (start + 1) * top_paths] for start in range(3))
    return [SparseTensor(*part) for part in zip(*parts, strict=True)], found[-1]


def ctc_beam_search_decoder_v2(inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1) -> tuple[list[SparseTensor], Tensor]:
    """`ctc_beam_search_decoder` that leaves repeated labels as they are (`tf.nn.ctc_beam_search_decoder_v2`)."""
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width=beam_width, top_paths=top_paths, merge_repeated=False)


class _Candidate:
    """A sequence of labels that the search follows: its probability now and at the moment before, in all, ending in a blank, and in its label."""

    __slots__ = ("blank", "children", "label", "labelled", "old_blank", "old_total", "parent", "total")

    def __init__(self, parent: _Candidate | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.children: dict[int, _Candidate] = {}
        self.total = self.blank = self.labelled = self.old_total = self.old_blank = -math.inf

    def labels(self, merges: bool) -> list[int]:
        found: list[int] = []
        entry, previous = self, -1
        while entry.parent is not None:
            if not merges or entry.label != previous:
                found.append(entry.label)
            previous, entry = entry.label, entry.parent
        return found[::-1]


class _Beam:
    """The best candidates, the likeliest first; of equals the one that came first."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.entries: list[_Candidate] = []

    def takes(self, total: float) -> bool:
        return total > -math.inf and (len(self.entries) < self.width or total > self.entries[-1].total)

    def push(self, entry: _Candidate) -> None:
        bisect.insort(self.entries, entry, key=lambda other: -other.total)
        if len(self.entries) > self.width:
            self.entries.pop()


def _sum(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def _step(beam: _Beam, scores: list[float], blank: int) -> None:
    """One moment on."""
    before, beam.entries = beam.entries, []
    for entry in before:
        entry.old_total, entry.old_blank = entry.total, entry.blank
    for entry in before:
        parent = entry.parent
        if parent is not None:
            if parent.total > -math.inf:
                entry.labelled = _sum(entry.labelled, parent.old_blank if entry.label == parent.label else parent.old_total)
            entry.labelled += scores[entry.label]
        entry.blank = entry.old_total + scores[blank]
        entry.total = _sum(entry.blank, entry.labelled)
        beam.push(entry)
    for entry in before:
        if not beam.takes(entry.old_total):
            continue
        for label in range(blank):
            child = entry.children.get(label)
            if child is None:
                total = scores[label] + (entry.old_blank if label == entry.label else entry.old_total)
                if not beam.takes(total):
                    continue
                child = entry.children[label] = _Candidate(entry, label)
            elif child.total > -math.inf:
                continue
            child.blank = -math.inf
            child.labelled = child.total = scores[label] + (entry.old_blank if label == entry.label else entry.old_total)
            if beam.takes(child.total):
                if len(beam.entries) == beam.width:
                    dropped = beam.entries.pop()
                    dropped.total = dropped.blank = dropped.labelled = -math.inf
                beam.push(child)
            else:
                child.total = child.labelled = child.old_total = child.old_blank = -math.inf


class CTCBeamSearchDecoder(OpType):
    """The likeliest sequences of labels."""

    inputs = "inputs: T, sequence_length: int32"
    outputs = "decoded_indices: top_paths * int64, decoded_values: top_paths * int64, decoded_shape: top_paths * int64, log_probability: T"
    attrs = "beam_width: int >= 1, top_paths: int >= 1, merge_repeated: bool = true, T: {float, double} = float"
    is_host_only = True
    samples = (
        sample("float[6,2,4]", "int32: [6, 4]", beam_width=10, top_paths=3, has_gradient=False),
        sample("float[6,2,4] in -3..3", "int32: [6, 4]", beam_width=4, top_paths=2, merge_repeated=False, has_gradient=False),
        sample("double[5,3,3]", "int32: [5, 2, 4]", beam_width=100, top_paths=1, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        inputs, lengths = op._inputs[0].shape.with_rank(3), op._inputs[1].shape.with_rank(1)
        count, paths = inputs[1:2].merge_with(lengths).as_list()[0], op.attr("top_paths")
        each = (TensorShape([None, 2]), TensorShape([None]), TensorShape([2]))
        return [*(shape for shape in each for _ in range(paths)), TensorShape([count, paths])]

    @staticmethod
    def run(xp: Any, inputs: Any, sequence_length: Any, *, beam_width: int, top_paths: int, merge_repeated: bool) -> list[Any]:
        check_sequences(inputs, sequence_length)
        _, count, classes = inputs.shape
        chances = np.zeros((count, top_paths), inputs.dtype)
        decoded: list[list[list[int]]] = [[] for _ in range(top_paths)]
        for number, length in enumerate(sequence_length.tolist()):
            root = _Candidate(None, -1)
            root.total = root.blank = 0.0
            beam = _Beam(beam_width)
            beam.push(root)
            for row in inputs[: max(length, 0), number]:
                shifted = (row - row.max()).astype(np.float64)
                normed = shifted - np.log(np.exp(shifted).sum())
                _step(beam, normed.tolist(), classes - 1)
            if top_paths > beam_width:
                raise InvalidArgumentError("requested more paths than the beam width.")
            if top_paths > len(beam.entries):
                raise InvalidArgumentError("Less leaves in the beam search than requested.")
            for path, entry in enumerate(beam.entries[:top_paths]):
                decoded[path].append(entry.labels(merge_repeated))
                chances[number, path] = entry.total
        parts = [_sparse(rows) for rows in decoded]
        return [part[place] for place in range(3) for part in parts] + [chances]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None]


def _sparse(rows: list[list[int]]) -> tuple[Any, Any, Any]:
    places = [(row, place) for row, values in enumerate(rows) for place in range(len(values))]
    values = [value for row in rows for value in row]
    shape = [len(rows), max(map(len, rows), default=0)]
    return np.array(places, np.int64).reshape(-1, 2), np.array(values, np.int64), np.array(shape, np.int64)
