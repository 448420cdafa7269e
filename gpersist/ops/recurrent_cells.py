"""Recurrent cells, and whole sequences of them, in one operation each: LSTM with and without peepholes, GRU."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

__all__: list[str] = []

_KINDS = "T: {half, float}"
_OLD_GATES, _NEW_GATES = "icfo", "ifco"
"""The order of the parts of the weights: input gate, cell, forget gate, output gate."""

_CELL = ("float[2,3]", "float[2,2]", "float[2,2]", "float[5,8]", "float[2]", "float[2]", "float[2]", "float[8]")
_SEQUENCE = ("int64: 3", "float[4,2,3]", *_CELL[1:])


def _sigmoid(xp: Any, x: Array) -> Array:
    return 1 / (1 + xp.exp(-x))


class _Step(NamedTuple):
    """What one step of an LSTM gives, in the order of the operations' outputs."""

    i: Array
    cs: Array
    f: Array
    o: Array
    ci: Array
    co: Array
    h: Array


class _Weights(NamedTuple):
    """The weights of an LSTM; those of peepholes are None where there are none."""

    w: Array
    wci: Array | None
    wcf: Array | None
    wco: Array | None
    b: Array


def _weights(w: Array, wci: Array, wcf: Array, wco: Array, b: Array, use_peephole: bool) -> _Weights:
    for name, value in (("wci", wci), ("wcf", wcf), ("wco", wco)):
        if value.ndim != 1:
            raise InvalidArgumentError(f"{name} must be rank 1 but is rank {value.ndim}")
    return _Weights(w, wci, wcf, wco, b) if use_peephole else _Weights(w, None, None, None, b)


def _parts(value: Array, gates: str) -> dict[str, Array]:
    """The four parts of the last axis by their gates."""
    size = value.shape[-1] // 4
    return {gate: value[..., number * size : (number + 1) * size] for number, gate in enumerate(gates)}


def _step(xp: Any, x: Array, cs_prev: Array, h_prev: Array, weights: _Weights, gates: str, forget_bias: float, cell_clip: float) -> _Step:
    found = _parts(xp.concatenate([x, h_prev], 1) @ weights.w + weights.b, gates)
    i, f, o = found["i"], found["f"] + x.dtype.type(forget_bias), found["o"]
    if weights.wci is not None:
        i, f = i + cs_prev * weights.wci, f + cs_prev * weights.wcf
    i, f, ci = _sigmoid(xp, i), _sigmoid(xp, f), xp.tanh(found["c"])
    cs = ci * i + cs_prev * f
    if cell_clip > 0:
        cs = xp.clip(cs, -cell_clip, cell_clip)
    co = xp.tanh(cs)
    o = _sigmoid(xp, o if weights.wco is None else o + cs * weights.wco)
    return _Step(i, cs, f, o, ci, co, co * o)


def _check_cell(x: Any, cs_prev: Any, h_prev: Any, w: Any, b: Any) -> None:
    batch, size = (x.shape[-2], cs_prev.shape[-1]) if x.ndim >= 2 and cs_prev.ndim == 2 else (None, None)
    if batch is None or size is None:
        raise InvalidArgumentError(f"x and cs_prev must be matrices, not of shapes {shown(x.shape)} and {shown(cs_prev.shape)}")
    for value, wanted, what in ((cs_prev, (batch, size), "cs_prev"), (h_prev, (batch, size), "h_prev"), (w, (x.shape[-1] + size, 4 * size), "w")):
        if value.shape != wanted:
            raise InvalidArgumentError(f"{what} has shape {shown(value.shape)}, expected {shown(wanted)}")
    if b.shape != (4 * size,):
        raise InvalidArgumentError(f"b has shape {shown(b.shape)}, expected {shown((4 * size,))}")


class LSTMBlockCell(OpType):
    """One step of an LSTM."""

    inputs = "x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T"
    outputs = "i: T, cs: T, f: T, o: T, ci: T, co: T, h: T"
    attrs = f"forget_bias: float = 1.0, cell_clip: float = 3.0, use_peephole: bool = false, {_KINDS}"
    samples = (sample(*_CELL), sample(*_CELL, use_peephole=True, cell_clip=0.1, forget_bias=0.0))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, cs_prev = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(2)
        return [TensorShape([x.as_list()[0], cs_prev.as_list()[1]])] * 7

    @staticmethod
    def run(
        xp: Any,
        x: Array,
        cs_prev: Array,
        h_prev: Array,
        w: Array,
        wci: Array,
        wcf: Array,
        wco: Array,
        b: Array,
        *,
        forget_bias: float,
        cell_clip: float,
        use_peephole: bool,
    ) -> _Step:
        _check_cell(x, cs_prev, h_prev, w, b)
        if not cs_prev.size:
            raise InvalidArgumentError(f"cs_prev_tensor is empty, has shape: {shown(cs_prev.shape)}.")
        return _step(xp, x, cs_prev, h_prev, _weights(w, wci, wcf, wco, b, use_peephole), _OLD_GATES, forget_bias, cell_clip)


class _Sequence(OpType, abstract=True):
    """An LSTM over the steps of a sequence."""

    inputs = "seq_len_max: int64, x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T"
    outputs = LSTMBlockCell.outputs
    host_inputs = ("seq_len_max",)
    samples: ClassVar[tuple[Sample, ...]] = ()

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, b = op._inputs[1].shape.with_rank(3), op._inputs[8].shape.with_rank(1)
        size = b.as_list()[0]
        if size is not None and size % 4:
            raise ValueError(f"Dimension size must be evenly divisible by 4 but is {size}")
        return [TensorShape([*x.as_list()[:2], None if size is None else size // 4])] * 7


def _sequence(
    xp: Any, length: Any, x: Array, cs: Array, h: Array, weights: _Weights, gates: str, forget_bias: float, cell_clip: float
) -> list[Array]:
    if np.ndim(length):
        raise InvalidArgumentError(f"seq_len_max must be rank 0 but is rank {np.ndim(length)}")
    if x.ndim != 3:
        raise InvalidArgumentError("x must be 3D")
    _check_cell(x, cs, h, weights.w, weights.b)
    if not 0 <= int(length) <= len(x):
        raise InvalidArgumentError(f"seq_len_max {int(length)} is not in 0..{len(x)}, the number of steps")
    found = [xp.zeros((len(x), *cs.shape), x.dtype) for _ in range(7)]
    for time in range(int(length)):
        step = _step(xp, x[time], cs, h, weights, gates, forget_bias, cell_clip)
        for whole, part in zip(found, step, strict=True):
            whole[time] = part
        cs, h = step.cs, step.h
    return found


def _sequence_gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
    kind = "BlockLSTMGradV2" if op.type == "BlockLSTMV2" else "BlockLSTMGrad"
    found = apply_op(kind, *op.inputs, *op.outputs, grads[1], grads[6], use_peephole=op.attr("use_peephole")).outputs
    return [None, *found]


class BlockLSTM(_Sequence):
    """An LSTM over a sequence."""

    attrs = f"forget_bias: float = 1.0, cell_clip: float = 3.0, use_peephole: bool = false, {_KINDS}"
    samples = (
        sample(*_SEQUENCE, has_gradient=False),  # its gradient knows of `cs` and `h` alone, as TensorFlow's
        sample(*_SEQUENCE, use_peephole=True, cell_clip=0.3, has_gradient=False),
    )
    gradient = staticmethod(_sequence_gradient)

    @staticmethod
    def run(
        xp: Any,
        seq_len_max: Any,
        x: Array,
        cs_prev: Array,
        h_prev: Array,
        w: Array,
        wci: Array,
        wcf: Array,
        wco: Array,
        b: Array,
        *,
        forget_bias: float,
        cell_clip: float,
        use_peephole: bool,
    ) -> list[Array]:
        weights = _weights(w, wci, wcf, wco, b, use_peephole)
        return _sequence(xp, seq_len_max, x, cs_prev, h_prev, weights, _OLD_GATES, forget_bias, cell_clip)


class BlockLSTMV2(_Sequence):
    """An LSTM over a sequence, its gates in the order of Keras."""

    attrs = f"cell_clip: float = 0.0, use_peephole: bool = false, {_KINDS}"
    samples = (sample(*_SEQUENCE, has_gradient=False), sample(*_SEQUENCE, use_peephole=True, cell_clip=0.3, has_gradient=False))
    gradient = staticmethod(_sequence_gradient)

    @staticmethod
    def run(
        xp: Any,
        seq_len_max: Any,
        x: Array,
        cs_prev: Array,
        h_prev: Array,
        w: Array,
        wci: Array,
        wcf: Array,
        wco: Array,
        b: Array,
        *,
        cell_clip: float,
        use_peephole: bool,
    ) -> list[Array]:
        return _sequence(xp, seq_len_max, x, cs_prev, h_prev, _weights(w, wci, wcf, wco, b, use_peephole), _NEW_GATES, 0.0, cell_clip)


# ---- gradients


class _Back(NamedTuple):
    """The gradients of one step: with respect to the cell before, the four gates, and the peepholes."""

    cs_prev: Array
    gates: Array
    wci: Array
    wcf: Array
    wco: Array


def _back(xp: Any, step: _Step, cs_prev: Array, cs_grad: Array, h_grad: Array, weights: _Weights, gates: str) -> _Back:
    do = step.o * (1 - step.o) * h_grad * step.co
    dcs = (1 - step.co * step.co) * h_grad * step.o + cs_grad
    if weights.wco is not None:
        dcs = dcs + do * weights.wco
    dci = (1 - step.ci * step.ci) * dcs * step.i
    df = step.f * (1 - step.f) * dcs * cs_prev
    di = step.i * (1 - step.i) * dcs * step.ci
    back = dcs * step.f
    if weights.wci is not None:
        back = back + di * weights.wci + df * weights.wcf
    parts = {"i": di, "c": dci, "f": df, "o": do}
    none = xp.zeros(cs_prev.shape[1], cs_prev.dtype)
    peepholes = [none] * 3 if weights.wci is None else [(di * cs_prev).sum(0), (df * cs_prev).sum(0), (do * step.cs).sum(0)]
    return _Back(back, xp.concatenate([parts[gate] for gate in gates], 1), *peepholes)


class LSTMBlockCellGrad(OpType):
    """The gradients of `LSTMBlockCell`."""

    inputs = "x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T, i: T, cs: T, f: T, o: T, ci: T, co: T, cs_grad: T, h_grad: T"
    outputs = "cs_prev_grad: T, dicfo: T, wci_grad: T, wcf_grad: T, wco_grad: T"
    attrs = f"use_peephole: bool, {_KINDS}"
    samples = tuple(sample(*_CELL, *["float[2,2]"] * 8, use_peephole=uses) for uses in (False, True))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, cs_prev = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(2)
        batch, size = x.as_list()[0], cs_prev.as_list()[1]
        return [TensorShape([batch, size]), TensorShape([batch, None if size is None else 4 * size]), *[TensorShape([size])] * 3]

    @staticmethod
    def run(xp: Any, *values: Array, use_peephole: bool) -> _Back:
        x, cs_prev, h_prev, w, wci, wcf, wco, b, i, cs, f, o, ci, co, cs_grad, h_grad = values
        _check_cell(x, cs_prev, h_prev, w, b)
        step = _Step(i, cs, f, o, ci, co, h_grad)
        return _back(xp, step, cs_prev, cs_grad, h_grad, _weights(w, wci, wcf, wco, b, use_peephole), _OLD_GATES)


class _SequenceGrad(OpType, abstract=True):
    """The gradients of an LSTM over a sequence."""

    inputs = (
        "seq_len_max: int64, x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T, i: T, cs: T, f: T, o: T, ci: T, co: T, h: T, "
        "cs_grad: T, h_grad: T"
    )
    outputs = "x_grad: T, cs_prev_grad: T, h_prev_grad: T, w_grad: T, wci_grad: T, wcf_grad: T, wco_grad: T, b_grad: T"
    attrs = f"use_peephole: bool, {_KINDS}"
    host_inputs = ("seq_len_max",)
    samples: ClassVar[tuple[Sample, ...]] = tuple(sample(*_SEQUENCE, *["float[4,2,2]"] * 9, use_peephole=uses) for uses in (False, True))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ranks = (3, 2, 2, 2, 1, 1, 1, 1)
        return [tensor.shape.with_rank(rank) for tensor, rank in zip(op._inputs[1:9], ranks, strict=True)]


def _sequence_back(xp: Any, gates: str, use_peephole: bool, values: tuple[Array, ...]) -> list[Array]:
    length, x, cs_first, h_first, w, wci, wcf, wco, b = values[:9]
    outputs, cs_grads, h_grads = values[9:16], values[16], values[17]
    if x.ndim != 3:
        raise InvalidArgumentError("x must be 3D")
    _check_cell(x, cs_first, h_first, w, b)
    weights = _weights(w, wci, wcf, wco, b, use_peephole)
    found = [xp.zeros(value.shape, x.dtype) for value in (x, cs_first, h_first, w, wci, wcf, wco, b)]
    x_grad, cs_back, h_back, w_grad, wci_grad, wcf_grad, wco_grad, b_grad = found
    for time in reversed(range(int(length))):
        step = _Step(*(output[time] for output in outputs))
        cs_prev, h_prev = (cs_first, h_first) if time == 0 else (outputs[1][time - 1], outputs[6][time - 1])
        back = _back(xp, step, cs_prev, cs_grads[time] + cs_back, h_grads[time] + h_back, weights, gates)
        through = back.gates @ w.T
        x_grad[time], h_back, cs_back = through[:, : x.shape[2]], through[:, x.shape[2] :], back.cs_prev
        w_grad += xp.concatenate([x[time], h_prev], 1).T @ back.gates
        b_grad += back.gates.sum(0)
        wci_grad += back.wci
        wcf_grad += back.wcf
        wco_grad += back.wco
    return [x_grad, cs_back, h_back, w_grad, wci_grad, wcf_grad, wco_grad, b_grad]


class BlockLSTMGrad(_SequenceGrad):
    """The gradients of `BlockLSTM`."""

    @staticmethod
    def run(xp: Any, *values: Array, use_peephole: bool) -> list[Array]:
        return _sequence_back(xp, _OLD_GATES, use_peephole, values)


class BlockLSTMGradV2(_SequenceGrad):
    """The gradients of `BlockLSTMV2`."""

    @staticmethod
    def run(xp: Any, *values: Array, use_peephole: bool) -> list[Array]:
        return _sequence_back(xp, _NEW_GATES, use_peephole, values)


# ---- GRU


class GRUBlockCell(OpType):
    """One step of a GRU."""

    inputs = "x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T"
    outputs = "r: T, u: T, c: T, h: T"
    attrs = "T: {float}"
    samples = (sample("float[2,3]", "float[2,2]", "float[5,4]", "float[5,2]", "float[4]", "float[2]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, h_prev = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(2)
        return [TensorShape([x.as_list()[0], h_prev.as_list()[1]])] * 4

    @staticmethod
    def run(xp: Any, x: Array, h_prev: Array, w_ru: Array, w_c: Array, b_ru: Array, b_c: Array) -> tuple[Array, ...]:
        if x.ndim != 2 or h_prev.ndim != 2 or len(x) != len(h_prev):
            raise InvalidArgumentError(f"h_prev.dims(0) != batch_size: x and h_prev have shapes {shown(x.shape)} and {shown(h_prev.shape)}")
        size, inner = h_prev.shape[1], x.shape[1] + h_prev.shape[1]
        for value, wanted, what in (
            (w_ru, (inner, 2 * size), "w_ru"),
            (w_c, (inner, size), "w_c"),
            (b_ru, (2 * size,), "b_ru"),
            (b_c, (size,), "b_c"),
        ):
            if value.shape != wanted:
                raise InvalidArgumentError(f"{what} has shape {shown(value.shape)}, expected {shown(wanted)}")
        both = _sigmoid(xp, xp.concatenate([x, h_prev], 1) @ w_ru + b_ru)
        r, u = both[:, :size], both[:, size:]
        c = xp.tanh(xp.concatenate([x, h_prev * r], 1) @ w_c + b_c)
        return r, u, c, u * h_prev + (1 - u) * c


class GRUBlockCellGrad(OpType):
    """The gradients of `GRUBlockCell`."""

    inputs = "x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T, r: T, u: T, c: T, d_h: T"
    outputs = "d_x: T, d_h_prev: T, d_c_bar: T, d_r_bar_u_bar: T"
    attrs = "T: {float}"
    samples = (sample(*GRUBlockCell.samples[0].inputs, *["float[2,2]"] * 4),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, h_prev = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(2)
        batch, size = x.as_list()[0], h_prev.as_list()[1]
        both = op._inputs[2].shape.with_rank(2).as_list()[1]
        return [x, TensorShape([batch, size]), TensorShape([batch, size]), TensorShape([batch, both])]

    @staticmethod
    def run(xp: Any, *values: Array) -> tuple[Array, ...]:
        x, h_prev, w_ru, w_c, b_ru, b_c, r, u, c, d_h = values
        if x.ndim != 2 or h_prev.ndim != 2 or len(x) != len(h_prev):
            raise InvalidArgumentError(f"h_prev.dims(0) != batch_size: x and h_prev have shapes {shown(x.shape)} and {shown(h_prev.shape)}")
        for name, value, count in (("b_ru", b_ru, 2 * h_prev.shape[1]), ("b_c", b_c, h_prev.shape[1])):
            if value.shape != (count,):
                raise InvalidArgumentError(f"{name} must have {count} elements, but is of shape {shown(value.shape)}")
        width = x.shape[1]
        d_c_bar = d_h * (1 - u) * (1 - c * c)
        d_u_bar = d_h * (h_prev - c) * u * (1 - u)
        through = d_c_bar @ w_c.T
        d_r_bar = through[:, width:] * h_prev * r * (1 - r)
        both = xp.concatenate([d_r_bar, d_u_bar], 1)
        others = both @ w_ru.T
        return through[:, :width] + others[:, :width], others[:, width:] + through[:, width:] * r + d_h * u, d_c_bar, both
