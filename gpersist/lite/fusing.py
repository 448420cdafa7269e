"""Operators made one: dilated convolutions, factors and biases of products, activations; normalisation by length.

Each rule joins an operator with the one before it whose output nothing else takes, in the order of the model, so that chains join one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import float32
from gpersist.lite.model import Model, NdArray, Operator, Value
from gpersist.lite.schema import ACTIVATIONS, PADDINGS

_FILTER_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
"""Products with a constant, and which axis of it is the output's channels."""

_ACTIVATED = frozenset([*_FILTER_AXIS, "ADD", "SUB", "MUL", "DIV", "MAX_POOL_2D", "AVERAGE_POOL_2D", "CONCATENATION", "L2_NORMALIZATION"]) - {
    "TRANSPOSE_CONV",
    "CONCATENATION",
}


def fuse(model: Model) -> None:
    """Joins what can be joined, in place."""
    _Fusing(model).run()
    model.prune()


class _Fusing:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.uses = model.uses()
        self.maker = {value: operator for operator in model.operators for value in operator.outputs}

    def run(self) -> None:
        kept = []
        for operator in self.model.operators:
            if not self._joined(operator):
                kept.append(operator)
        self.model.operators = kept

    def _joined(self, operator: Operator) -> bool:
        """Whether an operator has gone into the one before it."""
        if operator.kind == "BATCH_TO_SPACE_ND":
            return self._dilate(operator)
        if operator.kind in ACTIVATIONS:
            return self._activate(operator)
        if operator.kind in ("MINIMUM", "MAXIMUM"):
            return self._clip(operator)
        if operator.kind in ("ADD", "SUB", "MUL") and _activation(operator) == 0:
            if self._scale_or_shift(operator):
                return True
            if operator.kind == "MUL" and not self._is_normalisation(operator):
                self._hard_swish(operator)
        return False

    def _before(self, value: Value | None) -> Operator | None:
        """What makes a value that nothing else takes."""
        return self.maker.get(value) if value is not None and self.uses.get(value) == 1 else None

    def _take_over(self, before: Operator, operator: Operator) -> None:
        before.outputs = operator.outputs
        self.maker.update(dict.fromkeys(operator.outputs, before))

    def _activate(self, operator: Operator) -> bool:
        before = self._before(operator.inputs[0])
        if before is None or operator.outputs[0].dtype is not float32:
            return False
        if operator.kind == "RELU" and before.kind == "MINIMUM" and (other := _with_number(before, 6)) is not None:
            before.kind, before.inputs = "RELU6", [other]
        elif before.kind in _ACTIVATED and _activation(before) == 0:
            before.options["fused_activation_function"] = ACTIVATIONS[operator.kind]
        elif operator.kind == "RELU" and _activation(before) in (ACTIVATIONS["RELU"], ACTIVATIONS["RELU6"]):
            pass  # it changes nothing
        else:
            return False
        self._take_over(before, operator)
        if before.kind == "RELU6":
            self._joined_later(before)
        return True

    def _joined_later(self, operator: Operator) -> None:
        """An activation that an operator has become goes into the one before it, if it can."""
        if self._activate(operator):
            self.model.operators = [other for other in self.model.operators if other is not operator]

    def _clip(self, operator: Operator) -> bool:
        """min(relu(x), 6) is RELU6, max(min(x, 1), -1) RELU_N1_TO_1."""
        for limit, kind, inner, inner_limit in (6, "MINIMUM", "RELU", None), (-1, "MAXIMUM", "MINIMUM", 1), (1, "MINIMUM", "MAXIMUM", -1):
            source = _with_number(operator, limit) if operator.kind == kind else None
            before = self._before(source)
            if before is None or before.kind != inner:
                continue
            other = before.inputs[0] if inner_limit is None else _with_number(before, inner_limit)
            if other is not None:
                before.kind, before.inputs = "RELU6" if inner_limit is None else "RELU_N1_TO_1", [other]
                self._take_over(before, operator)
                return True
        return False

    def _scale_or_shift(self, operator: Operator) -> bool:
        """A constant factor, or summand, of a product goes into its filter and its bias."""
        for index, (value, other) in enumerate((operator.inputs, operator.inputs[::-1])):
            before = self._before(value)
            if before is None or before.kind not in _FILTER_AXIS or other is None or other.array is None or _activation(before) != 0:
                continue
            if operator.kind == "SUB" and index == 1:
                continue
            place = 0 if before.kind == "TRANSPOSE_CONV" else -1
            channels = (before.outputs[0].shape or (None,))[-1]
            amounts = _per_channel(other.array, channels, before.outputs[0].rank)
            if amounts is None:
                continue
            if operator.kind == "MUL" and (place == 0 or before.inputs[1] is None or before.inputs[1].array is None):
                continue
            if operator.kind == "MUL":
                _scale(before, amounts)
            else:
                _shift(before, amounts if operator.kind == "ADD" else -amounts, other.name)
            self._take_over(before, operator)
            return True
        return False

    def _dilate(self, operator: Operator) -> bool:
        """A convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND is a dilated one."""
        conv = self._before(operator.inputs[0])
        if conv is None or conv.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            return False
        spread = self._before(conv.inputs[0])
        if spread is None or spread.kind != "SPACE_TO_BATCH_ND":
            return False
        blocks = [value.array if value is not None else None for value in (spread.inputs[1], operator.inputs[1])]
        source, result, weights = spread.inputs[0], operator.outputs[0], conv.inputs[1]
        if blocks[0] is None or blocks[1] is None or blocks[0].shape != (2,) or blocks[0].tolist() != blocks[1].tolist():
            return False
        if source is None or weights is None or source.shape is None or result.shape is None or weights.shape is None:
            return False
        window = [(int(size or 0) - 1) * int(block) for size, block in zip(weights.shape[1:3], blocks[0], strict=True)]
        before, after = source.shape[1:3], result.shape[1:3]
        if None in before or conv.options["padding"] != PADDINGS["VALID"] or (conv.options["stride_h"], conv.options["stride_w"]) != (1, 1):
            return False
        if after == before:
            padding = "SAME"
        elif after == tuple(int(size or 0) - width for size, width in zip(before, window, strict=True)):
            padding = "VALID"
        else:
            return False
        conv.options |= {"padding": PADDINGS[padding], "dilation_h_factor": int(blocks[0][0]), "dilation_w_factor": int(blocks[0][1])}
        conv.inputs[0] = source
        if conv.kind == "DEPTHWISE_CONV_2D":
            conv.version = 2
        self._take_over(conv, operator)
        return True

    def _is_normalisation(self, operator: Operator) -> bool:
        """x * rsqrt(max(sum(x * x), epsilon)) along the last axis is L2_NORMALIZATION."""
        for source, factor in (operator.inputs, operator.inputs[::-1]):
            steps = [self._before(factor)]
            for kind in ("RSQRT", "MAXIMUM", "SUM"):
                if steps[-1] is None or steps[-1].kind != kind:
                    break
                steps.append(self._before(steps[-1].inputs[0]))
            else:
                total, square = steps[2], steps[3]
                if total is None or square is None or square.kind not in ("SQUARE", "MUL") or any(value is not source for value in square.inputs):
                    continue
                if source is None or source.rank is None or not _is_last_axis(total.inputs[1], source.rank) or not total.options["keep_dims"]:
                    continue
                operator.kind, operator.inputs = "L2_NORMALIZATION", [source]  # the others go, for nobody needs them
                return True
        return False

    def _hard_swish(self, operator: Operator) -> None:
        """x * relu6(x + 3) / 6 is HARD_SWISH."""
        product = self._before(_with_number(operator, np.float32(1 / 6)))
        if product is None or product.kind != "MUL" or _activation(product) != 0:
            return
        for source, factor in (product.inputs, product.inputs[::-1]):
            total = self._before(factor)
            if total is not None and total.kind == "ADD" and _activation(total) == ACTIVATIONS["RELU6"] and _with_number(total, 3) is source:
                operator.kind, operator.inputs, operator.options = "HARD_SWISH", [source], {}
                return


def _activation(operator: Operator) -> int:
    return int(operator.options.get("fused_activation_function", 0))


def _with_number(operator: Operator, number: float | np.float32) -> Value | None:
    """The other input of an operator of two, if one is this constant."""
    for value, other in (operator.inputs, operator.inputs[::-1]):
        if other is not None and other.array is not None and other.dtype is float32 and other.array.size == 1 and other.array.item() == number:
            return value
    return None


def _per_channel(array: NdArray, channels: int | None, rank: int | None) -> NdArray | None:
    """A constant as one number for each channel, if it is one."""
    if channels is None or rank is None or array.ndim > rank or array.size not in (1, channels) or array.dtype != np.float32:
        return None
    if array.size == channels and array.size != 1 and array.shape[-1] != channels:
        return None
    return np.broadcast_to(array.reshape(-1), (channels,))


def _scale(product: Operator, amounts: NdArray) -> None:
    weights = product.inputs[1]
    assert weights is not None
    assert weights.array is not None
    shape = [1] * weights.array.ndim
    shape[_FILTER_AXIS[product.kind]] = -1
    product.inputs[1] = Value(weights.name, weights.dtype, weights.shape, weights.array * amounts.reshape(shape))
    bias = product.inputs[2]
    if bias is not None and bias.array is not None:
        product.inputs[2] = Value(bias.name, bias.dtype, bias.shape, bias.array * amounts)


def _shift(product: Operator, amounts: NdArray, name: str) -> None:
    place = 3 if product.kind == "TRANSPOSE_CONV" else 2
    bias: Value | None = product.inputs[place] if len(product.inputs) > place else None
    array: Any = amounts if bias is None else bias.array + amounts
    product.inputs[place:] = [Value(name, float32, array.shape, array)]
    if product.kind == "TRANSPOSE_CONV":
        product.version = 3


def _is_last_axis(value: Value | None, rank: int) -> bool:
    return value is not None and value.array is not None and value.array.size == 1 and value.array.item() in (-1, rank - 1)
