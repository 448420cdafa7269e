"""Keras's attention: rows of one sequence as averages of those of another, weighted by how they go together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Flow, Layer, as_tensor, channels, sizes
from gpersist.ops.casting import cast
from gpersist.ops.comparison import logical_and
from gpersist.ops.contraction import einsum
from gpersist.ops.math import tanh
from gpersist.ops.matmul import matmul
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims
from gpersist.ops.softmax import softmax


class _Attending(Layer, abstract=True):
    """Takes a query, a value and a key, which is the value where it isn't given."""

    takes_arguments = True

    def flow_named(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Flow]:
        given = dict(zip(("query", "value", "key", "attention_mask"), _flat(arguments), strict=False))
        given |= {key: value for key, value in named.items() if value is not None and value is not False and key != "name"}
        is_causal = bool(given.pop("use_causal_mask", False))
        mask = given.pop("attention_mask", None)
        query, value = given.pop("query", None), given.pop("value", None)
        key = given.pop("key", value)
        if given:
            raise UnimplementedError(f"is called with {', '.join(sorted(given))}, which is not read")
        if not isinstance(query, Flow) or not isinstance(value, Flow) or not isinstance(key, Flow):
            raise InvalidArgumentError("takes a query and a value, and maybe a key")
        for flow in (query, value, key):
            if flow.tensor.shape.rank != 3:
                raise UnimplementedError(f"takes an input of shape {flow.tensor.shape}, and is read for 3 dimensions")
        return [Flow(self.attend(query, value, key, mask.tensor if isinstance(mask, Flow) else None, is_causal), query.mask)]

    def attend(self, query: Flow, value: Flow, key: Flow, mask: Tensor | None, is_causal: bool) -> Tensor:
        """Its output: [batch, steps of the query, ...].

        Args:
            query: [batch, T, ...].
            value: [batch, S, ...].
            key: [batch, S, ...].
            mask: what may see what, bools [batch, T, S].
            is_causal: whether no step sees later ones.
        """
        raise NotImplementedError


class _Scored(_Attending, abstract=True):
    """Attention without kernels: softmax of scores of the query and the key."""

    def attend(self, query: Flow, value: Flow, key: Flow, mask: Tensor | None, is_causal: bool) -> Tensor:
        if mask is not None:
            raise UnimplementedError("is called with a mask, which is not read")
        scores = self.scores(query.tensor, key.tensor)
        seen = _both(None if value.mask is None else expand_dims(value.mask, 1), _causal(query.tensor, value.tensor) if is_causal else None)
        found = matmul(softmax(scores if seen is None else _hidden(scores, seen)), value.tensor)
        return found if query.mask is None else found * cast(expand_dims(query.mask, 2), found.dtype)

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How each step of the query goes together with each of the key: [batch, T, S]."""
        raise NotImplementedError


class Attention(_Scored):
    """Scores are products."""

    def prepare(self) -> None:
        self.refuse("causal")
        self.mode = self.get("score_mode", "dot")
        if self.mode not in ("dot", "concat"):
            raise DataLossError(f"its config has score_mode={self.mode!r}")
        self.is_scaled = bool(self.get("use_scale", False))

    def weights(self) -> list[str]:
        return [*(["scale"] if self.is_scaled else []), *(["concat_score_weight"] if self.mode == "concat" else [])]

    def scores(self, query: Tensor, key: Tensor) -> Any:
        scale = as_tensor(self.weight("scale", ())) if self.is_scaled else None
        if self.mode == "dot":
            found = matmul(query, key, transpose_b=True)
            return found if scale is None else found * scale
        both = expand_dims(query, 2) + expand_dims(key, 1)
        return as_tensor(self.weight("concat_score_weight", ())) * reduce_sum(tanh(both if scale is None else scale * both), -1)


class AdditiveAttention(_Scored):
    """Scores are sums of the tangents of sums."""

    def prepare(self) -> None:
        self.refuse("causal")
        self.is_scaled = bool(self.get("use_scale", True))

    def weights(self) -> list[str]:
        return ["scale"] if self.is_scaled else []

    def scores(self, query: Tensor, key: Tensor) -> Any:
        found = tanh(expand_dims(query, 2) + expand_dims(key, 1))
        return reduce_sum(as_tensor(self.weight("scale", (channels(query),))) * found if self.is_scaled else found, -1)


class MultiHeadAttention(_Attending):
    """Several attentions side by side, each with its own kernels for query, key and value, and one more for what they give."""

    takes_masks_away = True

    def prepare(self) -> None:
        self.heads, self.depth = self.integer("num_heads"), self.integer("key_dim")
        self.value_depth = self.integer("value_dim", self.depth)
        self.has_bias = self.get("use_bias", True)
        if self.get("attention_axes", [1]) not in ([1], 1):
            raise UnimplementedError(f"has attention_axes={self.config['attention_axes']!r}, which is not read")
        self.refuse("use_gate", "sliding_window", "flash_attention")

    def weights(self) -> list[str]:
        kinds = ["kernel", "bias"] if self.has_bias else ["kernel"]
        return [f"{part}_{kind}" for part in ("query", "key", "value", "attention_output") for kind in kinds]

    def attend(self, query: Flow, value: Flow, key: Flow, mask: Tensor | None, is_causal: bool) -> Tensor:
        asked = self._projected("query", query.tensor, self.depth) * (1.0 / math.sqrt(self.depth))
        scores = einsum("aecd,abcd->acbe", self._projected("key", key.tensor, self.depth), asked)
        seen = _both(
            mask,
            None if query.mask is None else expand_dims(query.mask, 2),
            None if value.mask is None else expand_dims(value.mask, 1),
            None if key.mask is None or key is value else expand_dims(key.mask, 1),
            _causal(query.tensor, value.tensor) if is_causal else None,
        )
        seen = None if seen is None else expand_dims(seen, 1)
        weights = softmax(scores if seen is None else _hidden(scores, seen))
        if seen is not None and self.building.major >= 3 and self.number("dropout", 0.0):  # another function of Keras 3 computes it then
            weights = weights * cast(seen, weights.dtype)
        found = einsum("acbe,aecd->abcd", weights, self._projected("value", value.tensor, self.value_depth))
        kernel = self.stored["attention_output_kernel"].value
        if kernel.ndim != 3:
            raise UnimplementedError(f"has output_shape={self.config.get('output_shape')!r}, which is not read")
        units = kernel.shape[-1]
        out = einsum("abcd,cde->abe", found, self.weight("attention_output_kernel", (self.heads, self.value_depth, units)))
        return out + as_tensor(self.weight("attention_output_bias", (units,))) if self.has_bias else out

    def _projected(self, part: str, x: Tensor, depth: int) -> Any:
        found = einsum("abc,cde->abde", x, self.weight(f"{part}_kernel", (channels(x), self.heads, depth)))
        return found + as_tensor(self.weight(f"{part}_bias", (self.heads, depth))) if self.has_bias else found


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for value in values:
            yield from _flat(value)
    else:
        yield values


def _both(*masks: Tensor | None) -> Tensor | None:
    """Where all masks that are there are true."""
    found: Tensor | None = None
    for mask in masks:
        if mask is not None:
            found = cast(mask, "bool") if found is None else logical_and(found, cast(mask, "bool"))
    return found


def _causal(query: Tensor, value: Tensor) -> Tensor:
    """Bools [1, T, S]: where a step of the value is none after that of the query."""
    rows, columns = number_range(sizes(query)[1]), number_range(sizes(value)[1])
    return expand_dims(expand_dims(rows, 1) >= expand_dims(columns, 0), 0)


def _hidden(scores: Tensor, seen: Tensor) -> Any:
    """Scores, far below all others where nothing is seen."""
    return scores - (1.0 - cast(seen, scores.dtype)) * (6e4 if scores.dtype.name == "float16" else 1e9)
