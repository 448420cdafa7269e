"""Learning rates that fall with the step: `tf.train.exponential_decay` and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import add, minimum, multiply, pow
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.control_flow_case import case
from gpersist.ops.division import truediv
from gpersist.ops.random import random_normal
from gpersist.ops.trigonometry import cos
from gpersist.ops.unary import ceil, exp, floor, log, negative, sqrt

__all__ = [
    "cosine_decay",
    "cosine_decay_restarts",
    "exponential_decay",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "piecewise_constant_decay",
    "polynomial_decay",
]


def exponential_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Tensor:
    """`learning_rate * decay_rate ** (global_step / decay_steps)` (`tf.train.exponential_decay`).

    Args:
        learning_rate: at step zero.
        global_step: a number, tensor or variable.
        decay_steps: in how many steps the rate falls by `decay_rate`.
        decay_rate: see there.
        staircase: whether it falls only at multiples of `decay_steps`.
        name: of the node.
    """
    with name_scope(name, "ExponentialDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps, factor = cast(decay_steps, rate.dtype), cast(decay_rate, rate.dtype)
        part = cast(global_step, rate.dtype) / steps
        if staircase:
            part = floor(part)
        return multiply(rate, pow(factor, part), name=scope)


def natural_exp_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Tensor:
    """`learning_rate * exp(-decay_rate * global_step / decay_steps)` (`tf.train.natural_exp_decay`); see `exponential_decay`."""
    return exponential_decay(learning_rate, global_step, decay_steps, exp(negative(decay_rate)), staircase, name)


def inverse_time_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Tensor:
    """`learning_rate / (1 + decay_rate * global_step / decay_steps)` (`tf.train.inverse_time_decay`); see `exponential_decay`."""
    with name_scope(name, "InverseTimeDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps, factor = cast(decay_steps, rate.dtype), cast(decay_rate, rate.dtype)
        part = cast(global_step, rate.dtype) / steps
        if staircase:
            part = floor(part)
        one = cast(constant(1), rate.dtype)
        return truediv(rate, add(one, multiply(factor, part)), name=scope)


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """From one rate to another by a power of the steps that are left (`tf.train.polynomial_decay`).

    Args:
        learning_rate: at step zero.
        global_step: a number, tensor or variable.
        decay_steps: the step from which on the rate is `end_learning_rate`.
        end_learning_rate: see there.
        power: 1 for a straight line.
        cycle: whether the rate rises again after `decay_steps`, for as many steps as it takes to the next multiple of them.
        name: of the node.
    """
    with name_scope(name, "PolynomialDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        end, exponent = cast(end_learning_rate, rate.dtype), cast(power, rate.dtype)
        step, steps = cast(global_step, rate.dtype), cast(decay_steps, rate.dtype)
        if cycle:
            rounds = apply("SelectV2", apply("Equal", step, 0), 1.0, ceil(step / decay_steps))
            steps = multiply(steps, rounds)
        else:
            step = minimum(step, steps)
        part = truediv(step, steps)
        return add(multiply(rate - end, pow(1 - part, exponent)), end, name=scope)


def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Tensor:
    """One of several rates (`tf.train.piecewise_constant`): the first up to and with the first boundary, and so on.

    Args:
        x: the step, a scalar.
        boundaries: growing numbers of the step's type.
        values: one more than boundaries.
        name: of the scope.

    Raises:
        ValueError: the numbers don't match, or types.
    """
    step = convert_to_tensor(x)
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    limits, rates = [convert_to_tensor(limit) for limit in boundaries], [convert_to_tensor(rate) for rate in values]
    for index, limit in enumerate(limits):
        if limit.dtype.base_dtype is step.dtype.base_dtype:
            continue
        if limit.dtype.base_dtype.name != "int32" or step.dtype.base_dtype.name != "int64":
            raise ValueError(f"Boundaries ({limit.dtype.base_dtype}) must have the same dtype as x ({step.dtype.base_dtype}).")
        limits[index] = cast(limit, step.dtype.base_dtype)
    for rate in rates[1:]:
        if rate.dtype.base_dtype is not rates[0].dtype.base_dtype:
            raise ValueError(f"Values must have elements all with the same dtype ({rates[0].dtype.base_dtype} vs {rate.dtype.base_dtype}).")
    with name_scope(name, "PiecewiseConstant"):
        cases: list[Any] = [(step <= limits[0], lambda: rates[0]), (step > limits[-1], lambda: rates[-1])]
        for low, high, rate in zip(limits, limits[1:], rates[1:-1], strict=False):
            cases.append(((step > low) & (step <= high), lambda rate=rate: rate))
        found: Tensor = case(cases, lambda: rates[0], exclusive=True)
        return found


piecewise_constant_decay = piecewise_constant


def cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None) -> Tensor:
    """Half a cosine wave down to `alpha * learning_rate` (`tf.train.cosine_decay`)."""
    with name_scope(name, "CosineDecay"):
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps = cast(decay_steps, rate.dtype)
        part = minimum(cast(global_step, rate.dtype), steps) / steps
        return multiply(rate, (1 - alpha) * (0.5 * (1.0 + cos(constant(math.pi) * part))) + alpha)


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: Any = 2.0,
    m_mul: Any = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """Half cosine waves, one after the other (`tf.train.cosine_decay_restarts`).

    Args:
        learning_rate: at step zero.
        global_step: a number, tensor or variable.
        first_decay_steps: the length of the first wave.
        t_mul: how much longer each wave is than the one before.
        m_mul: how much higher.
        alpha: the lowest rate, as a part of the first.
        name: of the node.
    """
    with name_scope(name, "SGDRDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps, lowest, longer, higher = (cast(value, rate.dtype) for value in (first_decay_steps, alpha, t_mul, m_mul))
        part = cast(global_step, rate.dtype) / steps

        def waves_of_one_length() -> tuple[Tensor, Tensor]:
            number = floor(part)
            return number, part - number

        def waves_that_grow() -> tuple[Tensor, Tensor]:
            number = floor(log(1.0 - part * (1.0 - longer)) / log(longer))
            before = (1.0 - longer**number) / (1.0 - longer)
            return number, (part - before) / longer**number

        restart, part_of_wave = cond(equal(longer, 1.0), waves_of_one_length, waves_that_grow)
        wave = 0.5 * higher**restart * (1.0 + cos(constant(math.pi) * part_of_wave))
        return multiply(rate, (1 - lowest) * wave + lowest, name=scope)


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """A line times cosine waves (`tf.train.linear_cosine_decay`)."""
    with name_scope(name, "LinearCosineDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps, periods, offset, floor_rate = (cast(value, rate.dtype) for value in (decay_steps, num_periods, alpha, beta))
        step = minimum(cast(global_step, rate.dtype), steps)
        line = (steps - step) / steps
        part = step / steps
        turned = 2.0 * periods * part
        wave = 0.5 * (1.0 + cos(constant(math.pi) * turned))
        return multiply(rate, (offset + line) * wave + floor_rate, name=scope)


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay` with noise on the line, whose variance falls (`tf.train.noisy_linear_cosine_decay`)."""
    with name_scope(name, "NoisyLinearCosineDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        settings = (decay_steps, initial_variance, variance_decay, num_periods, alpha, beta)
        steps, first, falling, periods, offset, floor_rate = (cast(value, rate.dtype) for value in settings)
        step = minimum(cast(global_step, rate.dtype), steps)
        line = (steps - step) / steps
        deviation = sqrt(first / pow(1.0 + step, falling))
        line = line + random_normal(line.shape, stddev=deviation)
        part = step / steps
        turned = 2.0 * periods * part
        wave = 0.5 * (1.0 + cos(constant(math.pi) * turned))
        return multiply(rate, (offset + line) * wave + floor_rate, name=scope)
