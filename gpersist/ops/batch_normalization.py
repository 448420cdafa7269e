"""Batch normalisation of `tf.layers`, with its moving averages."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.activations import relu
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.array import identity, reshape, stop_gradient
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.initializers import ones_initializer, zeros_initializer
from gpersist.ops.input_spec import InputSpec
from gpersist.ops.layer import Layer
from gpersist.ops.layer_arguments import in_training, initializer_of, known_training
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
        renorm_clipping: bounds `rmin` and `rmax` of the factor and `dmax` of the shift that `renorm` makes of the moving averages.
        renorm_momentum: how much of the moving averages of `renorm` stays.
        fused: whether one operation does it all; by default for images with channels first or last, unless `renorm`.
        trainable: whether `beta` and `gamma` are.
        virtual_batch_size: None; TensorFlow's can cut batches into smaller ones.
        adjustment: None; TensorFlow's can change the scale and the shift of each batch.
        name: of the layer.
        kwargs: `dtype`, `_scope`, `_reuse`; see `Layer`.

    Raises:
        ValueError: another key in `renorm_clipping`.
        TypeError: an axis is no number.
        UnimplementedError: there is a `virtual_batch_size` or an `adjustment`.
    """

    config_names: ClassVar[tuple[str, ...]] = (
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    supports_masking = True

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
        renorm_clipping: Mapping[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, **kwargs)
        if virtual_batch_size is not None or adjustment is not None:
            raise UnimplementedError(
                f"Batches are normalized whole, and as they are: expected virtual_batch_size=None and adjustment=None, found {virtual_batch_size} "
                f"and {adjustment}"
            )
        if renorm and set(renorm_clipping or ()) - {"rmax", "rmin", "dmax"}:
            raise ValueError(f"Received invalid keys for `renorm_clipping` argument: {renorm_clipping}. Supported values: ('rmax', 'rmin', 'dmax').")
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping or {}
        self.renorm_momentum = renorm_momentum
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.fused = False if renorm else fused
        self.beta_initializer = initializer_of(beta_initializer) or zeros_initializer()
        self.gamma_initializer = initializer_of(gamma_initializer) or ones_initializer()
        self.moving_mean_initializer = initializer_of(moving_mean_initializer) or zeros_initializer()
        self.moving_variance_initializer = initializer_of(moving_variance_initializer) or ones_initializer()
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint

    def build(self, input_shape: Any) -> None:
        """Makes `gamma`, `beta`, `moving_mean` and `moving_variance`; for `renorm` also `moving_stddev`, `renorm_mean` and `renorm_stddev`."""
        known = TensorShape(input_shape)
        rank = known.rank
        if rank is None:
            raise ValueError(f"Input has undefined rank. Received: input_shape={known}")
        given = [self.axis] if isinstance(self.axis, int) else self.axis
        if not all(-rank <= axis < rank for axis in given):
            wanted = f"Expected 0 <= axis < inputs.rank (with inputs.rank={rank})"
            raise ValueError(f"Invalid value for `axis` argument. {wanted}. Received: axis={tuple(given)}")
        self.axis = [axis % rank for axis in given]
        self.fused = self.fused is not False and rank in (4, 5) and self.axis in ([1], [rank - 1])
        sizes = {axis: known.as_list()[axis] for axis in self.axis}
        if None in sizes.values():
            raise ValueError(f"Input has undefined `axis` dimension. Received input with shape {tuple(known)}. Axis value: {tuple(self.axis)}")
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        shape = list(sizes.values()) if len(sizes) == 1 else [sizes.get(axis, 1) for axis in range(rank)]
        self._shape = shape
        self._dtype = "float32" if self.dtype in (None, "float16", "bfloat16") else self.dtype
        self.gamma = self.add_weight_of("gamma", shape, dtype=self._dtype) if self.scale else None
        self.beta = self.add_weight_of("beta", shape, dtype=self._dtype) if self.center else None
        assert self._scope is not None
        partitioner = self._scope.partitioner
        self._scope.set_partitioner(None)  # moving averages are never cut
        self._add_moving(shape)
        self._scope.set_partitioner(partitioner)
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        return input_shape

    def _add_moving(self, shape: list[int]) -> None:
        self.moving_mean = self.add_weight("moving_mean", shape, self._dtype, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", shape, self._dtype, self.moving_variance_initializer, trainable=False)
        if self.renorm:
            given = self.moving_variance_initializer
            of_variance = given() if isinstance(given, type) else given

            def stddev(*args: Any, **options: Any) -> Tensor:
                return sqrt(of_variance(*args, **options))

            graph = get_default_graph()
            with graph.colocate_with(self.moving_variance):
                self.moving_stddev = self.add_weight("moving_stddev", shape, self._dtype, stddev, trainable=False)
            with graph.colocate_with(self.moving_mean):
                self.renorm_mean = self.add_weight("renorm_mean", shape, self._dtype, self.moving_mean_initializer, trainable=False)
            with graph.colocate_with(self.moving_stddev):
                self.renorm_stddev = self.add_weight("renorm_stddev", shape, self._dtype, stddev, trainable=False)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        """The normalised inputs; in training the moving averages get their updates."""
        return self._fused(inputs, training) if self.fused else self._composed(inputs, training)

    def _fused(self, inputs: Tensor, training: Any) -> Tensor:
        data_format = {4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}[len(inputs.shape)][self.axis != [1]]
        beta = self.beta if self.center else constant(0.0, self._dtype, self._shape)
        gamma = self.gamma if self.scale else constant(1.0, self._dtype, self._shape)

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
        axes = [axis for axis in range(rank) if axis not in self.axis]
        keeps_axes = len(self.axis) > 1

        def spread(vector: Any) -> Any:
            if vector is None or keeps_axes or self.axis == [rank - 1]:
                return vector
            return reshape(vector, [self._shape[0] if axis in self.axis else 1 for axis in range(rank)])

        gamma, beta = spread(self.gamma), spread(self.beta)
        if known_training(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            batch_mean, batch_variance = moments(value, axes, keep_dims=keeps_axes)
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


def batch_normalization(
    inputs: Any,
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
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Mapping[str, Any] | None = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Any = None,
) -> Tensor:
    """Batch normalisation (`tf.layers.batch_normalization`); arguments as of `BatchNormalization`, `training`, a bool or a tensor, and `reuse`."""
    layer = BatchNormalization(
        axis,
        momentum,
        epsilon,
        center,
        scale,
        beta_initializer,
        gamma_initializer,
        moving_mean_initializer,
        moving_variance_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        renorm,
        renorm_clipping,
        renorm_momentum,
        fused,
        trainable,
        virtual_batch_size,
        adjustment,
        name,
        _reuse=reuse,
        _scope=name,
    )
    return layer(inputs, training=training)  # type: ignore[no-any-return]
