"""Operations element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import bool_, float32
from gpersist.lite.lowering import Lowered, Node, Unsupported, lowers
from gpersist.lite.model import Value
from gpersist.lite.schema import TYPES

_UNARY = {
    "Relu": "RELU",
    "Relu6": "RELU6",
    "Tanh": "TANH",
    "Sigmoid": "LOGISTIC",
    "Elu": "ELU",
    "Exp": "EXP",
    "Log": "LOG",
    "Sqrt": "SQRT",
    "Rsqrt": "RSQRT",
    "Square": "SQUARE",
    "Sin": "SIN",
    "Cos": "COS",
    "Floor": "FLOOR",
    "Ceil": "CEIL",
    "Round": "ROUND",
    "Rint": "ROUND",
    "LogSoftmax": "LOG_SOFTMAX",
}
"""Those of floats alone."""

_UNARY_OF_ANY = {"Abs": "ABS", "Neg": "NEG", "Sign": "SIGN", "LogicalNot": "LOGICAL_NOT", "ZerosLike": "ZEROS_LIKE"}

_BINARY = {
    "FloorDiv": "FLOOR_DIV",
    "FloorMod": "FLOOR_MOD",
    "SquaredDifference": "SQUARED_DIFFERENCE",
    "Less": "LESS",
    "LessEqual": "LESS_EQUAL",
    "Greater": "GREATER",
    "GreaterEqual": "GREATER_EQUAL",
    "Equal": "EQUAL",
    "NotEqual": "NOT_EQUAL",
    "LogicalAnd": "LOGICAL_AND",
    "LogicalOr": "LOGICAL_OR",
    "Atan2": "ATAN2",
    "Select": "SELECT",
    "SelectV2": "SELECT_V2",
    "AddN": "ADD_N",
    "BitwiseXor": "BITWISE_XOR",
    "RightShift": "RIGHT_SHIFT",
}

_COMMUTATIVE = frozenset(["Equal", "NotEqual", "LogicalAnd", "LogicalOr", "Maximum", "Minimum"])

_ARITHMETIC = {"Add": "ADD", "AddV2": "ADD", "Sub": "SUB", "Mul": "MUL", "RealDiv": "DIV", "Div": "DIV"}
"""Those that can have an activation in them."""

_VERSIONS = {("ADD", "int64"): 4, ("SUB", "int64"): 4, ("MUL", "int64"): 5, ("FLOOR_DIV", "float32"): 2, ("ABS", "int32"): 5}
"""Of operators of this first input, where it is not 1."""


@lowers(*_UNARY)
def unary(node: Node) -> Lowered:
    """Has an operator of its own."""
    node.must_be_float()
    return node.emit(_UNARY[node.op.type], *node.inputs)


@lowers(*_UNARY_OF_ANY)
def unary_of_any(node: Node) -> Lowered:
    """Has an operator of its own."""
    kind = _UNARY_OF_ANY[node.op.type]
    return node.emit_all(kind, node.inputs, [node.result()], _VERSIONS.get((kind, node.inputs[0].dtype.name), 1))


@lowers(*_BINARY)
def binary(node: Node) -> Lowered:
    """Has an operator of its own."""
    kind = _BINARY[node.op.type]
    return node.emit_all(kind, _constant_last(node), [node.result()], _VERSIONS.get((kind, node.inputs[0].dtype.name), 1))


@lowers("Pow")
def power(node: Node) -> Lowered:
    """A square, or a root, where the exponent says so."""
    base, exponent = node.inputs
    known = exponent.array.item() if exponent.array is not None and exponent.array.size == 1 and exponent.dtype is float32 else None
    if base.array is not None or known is None or (exponent.rank or 0) > (base.rank or 0):
        return node.emit("POW", base, exponent)
    if known == 2:
        return node.emit("MUL", base, base, fused_activation_function=0)
    if known in (0.5, -0.5):
        return node.emit("SQRT" if known > 0 else "RSQRT", base)
    return node.emit("POW", base, exponent)


@lowers(*_ARITHMETIC)
def arithmetic(node: Node) -> Lowered:
    """Has an operator of its own; constants come second, and to divide by one is to multiply by its reciprocal."""
    kind, (left, right) = _ARITHMETIC[node.op.type], node.inputs
    if kind == "DIV" and right.array is not None and right.dtype is float32 and right.array.all():
        with np.errstate(all="ignore"):
            kind, right = "MUL", node.constant(np.float32(1) / right.array, "reciprocal")
    elif kind == "DIV" and right.dtype is not float32:
        raise Unsupported(f"of {right.dtype.name}")
    if kind in ("ADD", "MUL") and left.array is not None:
        left, right = right, left
    if kind == "MUL" and right.array is not None and (right.array == 1).all() and left.shape == node.result().shape and left.shape is not None:
        return left
    version = _VERSIONS.get((kind, left.dtype.name), 1)
    return node.emit_all(kind, [left, right], [node.result()], version, fused_activation_function=0)


@lowers("BiasAdd", "BiasAddV1")
def bias_add(node: Node) -> Lowered:
    """A sum."""
    if node.op.type == "BiasAdd" and node.attr("data_format") not in (b"NHWC", "NHWC"):
        raise Unsupported("of data_format NCHW: TFLite has NHWC only")
    return node.emit("ADD", *node.inputs, fused_activation_function=0)


@lowers("Maximum", "Minimum")
def limit(node: Node) -> Lowered:
    """A maximum with 0 is an activation."""
    constant = next((value for value in node.inputs if value.array is not None), None)
    other = next((value for value in node.inputs if value is not constant), None)
    if node.op.type == "Maximum" and constant is not None and other is not None and constant.dtype is float32:
        assert constant.array is not None
        if constant.array.size == 1 and constant.array.item() == 0 and constant.array.ndim <= (other.rank or 0):
            return node.emit("RELU", other)
    return node.emit(node.op.type.upper(), *_constant_last(node))


@lowers("LeakyRelu")
def leaky_relu(node: Node) -> Lowered:
    """With its slope."""
    node.must_be_float()
    return node.emit("LEAKY_RELU", *node.inputs, alpha=node.attr("alpha"))


@lowers("Softmax")
def softmax(node: Node) -> Lowered:
    """Over the last axis."""
    node.must_be_float()
    return node.emit("SOFTMAX", *node.inputs, beta=1.0)


@lowers("Cast")
def cast(node: Node) -> Lowered:
    """To another type."""
    source, result = node.inputs[0], node.result()
    for dtype in (source.dtype, result.dtype):
        if dtype.name not in TYPES or dtype.is_string:
            raise Unsupported(f"of {dtype.name}")
    return node.emit("CAST", source, gives=result)


@lowers("LogicalXor")
def logical_xor(node: Node) -> Lowered:
    """Two truths that differ."""
    return node.emit("NOT_EQUAL", *node.inputs)


@lowers("Reciprocal", "Inv")
def reciprocal(node: Node) -> Lowered:
    """One divided by it."""
    node.must_be_float()
    return node.emit("DIV", _number(node, 1, "one"), node.inputs[0], fused_activation_function=0)


@lowers("Softplus")
def softplus(node: Node) -> Lowered:
    """log(exp(x) + 1)."""
    power = _step(node, "EXP", "exp", node.inputs[0])
    return node.emit("LOG", _step(node, "ADD", "sum", power, _number(node, 1, "one"), fused_activation_function=0))


@lowers("Softsign")
def softsign(node: Node) -> Lowered:
    """x / (|x| + 1)."""
    size = _step(node, "ABS", "abs", node.inputs[0])
    total = _step(node, "ADD", "sum", size, _number(node, 1, "one"), fused_activation_function=0)
    return node.emit("DIV", node.inputs[0], total, fused_activation_function=0)


@lowers("IsFinite")
def is_finite(node: Node) -> Lowered:
    """x - x == 0."""
    node.must_be_float()
    zeros = node.step("difference", node.inputs[0].shape, float32)
    difference = node.emit("SUB", *node.inputs * 2, gives=zeros, fused_activation_function=0)
    return node.emit("EQUAL", difference, _number(node, 0, "zero"))


@lowers("IsNan")
def is_nan(node: Node) -> Lowered:
    """x != x."""
    node.must_be_float()
    return node.emit("NOT_EQUAL", *node.inputs * 2)


@lowers("Expm1")
def expm1(node: Node) -> Lowered:
    """exp(x) - 1."""
    power = _step(node, "EXP", "exp", node.inputs[0])
    return node.emit("SUB", power, _number(node, 1, "one"), fused_activation_function=0)


@lowers("Log1p")
def log1p(node: Node) -> Lowered:
    """log(x + 1)."""
    return node.emit("LOG", _step(node, "ADD", "sum", node.inputs[0], _number(node, 1, "one"), fused_activation_function=0))


@lowers("Selu")
def selu(node: Node) -> Lowered:
    """A multiple of x where it is above 0, else of exp(x) - 1."""
    source = node.inputs[0]
    scale, alpha = np.float32(1.0507009873554805), np.float32(1.7580993408473768)
    positive = _step(node, "MUL", "positive", source, _number(node, scale, "scale"), fused_activation_function=0)
    power = _step(node, "EXP", "exp", source)
    less = _step(node, "SUB", "less", power, _number(node, 1, "one"), fused_activation_function=0)
    negative = _step(node, "MUL", "negative", less, _number(node, alpha, "alpha"), fused_activation_function=0)
    truths = Value(f"{node.op.name}/greater", bool_, source.shape)
    return node.emit("SELECT", node.emit("GREATER", source, _number(node, 0, "zero"), gives=truths), positive, negative)


@lowers("LRN")
def local_response_normalization(node: Node) -> Lowered:
    """Over channels, which come last."""
    node.must_be_float()
    options: dict[str, Any] = {name: float(node.attr(name)) for name in ("bias", "alpha", "beta")}
    return node.emit("LOCAL_RESPONSE_NORMALIZATION", *node.inputs, radius=int(node.attr("depth_radius")), **options)


@lowers("RandomUniform", "RandomStandardNormal")
def random(node: Node) -> Lowered:
    """Random numbers, others than TensorFlow's."""
    if node.result().dtype is not float32:
        raise Unsupported(f"of {node.result().dtype.name}")
    kind = "RANDOM_UNIFORM" if node.op.type == "RandomUniform" else "RANDOM_STANDARD_NORMAL"
    return node.emit(kind, node.as_int32(0), seed=node.attr("seed"), seed2=node.attr("seed2"))


def _constant_last(node: Node) -> list[Value]:
    return node.inputs[::-1] if node.op.type in _COMMUTATIVE and node.inputs[0].array is not None else node.inputs


def _number(node: Node, number: Any, suffix: str) -> Value:
    return node.constant(np.asarray(number, np.float32), suffix)


def _step(node: Node, kind: str, suffix: str, *inputs: Value, **options: Any) -> Value:
    node.must_be_float()
    return node.emit(kind, *inputs, gives=node.step(suffix, node.inputs[0].shape), **options)
