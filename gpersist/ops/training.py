"""The rules by which optimizers change variables: `ApplyAdam` and the like. Formulas and their order are those of TensorFlow's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.ops.update_rule import Rule

_PROXIMAL = {"lr": "positive", "l1": "non-negative", "l2": "non-negative"}
_FTRL = {**_PROXIMAL, "lr": "positive (or zero if multiply_linear_by_lr is set)", "lr_power": "non-positive"}

_DENSE = ("Apply", "ResourceApply")


class GradientDescent(Rule):
    """A step against the gradient."""

    inputs = "var: Ref(T), alpha: T, delta: T"
    gradient = "delta"
    kinds = _DENSE
    kernel = "var -= alpha * delta;"

    @staticmethod
    def update(var: Any, alpha: Any, delta: Any) -> None:
        var -= delta * alpha


class ProximalGradientDescent(Rule):
    """A step against the gradient, then towards zero."""

    inputs = "var: Ref(T), alpha: T, l1: T, l2: T, delta: T"
    needs_columns = True
    gradient = "delta"
    kernel = """
        T moved = var - delta * alpha;
        T kept = fabs(moved) - alpha * l1;
        T sign = (moved > T(0)) - (moved < T(0));
        var = (l1 > T(0) ? sign * (kept > T(0) ? kept : T(0)) : moved) / (T(1) + alpha * l2);
    """

    @staticmethod
    def update(var: Any, alpha: Any, l1: Any, l2: Any, delta: Any) -> None:
        var -= delta * alpha
        _shrink(var, alpha, l1, l2)


class Momentum(Rule):
    """A step against a decaying sum of gradients."""

    inputs = "var: Ref(T), accum: Ref(T), lr: T, grad: T, momentum: T"
    flags = "use_nesterov: bool = false"
    kernel = """
        accum = accum * momentum + grad;
        var -= use_nesterov ? grad * lr + accum * momentum * lr : accum * lr;
    """

    @staticmethod
    def update(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool) -> None:
        accum *= momentum
        accum += grad
        if use_nesterov:
            var -= grad * lr + accum * momentum * lr
        else:
            var -= accum * lr


class KerasMomentum(Rule):
    """`Momentum`, the learning rate within the sum."""

    inputs = "var: Ref(T), accum: Ref(T), lr: T, grad: T, momentum: T"
    flags = "use_nesterov: bool = false"
    kinds = ("ResourceApply", "ResourceSparseApply")
    kernel = """
        accum = accum * momentum - grad * lr;
        var += use_nesterov ? accum * momentum - grad * lr : accum;
    """

    @staticmethod
    def update(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool) -> None:
        accum *= momentum
        accum -= grad * lr
        var += accum * momentum - grad * lr if use_nesterov else accum


class Adam(Rule):
    """Adaptive moments: a step along the mean of gradients, over the root of that of their squares."""

    inputs = "var: Ref(T), m: Ref(T), v: Ref(T), beta1_power: T, beta2_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T"
    flags = "use_nesterov: bool = false"
    kinds = _DENSE
    kernel = """
        T alpha = lr * sqrt(T(1) - beta2_power) / (T(1) - beta1_power);
        m += (grad - m) * (T(1) - beta1);
        v += (grad * grad - v) * (T(1) - beta2);
        var -= (use_nesterov ? m * beta1 + grad * (T(1) - beta1) : m) * alpha / (sqrt(v) + epsilon);
    """

    @staticmethod
    def update(
        var: Any,
        m: Any,
        v: Any,
        beta1_power: Any,
        beta2_power: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        epsilon: Any,
        grad: Any,
        *,
        use_nesterov: bool,
    ) -> None:
        alpha = _adam_rate(lr, beta1_power, beta2_power)
        _adam_moments(m, v, beta1, beta2, grad)
        step = (m * beta1 + grad * (1 - beta1) if use_nesterov else m) * alpha
        step /= np.sqrt(v) + epsilon
        var -= step


class AdamWithAmsgrad(Rule):
    """`Adam`, over the root of the largest mean of squares so far."""

    inputs = "var: Ref(T), m: Ref(T), v: Ref(T), vhat: Ref(T), beta1_power: T, beta2_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T"
    kinds = ("ResourceApply",)
    kernel = """
        T alpha = lr * sqrt(T(1) - beta2_power) / (T(1) - beta1_power);
        m += (grad - m) * (T(1) - beta1);
        v += (grad * grad - v) * (T(1) - beta2);
        vhat = vhat > v ? vhat : v;
        var -= m * alpha / (sqrt(vhat) + epsilon);
    """

    @staticmethod
    def update(
        var: Any, m: Any, v: Any, vhat: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
    ) -> None:
        alpha = _adam_rate(lr, beta1_power, beta2_power)
        _adam_moments(m, v, beta1, beta2, grad)
        np.maximum(vhat, v, out=vhat)
        var -= m * alpha / (np.sqrt(vhat) + epsilon)


class AdaMax(Rule):
    """`Adam`, over the largest gradient instead of the root of squares."""

    inputs = "var: Ref(T), m: Ref(T), v: Ref(T), beta1_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T"
    kinds = _DENSE
    kernel = """
        m += (grad - m) * (T(1) - beta1);
        T decayed = beta2 * v, size = fabs(grad);
        v = size > decayed ? size : decayed;
        var -= lr / (T(1) - beta1_power) * (m / (v + epsilon));
    """

    @staticmethod
    def update(var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any) -> None:
        m += (grad - m) * (1 - beta1)
        decayed, size = v * beta2, np.abs(grad)
        v[...] = np.where(size > decayed, size, decayed)  # a gradient that is no number changes nothing
        var -= m / (v + epsilon) * (lr / (1 - beta1_power))


class Adagrad(Rule):
    """A step over the root of the sum of squared gradients."""

    needs_columns = True
    inputs = "var: Ref(T), accum: Ref(T), lr: T, grad: T"
    flags = "update_slots: bool = true"
    kernel = """
        if (update_slots) accum += grad * grad;
        var -= grad * lr / sqrt(accum);
    """

    @staticmethod
    def update(var: Any, accum: Any, lr: Any, grad: Any, *, update_slots: bool) -> None:
        if update_slots:
            accum += grad * grad
        var -= grad * lr / np.sqrt(accum)


class AdagradV2(Rule):
    """`Adagrad`, the root kept off zero."""

    needs_columns = True
    inputs = "var: Ref(T), accum: Ref(T), lr: T, epsilon: T, grad: T"
    flags = "update_slots: bool = true"
    kernel = """
        if (update_slots) accum += grad * grad;
        var -= grad * lr / (sqrt(accum) + epsilon);
    """

    @staticmethod
    def update(var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, *, update_slots: bool) -> None:
        if update_slots:
            accum += grad * grad
        var -= grad * lr / (np.sqrt(accum) + epsilon)


class ProximalAdagrad(Rule):
    """`Adagrad`, then a step towards zero."""

    limits = _PROXIMAL
    needs_columns = True
    inputs = "var: Ref(T), accum: Ref(T), lr: T, l1: T, l2: T, grad: T"
    kernel = """
        accum += grad * grad;
        T rate = lr / sqrt(accum);
        T moved = var - grad * rate;
        T kept = fabs(moved) - rate * l1;
        T sign = (moved > T(0)) - (moved < T(0));
        var = (l1 > T(0) ? sign * (kept > T(0) ? kept : T(0)) : moved) / (T(1) + l2 * rate);
    """

    @staticmethod
    def update(var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> None:
        accum += grad * grad
        rate = lr / np.sqrt(accum)
        var -= grad * rate
        _shrink(var, rate, l1, l2)


class AdagradDA(Rule):
    """Dual averaging: a variable made anew from the sums of gradients and of their squares."""

    needs_columns = True
    inputs = "var: Ref(T), gradient_accumulator: Ref(T), gradient_squared_accumulator: Ref(T), grad: T, lr: T, l1: T, l2: T, global_step: int64"
    kernel = """
        gradient_accumulator += grad;
        gradient_squared_accumulator += grad * grad;
        T kept = fabs(gradient_accumulator) - l1 * T(global_step);
        T sign = (gradient_accumulator > T(0)) - (gradient_accumulator < T(0));
        T sum = l1 > T(0) ? sign * (kept > T(0) ? kept : T(0)) : gradient_accumulator;
        var = -lr * sum / (l2 * T(global_step) * lr + sqrt(gradient_squared_accumulator));
    """

    @staticmethod
    def update(
        var: Any, gradient_accumulator: Any, gradient_squared_accumulator: Any, grad: Any, lr: Any, l1: Any, l2: Any, global_step: Any
    ) -> None:
        gradient_accumulator += grad
        gradient_squared_accumulator += grad * grad
        steps = global_step.astype(var.dtype)
        total = gradient_accumulator
        if l1 > 0:
            total = np.sign(total) * np.maximum(np.abs(total) - l1 * steps, 0)
        np.divide(total * -lr, np.sqrt(gradient_squared_accumulator) + l2 * steps * lr, out=var)


class Adadelta(Rule):
    """A step in the ratio of the root mean squares of past steps and of gradients."""

    inputs = "var: Ref(T), accum: Ref(T), accum_update: Ref(T), lr: T, rho: T, epsilon: T, grad: T"
    kernel = """
        accum = accum * rho + grad * grad * (T(1) - rho);
        T step = sqrt(accum_update + epsilon) / sqrt(accum + epsilon) * grad;
        var -= step * lr;
        accum_update = accum_update * rho + step * step * (T(1) - rho);
    """

    @staticmethod
    def update(var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any) -> None:
        accum *= rho
        accum += grad * grad * (1 - rho)
        step = np.sqrt(accum_update + epsilon) / np.sqrt(accum + epsilon) * grad
        var -= step * lr
        accum_update *= rho
        accum_update += step * step * (1 - rho)


class RMSProp(Rule):
    """A step over the root mean square of gradients, with momentum."""

    inputs = "var: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T"
    kernel = """
        ms += (grad * grad - ms) * (T(1) - rho);
        mom = mom * momentum + grad * lr / sqrt(ms + epsilon);
        var -= mom;
    """

    @staticmethod
    def update(var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> None:
        ms += (grad * grad - ms) * (1 - rho)
        mom *= momentum
        mom += grad * lr / np.sqrt(ms + epsilon)
        var -= mom


class CenteredRMSProp(Rule):
    """`RMSProp`, by the deviation of gradients from their mean."""

    inputs = "var: Ref(T), mg: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T"
    kernel = """
        ms += (grad * grad - ms) * (T(1) - rho);
        mg += (grad - mg) * (T(1) - rho);
        mom = mom * momentum + grad * lr / sqrt(ms - mg * mg + epsilon);
        var -= mom;
    """

    @staticmethod
    def update(var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> None:
        ms += (grad * grad - ms) * (1 - rho)
        mg += (grad - mg) * (1 - rho)
        mom *= momentum
        mom += grad * lr / np.sqrt(ms - mg * mg + epsilon)
        var -= mom


_FTRL_KERNEL = """
    T squares = accum + grad * grad;
    bool is_root = lr_power == T(-0.5);
    T power = is_root ? sqrt(squares) : pow(squares, -lr_power);
    T before = is_root ? sqrt(accum) : pow(accum, -lr_power);
    linear += GRADIENT - (power - before) / lr * var;
    T sign = (linear > T(0)) - (linear < T(0));
    var = fabs(linear) > l1 ? (l1 * sign - linear) / (power / lr + T(2) * l2) : T(0);
    accum = squares;
"""


class Ftrl(Rule):
    """Follow the regularized leader."""

    row_limits = _FTRL
    needs_columns = True
    inputs = "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, lr: T, l1: T, l2: T, lr_power: T"
    kernel = _FTRL_KERNEL.replace("GRADIENT", "grad")

    @staticmethod
    def update(var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, lr_power: Any) -> None:
        _ftrl(var, accum, linear, grad, grad, lr, l1, l2, lr_power)


class FtrlV2(Rule):
    """`Ftrl`, the variable's magnitude added to the loss."""

    row_limits = _FTRL
    needs_columns = True
    inputs = "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, lr: T, l1: T, l2: T, l2_shrinkage: T, lr_power: T"
    kernel = _FTRL_KERNEL.replace("GRADIENT", "grad + T(2) * l2_shrinkage * var")

    @staticmethod
    def update(var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, l2_shrinkage: Any, lr_power: Any) -> None:
        _ftrl(var, accum, linear, grad, grad + 2 * l2_shrinkage * var, lr, l1, l2, lr_power)


class AddSign(Rule):
    """A step that is longer where gradient and momentum agree."""

    inputs = "var: Ref(T), m: Ref(T), lr: T, alpha: T, sign_decay: T, beta: T, grad: T"
    kinds = _DENSE
    kernel = """
        m = m * beta + grad * (T(1) - beta);
        T agreement = ((grad > T(0)) - (grad < T(0))) * ((m > T(0)) - (m < T(0)));
        var -= lr * (alpha + sign_decay * agreement) * grad;
    """

    @staticmethod
    def update(var: Any, m: Any, lr: Any, alpha: Any, sign_decay: Any, beta: Any, grad: Any) -> None:
        m *= beta
        m += grad * (1 - beta)
        var -= (np.sign(grad) * np.sign(m) * sign_decay + alpha) * lr * grad


class PowerSign(Rule):
    """A step that grows by a power where gradient and momentum agree."""

    inputs = "var: Ref(T), m: Ref(T), lr: T, logbase: T, sign_decay: T, beta: T, grad: T"
    kinds = _DENSE
    kernel = """
        m = m * beta + grad * (T(1) - beta);
        T agreement = ((grad > T(0)) - (grad < T(0))) * ((m > T(0)) - (m < T(0)));
        var -= lr * exp(logbase * sign_decay * agreement) * grad;
    """

    @staticmethod
    def update(var: Any, m: Any, lr: Any, logbase: Any, sign_decay: Any, beta: Any, grad: Any) -> None:
        m *= beta
        m += grad * (1 - beta)
        var -= np.exp(np.sign(grad) * np.sign(m) * (logbase * sign_decay)) * lr * grad


def _adam_rate(lr: Any, beta1_power: Any, beta2_power: Any) -> Any:
    return lr * np.sqrt(1 - beta2_power) / (1 - beta1_power)


def _adam_moments(m: Any, v: Any, beta1: Any, beta2: Any, grad: Any) -> None:
    step = grad - m
    step *= 1 - beta1
    m += step
    np.multiply(grad, grad, out=step)
    step -= v
    step *= 1 - beta2
    v += step


def _shrink(var: Any, rate: Any, l1: Any, l2: Any) -> None:
    """Takes a variable towards zero by the absolute and the squared norm."""
    if l1 > 0:
        np.multiply(np.sign(var), np.maximum(np.abs(var) - rate * l1, 0), out=var)
    var /= 1 + rate * l2


def _ftrl(var: Any, accum: Any, linear: Any, grad: Any, shrunk: Any, lr: Any, l1: Any, l2: Any, lr_power: Any) -> None:
    squares = accum + grad * grad
    is_root = lr_power == -0.5
    power = np.sqrt(squares) if is_root else squares**-lr_power
    linear += shrunk - (power - (np.sqrt(accum) if is_root else accum**-lr_power)) / lr * var
    np.divide(l1 * np.sign(linear) - linear, power / lr + 2 * l2, out=var)
    var[~(np.abs(linear) > l1)] = 0  # NaN, too
    accum[...] = squares
