"""Batch normalisation of `tf.layers`, with its moving averages."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.activations import relu
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.array import identity, reshape, stop_gradient
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.initializers import ones_initializer, zeros_initializer
from gpersist.ops.layer import Layer, in_training, known_size, known_training
from gpersist.ops.moments import batch_normalization as normalized
from gpersist.ops.moments import fused_batch_norm, moments
from gpersist.ops.unary import sqrt
from gpersist.ops.variables import assign, assign_sub
from gpersist.shapes import TensorShape

__all__ = ["BatchNormalization", "batch_normalization"]


class BatchNormalization(Layer):
    """Inputs made of mean 0 and variance 1 channel by channel, then scaled and shifted (`tf.layers.BatchNormalization`).

    In training it is the batch's mean and variance that count; the operations that enter them in the moving ones, which count otherwise, are in the
    collection of update operations, and run where they are asked for.

    Args:
        axis: which is the channels.
        momentum: how much of the moving averages stays.
        epsilon: added to the variance.
        center: whether there is a shift, `beta`.
        scale: whether there is a factor, `gamma`.
        beta_initializer: as of `tf.get_variable`; zeros by default.
        gamma_initializer: likewise; ones by default.
        moving_mean_initializer: likewise; zeros by default.
        moving_variance_initializer: likewise; ones by default.
        beta_regularizer: a function of `beta` that gives a loss.
        gamma_regularizer: likewise.
        beta_constraint: a function that an optimizer applies to `beta`.
        gamma_constraint: likewise.
        renorm: whether training, too, counts on moving averages (batch renormalisation): `renorm_mean` and `renorm_stddev`.
        trainable: whether `beta` and `gamma` are.
        name: of the layer.
        fused: whether one operation does it all; by default for images with channels first or last, unless `renorm`.
        renorm_clipping: bounds `rmin` and `rmax` of the factor and `dmax` of the shift that `renorm` makes of the moving averages.
        renorm_momentum: how much of the moving averages of `renorm` stays.
        kwargs: `dtype`, `_scope`, `_reuse`; see `Layer`.

    Raises:
        ValueError: another key in `renorm_clipping`.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = None,
        gamma_initializer: Any = None,
        moving_mean_initializer: Any = None,
        moving_variance_initializer: Any = None,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        trainable: bool = True,
        name: str | None = None,
        fused: bool | None = None,
        renorm_clipping: Mapping[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, **kwargs)
        if renorm and set(renorm_clipping or ()) - {"rmax", "rmin", "dmax"}:
            raise ValueError(f"Received invalid keys for `renorm_clipping` argument: {renorm_clipping}. Supported values: ('rmax', 'rmin', 'dmax').")
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping or {}
        self.renorm_momentum = renorm_momentum
        self.axis = axis[0] if isinstance(axis, (list, tuple)) else axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.fused = False if renorm else fused
        self._beta = {"initializer": beta_initializer or zeros_initializer(), "regularizer": beta_regularizer, "constraint": beta_constraint}
        self._gamma = {"initializer": gamma_initializer or ones_initializer(), "regularizer": gamma_regularizer, "constraint": gamma_constraint}
        self._moving_mean = moving_mean_initializer or zeros_initializer()
        self._moving_variance = moving_variance_initializer or ones_initializer()

    def build(self, input_shape: TensorShape) -> None:
        """Makes `gamma`, `beta`, `moving_mean` and `moving_variance`; for `renorm` also `moving_stddev`, `renorm_mean` and `renorm_stddev`."""
        if input_shape.rank is None:
            raise ValueError("Input has undefined rank.")
        if not -input_shape.rank <= self.axis < input_shape.rank:
            raise ValueError(f"Invalid axis. Expected values within the input's rank {input_shape.rank}; received: {self.axis}")
        self.axis %= input_shape.rank
        self.is_fused = self.fused is not False and input_shape.rank == 4 and self.axis in (1, 3)
        shape = [known_size(input_shape, self.axis, self)]
        self._size = shape[0]
        self._dtype = "float32" if self.dtype is None or self.dtype.name in ("float16", "bfloat16") else self.dtype.name
        self.gamma = self.add_weight("gamma", shape, self._dtype, **self._gamma) if self.scale else None
        self.beta = self.add_weight("beta", shape, self._dtype, **self._beta) if self.center else None
        assert self._scope is not None
        partitioner = self._scope.partitioner
        self._scope.set_partitioner(None)  # moving averages are never cut
        self._add_moving(shape)
        self._scope.set_partitioner(partitioner)

    def _add_moving(self, shape: list[int]) -> None:
        self.moving_mean = self.add_weight("moving_mean", shape, self._dtype, self._moving_mean, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", shape, self._dtype, self._moving_variance, trainable=False)
        if self.renorm:
            of_variance = self._moving_variance() if isinstance(self._moving_variance, type) else self._moving_variance

            def stddev(*args: Any, **options: Any) -> Tensor:
                return sqrt(of_variance(*args, **options))

            graph = get_default_graph()
            with graph.colocate_with(self.moving_variance):
                self.moving_stddev = self.add_weight("moving_stddev", shape, self._dtype, stddev, trainable=False)
            with graph.colocate_with(self.moving_mean):
                self.renorm_mean = self.add_weight("renorm_mean", shape, self._dtype, self._moving_mean, trainable=False)
            with graph.colocate_with(self.moving_stddev):
                self.renorm_stddev = self.add_weight("renorm_stddev", shape, self._dtype, stddev, trainable=False)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        """The normalised inputs; in training the moving averages get their updates."""
        return self._fused(inputs, training) if self.is_fused else self._composed(inputs, training)

    def _fused(self, inputs: Tensor, training: Any) -> Tensor:
        data_format = "NCHW" if self.axis == 1 else "NHWC"
        beta = self.beta if self.center else constant(0.0, self._dtype, [self._size])
        gamma = self.gamma if self.scale else constant(1.0, self._dtype, [self._size])

        def run(is_training: bool) -> list[Tensor]:
            return list(fused_batch_norm(inputs, gamma, beta, self.moving_mean, self.moving_variance, self.epsilon, data_format, is_training))

        output, mean, variance = in_training(training, lambda: run(True), lambda: run(False))
        is_training = known_training(training)
        if is_training is not False:
            if is_training is None:
                momentum = in_training(training, lambda: self.momentum, lambda: 1.0)
            else:
                momentum = convert_to_tensor(self.momentum)
            self.add_update(self._moved(self.moving_mean, mean, momentum))
            self.add_update(self._moved(self.moving_variance, variance, momentum))
        return output  # type: ignore[no-any-return]

    def _composed(self, inputs: Tensor, training: Any) -> Tensor:
        dtype = inputs.dtype.base_dtype
        value = cast(inputs, "float32") if dtype.name in ("float16", "bfloat16") else inputs
        rank = inputs.shape.rank or 0
        axes = [axis for axis in range(rank) if axis != self.axis]

        def spread(vector: Any) -> Any:
            if vector is None or self.axis == rank - 1:
                return vector
            return reshape(vector, [self._size if axis == self.axis else 1 for axis in range(rank)])

        gamma, beta = spread(self.gamma), spread(self.beta)
        if known_training(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            batch_mean, batch_variance = moments(value, axes)
            mean = in_training(training, lambda: batch_mean, lambda: convert_to_tensor(self.moving_mean))
            variance = in_training(training, lambda: batch_variance, lambda: convert_to_tensor(self.moving_variance))
            new_mean, new_variance = mean, variance
            move_variance = functools.partial(self._moved, self.moving_variance, variance, self.momentum)
            if self.renorm:
                r, d, new_mean, new_variance = self._renormed(mean, variance, training)
                factor, shift = spread(stop_gradient(r, name="renorm_r")), spread(stop_gradient(d, name="renorm_d"))
                if gamma is not None:
                    factor, shift = factor * gamma, shift * gamma
                gamma, beta = factor, shift if beta is None else shift + beta
                move_variance = functools.partial(self._moved_by_stddev, new_variance)
            move_mean = functools.partial(self._moved, self.moving_mean, new_mean, self.momentum)
            for moving, move in ((self.moving_mean, move_mean), (self.moving_variance, move_variance)):
                self.add_update(in_training(training, move, functools.partial(convert_to_tensor, moving)))
        outputs = normalized(value, spread(mean), spread(variance), beta, gamma, self.epsilon)
        outputs.set_shape(inputs.shape)
        return cast(outputs, dtype)

    def _renormed(self, mean: Tensor, variance: Tensor, training: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What normalised inputs are multiplied with and shifted by; the mean and the variance, for what comes after the updates that this adds."""
        stddev = sqrt(variance + self.epsilon)
        old_stddev = maximum(self.renorm_stddev, sqrt(self.epsilon))
        r, d = stddev / old_stddev, (mean - self.renorm_mean) / old_stddev
        with get_default_graph().control_dependencies([r, d]):  # which are of the averages before these change
            before_mean, before_stddev = identity(mean), identity(stddev)
        bounds = self.renorm_clipping
        if bounds.get("rmin") is not None:
            r = maximum(r, bounds["rmin"])
        if bounds.get("rmax") is not None:
            r = minimum(r, bounds["rmax"])
        if bounds.get("dmax") is not None:
            d = minimum(maximum(d, -bounds["dmax"]), bounds["dmax"])
        r = in_training(training, lambda: r, functools.partial(ones_like, r))
        d = in_training(training, lambda: d, functools.partial(zeros_like, d))
        moved = []
        for average, value in ((self.renorm_mean, before_mean), (self.renorm_stddev, before_stddev)):
            move = functools.partial(self._moved, average, identity(value), self.renorm_momentum)
            moved.append(in_training(training, move, functools.partial(identity, average)))
        with get_default_graph().control_dependencies(moved):
            return r, d, identity(before_mean), identity(variance)

    def _moved_by_stddev(self, variance: Tensor) -> Any:
        """The operation that draws the moving variance towards a value, as the square of the moving standard deviation."""
        stddev = self._moved(self.moving_stddev, sqrt(variance + self.epsilon), self.momentum)
        value = relu(stddev * stddev - self.epsilon)
        with name_scope("AssignNewValue") as scope, get_default_graph().colocate_with(self.moving_variance):
            return assign(self.moving_variance, value, name=scope)

    def _moved(self, variable: Any, value: Tensor, momentum: Any) -> Any:
        """The operation that draws a moving average towards a value."""
        with name_scope("AssignMovingAvg") as scope, get_default_graph().colocate_with(variable):
            decay = convert_to_tensor(1.0 - momentum, name="decay")
            if decay.dtype.base_dtype is not variable.dtype.base_dtype:
                decay = cast(decay, variable.dtype.base_dtype)
            return assign_sub(variable, (variable - cast(value, variable.dtype.base_dtype)) * decay, name=scope)


def batch_normalization(inputs: Any, *args: Any, training: Any = False, reuse: Any = None, **kwargs: Any) -> Tensor:
    """Batch normalisation (`tf.layers.batch_normalization`); arguments as of `BatchNormalization`, `training`, a bool or a tensor, and `reuse`."""
    layer = BatchNormalization(*args, _reuse=reuse, _scope=kwargs.get("name"), **kwargs)
    return layer(inputs, training=training)  # type: ignore[no-any-return]
