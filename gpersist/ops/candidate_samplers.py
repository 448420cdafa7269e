"""Samplers of classes that a loss over very many is estimated by, with TensorFlow's numbers for the same seeds; on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, OpType, SessionOpType, Tensor, sample
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.philox import Generator, Philox
from gpersist.ops.random_seed import get_seed
from gpersist.shapes import TensorShape

__all__ = [
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "uniform_candidate_sampler",
]

_OUTPUTS = "sampled_candidates: int64, true_expected_count: float, sampled_expected_count: float"
_COUNTS = "num_true: int >= 1, num_sampled: int >= 1, unique: bool"
_SEEDS = "seed: int = 0, seed2: int = 0"
_RESERVED = 2048  # words for each class that is drawn


class Words:
    """Words one after the other, as `SimplePhilox` has them."""

    def __init__(self, start: Philox) -> None:
        self._words = self._endless(start)

    @staticmethod
    def _endless(position: Philox) -> Iterator[int]:
        while True:
            yield from position.blocks(np, 256).reshape(-1).tolist()
            position = position.skip(256)

    def word(self) -> int:
        return next(self._words)

    def double_word(self) -> int:
        low = next(self._words)
        return low | next(self._words) << 32

    def unit_float(self) -> float:
        return (self.word() & 0x7FFFFF) / (1 << 23)

    def unit_double(self) -> float:
        high = next(self._words) & 0xFFFFF
        return float((high << 32 | next(self._words)) / (1 << 52))

    def below(self, count: int, bits: int) -> int:
        """A whole number below `count`, each as likely as any other."""
        draw = self.word if bits == 32 else self.double_word
        if count & (count - 1) == 0:
            return draw() & (count - 1)
        least = ((1 << bits) - 1) % count + 1
        while (found := draw()) < least:
            pass
        return found % count


class _Sampler(SessionOpType, abstract=True):
    """Classes drawn, and how often each of them and of the true ones is expected."""

    inputs = "true_classes: int64"
    outputs = _OUTPUTS
    attrs = f"{_COUNTS}, range_max: int >= 1, {_SEEDS}"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count, true_count = op.attr("num_sampled"), op.attr("num_true")
        true_classes = op._inputs[0].shape.with_rank(2)
        true_classes[1:].merge_with([true_count])
        return [TensorShape([count]), TensorShape([*true_classes[:1].as_list(), true_count]), TensorShape([count])]

    @classmethod
    def run(cls, ctx: Context, true_classes: Any) -> list[Any]:
        attr = ctx.op.attr
        count, limit = attr("num_sampled"), cls.limit(ctx)
        if np.ndim(true_classes) != 2:
            raise InvalidArgumentError("true_classes must be a matrix")
        if true_classes.shape[1] != attr("num_true"):
            raise InvalidArgumentError(f"true_classes must have num_true columns, expected: {true_classes.shape[1]} was: {attr('num_true')}")
        if attr("unique") and count > limit:
            raise InvalidArgumentError("Sampler's range is too small.")
        for wrong in true_classes[(true_classes < 0) | (true_classes >= limit)]:
            raise InvalidArgumentError(f"`true_candidate` out of range [0, {limit}), received {wrong}")
        generator = ctx.state.get("generator") or ctx.state.setdefault("generator", Generator(attr("seed"), attr("seed2")))
        words = Words(generator.reserve(_RESERVED * count // 4))
        return cls.sampled(ctx, words, count, limit, true_classes)

    @classmethod
    def sampled(cls, ctx: Context, words: Words, count: int, limit: int, true_classes: Any) -> list[Any]:
        draw, chance = cls.prepared(ctx, words, limit)
        found: list[int] = []
        tries = 0
        seen: set[int] = set()
        is_unique = ctx.op.attr("unique")
        while len(found) < count:
            tries += 1
            value = draw()
            if not is_unique or value not in seen:
                seen.add(value)
                found.append(value)
        drawn = np.array(found, np.int64)
        return [drawn, _expected(chance(true_classes), count, tries), _expected(chance(drawn), count, tries)]

    @staticmethod
    def limit(ctx: Context) -> int:
        """How many classes there are."""
        found: int = ctx.op.attr("range_max")
        return found

    @staticmethod
    def prepared(ctx: Context, words: Words, limit: int) -> tuple[Callable[[], int], Callable[[Any], Any]]:
        """A function that draws a class, and one that gives the probability of classes, float32."""
        raise NotImplementedError

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None]


def _expected(chance: Any, count: int, tries: int) -> Any:
    """How often classes of these probabilities are expected among `count`, of which so many tries were needed."""
    if tries == count:
        return chance * np.float32(count)
    return -np.expm1(np.float32(tries) * np.log1p(-chance))


class UniformCandidateSampler(_Sampler):
    """Each class is as likely as any other."""

    @staticmethod
    def prepared(ctx: Context, words: Words, limit: int) -> tuple[Callable[[], int], Callable[[Any], Any]]:
        return lambda: words.below(limit, 64), lambda values: np.full(values.shape, 1.0 / limit, np.float32)


class LogUniformCandidateSampler(_Sampler):
    """Classes of low numbers are likelier, as words are that are ordered by frequency."""

    @staticmethod
    def prepared(ctx: Context, words: Words, limit: int) -> tuple[Callable[[], int], Callable[[Any], Any]]:
        size = float(np.log1p(limit))

        def chance(values: Any) -> Any:
            return (np.log((values + 2.0) / (values + 1.0)) / size).astype(np.float32)

        return lambda: (int(np.exp(words.unit_double() * size)) - 1) % limit, chance


class _Learned(_Sampler, abstract=True):
    """Classes are as likely as they have been true ones so far, each counted once more."""

    @classmethod
    def sampled(cls, ctx: Context, words: Words, count: int, limit: int, true_classes: Any) -> list[Any]:
        found = super().sampled(ctx, words, count, limit, true_classes)
        np.add.at(ctx.state["weights"], true_classes.reshape(-1), 1)
        return found

    @staticmethod
    def prepared(ctx: Context, words: Words, limit: int) -> tuple[Callable[[], int], Callable[[Any], Any]]:
        weights = ctx.state.setdefault("weights", np.ones(limit, np.int64))
        edges = np.cumsum(weights)
        total = int(edges[-1])

        def chance(values: Any) -> Any:
            return weights[values].astype(np.float32) / np.float32(total)

        return lambda: int(np.searchsorted(edges, words.below(total, 32), side="right")), chance


class LearnedUnigramCandidateSampler(_Learned):
    """Classes are as likely as they have been true ones so far."""


class ThreadUnsafeUnigramCandidateSampler(_Learned):
    """The same."""


class FixedUnigramCandidateSampler(_Sampler):
    """Classes have given weights, of a list or of the last column of a file."""

    attrs = (
        f"{_COUNTS}, range_max: int >= 1, vocab_file: string = '', distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int >= 1 = 1, "
        f"shard: int >= 0 = 0, unigrams: list(float) = [], {_SEEDS}"
    )

    @staticmethod
    def prepared(ctx: Context, words: Words, limit: int) -> tuple[Callable[[], int], Callable[[Any], Any]]:
        if "table" not in ctx.state:
            weights = _weights(ctx.op)
            if len(weights) != limit:
                raise InvalidArgumentError(f"range is {limit} must be equal to weights size  {len(weights)}")
            ctx.state["table"] = weights, *_aliases(weights)
        weights, chances, others = ctx.state["table"]
        total = np.add.accumulate(weights, dtype=np.float32)[-1]

        def draw() -> int:
            share = words.unit_float()
            place = words.below(limit, 32)
            return place if share < chances[place] else int(others[place])

        return draw, lambda values: weights[values] / total


def _weights(op: Operation) -> Any:
    file, unigrams, shards, shard = (op.attr(name) for name in ("vocab_file", "unigrams", "num_shards", "shard"))
    if not file and not unigrams:
        raise InvalidArgumentError("Must provide either vocab_file or unigrams.")
    if file and unigrams:
        raise InvalidArgumentError("Must only provide one of vocab_file and unigrams.")
    if file:
        raise InvalidArgumentError("a vocabulary file is not read by this operation: give its weights as unigrams")
    reserved = [0.0 for number in range(op.attr("num_reserved_ids")) if number % shards == shard]
    kept = [weight for number, weight in enumerate(unigrams, len(reserved)) if number % shards == shard]
    return np.concatenate([np.array(reserved, np.float32), np.power(np.array(kept, np.float32), np.float32(op.attr("distortion")))])


def _aliases(weights: Any) -> tuple[Any, Any]:
    """Walker's tables: for each class the share of its bucket that is its own, and the class that has the rest."""
    count = len(weights)
    shares = [float(weight * np.float32(count)) / float(np.sum(weights, dtype=np.float64)) for weight in weights]
    others = list(range(count))
    low, high = [place for place in range(count) if shares[place] < 1], [place for place in range(count) if shares[place] >= 1]
    own = list(shares)
    while high and low:
        small, large = low.pop(), high.pop()
        others[small] = large
        shares[large] -= 1.0 - shares[small]
        own[large] = shares[large]
        (low if shares[large] < 1 else high).append(large)
    for place in (*high, *low):
        own[place], others[place] = 1.0, place
    return np.array(own, np.float32), np.array(others)


class AllCandidateSampler(_Sampler):
    """All classes."""

    attrs = f"{_COUNTS}, {_SEEDS}"

    @staticmethod
    def limit(ctx: Context) -> int:
        found: int = ctx.op.attr("num_sampled")
        return found

    @classmethod
    def sampled(cls, ctx: Context, words: Words, count: int, limit: int, true_classes: Any) -> list[Any]:
        return [np.arange(count, dtype=np.int64), np.ones(true_classes.shape, np.float32), np.ones(count, np.float32)]


class ComputeAccidentalHits(OpType):
    """Where classes that were drawn are true ones."""

    inputs = "true_classes: int64, sampled_candidates: int64"
    outputs = "indices: int32, ids: int64, weights: float"
    attrs = f"num_true: int, {_SEEDS}"
    is_host_only = True
    samples = (
        sample("int64: [[1, 2], [3, 4], [0, 2]]", "int64: [4, 2, 7, 2]", num_true=2),
        sample("int64: [[1], [3]]", "int64: [5]", num_true=1),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(2)[1:].merge_with([op.attr("num_true")])
        op._inputs[1].shape.with_rank(1)
        return [TensorShape([None])] * 3

    @staticmethod
    def run(xp: Any, true_classes: Any, sampled: Any, *, num_true: int) -> list[Any]:
        if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
            raise InvalidArgumentError(f"true_candidates must be a batch_size * num_true matrix, not {shown(true_classes.shape)}")
        if sampled.ndim != 1:
            raise InvalidArgumentError("sampled_candidates must be a vector, which is typically an output from CandidateSampler")
        places = {value: place for place, value in enumerate(sampled.tolist())}
        hits = [(row, places[value]) for row, values in enumerate(true_classes.tolist()) for value in values if value in places]
        rows, ids = (np.array([hit[part] for hit in hits], dtype) for part, dtype in ((0, np.int32), (1, np.int64)))
        return [rows, ids, np.full(len(hits), np.finfo(np.float32).min, np.float32)]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None]


def _add(op_name: str, true_classes: Any, seed: int | None, name: str | None, **attrs: Any) -> Any:
    seed1, seed2 = get_seed(seed)
    return named_outputs(op_name, true_classes, **attrs, seed=seed1, seed2=seed2, name=name)


def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None, name: str | None = None
) -> Any:
    """Classes, each as likely as any other (`tf.nn.uniform_candidate_sampler`).

    Args:
        true_classes: int64 [batch, num_true].
        num_true: how many true classes each example has.
        num_sampled: how many classes are drawn.
        unique: whether each is drawn at most once.
        range_max: how many classes there are.
        seed: the operation's; see `set_random_seed`.
        name: of the node.

    Returns:
        The classes, int64 [num_sampled]; how often the true ones are expected among them, float [batch, num_true]; and how often these themselves.
    """
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _add("UniformCandidateSampler", true_classes, seed, name, **attrs)


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None, name: str | None = None
) -> Any:
    """Classes, those of low numbers likelier (`tf.nn.log_uniform_candidate_sampler`); arguments as in `uniform_candidate_sampler`."""
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _add("LogUniformCandidateSampler", true_classes, seed, name, **attrs)


def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None, name: str | None = None
) -> Any:
    """Classes, as likely as they have been true so far (`tf.nn.learned_unigram_candidate_sampler`); arguments as in `uniform_candidate_sampler`.

    Raises:
        ValueError: there are more classes than 32 bits count.
    """
    if range_max > 2147483647:
        raise ValueError(f"Value of range_max:{range_max} is too large to handle")
    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _add("LearnedUnigramCandidateSampler", true_classes, seed, name, **attrs)


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Classes of given weights (`tf.nn.fixed_unigram_candidate_sampler`).

    `unigrams` are the weights, to the power of `distortion`, behind `num_reserved_ids` of 0; of several shards, those of one. A `vocab_file` can be
    put in a graph, and not be run. The others are as in `uniform_candidate_sampler`.
    """
    return _add(
        "FixedUnigramCandidateSampler",
        true_classes,
        seed,
        name,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=list(unigrams),
    )


def all_candidate_sampler(true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: int | None = None, name: str | None = None) -> Any:
    """All classes, of which there are `num_sampled` (`tf.nn.all_candidate_sampler`)."""
    return _add("AllCandidateSampler", true_classes, seed, name, num_true=num_true, num_sampled=num_sampled, unique=unique)


def compute_accidental_hits(true_classes: Any, sampled_candidates: Any, num_true: int, seed: int | None = None, name: str | None = None) -> Any:
    """Where classes that were drawn are true ones (`tf.nn.compute_accidental_hits`).

    Returns:
        For each such place the example, the number of the class among those drawn, and the lowest float, which takes it out of a softmax.
    """
    seed1, seed2 = get_seed(seed)
    return named_outputs("ComputeAccidentalHits", true_classes, sampled_candidates, num_true=num_true, seed=seed1, seed2=seed2, name=name)
